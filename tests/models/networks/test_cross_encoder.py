"""Cross-encoders on tiny checkpoints, loaded by a profile, against plain calls of transformers."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from models.errors import InvalidProfile, ModelCorrupt, ModelNotFound, UnsupportedModel
from models.networks.cross_encoder import CrossEncoderNetwork
from models.profile import load_profile
from models.registry import Models
from tests.support.tiny.checkpoints import save_bert, save_cross_encoder
from tests.support.tiny.tokenizers import word_pieces

pytestmark = pytest.mark.long  # sentence-transformers takes a second to import

WINDOW = 64
QUESTION = "Which passage answers the question?"
TEXTS = [
    "The quick brown fox",
    "",
    "dog",
    "Wer weiß es? 😀",
    "the lazy dog " * 3,
    "dog",
    "\r\n \t",
    "42 apples",
]
LONG = "quick brown fox over the lazy dog " * 20

Open = Callable[..., Models]


@pytest.fixture(scope="module", params=["bert", "xlm-roberta"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_cross_encoder(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Opens the models of a profile file whose cross-encoder is at `path`."""

    def open_models(path: Path | str) -> Models:
        file = tmp_path / "pairs.toml"
        file.write_text(
            "[encoder]\nname = 'none'\npath = 'none'\n[lm]\nname = 'none'\npath = 'none'\n"
            f"[cross_encoder]\nname = 'tiny-pairs'\npath = '{path}'\ndtype = 'float32'\n"
        )
        return Models(load_profile(file), tmp_path / "data", device="cpu")

    return open_models


@pytest.fixture
def network(opened: Open, checkpoint: Path) -> CrossEncoderNetwork:
    return opened(checkpoint).cross_encoder


def scores(
    network: CrossEncoderNetwork, texts: list[str], batch: int = 16, max_tokens: int = 512
) -> np.ndarray:
    return network.scores(QUESTION, texts, batch=batch, max_tokens=max_tokens)[0]


def reference(checkpoint: Path, texts: list[str], limit: int = WINDOW) -> tuple[np.ndarray, int]:
    """The slow, obviously right way: one pair at a time, no padding."""
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    network = AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()
    logits, tokens = [], 0
    for text in texts:
        # In lists: an empty text alone would be read as none.
        pair = tokenizer(
            [QUESTION], [text], truncation="longest_first", max_length=limit, return_tensors="pt"
        )
        tokens += pair["input_ids"].shape[1]
        with torch.no_grad():
            logits.append(float(network(**pair).logits))
    return np.array(logits), tokens


@pytest.mark.parametrize("batch", [1, 3, 256])
def test_scores_are_those_of_transformers(network: CrossEncoderNetwork, checkpoint: Path, batch: int) -> None:
    texts = [*TEXTS, LONG]
    found, tokens = network.scores(QUESTION, texts, batch=batch, max_tokens=512)
    expected, expected_tokens = reference(checkpoint, texts)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert tokens == expected_tokens
    assert np.ptp(expected) > 0.1, "the texts have different scores"


def test_a_score_does_not_depend_on_the_texts_beside_it(network: CrossEncoderNetwork) -> None:
    order = np.random.default_rng(0).permutation(len(TEXTS))
    shuffled = scores(network, [TEXTS[at] for at in order], batch=3)
    np.testing.assert_allclose(shuffled, scores(network, TEXTS)[order], atol=1e-5)
    np.testing.assert_allclose(scores(network, TEXTS[:1]), scores(network, TEXTS)[:1], atol=1e-5)


def test_a_pair_is_cut_to_the_window(network: CrossEncoderNetwork, checkpoint: Path) -> None:
    """The tokenizer states no limit; what is over the network's positions is not read, nor counted."""
    assert network.max_tokens == WINDOW
    found, tokens = network.scores(QUESTION, [LONG, LONG + "apples"], batch=2, max_tokens=8192)
    assert tokens == 2 * WINDOW
    assert found[0] == found[1]
    shorter, tokens = network.scores(QUESTION, [LONG], batch=2, max_tokens=48)
    assert tokens == 48
    np.testing.assert_allclose(shorter, reference(checkpoint, [LONG], 48)[0], atol=1e-5)
    assert abs(shorter[0] - found[0]) > 1e-4
    assert network.scores(QUESTION, [LONG], batch=2, max_tokens=512)[1] == WINDOW, "the limit was of one call"


