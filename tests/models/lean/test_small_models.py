"""The packaged language model: what it writes with packed weights is what it writes in float32."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from transformers import DynamicCache

from models import Models, load_profile
from models.attention.batch import FrozenPart
from models.attention.calls import enable_ape
from models.attention.row_keys import RowKeys
from models.attention.step import writing_call
from models.lean.llama import LeanLlama
from models.lean.packing import PACKINGS
from models.lean.table import DENSE, ROWS, KernelTable, multiplies_rightly
from models.networks.language_model import LanguageModel

pytestmark = [pytest.mark.model, pytest.mark.long]

TOKENS = 16
SUBJECTS = (
    "the sea",
    "a bicycle",
    "photosynthesis",
    "tax law",
    "Python's lists",
    "the Moon",
    "bread",
    "chess",
)
REQUESTS = (
    "Explain {} to a child.",
    "Write a short text about {}.",
    "List five facts about {}.",
    "What is the history of {}?",
    "Why do people care about {}?",
)
PROMPTS = [request.format(subject) for subject in SUBJECTS for request in REQUESTS]


def load(models: Models, dtype: str) -> LanguageModel:
    profile = load_profile("small")
    chosen = replace(profile, lm=replace(profile.lm, dtype=dtype))
    lm = Models(chosen, models.calibrations.parent.parent, device="cpu").lm
    enable_ape(lm)
    return lm


def read(lm: LanguageModel, ids: list[int]) -> tuple[RowKeys, torch.Tensor]:
    cache, own = DynamicCache(), RowKeys(rows=1)
    logits = lm.model(
        input_ids=torch.tensor([ids]), past_key_values=cache, use_cache=True, logits_to_keep=1
    ).logits
    own.add([(layer.keys, layer.values) for layer in cache.layers])
    return own, logits[0, -1]


def step(lm: LanguageModel, own: RowKeys, token: int, position: int) -> torch.Tensor:
    logits = lm.step(
        torch.tensor([[token]]), torch.tensor([[position]]), writing_call(own, slice(0, 1), [FrozenPart()])
    )
    own.lengths[0] += 1
    return logits[0, 0].double()


@torch.inference_mode()
def test_packed_writing_is_close_to_float32(small_models):
    """40 prompts, 16 tokens each, as the packed weights write them; float32 reads the same tokens at once."""
    forms = [form for form, packing in PACKINGS.items() if multiplies_rightly(packing)]
    if not forms:
        pytest.skip("this PyTorch has no packed product that is right on this processor")
    exact, served = load(small_models, "float32"), load(small_models, "auto")
    # Packed whether or not that is faster on this processor.
    times = {DENSE: dict.fromkeys(ROWS, 1.0)} | {form: dict.fromkeys(ROWS, 0.5) for form in forms}
    served.lean = LeanLlama(served.model, KernelTable(times))
    assert served.lean.packed_bytes
    divergence, same = [], []
    for prompt in PROMPTS:
        ids = served.chat([{"role": "user", "content": prompt}])
        keys, logits = read(served, ids)
        found = []
        for at in range(len(ids), len(ids) + TOKENS):
            ids = [*ids, int(logits.argmax())]
            logits = step(served, keys, ids[-1], at)
            found.append(torch.log_softmax(logits, dim=-1))
        wanted = exact.model(input_ids=torch.tensor([ids]), use_cache=False, logits_to_keep=TOKENS).logits[0]
        wanted = torch.log_softmax(wanted.double(), dim=-1)
        divergence.append((wanted.exp() * (wanted - torch.stack(found))).sum(dim=-1))
        same.append(wanted.argmax(-1) == torch.stack(found).argmax(-1))
    mean, agreement = float(torch.cat(divergence).mean()), float(torch.cat(same).double().mean())
    assert (mean <= 0.003, agreement >= 0.97) == (True, True), (mean, agreement)


def test_blocks_and_fingerprint_do_not_depend_on_how_answers_are_written(small_models):
    lm = load(small_models, "auto")
    explicit = load(small_models, str(lm.dtype).removeprefix("torch."))
    assert lm.fingerprint == explicit.fingerprint
    assert explicit.lean.packed_bytes == 0
    ids = lm.encode("The head of finance approves travel above 2000 euros.")
    with torch.inference_mode():
        (one, _), (other, _) = read(lm, ids), read(explicit, ids)
    assert torch.equal(one.block(0, len(ids)).keys, other.block(0, len(ids)).keys)
