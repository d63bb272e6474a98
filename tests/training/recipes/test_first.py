"""Training of the listwise reranker: branches equal separate readings, lists hide no second answer."""

import json
import math
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ModelCorrupt, ModelNotFound, UnsupportedModel
from models.networks.letter_network import FORMAT, LetterConfig, LetterNetwork, save_letter_network
from rerank.letters import LETTERS, letter_ids
from rerank.prompts import listwise_prompt
from tests.support.speeds import examples
from training.branches import branched
from training.data.lists import Asked, ListSet, PassageList, cut, read_lists, shown
from training.loop import Loop
from training.measures.lists import held_lists, measure
from training.recipes.first.command import scorer
from training.recipes.first.objective import weighted_ranknet
from training.recipes.first.recipe import FirstRecipe
from training.recipes.first.train import Student, lists, prompts_of, train

RECIPE = FirstRecipe(first_layer=1, rank=2, alpha=4.0, steps=2, easy=1, passages=4, questions_most=3)


def a_list(*texts, asked):
    return PassageList(tuple(texts), tuple(asked))


@settings(max_examples=examples(20))
@given(
    st.lists(st.lists(st.integers(5, 90), min_size=1, max_size=6), min_size=1, max_size=4), st.integers(0, 5)
)
def test_a_branch_reads_what_its_prompt_reads_alone(tiny, tails, shared):
    prompts = [[7] * shared + tail for tail in tails]
    one = branched(prompts, torch.device("cpu"))
    network = tiny.model.base_model
    with torch.no_grad():
        states = network(
            input_ids=one.ids, position_ids=one.positions, attention_mask=one.mask, use_cache=False
        ).last_hidden_state[0, one.ends]
        for state, prompt in zip(states, prompts, strict=True):
            alone = network(input_ids=torch.tensor([prompt])).last_hidden_state[0, -1]
            torch.testing.assert_close(state, alone, atol=2e-4, rtol=2e-3)


def test_the_student_starts_as_the_model_and_its_lower_layers_never_change(tiny):
    prompt = listwise_prompt("letters")
    batch = a_list("red fish", "blue fish", asked=[("which is red?", 0), ("which is blue?", 1)])
    student = Student(tiny, prompt, RECIPE)
    prompts = prompts_of(tiny, prompt, batch)
    logits = student(prompts, 2)
    for row, ids in zip(logits, prompts, strict=True):
        wanted = tiny.next_logits(ids, letter_ids(tiny, prompt)[:2])
        np.testing.assert_allclose(row.detach().numpy(), wanted, atol=2e-2, rtol=2e-2)
    changed = {
        name.split("layers.")[1][0]
        for name, one in student.named_parameters()
        if one.requires_grad and "layers" in name
    }
    assert changed == {"1", "2"}


def a_set(count=12):
    texts = [f"passage {at} tells of item {at}" for at in range(count)]
    asked = [
        Asked(
            f"item {at}?",
            at,
            tuple(n for n in range(count) if n not in (at, (at + 1) % count)),
            frozenset({(at + 1) % count}),
        )
        for at in range(count)
    ]
    return ListSet("made", texts, asked, {at: [at] for at in range(count)})


@settings(max_examples=examples(50))
@given(st.integers(0, 11), st.integers(2, 20), st.integers(1, 16), st.integers(0, 99), st.booleans())
def test_a_list_has_the_right_passage_once_and_no_other_that_may_answer(number, size, most, seed, neighbours):
    data = a_set()
    made = shown(data, number, size=size, most=most, rng=random.Random(seed), neighbours=neighbours)
    assert len(made.passages) == len(set(made.passages)) <= size
    assert made.asked[0][0] == f"item {number}?"
    assert len(made.asked) <= most
    for question, place in made.asked:
        at = int(question[5:-1])
        assert made.passages[place] == data.passages[at]
        assert not {data.passages[one] for one in data.asked[at].barred} & set(made.passages)


def write_set(directory):
    (directory / "qrels").mkdir(parents=True)
    documents = {
        "a": "The red fish weighs nine pounds. It lives in the north sea. " * 3,
        "b": "The blue fish weighs two pounds. Nobody knows where it lives.",
        "c": "The green fish is held out. It weighs nine pounds as well.",
        "d": "A fish is an animal of the water.",
    }
    questions = {"q0": ("what does the red fish weigh?", ["nine pounds"]), "q1": ("where does blue live?", []), "q2": ("green?", ["held out"])}  # fmt: skip
    (directory / "corpus.jsonl").write_text(
        "".join(
            json.dumps({"_id": name, "title": "Fish", "text": text}) + "\n"
            for name, text in documents.items()
        )
    )
    (directory / "queries.jsonl").write_text(
        "".join(
            json.dumps({"_id": name, "text": text, "answers": answers}) + "\n"
            for name, (text, answers) in questions.items()
        )
    )
    for split, rows in {"train": ("q0\ta", "q1\tb"), "dev": ("q2\tc",)}.items():
        (directory / "qrels" / f"{split}.tsv").write_text(
            "query-id\tcorpus-id\tscore\n" + "".join(f"{row}\t1\n" for row in rows)
        )


