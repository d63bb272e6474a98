"""A cross-encoder by sentence-transformers: one number for a question and a text read together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from models.checkpoints.loading import position_count, quiet_transformers
from models.errors import ModelCorrupt, UnsupportedModel
from models.networks.tokenizer import encodable


class CrossEncoderNetwork:
    """Scores pairs. Weights are read from safetensors, and no code of the checkpoint is run.

    Names of control tokens ("[SEP]") inside a question or a text are read as plain text, so that a document
    cannot end the pair that it stands in.
    """

    def __init__(self, path: Path, *, name: str, device: torch.device, dtype: torch.dtype) -> None:
        """Raises ModelCorrupt for weights that cannot be read or whose output layer is missing.

        Raises UnsupportedModel for a network with more than one output.
        """
        self.name = name
        self._network = _loaded(path, device=device, dtype=dtype)
        if self._network.num_labels != 1:
            labels = self._network.num_labels
            raise UnsupportedModel(name, f"a cross-encoder has one output, and this has {labels}")
        _require_output_layer(path, self._network.model)
        tokenizer = self._network.tokenizer
        if tokenizer.chat_template is None:  # a chat template consists of control tokens
            tokenizer.split_special_tokens = True
        self.max_tokens = int(tokenizer.model_max_length)
        config = self._network.model.config
        if getattr(config, "max_position_embeddings", -1) > 0:  # XLNet has no limit, T5 no such setting
            self.max_tokens = min(self.max_tokens, position_count(config))
        self._tokens_read = 0
        self._network.register_forward_pre_hook(self._count)

    def scores(
        self, query: str, texts: Sequence[str], *, batch: int, max_tokens: int
    ) -> tuple[NDArray[np.float64], int]:
        """The relevance (n,) of each text to the query, as a logit, and how many tokens were read.

        At most `max_tokens` of a pair are read, and no more than the network can; the longer of query and
        text is cut first. Special tokens count, padding does not.
        """
        self._network.max_seq_length = min(max_tokens, self.max_tokens)
        self._tokens_read = 0
        found = self._network.predict(
            [(encodable(query), encodable(text)) for text in texts],
            batch_size=batch,
            show_progress_bar=False,
            activation_fn=torch.nn.Identity(),
            convert_to_numpy=True,
        )
        return np.asarray(found, dtype=np.float64), self._tokens_read

    def _count(self, _: torch.nn.Module, arguments: tuple[Mapping[str, torch.Tensor], ...]) -> None:
        features = arguments[0]
        # Sequences that are joined without padding have no mask.
        mask = features.get("attention_mask")
        self._tokens_read += features["input_ids"].numel() if mask is None else int(mask.sum())


def _loaded(path: Path, *, device: torch.device, dtype: torch.dtype) -> Any:
    # It takes a second to import, and few services have such a network.
    from sentence_transformers import CrossEncoder

    try:
        with quiet_transformers():
            return CrossEncoder(
                str(path),
                device=str(device),
                local_files_only=True,
                model_kwargs={"dtype": dtype, "use_safetensors": True},
            )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelCorrupt(str(path), f"not a cross-encoder that can be read: {reason}") from error


def _require_output_layer(path: Path, network: Any) -> None:
    """Refuses weights without the output layer, which transformers would fill with random numbers.

    Raises ModelCorrupt.
    """
    stored: set[str] = set()
    for file in path.rglob("*.safetensors"):
        with safe_open(file, framework="pt") as weights:
            stored.update(weights.keys())
    # Weights of an adapter have a prefix before the network's own names.
    ends = {name.removeprefix("base_model.model.") for name in stored}
    inner = f"{network.base_model_prefix}."
    for name, _ in network.named_parameters():
        if not name.startswith(inner) and name not in ends:
            raise ModelCorrupt(str(path), f"the weights of its output layer are missing, such as {name}")
