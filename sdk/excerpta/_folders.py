"""Which sources of a collection are a folder's own, and how names of its files begin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .types import SourceReply


@dataclass(frozen=True, slots=True)
class Placed:
    """A folder's place in a collection: `prefix` before its names, and the sources that it has there.

    `others` are sources that have names of its files and are of no folder: they become the folder's.
    """

    prefix: str
    own: Sequence[SourceReply]
    others: frozenset[str] = frozenset()


def placed(listed: Sequence[SourceReply], folder: str, names: Iterable[str]) -> Placed:
    """The place of a folder of this name, with files of these `names`, paths below it.

    Names are paths below the folder, as they are without synchronising. They begin with the folder's own name
    where the collection has such sources already (earlier releases named them so), or where another folder
    has files of the same names.
    """
    below = [one for one in listed if one.name.startswith(f"{folder}/")]
    own = [one for one in listed if one.folder == folder]
    if any(one.folder is None for one in below):
        return Placed(folder, below)
    if own:
        return Placed("", own, _of_no_folder(listed, names))
    wanted = set(names)
    if below or any(one.folder is not None and one.name in wanted for one in listed):
        return Placed(folder, below)
    return Placed("", [], _of_no_folder(listed, wanted))


def _of_no_folder(listed: Sequence[SourceReply], names: Iterable[str]) -> frozenset[str]:
    return frozenset(one.name for one in listed if one.folder is None) & frozenset(names)
