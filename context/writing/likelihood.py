"""The likelihood of a given answer after a prompt that was read."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from context.writing.generation import ReadPrompt
from models.networks.language_model import LanguageModel


@torch.inference_mode()
def answer_log_likelihoods(lm: LanguageModel, prompt: ReadPrompt, ids: Sequence[int]) -> list[float]:
    """log p of each token of an answer that begins where the prompt ends; the prompt stays as it was."""
    rows = [prompt.logits[None].float()]
    before = len(ids) - 1
    if before > 0:
        output = lm.model(
            input_ids=torch.tensor([list(ids[:-1])], device=lm.device),
            position_ids=torch.arange(prompt.position, prompt.position + before, device=lm.device)[None],
            past_key_values=prompt.cache,
            use_cache=True,
            **({} if prompt.ape is None else {"ape": prompt.ape}),
        )
        rows.append(output.logits[0].float())
        prompt.cache.crop(-before)
    log_p = torch.log_softmax(torch.cat(rows), dim=-1)
    wanted = torch.tensor(list(ids), device=lm.device)
    return [float(value) for value in log_p[: len(ids)].gather(-1, wanted[:, None])[:, 0]]
