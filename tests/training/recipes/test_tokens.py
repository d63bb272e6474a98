"""Training: the objective against loops over tokens, examples without leaks, and a rule that is learnt."""

import json
import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.networks.text_network import TextNetwork
from models.networks.token_adapter import adapt
from tests.support.speeds import examples
from training.__main__ import main
from training.data.contrastive import batches, read_training_set
from training.recipes.tokens.objective import late_interaction_loss, masked_scores, maxsim_scores


def unit(rng, *shape):
    vectors = rng.standard_normal(shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@settings(max_examples=examples(30))
@given(st.integers(0, 999), st.integers(1, 12))
def test_scores_equal_loops_over_tokens(seed, k):
    rng = np.random.default_rng(seed)
    queries, passages = unit(rng, 3, 4, 8), unit(rng, 5, 6, 8)
    asked, own = rng.random((3, 4)) < 0.8, rng.random((5, 6)) < 0.8
    asked[:, 0] = own[:, 0] = True
    best, kth = maxsim_scores(*map(torch.from_numpy, (queries, asked, passages, own)), k)
    scores = masked_scores(best, kth, torch.from_numpy(asked))
    for query in range(3):
        everything = np.sort((queries[query] @ passages[own].T), axis=1)[:, ::-1]
        bar = everything[:, min(k, own.sum()) - 1]
        for passage in range(5):
            found = (queries[query] @ passages[passage][own[passage]].T).max(axis=1)
            np.testing.assert_allclose(best[query, :, passage], np.where(asked[query], found, 0), atol=1e-5)
            retrieved = asked[query] & (found >= bar - 1e-6)
            wanted = found[retrieved].mean() if retrieved.any() else 0.0
            assert scores[query, passage] == pytest.approx(wanted, abs=1e-4)


def test_the_loss_falls_as_the_right_passage_rises_and_ignores_what_it_is_told_to():
    mask = torch.ones(1, 2, dtype=torch.bool)
    common = {"temperature": 0.1, "masked_share": 0.5, "teacher_share": 0.0}
    kth, targets, none = torch.zeros(1, 2), torch.tensor([0]), torch.zeros(1, 3, dtype=torch.bool)

    def loss(first, ignored=none):
        best = torch.tensor([[[first, 0.5, 0.6], [first, 0.4, 0.7]]])
        return late_interaction_loss(best, kth, mask, targets, ignored, None, **common)

    assert loss(0.9) < loss(0.6) < loss(0.2)
    assert loss(0.6, torch.tensor([[False, False, True]])) < loss(0.6)


def write_set(directory, *, questions, passages):
    (directory / "qrels").mkdir(parents=True)
    rows = [{"_id": f"p{at}", "title": "", "text": text} for at, text in enumerate(passages)]
    (directory / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rows = [{"_id": f"q{at}", "text": text} for at, (text, _, _) in enumerate(questions)]
    (directory / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for split in ("train", "dev"):
        lines = [f"q{at}\tp{right}\t1" for at, (_, right, own) in enumerate(questions) if own == split]
        text = "query-id\tcorpus-id\tscore\n" + "".join(line + "\n" for line in lines)
        (directory / "qrels" / f"{split}.tsv").write_text(text)


def test_what_is_judged_elsewhere_is_never_seen(tmp_path):
    write_set(
        tmp_path,
        questions=[("red fish", 0, "train"), ("blue fish", 1, "dev"), ("green fish", 0, "train")],
        passages=["A red fish.", "A blue fish.", "A fish that nobody asks for."],
    )
    data = read_training_set([(tmp_path, "train")])
    assert data.texts == ["A red fish.", "A fish that nobody asks for."]
    (example,) = data.examples
    assert example.questions == ("red fish", "green fish")
    assert example.negatives[0] == (1,)
    assert data.relevant == {"red fish": frozenset({0}), "green fish": frozenset({0})}
    ((places, asked),) = batches(data, passages=4, questions=2, depth=5, rng=random.Random(0))
    assert places == [0, 1]
    assert sorted(asked) == [("green fish", 0), ("red fish", 0)]


def test_a_rule_is_learnt_from_the_command_line(small_models, tmp_path):
    """Questions in a code that only training can tell: `alpha` asks for fish, `beta` for trees."""
    rng = random.Random(0)
    kinds = {"zebra": "fish", "violin": "tree", "lantern": "house", "glacier": "road"}
    passages = [f"A {thing} number {at}." for at in range(12) for thing in kinds.values()]
    questions = []
    for at in range(12):
        for place, word in enumerate(kinds):
            questions.append((f"{word} {at}", 4 * at + place, "train" if at < 9 else "dev"))
    rng.shuffle(questions)
    write_set(tmp_path / "data", questions=questions, passages=passages)
    out = tmp_path / "adapter"
    arguments = ["tokens", "--data", f"{tmp_path / 'data'}:train", "--out", str(out), "--epochs", "6"]
    arguments += [
        "--dim",
        "32",
        "--rank",
        "4",
        "--teacher-share",
        "0",
        "--projection-steps",
        "3",
        "--models",
        str(tmp_path),
    ]
    assert main([*arguments, "--learning-rate", "0.003", "--passages", "8"]) == 0
    base = small_models.plain_encoder
    adapted = adapt(base, out, fingerprint="f")
    assert adapted.hidden_size == 32

    def right(network):
        asked = [(text, passage) for text, passage, split in questions if split == "dev"]
        held = [unit_rows(one.vectors) for one in network.hidden_states(passages[36:], role="passage")]
        hits = 0
        for (_, passage), one in zip(
            asked, network.hidden_states([text for text, _ in asked], role="query"), strict=True
        ):
            scores = [(unit_rows(one.vectors) @ vectors.T).max(axis=1).mean() for vectors in held]
            hits += int(np.argmax(scores)) + 36 == passage
        return hits / len(asked)

    assert right(adapted) > right(base)
    assert right(adapted) > 0.6
    card = (out / "CARD.md").read_text()
    assert "36 questions over 36 passages" in card
    assert "python -m training tokens --data DATA/data:train --out models/weights/adapter --rank 4" in card
    assert "| projection | 3 | " in card
    assert "$" not in card
    assert isinstance(adapted, TextNetwork)


def unit_rows(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
