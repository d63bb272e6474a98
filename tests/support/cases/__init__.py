"""Documents as people have them, of every kind that was once read wrongly, with what each must give."""

from __future__ import annotations

from tests.support.cases.case import Case

__all__ = ["Case"]
