"""Tiny random checkpoints on disk, and the networks loaded from them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.networks.language_model import LanguageModel
from models.networks.text_network import TextNetwork
from tests.support.tiny.checkpoints import CPU, save_bert, save_llama, save_qwen
from tests.support.tiny.tokenizers import byte_level, word_pieces


@pytest.fixture(scope="session")
def bert_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    return save_bert(tmp_path_factory.mktemp("bert"), word_pieces())


@pytest.fixture(scope="session")
def llama_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(2)
    return save_llama(tmp_path_factory.mktemp("llama"), byte_level())


@pytest.fixture(scope="session")
def qwen_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    return save_qwen(tmp_path_factory.mktemp("qwen"))


@pytest.fixture(scope="session")
def bert(bert_dir: Path) -> TextNetwork:
    return TextNetwork.load(bert_dir, name="tiny-bert", fingerprint="f", device=CPU, dtype=torch.float32)


@pytest.fixture(scope="session", params=["llama", "qwen"])
def lm(request: pytest.FixtureRequest, llama_dir: Path, qwen_dir: Path) -> LanguageModel:
    directory = {"llama": llama_dir, "qwen": qwen_dir}[request.param]
    return LanguageModel.load(directory, name=request.param, fingerprint="f", device=CPU, dtype=torch.float32)
