"""What is installed: the server and nothing that only its developers need."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest

from tests.support import ROOT

pytestmark = pytest.mark.process

_TRAINING_ONLY = ("accelerate", "ir_measures", "peft", "pytrec_eval", "scipy")


def _python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=600
    )


def test_the_wheel_has_the_server_and_its_evaluation_alone(tmp_path):
    pytest.importorskip("hatchling")
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = _python(build, str(tmp_path))
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("excerpta_server-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (entry_points,) = [name for name in names if name.endswith("/entry_points.txt")]
        commands = archive.read(entry_points).decode()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {
        "api",
        "base",
        "compress",
        "context",
        "evaluation",
        "migrations",
        "models",
        "rerank",
        "retrieval",
    }
    assert any(name.startswith("models/weights/") and name.endswith(".safetensors") for name in names)
    assert "evaluate = evaluation.command:main" in commands


def test_importing_the_server_loads_no_package_of_training():
    done = _python("import sys, api.app, models.registry; print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    # transformers takes scipy and accelerate where they are installed; the next test does without.
    assert not loaded & {"peft", "sentence_transformers", "ir_measures"}


def test_the_server_needs_no_package_of_training(tiny_profile):
    """Every module of the wheel is imported, and networks are loaded, as if those were not installed."""
    code = f"""
import importlib, pkgutil, sys
for name in {_TRAINING_ONLY}:
    sys.modules[name] = None
for package in ("base", "models", "retrieval", "rerank", "compress", "context", "api", "evaluation"):
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
from pathlib import Path
from models import Models, load_profile
models = Models(load_profile(sys.argv[1]), Path(sys.argv[2]), device="cpu")
print(len(models.lm.tokenize(["a question"])), len(models.encoder.hidden_states(["a question"])))
"""
    done = _python(code, str(tiny_profile), str(tiny_profile.parent))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1", "1"]
