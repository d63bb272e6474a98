# Written by sdk/tools/generate_sync.py from _async/__init__.py; change that file instead.

"""The async client; `_sync` is written from it."""

from .answers import AnswerStream
from .client import Client
from .collections import Collection, Collections
from .jobs import Job, Jobs
from .prompts import Prompts

__all__ = [
    "AnswerStream",
    "Client",
    "Collection",
    "Collections",
    "Job",
    "Jobs",
    "Prompts",
]
