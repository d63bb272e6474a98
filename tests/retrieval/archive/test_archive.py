"""An archive is read as it was written, or not at all."""

import io
import os
import random
import shutil
import tarfile

import msgspec
import pytest

from retrieval import Collection
from retrieval.archive import Header, check_unpacked, open_archive, pin, write_archive
from retrieval.archive.tar import _tar_header
from retrieval.errors import CorruptSegment, InvalidArchive
from retrieval.segments import Manifest
from tests.support.crafting import put_together, take_apart
from tests.support.fakes import MODELS


def unpack(path, directory):
    with open_archive(path) as archive:
        archive.unpack(directory, lambda _: None)
        try:
            return check_unpacked(directory, archive.header)
        except ValueError as error:
            raise InvalidArchive(str(path), str(error)) from None


def test_an_archive_is_a_tar_of_the_live_files_byte_for_byte(archive, sound, tmp_path):
    manifest = unpack(archive, tmp_path / "c")
    assert manifest == Manifest.read(sound.path)
    ours = {path.relative_to(tmp_path / "c"): path for path in (tmp_path / "c").rglob("*") if path.is_file()}
    theirs = {path.relative_to(sound.path): path for path in sound.path.rglob("*") if path.is_file()}
    assert {str(name) for name in ours.keys() ^ theirs.keys()} == {"lock", "documents.jsonl"}
    for name in ours.keys() & theirs.keys():
        assert ours[name].read_bytes() == theirs[name].read_bytes()
    with tarfile.open(archive) as tar:
        assert {one.name for one in tar} == {str(name) for name in ours} | {"collection.json"}


@pytest.mark.long
def test_a_flipped_byte_anywhere_is_refused(archive, tmp_path):
    content = archive.read_bytes()
    with tarfile.open(archive) as tar:
        edges = [
            at
            for one in tar
            for at in (one.offset, one.offset + 511, one.offset_data, one.offset_data + one.size)
        ]
    picked = random.Random(0).sample(range(len(content)), 250)
    places = {min(at, len(content) - 1) for at in edges + picked} | {len(content) - 1, len(content) - 1024}
    damaged = tmp_path / "damaged.tar"
    for number, at in enumerate(sorted(places)):
        changed = bytearray(content)
        changed[at] ^= 1 << number % 8
        damaged.write_bytes(changed)
        with pytest.raises(InvalidArchive):
            unpack(damaged, tmp_path / str(number))


def test_an_archive_that_is_cut_or_goes_on_is_refused_at_once(archive, tmp_path):
    content = archive.read_bytes()
    cut = tmp_path / "cut.tar"
    for size in (0, 1, 511, 512, 700, 4096, len(content) // 2, len(content) - 512, len(content) - 1):
        cut.write_bytes(content[:size])
        with pytest.raises(InvalidArchive), open_archive(cut):
            pytest.fail("it was opened")
    cut.write_bytes(content + bytes(512))
    with pytest.raises(InvalidArchive, match="where its list makes"), open_archive(cut):
        pass


@pytest.mark.parametrize(
    "name",
    [
        "../outside.json",
        "/tmp/outside.json",
        "segments/../../outside.json",
        "segments/seg-0/tokens/codes.npy",
        f"segments/seg-{'0' * 32}/../codes.npy",
        f"segments/seg-{'0' * 32}/tokens/surprise.py",
        "tombstones/x",
        "lock",
        "",
        "n" * 5000,
    ],
)
def test_names_that_no_collection_has_are_refused(archive, tmp_path, name):
    header, files = take_apart(archive)
    crafted = tmp_path / "crafted.tar"
    put_together(crafted, header, files | {name: b"x"})
    with pytest.raises(InvalidArchive, match="which no collection has"), open_archive(crafted):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["crafted.tar"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, b"x", b"L"]
)
def test_links_and_other_kinds_are_not_what_the_list_makes(archive, tmp_path, kind):
    header, _ = take_apart(archive)
    member = header.members[5]
    info = tarfile.TarInfo(member.path)
    info.type, info.size, info.linkname = kind, member.bytes, "/etc/passwd"
    content = archive.read_bytes()
    ours = _tar_header(member.path, member.bytes)
    crafted = tmp_path / "crafted.tar"
    crafted.write_bytes(content.replace(ours, info.tobuf(tarfile.GNU_FORMAT)[:512], 1))
    with pytest.raises(InvalidArchive):
        unpack(crafted, tmp_path / "c")
    assert not any(path.is_symlink() for path in (tmp_path / "c").rglob("*"))


