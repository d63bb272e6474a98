"""The choice of device and number format."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models import device
from models.device import dtype_name, pick_device, pick_dtype
from models.errors import UnsupportedModel

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": False, "amx_bf16": True}, torch.bfloat16),
        ({"avx2": True}, torch.float32),
        ({}, torch.float32),
    ],
)
def test_auto_on_a_cpu(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert pick_dtype("auto", CPU) == expected


def test_a_pytorch_that_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert pick_dtype("auto", CPU) == torch.float32


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16"])
def test_named_dtypes(name: str) -> None:
    assert dtype_name(pick_dtype(name, CPU)) == name


def test_unknown_dtype() -> None:
    with pytest.raises(UnsupportedModel, match="auto, float32, bfloat16, float16"):
        pick_dtype("int4", CPU)


def test_auto_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device() == torch.device("cuda", 0)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pick_device() == CPU


@pytest.mark.parametrize(
    ("content", "cores"),
    [("150000 100000\n", 2), ("50000 100000\n", 1), ("max 100000\n", 65536), ("", 65536)],
)
def test_quota(tmp_path: Path, content: str, cores: int) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(content)
    assert device._cpu_quota(file) == cores
    assert device._cpu_quota(tmp_path / "none") == 65536
