"""The words that describe an image."""

from __future__ import annotations

import re

_IMAGE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|svg|webp|bmp)", re.IGNORECASE)


def is_file_name(words: str) -> bool:
    """Whether words are no more than an image's file."""
    return bool(_IMAGE_NAME.fullmatch(words))


def image_text(words: str) -> str:
    """`[image: ...]` for words that say what an image shows; "" for one word or the name of a file.

    >>> image_text("Pump 7 with its valve"), image_text("logo")
    ('[image: Pump 7 with its valve]', '')
    """
    words = " ".join(words.split())
    # One word, such as "logo" or "photo", says what kind of thing it is and not what it shows.
    return "" if " " not in words or _IMAGE_NAME.fullmatch(words) else f"[image: {words}]"
