"""The tiny language model whose attention is watched and replaced."""

from tests.support.tiny.language_model import make_tiny, tiny

__all__ = ["make_tiny", "tiny"]
