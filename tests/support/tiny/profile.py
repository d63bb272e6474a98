"""A profile of tiny random networks: everything runs for real, in milliseconds, and means nothing."""

from __future__ import annotations

from pathlib import Path

PROFILE = """
description = "Tiny random networks, for tests"

[encoder]
name = "tiny-bert"
licence = "none"
path = "bert"
dtype = "float32"

[lm]
name = "tiny-llama"
licence = "none"
path = "llama"
dtype = "float32"
"""
WORDS = (
    "tides are caused by the gravity of the moon and sun travel above euros is approved head finance "
    "volcanoes erupt when magma rises through crust what which who may approve passage question document"
)
CHARACTERS = "abcdefghijklmnopqrstuvwxyz 0123456789 .,;:!?()-'\""


def write_profile(directory: Path) -> Path:
    """Makes the checkpoints and the profile `tiny` in an empty directory; returns the profile's file."""
    import torch

    from tests.support.tiny.checkpoints import save_bert, save_llama
    from tests.support.tiny.tokenizers import BERT_SPECIAL, byte_level, word_pieces

    torch.manual_seed(7)
    (directory / "bert").mkdir(parents=True)
    save_bert(
        directory / "bert",
        word_pieces([WORDS, CHARACTERS], BERT_SPECIAL),
        vocab_size=400,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=512,
    )
    save_llama(
        directory / "llama",
        byte_level([WORDS], 500),
        vocab_size=500,
        num_hidden_layers=2,
        max_position_embeddings=8192,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
    )
    (directory / "tiny.toml").write_text(PROFILE)
    return directory / "tiny.toml"
