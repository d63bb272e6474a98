"""Sample files of a source distribution, each with the text that its library expects in it."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchmarks.reading.distributions import Distribution, Files


@dataclass(frozen=True, slots=True)
class Sample:
    """One file on disk; `name` is its path below the distribution's folder, as far as that tells it apart."""

    name: str
    path: Path
    extension: str
    files: Files
    expected: str | None


def samples_of(
    distribution: Distribution,
    archive: Path,
    folder: Path,
    *,
    most: int | None = None,
    largest: int = 1 << 30,
) -> list[Sample]:
    """The samples of a distribution, unpacked into `folder`, in order of their names.

    At most `most` of at most `largest` bytes, spread evenly; those with an expected text come first.
    """
    samples = []
    with tarfile.open(archive) as packed:
        members = {PurePosixPath(one.name): one for one in packed.getmembers() if one.isfile()}
        for path in sorted(members):
            files = next((one for one in distribution.files if path.match(one.pattern)), None)
            if files is None or members[path].size > largest:
                continue
            expected = path.with_name(path.stem + files.expected) if files.expected else None
            text = (
                _bytes(packed, members[expected]).decode("utf-8", "replace") if expected in members else None
            )
            name = str(PurePosixPath(*path.parts[1:]))
            target = folder / name.replace("/", "_")
            target.write_bytes(_bytes(packed, members[path]))
            extension = (files.read_as or path.suffix).lstrip(".").lower()
            samples.append(Sample(name, target, extension, files, text))
    return _spread(samples, most)


def _bytes(packed: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = packed.extractfile(member)
    assert stream is not None
    return stream.read()


def _spread(samples: list[Sample], most: int | None) -> list[Sample]:
    if most is None or len(samples) <= most:
        return samples
    ordered = sorted(samples, key=lambda sample: sample.expected is None)
    told = sum(sample.expected is not None for sample in samples)
    if told >= most:
        ordered = ordered[:told]
    kept = {ordered[at * len(ordered) // most].name for at in range(most)}
    return [sample for sample in samples if sample.name in kept]
