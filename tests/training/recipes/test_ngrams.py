"""Training of the n-gram writer: spans are of the passage, branches count as if alone, weights load again."""

import json
import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from models.errors import ModelCorrupt, ModelNotFound, UnsupportedModel
from models.networks.ngram_writer import FORMAT, NgramWriter, WriterConfig, save_ngram_writer
from retrieval.ngrams.prompt import question_ids, read_question
from tests.support.speeds import examples
from training.data.lists import Asked, ListSet
from training.data.spans import SpanChooser
from training.data.writing import WritingSet, batches
from training.errors import InvalidTrainingData
from training.loop import Loop
from training.measures.ngrams import measure
from training.recipes.ngrams.recipe import NgramRecipe
from training.recipes.ngrams.train import Student, train

RECIPE = NgramRecipe(first_layer=1, rank=2, alpha=4.0, steps=3, batch=2, spans=3, length=4)
WORDS = 30


def chooser(openers=None, frequency=None):
    openers = np.ones(WORDS, np.bool_) if openers is None else openers
    frequency = np.ones(WORDS, np.int64) if frequency is None else frequency
    return SpanChooser(openers, np.arange(WORDS, dtype=np.int32), frequency, 10)


@settings(max_examples=examples(50))
@given(
    st.lists(st.integers(0, WORDS - 1), max_size=40),
    st.lists(st.integers(0, WORDS - 1), max_size=6),
    st.sets(st.integers(0, WORDS - 1)),
    st.integers(1, 12),
    st.integers(3, 9),
    st.integers(0, 99),
)
def test_spans_are_different_parts_of_the_passage(passage, question, opening, count, length, seed):
    openers = np.array([word in opening for word in range(WORDS)])
    ids = np.array(passage, np.int32)
    left_out = np.arange(len(ids)) % 11 == 10
    spans = chooser(openers).choose(
        ids,
        np.array(question, np.int32),
        answer=np.zeros(len(ids), np.bool_),
        left_out=left_out,
        count=count,
        length=length,
        rng=random.Random(seed),
    )
    assert len(spans) <= count
    assert len({tuple(span) for span in spans}) == len(spans)
    places = [{at for at in range(len(passage)) if passage[at : at + len(span)] == span} for span in spans]
    for span, found in zip(spans, places, strict=True):
        assert 3 <= len(span) <= length
        assert span[0] in opening
        assert any(not left_out[at : at + len(span)].any() for at in found)


def drawn(question, answer, *, frequency=None, times=60):
    """How often each word opens one of three spans of a passage of all words in order."""
    ids = np.arange(WORDS, dtype=np.int32)
    marked = np.isin(ids, answer)
    counts = np.zeros(WORDS, np.int64)
    rng = random.Random(1)
    for _ in range(times):
        for span in chooser(frequency=frequency).choose(
            ids, np.array(question, np.int32), answer=marked, left_out=np.zeros(WORDS, np.bool_), count=10, length=4, rng=rng
        ):  # fmt: skip
            counts[span[0]] += 1
    return counts


def test_spans_lie_where_question_answer_and_rare_words_are():
    near, answer = drawn([20, 21], []), drawn([], [7])
    assert near[18:21].mean() > 2 * near[:12].mean()
    assert answer[4:8].sum() > 2 * answer[10:14].sum()
    frequency = np.full(WORDS, 10_000, np.int64)
    frequency[12:16] = 1
    rare = drawn([], [], frequency=frequency)
    assert rare[12] > rare[25]


def a_set():
    # Of the words that the tiny tokenizer knows, so that they are tokens that may open an n-gram.
    texts = [
        "The head approves travel data. Here documents are data of the head. So finance approves travel.",
        "Here finance approves documents of the head. All travel documents are data. The head approves finance.",
        "The data of travel are finance documents. The head approves data. All finance documents are travel.",
        "All travel approves the head of data. Here finance approves finance. The documents are data.",
    ]
    asked = [Asked(text[:24], at, (), frozenset(), (text[4:20],)) for at, text in enumerate(texts)]
    return ListSet("made", texts, asked, {at: [at] for at in range(4)})