def test_passages_that_are_judged_elsewhere_or_say_the_answer_too_are_left_out(tmp_path):
    write_set(tmp_path)
    data = read_lists(tmp_path, "train", words=12, depth=20)
    assert not any("held out" in text for text in data.passages)
    assert all(len(text.split()) <= 13 for text in data.passages)
    red = next(one for one in data.asked if "red" in one.question)
    assert "nine pounds" in data.passages[red.right]
    saying = {at for at, text in enumerate(data.passages) if "nine pounds" in text}
    assert saying - {red.right} <= red.barred
    assert not saying & set(red.wrong)


@given(
    st.lists(st.lists(st.sampled_from(["red", "fish", "swim"]), min_size=1, max_size=5), max_size=9),
    st.integers(5, 12),
)
def test_whole_sentences_are_put_together_and_none_is_lost(sentences, words):
    text = " ".join(" ".join(sentence).capitalize() + "." for sentence in sentences)
    pieces = list(cut(text, words))
    assert all(len(piece.split()) <= words and piece.endswith(".") for piece in pieces)
    assert " ".join(pieces) == text


def test_a_sentence_that_is_too_long_is_cut():
    assert list(cut("One two three four. Five.", 3)) == ["One two three", "Five."]


def test_lists_grow_after_the_easy_ones_and_are_the_same_for_a_seed():
    recipe = replace(RECIPE, easy=3, passages=8, long_share=0.5)
    drawn = [
        [next(made) for _ in range(12)]
        for made in (lists([a_set(30)], recipe, random.Random(1)) for _ in range(2))
    ]
    assert drawn[0] == drawn[1]
    sizes = [len(one.passages) for one in drawn[0]]
    assert sizes[:3] == [4, 4, 4]
    assert min(sizes[3:]) == 8
    assert max(sizes) > 8


def test_weighted_ranknet_equals_a_loop_over_pairs():
    rng = np.random.default_rng(0)
    scores, teacher = rng.standard_normal((2, 5)), np.array([[3.0, 1, 2, 2, 0], [0, 1, 2, 3, 4]])
    wanted, pairs = 0.0, 0
    for row in range(2):
        ranks = {at: rank for rank, at in enumerate(sorted(range(5), key=lambda at: -teacher[row, at]), 1)}
        for i in range(5):
            for j in range(5):
                if teacher[row, i] > teacher[row, j]:
                    wanted += math.log1p(math.exp(scores[row, j] - scores[row, i])) / (ranks[i] + ranks[j])
                    pairs += 1
    assert float(weighted_ranknet(torch.tensor(scores), torch.tensor(teacher))) == pytest.approx(
        wanted / pairs
    )


@pytest.fixture
def saved(tiny, tmp_path):
    loop = Loop()
    result = train(tiny, listwise_prompt("letters"), [a_set()], RECIPE, loop)
    config = LetterConfig(
        FORMAT, "tiny", 96, 2, 4.0, "letters", 60, tuple(letter_ids(tiny, listwise_prompt("letters")))
    )
    save_letter_network(tmp_path / "letters", config, result.deltas, result.letters)
    assert len(loop.losses["letters"]) == 2
    return tmp_path / "letters"


def test_what_was_trained_is_what_ranks(tiny, saved):
    network = LetterNetwork.load(tiny, saved)
    texts = ["red fish", "blue fish", "green fish"]
    scores = scorer(network)("which is red?", texts)
    assert len(set(scores)) == 3
    untouched = LetterNetwork(tiny, tiny.model.base_model, torch.ones(20, 96), network.config, fingerprint="")
    assert scores != scorer(untouched)("which is red?", texts)
    assert network.tokenize(texts)[0].ids.tolist() == tiny.tokenize(texts)[0].ids.tolist()


def test_weights_that_do_not_fit_are_refused(tiny, saved, tmp_path):
    with pytest.raises(ModelNotFound):
        LetterNetwork.load(tiny, tmp_path / "nothing")
    config = json.loads((saved / "config.json").read_text())
    for change, error in (
        ({"base": "other"}, UnsupportedModel),
        ({"letters": [1, 2]}, ModelCorrupt),
        ({"format": "x"}, ModelCorrupt),
    ):
        (saved / "config.json").write_text(json.dumps(config | change))
        with pytest.raises(error):
            LetterNetwork.load(tiny, saved)


def test_a_ranker_that_knows_and_one_that_answers_a_are_told_apart():
    made = held_lists([a_set(30)], 20, 8, seed=0)
    assert made == held_lists([a_set(30)], 20, 8, seed=0)

    def knows(question, texts):
        return [float(text.endswith(f" {question[5:-1]}")) for text in texts]

    def always_first(question, texts):
        return [-float(at) for at in range(len(texts))]

    assert measure(knows, made, turned=3).mrr == 1.0
    found = measure(always_first, made, turned=20)
    assert found.first == (20, 0, 0, 0, 0, 0, 0, 0)
    assert found.tau < 0.5
    assert len(LETTERS) == 20
