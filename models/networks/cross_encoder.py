"""A cross-encoder by sentence-transformers: one number for a question and a text read together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.errors import ModelCorrupt, UnsupportedModel


class CrossEncoderNetwork:
    """Scores pairs. Weights are read from safetensors, and no code of the checkpoint is run."""

    def __init__(self, path: Path, *, name: str, device: torch.device, dtype: torch.dtype) -> None:
        """Raises ModelCorrupt, and UnsupportedModel for a network with more than one output."""
        # It takes seconds to import, and few services have such a network.
        from sentence_transformers import CrossEncoder

        try:
            self._network = CrossEncoder(
                str(path),
                device=str(device),
                local_files_only=True,
                model_kwargs={"dtype": dtype, "use_safetensors": True},
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelCorrupt(str(path), f"not a cross-encoder that can be read: {error}") from error
        if self._network.num_labels != 1:
            labels = self._network.num_labels
            raise UnsupportedModel(name, f"a cross-encoder has one output, and this has {labels}")
        self._longest = int(self._network.tokenizer.model_max_length)

    def scores(self, query: str, texts: Sequence[str], *, batch: int, max_tokens: int) -> NDArray[np.float64]:
        """The relevance (n,) of each text to the query, as a logit.

        At most `max_tokens` of a pair are read, and no more than the network can; the longer of query and
        text is cut first.
        """
        self._network.max_length = min(max_tokens, self._longest)
        found = self._network.predict(
            [(query, text) for text in texts],
            batch_size=batch,
            show_progress_bar=False,
            activation_fn=torch.nn.Identity(),
            convert_to_numpy=True,
        )
        return np.asarray(found, dtype=np.float64)
