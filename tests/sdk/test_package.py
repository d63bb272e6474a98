"""The package itself: one source for both clients, files found on disk, a light install."""

import inspect
import subprocess
import sys

import excerpta
import pytest
from excerpta._async import AsyncCollection, AsyncCollections, AsyncJob, AsyncJobs
from excerpta._sync import Collection, Collections, Job, Jobs

from tests.support import ROOT


@pytest.mark.process
def test_the_sync_client_is_fresh():
    script = ROOT / "sdk" / "tools" / "generate_sync.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("sync", "asynchronous"),
    [
        (excerpta.Client, excerpta.AsyncClient),
        (Collection, AsyncCollection),
        (Collections, AsyncCollections),
        (Job, AsyncJob),
        (Jobs, AsyncJobs),
    ],
)
def test_both_clients_have_the_same_methods(sync, asynchronous):
    def parameters(cls):
        return {
            name: list(inspect.signature(member).parameters)
            for name, member in inspect.getmembers(cls, callable)
            if not name.startswith("_")
        }

    assert parameters(sync) == parameters(asynchronous)


def test_every_public_name_is_documented():
    for name in excerpta.__all__:
        assert inspect.getdoc(getattr(excerpta, name)), name


@pytest.mark.process
def test_the_install_is_light(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", ROOT / "sdk"], check=True)
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True, check=True
    )
    names = {line.split("==")[0].lower() for line in listed.stdout.splitlines()}
    assert "excerpta" in names
    assert not names & {"torch", "numpy", "transformers", "litestar", "excerpta-server"}
    code = (
        "import excerpta, sys; assert not {'numpy', 'torch'} & set(sys.modules); excerpta.Client.local('x')"
    )
    local = subprocess.run([python, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert "pip install 'excerpta-server[cpu]'" in local.stderr
    cli = subprocess.run([tmp_path / "venv" / "bin" / "excerpta"], capture_output=True, text=True)
    assert "excerpta[cli]" in cli.stderr
