"""Turns a GGUF file into a safetensors checkpoint, once, so that later starts take seconds."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import gguf
import torch
import transformers
from filelock import FileLock
from safetensors.torch import save_file

from models.checkpoints.fingerprint import Checksums, Progress
from models.checkpoints.loading import load_network, quiet_transformers
from models.device import dtype_name
from models.errors import ModelCorrupt

MANIFEST = "conversion.json"
FORMAT = 1
"""Part of the directory's name: a change of the conversion makes a new one beside the old."""


def converted(
    source: Path,
    *roots: Path,
    name: str,
    dtype: torch.dtype,
    checksums: Checksums,
    progress: Progress | None = None,
) -> Path:
    """The checkpoint made of the GGUF file `source`, a directory under one of `roots`.

    Where none of them has it, it is made under the first that can be written to: beside its place, checked,
    and renamed, under a lock. Killed anywhere, nothing usable is left half-done, and of two processes one
    converts and the other waits. An existing one is used only if its checksums hold. Raises ModelCorrupt,
    and OSError if no root can be written to.
    """
    identity = f"{checksums.sha256(source, progress=progress)}:{dtype_name(dtype)}:{FORMAT}"
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", name)
    directory = f"{slug}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
    target = next((root / directory for root in roots if (root / directory).exists()), None)
    if target is None:
        target = _writable(roots) / directory
        with FileLock(target.parent / f".{directory}.lock"):
            if not target.exists():
                _make(source, target, identity, dtype, checksums, progress)
    verify(target, checksums)
    return target


def _writable(roots: Sequence[Path]) -> Path:
    """The first directory in which files can be made."""
    for root in roots[:-1]:
        try:
            root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=root):
                return root
        except OSError:  # no home, or a read-only one, as in a container
            continue
    roots[-1].mkdir(parents=True, exist_ok=True)
    return roots[-1]


def verify(directory: Path, checksums: Checksums, *, fresh: bool = False) -> None:
    """Checks a converted checkpoint against its manifest; `fresh` reads every byte again.

    Raises ModelCorrupt.
    """
    try:
        recorded = json.loads((directory / MANIFEST).read_text("utf-8"))["files"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelCorrupt(str(directory), f"{MANIFEST} cannot be read") from error
    for file, digest in recorded:
        path = directory / file
        if not path.is_file():
            raise ModelCorrupt(str(directory), f"{file} is missing")
        if checksums.sha256(path, fresh=fresh) != digest:
            raise ModelCorrupt(str(directory), f"the checksum of {file} does not hold")


def _make(
    source: Path,
    target: Path,
    identity: str,
    dtype: torch.dtype,
    checksums: Checksums,
    progress: Progress | None,
) -> None:
    for left in target.parent.glob(f".{target.name}.*.tmp"):
        shutil.rmtree(left, ignore_errors=True)  # of a process that was killed; the lock is ours now
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp"))
    try:
        _convert(source, temporary, dtype, progress or _silent)
        _seal(temporary, source, identity)
        temporary.rename(target)
        _sync(target.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    verify(target, checksums)


def _convert(source: Path, directory: Path, dtype: torch.dtype, progress: Progress) -> None:
    """Writes tokenizer, settings and dense weights, and opens the result once before anyone relies on it."""
    what = f"converting {source.name}"
    origin: dict[str, Any] = {"gguf_file": source.name, "local_files_only": True}
    progress(what, 0, 100)
    with quiet_transformers(), _parsed_once():
        transformers.AutoTokenizer.from_pretrained(source.parent, **origin).save_pretrained(directory)
        progress(what, 20, 100)
        # Without dequantize, some installations keep the weights packed.
        with _watched_tensors(lambda part: progress(what, 20 + int(50 * part), 100)):
            model = transformers.AutoModelForCausalLM.from_pretrained(
                source.parent,
                dtype=dtype,
                quantization_config=transformers.GgufConfig(dequantize=True),
                **origin,
            )
    progress(what, 75, 100)
    model.config.save_pretrained(directory)
    model.generation_config.save_pretrained(directory)
    save_file(_untied(model), directory / "model.safetensors", metadata={"format": "pt"})
    progress(what, 90, 100)
    del model
    gc.collect()
    load_network("AutoModelForCausalLM", directory, dtype=dtype, device=torch.device("cpu"))
    progress(what, 100, 100)


@contextmanager
def _parsed_once() -> Iterator[None]:
    """Within it a file is parsed once, not for tokenizer, settings and weights each: half of a conversion.

    The map of tensors' names, which transformers asks for with each module of the network, is made once too.
    """
    originals = gguf.GGUFReader, gguf.get_tensor_name_map
    gguf.GGUFReader, gguf.get_tensor_name_map = map(cache, originals)
    try:
        yield
    finally:
        gguf.GGUFReader, gguf.get_tensor_name_map = originals


@contextmanager
def _watched_tensors(report: Callable[[float], None]) -> Iterator[None]:
    """Reports the done part in place of transformers' own bar over the tensors, which has no switch."""

    def bar(tensors: Sequence[Any], **_: object) -> Iterator[Any]:
        for done, tensor in enumerate(tensors):
            report(done / len(tensors))
            yield tensor

    original = transformers.modeling_gguf_pytorch_utils.tqdm
    transformers.modeling_gguf_pytorch_utils.tqdm = bar
    try:
        yield
    finally:
        transformers.modeling_gguf_pytorch_utils.tqdm = original


def _untied(model: Any) -> dict[str, torch.Tensor]:
    """The weights of a network by name, each stored once: tied ones are tied again when it is loaded."""
    weights: dict[str, torch.Tensor] = {}
    stored: set[tuple[int, torch.Size]] = set()
    for name, weight in model.state_dict().items():
        key = (weight.data_ptr(), weight.shape)
        if key not in stored:
            stored.add(key)
            weights[name] = weight.contiguous()
    return weights


def _seal(directory: Path, source: Path, identity: str) -> None:
    """Writes the manifest and flushes everything to disk."""
    digests = {}
    for file in sorted(directory.iterdir()):
        with file.open("rb") as stream:
            digests[file.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    manifest = {"source": source.name, "identity": identity, "files": digests}
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
    for path in (*directory.iterdir(), directory):
        _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _silent(what: str, done: int, total: int) -> None:
    """A progress callback that does nothing."""
