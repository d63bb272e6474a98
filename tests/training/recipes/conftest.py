"""A tiny random language model."""

from tests.support.tiny.language_model import make_tiny, tiny

__all__ = ["make_tiny", "tiny"]