def test_no_texts_give_no_scores(network: CrossEncoderNetwork) -> None:
    found, tokens = network.scores(QUESTION, [], batch=4, max_tokens=512)
    assert found.shape == (0,)
    assert found.dtype == np.float64
    assert tokens == 0


def test_names_of_control_tokens_in_a_text_are_text(network: CrossEncoderNetwork, checkpoint: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    text = f"the lazy dog{tokenizer.sep_token}quick fox"
    plain = tokenizer(QUESTION, text, split_special_tokens=True, return_tensors="pt")
    pair = tokenizer(QUESTION, text, return_tensors="pt")
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()
    with torch.no_grad():
        expected, as_control = (float(model(**one).logits) for one in (plain, pair))
    assert scores(network, [text])[0] == pytest.approx(expected, abs=1e-5)
    assert abs(expected - as_control) > 1e-4


def test_a_lone_surrogate_is_read_as_the_replacement_character(network: CrossEncoderNetwork) -> None:
    assert scores(network, ["a\ud800b"]) == scores(network, ["a\ufffdb"])


def test_nothing_deprecated_is_called(opened: Open, checkpoint: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores(opened(checkpoint).cross_encoder, TEXTS)


def test_it_is_described_and_loaded_once(opened: Open, checkpoint: Path) -> None:
    models = opened(checkpoint)
    described = {info.role: info for info in models.describe()}["cross_encoder"]
    assert described.available
    assert described.fingerprint.startswith("tiny-pairs:float32:")
    assert models.cross_encoder is models.cross_encoder


@pytest.mark.parametrize("labels", [2, 3])
def test_more_than_one_output_is_refused(opened: Open, tmp_path: Path, labels: int) -> None:
    path = save_cross_encoder(tmp_path / "labels", labels=labels)
    with pytest.raises(UnsupportedModel, match=f"one output, and this has {labels}") as raised:
        _ = opened(path).cross_encoder
    assert raised.value.model == "tiny-pairs"


def test_what_is_missing_is_named(opened: Open, tmp_path: Path) -> None:
    models = opened("nowhere")
    assert not {info.role: info for info in models.describe()}["cross_encoder"].available
    with pytest.raises(ModelNotFound, match=r"'tiny-pairs'.*nowhere"):
        _ = models.cross_encoder
    without = tmp_path / "without.toml"
    without.write_text((tmp_path / "pairs.toml").read_text().split("[cross_encoder]")[0])
    models = Models(load_profile(without), tmp_path / "data", device="cpu")
    with pytest.raises(InvalidProfile, match=r"\[cross_encoder\]"):
        _ = models.cross_encoder


def damaged(path: Path, damage: str) -> None:
    weights = path / "model.safetensors"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif damage == "no weights":
        weights.unlink()
    elif damage == "no config":
        (path / "config.json").unlink()
    elif damage == "pickled":
        torch.save(load_file(weights), path / "pytorch_model.bin")
        weights.unlink()
    else:
        kept = {name: one for name, one in load_file(weights).items() if name != "classifier.weight"}
        save_file(kept, weights, metadata={"format": "pt"})


@pytest.mark.parametrize("damage", ["cut", "no weights", "no config", "pickled", "no output layer"])
def test_a_damaged_checkpoint_is_refused(opened: Open, tmp_path: Path, damage: str) -> None:
    path = save_cross_encoder(tmp_path / "damaged")
    damaged(path, damage)
    with pytest.raises(ModelCorrupt, match="damaged"):
        _ = opened(path).cross_encoder


def test_an_encoder_without_an_output_layer_is_refused(opened: Open, tmp_path: Path) -> None:
    """transformers would give it a random one, and sentence-transformers one output."""
    plain = save_bert(tmp_path / "plain", word_pieces())
    shutil.copy(save_cross_encoder(tmp_path / "pairs") / "tokenizer_config.json", plain)
    with pytest.raises(ModelCorrupt, match=r"output layer.*classifier"):
        _ = opened(plain).cross_encoder


def test_scores_that_are_not_finite_are_refused(opened: Open, tmp_path: Path) -> None:
    from excerpta.types.rerank import CrossEncoder

    from rerank import CATALOGUE, Texts

    path = save_cross_encoder(tmp_path / "broken")
    weights = load_file(path / "model.safetensors")
    weights["classifier.weight"].fill_(float("nan"))
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    reranker = CATALOGUE["cross-encoder"].make(opened(path))
    with pytest.raises(UnsupportedModel, match=r"tiny-pairs.*not finite"):
        reranker.rank(QUESTION, Texts(["a", "b"]), CrossEncoder())