def test_a_list_of_sizes_that_are_not_there_takes_no_room(archive, tmp_path):
    header, _ = take_apart(archive)
    huge = [msgspec.structs.replace(one, bytes=2**50) for one in header.members]
    listed = msgspec.structs.replace(header, members=tuple(huge)).encode()
    crafted = tmp_path / "crafted.tar"
    crafted.write_bytes(
        _tar_header("collection.json", len(listed)) + listed + bytes(-len(listed) % 512 + 1024)
    )
    with pytest.raises(InvalidArchive, match="where its list makes"), open_archive(crafted):
        pass
    crafted.write_bytes(_tar_header("collection.json", 2**40) + listed)
    with pytest.raises(InvalidArchive, match="does not begin"), open_archive(crafted):
        pass


@pytest.mark.parametrize(
    "change", ["missing", "extra", "twice", "manifest", "record", "tombstones", "batches"]
)
def test_list_manifest_and_records_must_say_the_same(archive, tmp_path, change):
    header, files = take_apart(archive)
    record = next(name for name in files if name.endswith("segment.json"))
    if change == "missing":
        del files[next(name for name in files if name.endswith("codes.npy"))]
    elif change == "extra":
        files[f"segments/seg-{'0' * 32}/segment.json"] = b"{}"
    elif change == "twice":
        files["segments/" + record.split("/")[1] + "/tokens/other.npy"] = b"x"
    elif change == "manifest":
        files["manifest.json"] = b"{}"
    elif change == "record":
        files[record] = b"[" * 10_000
    elif change == "tombstones":
        files[next(name for name in files if name.startswith("tombstones"))] += b"x"
    else:
        files["manifest.json"] = files["manifest.json"].replace(
            b'"batches":{}', b'"batches":{"j/1":[1,null,"",0,0,0]}'
        )
    crafted = tmp_path / "crafted.tar"
    put_together(crafted, header, files, records=False)
    with pytest.raises(InvalidArchive):
        unpack(crafted, tmp_path / "c")


@pytest.mark.parametrize("path", ["/dev/zero", "missing.tar", "."])
def test_what_is_no_file_is_refused(path):
    with pytest.raises(InvalidArchive), open_archive(path):
        pass


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidArchive, match="no regular file"), open_archive(tmp_path / "pipe"):
        pass


def test_an_old_format_is_named(archive, tmp_path):
    header, files = take_apart(archive)
    put_together(tmp_path / "new.tar", msgspec.structs.replace(header, format=2), files)
    with pytest.raises(InvalidArchive, match="format 2"), open_archive(tmp_path / "new.tar"):
        pass


# pinning


def test_a_pinned_version_outlives_what_others_commit(sound, tmp_path):
    shutil.copytree(sound.path, tmp_path / "c")
    collection = Collection.open(tmp_path / "c", **MODELS)
    with pin(collection.path) as pinned:
        with collection.snapshot() as before:
            everything = before.numbers(before.allowed(None)).tolist()
            collection.delete({before.passage(number).document_id for number in everything})
        assert not any((tmp_path / "c" / "segments").iterdir())
        for member in pinned.members:
            file = pinned.files[member.path]
            file.seek(0)
            assert len(file.read()) == member.bytes
        assert pinned.agreement().left == 41
    with pin(collection.path) as pinned:
        assert pinned.agreement().left == 0


def test_damage_is_found_while_it_is_held_or_written(sound, tmp_path):
    def write(path):
        with pin(path) as pinned:
            header = Header(1, "c", "e", "v", 0, 0, {}, pinned.members)
            write_archive(io.BytesIO(), header, pinned.files.__getitem__, lambda _: None)

    for number, pattern in enumerate(("passages/text.bin", "tokens/codes.npy", "segment.json")):
        path = tmp_path / str(number)
        shutil.copytree(sound.path, path)
        target = next(path.rglob(pattern))
        target.write_bytes(target.read_bytes()[:-1] + b"?")
        with pytest.raises(CorruptSegment, match=target.name):
            write(path)
