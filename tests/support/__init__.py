"""Makers that several test folders share: tiny checkpoints, fakes, corpora, crafted archives."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
