"""Databases, servers and a profile of tiny random networks for the tests of the service."""

from __future__ import annotations

import asyncio
import functools
import os
import secrets
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager

import pytest

POSTGRES = "127.0.0.1", 5432


def _run(work):
    """Runs a coroutine to its end, from inside a running loop as well."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def _postgres_user() -> str | None:
    """A user that may make databases on the local server, if there is one."""
    import asyncpg

    async def find() -> str | None:
        for user in ("postgres", "root"):
            try:
                connection = await asyncpg.connect(
                    host=POSTGRES[0], port=POSTGRES[1], user=user, database="postgres", timeout=2
                )
            except (OSError, TimeoutError, asyncpg.PostgresError):
                continue
            await connection.close()
            return user
        return None

    return _run(find())


def _postgres_command(user: str, command: str) -> None:
    import asyncpg

    async def run() -> None:
        connection = await asyncpg.connect(host=POSTGRES[0], port=POSTGRES[1], user=user, database="postgres")
        try:
            await connection.execute(command)
        finally:
            await connection.close()

    _run(run())


@pytest.fixture(scope="session")
def postgres_user() -> str:
    user = _postgres_user()
    if user is None:
        pytest.skip("no PostgreSQL with trust authentication on 127.0.0.1:5432")
    return user


@pytest.fixture
def postgres_url(postgres_user):
    """A scratch database of its own, dropped afterwards."""
    name = f"excerpta_test_{secrets.token_hex(4)}"
    _postgres_command(postgres_user, f"CREATE DATABASE {name}")
    yield f"postgresql+asyncpg://{postgres_user}@{POSTGRES[0]}:{POSTGRES[1]}/{name}"
    _postgres_command(postgres_user, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.process)])
def database_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"
    return request.getfixturevalue("postgres_url")


def tiny_settings(data_dir, tiny_profile):
    from api.settings import Settings

    return Settings(
        data_dir=data_dir,
        profile=str(tiny_profile),
        device="cpu",
        poll_s=0.5,
        keep_alive_s=0.2,
        shutdown_s=5,
        prefix_memory_mb=16,
        prefix_disk_mb=16,
        read_files_in="thread",
        allowed_hosts=("test", "local"),
    )


@pytest.fixture
def settings(tmp_path, tiny_profile):
    return tiny_settings(tmp_path / "data", tiny_profile)


class Api:
    """A client of an application in this process, with a collection's worth of short cuts."""

    def __init__(self, client, app):
        self.client = client
        self.app = app

    @property
    def service(self):
        return self.app.state.service

    async def __call__(self, method, path, **options):
        return await self.client.request(method, path, **options)

    async def made(self, name="c", **settings):
        reply = await self("PUT", f"/v1/collections/{name}", json=settings)
        assert reply.status_code == 201, reply.text
        return reply.json()

    async def put(self, *documents, collection="c"):
        reply = await self("POST", f"/v1/collections/{collection}/documents", json={"documents": documents})
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def finished(self, job, timeout_s=20):
        for _ in range(int(timeout_s / 0.05)):
            state = (await self("GET", f"/v1/jobs/{job}")).json()
            if state["state"] not in ("queued", "running"):
                return state
            await asyncio.sleep(0.05)
        raise AssertionError(f"job {job} did not end: {state}")

    async def emptied(self):
        """Deletes every collection and prompt."""
        for kind in ("collections", "prompts"):
            for one in (await self("GET", f"/v1/{kind}")).json()[kind]:
                assert (await self("DELETE", f"/v1/{kind}/{one['name']}")).status_code == 200


_LOADED = {}


@contextmanager
def loaded_once():
    """The tiny networks are read from disk once for all services of a run. They hold no state of a service."""
    from models.networks.language_model import LanguageModel
    from models.networks.text_network import TextNetwork

    with pytest.MonkeyPatch.context() as patch:
        for network in (LanguageModel, TextNetwork):
            load = _LOADED.setdefault(network, functools.cache(network.load))
            patch.setattr(network, "load", load)
        yield


@asynccontextmanager
async def open_app(settings, *, ready=True):
    """Opens an application of given settings as an `Api`, in the running event loop."""
    import httpx
    from excerpta._local import Lifespan

    from api.app import create_app

    app = create_app(settings)
    lifespan = Lifespan(app)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    with loaded_once():
        await lifespan.startup()
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client:
                api = Api(client, app)
                for _ in range(500 if ready else 0):
                    if (await api("GET", "/health/ready")).status_code == 200:
                        break
                    await asyncio.sleep(0.02)
                yield api
        finally:
            await lifespan.shutdown()


@pytest.fixture
def open_api():
    return open_app


@pytest.fixture(scope="module")
async def module_api(tmp_path_factory, tiny_profile):
    async with open_app(tiny_settings(tmp_path_factory.mktemp("shared") / "data", tiny_profile)) as opened:
        yield opened


@pytest.fixture
async def shared_api(module_api):
    """One application for all tests of a module, empty at the beginning of each."""
    yield module_api
    await module_api.emptied()


@pytest.fixture
async def api(settings, open_api):
    async with open_api(settings) as opened:
        yield opened


@pytest.fixture
def problem():
    """Checks that a reply is a problem of one type, and returns it."""

    def check(reply, status, slug):
        assert reply.status_code == status, reply.text
        assert reply.headers["content-type"].startswith("application/problem+json"), reply.headers
        body = reply.json()
        assert body["type"] == f"/problems/{slug}", body
        assert body["status"] == status
        assert body["title"]
        assert body["detail"]
        assert "Traceback" not in reply.text
        return body

    return check


@pytest.fixture
def serve(tmp_path, tiny_profile):
    """Starts servers over one data directory; each ends with the test at the latest."""
    import httpx

    started = []

    def start(*options, **variables):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = {
            **os.environ,
            "EXCERPTA_PROFILE": str(tiny_profile),
            "EXCERPTA_DEVICE": "cpu",
            "EXCERPTA_POLL_S": "0.1",
            "EXCERPTA_SHUTDOWN_S": "3",
            "EXCERPTA_LEASE_S": "600",
            **variables,
        }
        log = (tmp_path / f"server-{len(started)}.log").open("wb")
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "api.commands.serve",
                "--port",
                str(port),
                "--data",
                str(tmp_path / "data"),
                *options,
            ],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        started.append(process)
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            assert process.poll() is None, (tmp_path / f"server-{len(started) - 1}.log").read_text()[-3000:]
            try:
                if httpx.get(f"{url}/health/ready").status_code == 200:
                    return process, url
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError("the server did not get ready")

    yield start
    for number, process in enumerate(started):
        process.kill()
        process.wait()
        log = (tmp_path / f"server-{number}.log").read_text()
        sys.stdout.writelines(line for line in log.splitlines(True) if "http.request" not in line)
