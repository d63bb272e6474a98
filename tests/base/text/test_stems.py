"""Stems: from any thread the same."""

from concurrent.futures import ThreadPoolExecutor

import Stemmer

from base.text.stems import stem


def test_stems_are_the_same_from_any_thread():
    words = [
        f"{start}{end}" for start in ("run", "walk", "connect", "nation") for end in ("ing", "ed", "s", "al")
    ] * 50
    peer = Stemmer.Stemmer("english")
    stem.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(stem, words))
    assert found == [peer.stemWord(word) for word in words]
