"""Archives taken apart, changed and put together again, with every checksum as it should be."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile

import msgspec
import numpy as np

from retrieval import Document
from retrieval.archive.tar import Header, Member, write_archive

LIST = "collection.json"
WORDS = re.split(" ", "otters eat fish rivers bring salt to seas moons pull tides over sand")


def take_apart(path) -> tuple[Header, dict[str, bytes]]:
    with tarfile.open(path) as tar:
        files = {one.name: tar.extractfile(one).read() for one in tar}
    return Header.decode(files.pop(LIST)), files


def put_together(path, header: Header, files: dict[str, bytes], *, records: bool = True) -> None:
    """Writes an archive of these files; unless told otherwise, records and manifest follow them."""
    files = dict(files)
    if records:
        manifest = json.loads(files["manifest.json"])
        del manifest["sha256"]
        for entry in manifest["segments"]:
            folder = f"segments/{entry['name']}/"
            own = {name: data for name, data in files.items() if name.startswith(folder)}
            del own[f"{folder}segment.json"]
            listed = {
                name.removeprefix(folder): {"bytes": len(data), "sha256": sha(data)}
                for name, data in sorted(own.items())
            }
            files[f"{folder}segment.json"] = json.dumps({"format": 1, "files": listed}).encode()
            entry["checksum"] = sha(files[f"{folder}segment.json"])
            if entry["tombstones"]:
                dead = files[f"tombstones/{entry['tombstones']['file']}"]
                entry["tombstones"]["checksum"] = sha(dead)
        files["manifest.json"] = signed(manifest)
    members = tuple(Member(name, len(data), sha(data)) for name, data in files.items())
    changed = msgspec.structs.replace(header, members=members)
    with path.open("wb") as out:
        write_archive(out, changed, lambda name: io.BytesIO(files[name]), lambda _: None)


def signed(body: dict) -> bytes:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return f'{text[:-1]},"sha256":"{sha(text.encode())}"}}'.encode()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def documents(count: int, first: int = 0) -> list[Document]:
    return [
        Document(f"d{at}", f"{_sentence(at)} {at}.", f"Title {at}", {"at": at, "tags": ["ü"]})
        for at in range(first, first + count)
    ]


def _sentence(seed: int) -> str:
    return " ".join(np.random.default_rng(seed).choice(WORDS, 20))
