"""Where weights are looked for, and in which order."""

from __future__ import annotations

import sys
from pathlib import Path

import huggingface_hub
import pytest

from models.checkpoints import sources
from models.checkpoints.sources import locate
from models.errors import ModelNotFound
from models.profile import LanguageModelSpec, ModelSpec


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package `tiny-weights` 1.2 with one file; importing it would fail."""
    site = tmp_path / "site"
    code = site / "tiny_weights"
    code.mkdir(parents=True)
    (code / "__init__.py").write_text("raise RuntimeError('never import this')")
    (code / "tiny.gguf").write_bytes(b"GGUF")
    info = site / "tiny_weights-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.2\n")
    (info / "RECORD").write_text("tiny_weights/tiny.gguf,,\n")
    monkeypatch.syspath_prepend(str(site))
    return code


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """A hub that has the repository `owner/tiny`; records what it is asked for."""
    asked: list[dict[str, object]] = []
    folder = tmp_path / "snapshot"
    folder.mkdir()
    (folder / "tiny.gguf").write_bytes(b"GGUF")

    def snapshot(repo: str, **options: object) -> str:
        asked.append({"repo": repo, **options})
        if repo != "owner/tiny":
            raise huggingface_hub.errors.LocalEntryNotFoundError("not here")
        return str(folder)

    monkeypatch.setattr(sources, "snapshot_download", snapshot)
    return asked


def spec(**changes: str) -> LanguageModelSpec:
    places = {"path": "/nowhere/tiny.gguf", "package": "no-such-package", "hub": "owner/none"}
    return LanguageModelSpec(name="tiny", file="tiny.gguf", **{**places, **changes})  # type: ignore[arg-type]


def test_order(tmp_path: Path, package: Path, hub: list[dict[str, object]]) -> None:
    local = tmp_path / "tiny.gguf"
    local.write_bytes(b"GGUF")
    there = {"package": "tiny-weights", "package_path": "tiny_weights", "hub": "owner/tiny"}
    assert locate(spec(path=str(local), **there)).source == f"path {local}"
    found = locate(spec(**there))
    assert (found.source, found.path, found.pinned) == (
        "package tiny-weights 1.2",
        package / "tiny.gguf",
        True,
    )
    assert not hub
    assert locate(spec(hub="owner/tiny", revision="abc")).source == "hub owner/tiny at abc"
    assert "tiny_weights" not in sys.modules


def test_a_path_may_be_the_folder(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    found = locate(spec(path=str(tmp_path)))
    assert (found.path, found.pinned) == (tmp_path / "tiny.gguf", False)


def test_everything_tried_is_named(package: Path, hub: list[dict[str, object]]) -> None:
    with pytest.raises(ModelNotFound) as missing:
        locate(spec(package="tiny-weights", package_path="other"))
    assert missing.value.tried == [
        "path /nowhere/tiny.gguf (does not exist)",
        "package tiny-weights 1.2 (has no other/tiny.gguf)",
        "hub owner/none (LocalEntryNotFoundError)",
    ]
    with pytest.raises(ModelNotFound, match=r"package no-such-package \(not installed\)"):
        locate(spec())


def test_the_hub_gives_no_pickles(hub: list[dict[str, object]]) -> None:
    locate(spec(hub="owner/tiny"))
    assert hub[0]["allow_patterns"] == ["tiny.gguf", "*.json"]
    locate(ModelSpec(name="t", hub="owner/tiny"), download=False)
    assert hub[1]["local_files_only"] is True
    patterns = hub[1]["allow_patterns"]
    assert isinstance(patterns, list)
    assert "*.safetensors" in patterns
    assert not {"*.bin", "*.pt", "*.py"} & set(patterns)


def test_offline_the_real_client_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelNotFound, match="hub owner/none"):
        locate(ModelSpec(name="t", hub="owner/none"), download=False)


def test_a_malformed_hub_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelNotFound, match="hub a/b/c/d"):
        locate(ModelSpec(name="t", hub="a/b/c/d"), download=False)
