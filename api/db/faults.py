"""Names faults from outside: a full disk, too many open files, a database that does not answer."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from enum import Enum

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FILES = (errno.EMFILE, errno.ENFILE)
_SAYS_FULL = ("disk is full", "no space left on device")
_MOST_CAUSES = 10


class Fault(Enum):
    """A fault, and what an operator does about it."""

    DISK = "the disk is full; make room in the data directory or the database."
    FILES = "too many files are open; raise the limit of the process (`ulimit -n`) or lower the load."
    DATABASE = "the database does not answer; try again soon."


def fault_of(error: BaseException) -> Fault | None:
    """The fault behind an error, by its causes; None if it is none of these.

    >>> fault_of(OSError(errno.ENOSPC, "No space left on device")).name
    'DISK'
    """
    causes = list(_causes(error))
    for one in causes:
        if isinstance(one, OSError) and one.errno in _FULL:
            return Fault.DISK
        if isinstance(one, OSError) and one.errno in _FILES:
            return Fault.FILES
        if isinstance(one, OperationalError) and any(said in str(one.orig).lower() for said in _SAYS_FULL):
            return Fault.DISK
    lost = (OperationalError, InterfaceError, NoConnectionFree, TimeoutError, ConnectionError)
    return Fault.DATABASE if any(isinstance(one, lost) for one in causes) else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if one is None:
            return
        yield one
        one = getattr(one, "orig", None) or one.__cause__
