"""Opens a checkpoint: safetensors only, no code from the checkpoint, no weights made up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from transformers import logging as transformers_logging

from models.errors import ModelCorrupt, ModelNotFound, UnsupportedModel

_quiet_lock = threading.RLock()


def load_network(
    auto: str, directory: Path, *, dtype: torch.dtype, device: torch.device, optional: tuple[str, ...] = ()
) -> Any:
    """The network of a model directory, ready for inference.

    `auto` names the transformers class that reads it ("AutoModel", "AutoModelForCausalLM"). A checkpoint
    that lacks weights is refused, because transformers would fill them with random numbers; weights
    whose names start with one of `optional` may be missing. Raises ModelNotFound, ModelCorrupt,
    UnsupportedModel.
    """
    if not (directory / "config.json").is_file():
        raise ModelNotFound(directory.name, [f"{directory} (no config.json in it)"])
    try:
        with quiet_transformers():
            network, report = getattr(transformers, auto).from_pretrained(
                directory,
                dtype=dtype,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except ValueError as error:  # an architecture that transformers does not have, or has only as remote code
        raise UnsupportedModel(directory.name, str(error).splitlines()[0]) from error
    except (OSError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelCorrupt(str(directory), str(error).splitlines()[0]) from error
    missing = sorted(name for name in report["missing_keys"] if not name.startswith(optional or ("\0",)))
    if missing or report["mismatched_keys"]:
        wrong = missing or sorted(str(key) for key in report["mismatched_keys"])
        raise ModelCorrupt(
            str(directory), f"{len(wrong)} weights are missing or misshapen, such as {wrong[0]}"
        )
    return network.to(device).eval().requires_grad_(False)


def position_count(config: Any) -> int:
    """How many positions a network has; the RoBERTa family starts counting after its padding id."""
    positions = int(config.max_position_embeddings)
    if config.model_type in ("roberta", "xlm-roberta", "camembert", "xlm-roberta-xl"):
        positions -= int(config.pad_token_id) + 1
    return positions


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keeps transformers' progress bars and load reports off the terminal."""
    with _quiet_lock:
        level = transformers_logging.get_verbosity()
        bars = transformers_logging.is_progress_bar_enabled()
        transformers_logging.set_verbosity_error()
        transformers_logging.disable_progress_bar()
        try:
            yield
        finally:
            transformers_logging.set_verbosity(level)
            if bars:
                transformers_logging.enable_progress_bar()