def test_questions_and_sentences_have_spans_of_their_passage(tiny):
    data = WritingSet(a_set(), tiny, spans=4, length=6)
    rng = random.Random(0)
    one = data.asked(1, rng)
    assert one.question == "Here finance approves do"
    text = a_set().passages[1]
    assert one.spans
    assert all(tiny.decode(span).strip() in text for span in one.spans)
    for _ in range(20):
        sentence = data.sentence(rng)
        assert sentence is not None
        assert sentence.spans
        assert any(sentence.question in passage for passage in a_set().passages)
        assert all(tiny.decode(span).strip() not in sentence.question for span in sentence.spans)
    batch = next(batches([data], size=3, sentences=0.5, rng=rng))
    assert len(batch) == 3


def test_passages_without_anything_to_write_are_an_error(tiny):
    data = ListSet("bare", ["?"], [Asked("What?", 0, (), frozenset())], {0: [0]})
    with pytest.raises(InvalidTrainingData, match="bare"):
        next(
            batches([WritingSet(data, tiny, spans=2, length=4)], size=1, sentences=0.5, rng=random.Random(0))
        )


def test_a_span_counts_as_if_it_stood_alone_behind_the_question(tiny):
    student = Student(tiny, RECIPE)
    prompt, spans = question_ids(tiny, "Which river?"), [[5, 6, 7], [5, 9], [8, 6, 7, 9]]
    logits, wanted = student(prompt, spans)
    assert wanted.tolist() == [one for span in spans for one in span]
    together = cross_entropy(logits, wanted, reduction="none")
    alone = []
    for span in spans:
        with torch.no_grad():
            output = tiny.model(input_ids=torch.tensor([[*prompt, *span[:-1]]])).logits[0]
        alone.append(cross_entropy(output[len(prompt) - 1 :], torch.tensor(span), reduction="none"))
    torch.testing.assert_close(together.detach(), torch.cat(alone), atol=2e-2, rtol=2e-2)


@pytest.fixture
def written(tiny, tmp_path):
    before = {name: weight.clone() for name, weight in tiny.model.named_parameters()}
    loop = Loop()
    deltas = train(tiny, [WritingSet(a_set(), tiny, spans=3, length=4)], RECIPE, loop)
    assert all(torch.equal(before[name], weight) for name, weight in tiny.model.named_parameters())
    assert len(loop.losses["spans"]) == 3
    config = WriterConfig(FORMAT, tiny.name, tiny.model.config.hidden_size, RECIPE.rank, RECIPE.alpha)
    save_ngram_writer(tmp_path / "ngrams", config, deltas)
    return tmp_path / "ngrams", deltas


def test_the_trained_model_writes_otherwise_and_shares_what_is_the_same(tiny, written):
    directory, deltas = written
    # Three steps change little: larger changes show that they are added.
    save_ngram_writer(
        directory,
        WriterConfig(FORMAT, tiny.name, tiny.model.config.hidden_size, RECIPE.rank, RECIPE.alpha),
        {name: torch.full_like(one, 0.1) for name, one in deltas.items()},
    )
    writer = NgramWriter.load(tiny, directory)
    assert not writer.examples
    assert writer.lm.encode("blue") == tiny.encode("blue")
    plain = read_question(tiny, "Which river?", most_depth=2, examples=False)
    trained = read_question(writer.lm, "Which river?", most_depth=2, examples=False)
    assert not np.allclose(plain.root, trained.root, atol=1e-3)
    own = dict(writer.lm.model.named_parameters())
    shared = dict(tiny.model.named_parameters())
    changed = {name for name, weight in own.items() if weight is not shared[name]}
    assert changed == {
        f"model.{name.removesuffix('.lora_A')}.weight" for name in deltas if name.endswith("A")
    }


def test_weights_of_another_model_or_format_are_refused(tiny, written, tmp_path):
    directory, _ = written
    with pytest.raises(ModelNotFound):
        NgramWriter.load(tiny, tmp_path / "nowhere")
    config = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps(config | {"base": "another"}))
    with pytest.raises(UnsupportedModel, match="another"):
        NgramWriter.load(tiny, directory)
    (directory / "config.json").write_text(json.dumps(config | {"format": "other"}))
    with pytest.raises(ModelCorrupt):
        NgramWriter.load(tiny, directory)


def test_the_measure_finds_what_the_question_says(tiny):
    data = a_set()
    data.passages.extend(f"Number {at} has nothing to say, but {at * 7} and {at * 11}." for at in range(200))
    found = measure(NgramWriter(tiny, examples=True), data, questions=4, query_keys=True, beams=0)
    assert found.questions == 4
    assert found.mrr > 0.8
    assert found.hits_5 == found.hits_20 == 1.0
