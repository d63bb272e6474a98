"""The same on every kind of device there is: on a GPU too where the tests run on one, in half precision."""

import numpy as np
import pytest
import torch

from retrieval.tokens import TokenOptions, maxsim_reference, search_tokens
from retrieval.tokens.devices import DeviceTrainer
from retrieval.tokens.devices.accelerator import Accelerator, accelerator_for
from tests.support.device_segments import build, clustered, listed

DIM, BASES, WITHIN = 64, [0, 300], 2e-3
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=NO_GPU)])
def device(request):
    return torch.device(request.param)


@pytest.fixture(scope="module")
def segments(tmp_path_factory):
    root = tmp_path_factory.mktemp("segments")
    flat = [clustered(np.random.default_rng(at), at % 9, DIM) for at in range(60)]
    return [listed(root / "a", 300, DIM), build(root / "b", flat)]


def search(made, segments, query, allowed, **options):
    chosen = TokenOptions(limit=20, near=2.0, exact_up_to=0, **options)
    return made.search(segments, BASES, [query], chosen, allowed=allowed)[0], chosen


@pytest.mark.parametrize("share", [None, 0.2, 0.7])
@pytest.mark.parametrize("coded", [False, True])
def test_scores_are_exact(segments, device, share, coded):
    made = Accelerator([device], budget=1 << 24)
    assert made._load(segments, coded=coded)
    rng = np.random.default_rng(1)
    allowed = [None if share is None else rng.random(one.passages) < share for one in segments]
    for _ in range(10):
        query = clustered(rng, 6, DIM)
        hits, chosen = search(made, segments, query, allowed, k_tokens=300, refine=200)
        on_cpu = search_tokens(segments, BASES, query, chosen, allowed=allowed)
        assert hits.scores[:10] == pytest.approx(on_cpu.scores[:10], abs=WITHIN)
        for number, score in zip(hits.numbers.tolist(), hits.scores.tolist(), strict=True):
            at = int(number >= BASES[1])
            assert allowed[at] is None or allowed[at][number - BASES[at]]
            exact = maxsim_reference(query, segments[at].vectors(number - BASES[at]))
            assert score == pytest.approx(exact, abs=WITHIN)


def test_unrefined_scores_are_near_those_of_the_cpu(segments, device):
    made = Accelerator([device], budget=1 << 24)
    assert made._load(segments, coded=True)
    query = clustered(np.random.default_rng(2), 6, DIM)
    hits, chosen = search(made, segments, query, [None, None], k_tokens=200, refine=0)
    on_cpu = search_tokens(segments, BASES, query, chosen, allowed=[None, None])
    ours, theirs = (dict(zip(one.numbers.tolist(), one.scores, strict=True)) for one in (hits, on_cpu))
    common = ours.keys() & theirs.keys()
    assert len(common) >= 16
    assert [ours[one] for one in common] == pytest.approx([theirs[one] for one in common], abs=0.02)


@pytest.mark.long
def test_lists_trained_there_are_the_same_every_time_and_serve_the_cpu(tmp_path, device):
    passages = [clustered(np.random.default_rng(at), 12, DIM) for at in range(300)]
    made = [
        build(tmp_path / name, passages, flat_up_to=0, trainer=DeviceTrainer(device)) for name in ("a", "b")
    ]
    for file in made[0].directory.iterdir():
        assert file.read_bytes() == (made[1].directory / file.name).read_bytes()
    right = 0
    for at in range(20):
        query = clustered(np.random.default_rng(1_000 + at), 6, DIM)
        chosen = TokenOptions(limit=10, k_tokens=400, refine=100, exact_up_to=0)
        found = search_tokens(made[:1], [0], query, chosen, allowed=[None])
        exact = search_tokens(made[:1], [0], query, TokenOptions(limit=10), allowed=[None])
        right += len(set(found.numbers.tolist()) & set(exact.numbers.tolist()))
    assert right >= 190


def test_only_gpus_have_an_accelerator(device):
    assert (accelerator_for(device) is None) == (device.type == "cpu")
