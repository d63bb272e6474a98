"""Finds weights: a local path, an installed package, the hub, in that order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from huggingface_hub import snapshot_download

from models.errors import ModelNotFound
from models.profile import ModelSpec

_HUB_FILES = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model")
"""Never *.bin or *.pt: those are pickles, which run code when they are opened."""


@dataclass(frozen=True, slots=True)
class Located:
    """Weights that are there: a model directory, or the GGUF file in it.

    `source` describes where they were found. `pinned`: whether the profile's checksums apply.
    """

    path: Path
    source: str
    pinned: bool


def locate(spec: ModelSpec, *, download: bool = True) -> Located:
    """Where the weights of `spec` are; `download=False` looks only at what this machine already has.

    A package's files are found by its metadata; its code is never imported. The hub client honours
    HF_HUB_OFFLINE and HF_HOME. Raises ModelNotFound with everything that was tried.
    """
    tried: list[str] = []
    for place in _places(spec, download):
        found = place(tried)
        if found is not None:
            return found
    raise ModelNotFound(spec.name, tried)


def _places(spec: ModelSpec, download: bool) -> Iterator[Callable[[list[str]], Located | None]]:
    if spec.path:
        yield lambda tried: _from_path(spec, tried)
    if spec.package:
        yield lambda tried: _from_package(spec, tried)
    if spec.hub:
        yield lambda tried: _from_hub(spec, download, tried)


def _from_path(spec: ModelSpec, tried: list[str]) -> Located | None:
    path = Path(spec.path).expanduser()
    if spec.weights_file and path.is_dir():
        path = path / spec.weights_file
    if path.exists():
        return Located(path, f"path {path}", pinned=False)
    tried.append(f"path {path} (does not exist)")
    return None


def _from_package(spec: ModelSpec, tried: list[str]) -> Located | None:
    try:
        package = distribution(spec.package)
    except PackageNotFoundError:
        tried.append(f"package {spec.package} (not installed)")
        return None
    path = Path(str(package.locate_file(spec.package_path))) / spec.weights_file
    if path.exists():
        return Located(path, f"package {spec.package} {package.version}", pinned=True)
    tried.append(
        f"package {spec.package} {package.version} (has no {Path(spec.package_path) / spec.weights_file})"
    )
    return None


def _from_hub(spec: ModelSpec, download: bool, tried: list[str]) -> Located | None:
    name = f"hub {spec.hub}" + (f" at {spec.revision}" if spec.revision else "")
    try:
        folder = snapshot_download(
            spec.hub,
            revision=spec.revision or None,
            allow_patterns=[spec.weights_file, "*.json"] if spec.weights_file else list(_HUB_FILES),
            local_files_only=not download,
        )
    except (OSError, ValueError) as error:  # the hub's own errors derive from these
        tried.append(f"{name} ({type(error).__name__})")
        return None
    path = Path(folder) / spec.weights_file
    if path.exists():
        return Located(path, name, pinned=True)
    tried.append(f"{name} (has no {spec.weights_file})")
    return None
