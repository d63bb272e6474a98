"""Checksums that are remembered and fingerprints that change with everything they cover."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from models.checkpoints import fingerprint as module
from models.checkpoints.fingerprint import Checksums, content_files, fingerprint


def test_sha256_is_remembered_between_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"abc" * 1000)
    expected = hashlib.sha256(b"abc" * 1000).hexdigest()
    assert Checksums(tmp_path / "memory" / "c.json").sha256(file) == expected
    monkeypatch.setattr(module, "_hash", pytest.fail)
    assert Checksums(tmp_path / "memory" / "c.json").sha256(file) == expected


def test_a_changed_file_is_hashed_again(tmp_path: Path) -> None:
    file, memory = tmp_path / "weights", tmp_path / "c.json"
    checksums = Checksums(memory)
    for content in (b"one", b"three"):
        file.write_bytes(content)
        assert checksums.sha256(file) == hashlib.sha256(content).hexdigest()
    assert memory.read_text().count("weights") == 1


@pytest.mark.parametrize("content", ["", "[1]", "{", "\x00"])
def test_a_broken_memory_costs_only_time(tmp_path: Path, content: str) -> None:
    (tmp_path / "c.json").write_text(content)
    file = tmp_path / "weights"
    file.write_bytes(b"")
    assert Checksums(tmp_path / "c.json").sha256(file) == hashlib.sha256().hexdigest()


def test_a_memory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    file = tmp_path / "weights"
    file.write_bytes(b"x")
    assert Checksums(tmp_path / "file" / "c.json").sha256(file) == hashlib.sha256(b"x").hexdigest()


def test_progress(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"x" * (9 << 20))
    seen: list[tuple[str, int, int]] = []
    Checksums(tmp_path / "c.json").sha256(file, progress=lambda *step: seen.append(step))
    assert seen[-1] == ("checking weights", 9 << 20, 9 << 20)
    assert len(seen) == 3


def test_every_part_counts() -> None:
    base = ("name", "rev", {"a": "1", "b": "2"}, "float32")
    changed = [
        ("other", "rev", {"a": "1", "b": "2"}, "float32"),
        ("name", "", {"a": "1", "b": "2"}, "float32"),
        ("name", "rev", {"a": "2", "b": "1"}, "float32"),
        ("name", "rev", {"a": "1"}, "float32"),
        ("name", "rev", {"a": "1", "b": "2"}, "bfloat16"),
    ]
    assert len({fingerprint(*parts) for parts in (base, *changed)}) == 6  # type: ignore[arg-type]
    assert fingerprint(*base) == fingerprint("name", "rev", {"b": "2", "a": "1"}, "float32")  # type: ignore[arg-type]


def test_content_files(tmp_path: Path) -> None:
    for name in ("model-1.safetensors", "model-2.safetensors", "config.json", "tokenizer.json", "README.md"):
        (tmp_path / name).write_text(name)
    names = [file.name for file in content_files(tmp_path)]
    assert names == ["config.json", "model-1.safetensors", "model-2.safetensors", "tokenizer.json"]
    assert content_files(tmp_path / "README.md") == [tmp_path / "README.md"]
