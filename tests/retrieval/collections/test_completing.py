"""Scores that a search has found exactly are kept when lists are completed, and the result is the same."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval import Collection, Document, IndexSettings
from retrieval.catalogue import RETRIEVERS
from tests.support.fakes import HashEncoder
from tests.support.searches import by_tokens, by_words
from tests.support.speeds import examples

WORDS = ["otter", "river", "stone", "heron", "moss", "reed", "bank", "night"]


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    made = Collection.create(
        tmp_path_factory.mktemp("c") / "c",
        encoder=HashEncoder(),
        vocabulary=None,
        settings=IndexSettings(passage_tokens=16, overlap_tokens=2, ngrams=False),
    )
    rng = np.random.default_rng(0)
    for batch in range(3):
        made.add([Document(f"{batch}-{at}", " ".join(rng.choice(WORDS, 7))) for at in range(20)])
    return made


@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=5),
    refine=st.integers(0, 9),
    limit=st.integers(1, 12),
    everything=st.booleans(),
)
def test_kept_scores_are_those_that_completing_would_give(collection, words, refine, limit, everything):
    question = " ".join(words)
    query = HashEncoder().encode_queries([question])[0]
    with collection.snapshot() as snapshot:
        every = snapshot.allowed(None)
        tokens = by_tokens(
            snapshot,
            query.vectors,
            selection=every,
            limit=limit,
            refine=refine,
            k_tokens=8,
            exact_up_to=1 << 40 if everything else 0,
        )
        assert tokens.exact == len(tokens) if everything else tokens.exact <= refine
        again = RETRIEVERS["tokens"].scores(query, snapshot.searched, tokens.numbers[: tokens.exact])
        assert tokens.scores[: tokens.exact].tolist() == again.tolist()

        lists = {"tokens": tokens, "lexical": by_words(snapshot, question, limit=limit, selection=every)}
        reads = {"tokens": query, "lexical": question}
        kept = snapshot.completed(lists, reads=reads)
        anew = snapshot.completed({name: replace(one, exact=0) for name, one in lists.items()}, reads=reads)
        for name in lists:
            assert kept[name].numbers.tolist() == anew[name].numbers.tolist()
            assert kept[name].scores.tolist() == anew[name].scores.tolist()
