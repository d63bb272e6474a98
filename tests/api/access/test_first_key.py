"""The first key: made once, shown once, kept as a hash, and asked for by every process of the service."""

import hashlib
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from api.access.first_key import FILE, banner, known_keys
from api.access.keys import digest
from api.errors import InvalidSettings
from api.settings import Settings


@pytest.fixture
def reachable(tmp_path):
    """Settings of a service that other machines can reach, without keys."""
    return Settings(host="0.0.0.0", data_dir=tmp_path / "data")


def test_it_is_made_and_shown_at_the_first_start_only(reachable):
    shown = []
    (first,) = known_keys(reachable, shown.append)
    assert known_keys(reachable, shown.append) == [first]
    (key,) = shown
    assert len(key) > 40
    assert first == digest(key) == hashlib.sha256(key.encode()).digest()


def test_only_its_hash_is_kept_and_only_for_the_owner(reachable):
    shown = []
    known_keys(reachable, shown.append)
    path = reachable.data_dir / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().strip() == digest(shown[0]).hex()
    everything = b"".join(one.read_bytes() for one in reachable.data_dir.iterdir())
    assert shown[0].encode() not in everything


def test_processes_that_start_at_once_make_one_key(reachable):
    shown = []

    def slowly(key):
        time.sleep(0.02)
        shown.append(key)

    with ThreadPoolExecutor(12) as threads:
        digests = list(threads.map(lambda _: known_keys(reachable, slowly)[0], range(12)))
    assert set(digests) == {digest(key) for key in shown}
    assert len(shown) == 1


@pytest.mark.parametrize(
    "members", [{"host": "127.0.0.1"}, {"host": "localhost"}, {"insecure": True}, {"api_keys": ("k" * 16,)}]
)
def test_none_is_made_where_none_is_needed(tmp_path, members):
    settings = Settings(**{"host": "0.0.0.0", "data_dir": tmp_path / "data", **members})
    assert known_keys(settings, pytest.fail) == [digest(key) for key in settings.api_keys]
    assert not settings.data_dir.exists()


def test_keys_that_are_set_replace_it(reachable):
    shown = []
    (first,) = known_keys(reachable, shown.append)
    own = Settings(host="0.0.0.0", data_dir=reachable.data_dir, api_keys=("k" * 16,))
    assert first not in known_keys(own, pytest.fail)


def test_where_it_may_not_be_made_the_start_is_refused(tmp_path):
    settings = Settings(host="0.0.0.0", data_dir=tmp_path / "data", make_key=False)
    with pytest.raises(InvalidSettings, match="EXCERPTA_API_KEYS"):
        known_keys(settings, pytest.fail)
    assert not settings.data_dir.exists()


def test_a_key_that_could_not_be_shown_is_not_kept(reachable):
    def broken(key):
        raise BrokenPipeError

    with pytest.raises(InvalidSettings):
        known_keys(reachable, broken)
    shown = []
    assert known_keys(reachable, shown.append) == [digest(shown[0])]


def test_a_damaged_file_opens_nothing(reachable):
    known_keys(reachable, lambda key: None)
    for text in ("", "00", "zz" * 32, digest("x").hex()[:-1]):
        (reachable.data_dir / FILE).write_text(text)
        with pytest.raises(InvalidSettings, match="delete it"):
            known_keys(reachable, pytest.fail)


def test_a_data_directory_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(InvalidSettings, match="data_dir"):
        known_keys(Settings(host="0.0.0.0", data_dir=tmp_path / "data"), pytest.fail)


def test_the_banner_says_how_to_use_and_replace_it(reachable):
    text = banner("exk_abc", reachable)
    for part in (
        "Bearer exk_abc",
        "EXCERPTA_API_KEY=exk_abc",
        "EXCERPTA_API_KEYS",
        str(reachable.data_dir / FILE),
    ):
        assert part in text


async def test_a_local_client_needs_no_key(tmp_path, tiny_profile, monkeypatch):
    from excerpta._local import Lifespan

    from api.embedded import open_local

    monkeypatch.setenv("EXCERPTA_API_KEYS", "k" * 16)
    monkeypatch.setenv("EXCERPTA_DEVICE", "cpu")
    app = open_local(str(tmp_path / "data"), str(tiny_profile))
    lifespan = Lifespan(app)
    await lifespan.startup()
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            assert (await client.get("/v1/collections")).status_code == 200
    finally:
        await lifespan.shutdown()


# The tests listen on this machine only; the server takes the address for one that others can reach.
_REACHABLE = (
    "import sys, api.settings; api.settings._is_loopback = lambda host: False; "
    "from api.commands.serve import main; sys.exit(main())"
)


@pytest.fixture
def start(tmp_path, tiny_profile):
    """Starts servers over one data directory; gives the process, its URL and its log."""
    started = []

    def run(**variables):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = {
            **os.environ,
            "EXCERPTA_PROFILE": str(tiny_profile),
            "EXCERPTA_DEVICE": "cpu",
            "EXCERPTA_DATA": str(tmp_path / "data"),
            "EXCERPTA_PORT": str(port),
            **variables,
        }
        log = tmp_path / f"server-{len(started)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-c", _REACHABLE], env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        started.append(process)
        return process, f"http://127.0.0.1:{port}", log

    yield run
    for process in started:
        process.kill()
        process.wait()


def wait_until_ready(process, url, log):
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            if httpx.get(f"{url}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the server did not get ready")


def keys_in(*logs):
    return [
        word
        for log in logs
        for line in log.read_text().splitlines()
        if line.startswith("    exk_")
        for word in [line.strip()]
    ]


@pytest.mark.process
def test_real_servers_show_one_key_and_ask_for_it_after_a_restart_too(start):
    """Two processes start at once, as with compose; readiness needs no key."""
    api, worker = start(EXCERPTA_ROLE="api"), start(EXCERPTA_ROLE="worker")
    wait_until_ready(*api)
    wait_until_ready(*worker)
    (key,) = keys_in(api[2], worker[2])
    headers = {"Authorization": f"Bearer {key}"}
    for process, url, log in (api, worker):
        assert httpx.get(f"{url}/metrics").status_code == 401
        assert httpx.get(f"{url}/metrics", headers=headers).status_code == 200
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        assert log.read_text().count("exk_") in (0, 3)
    again = start(EXCERPTA_ROLE="all")
    wait_until_ready(*again)
    assert httpx.get(f"{again[1]}/v1/collections").status_code == 401
    assert (
        httpx.get(f"{again[1]}/v1/collections", headers={"Authorization": "Bearer exk_wrong"}).status_code
        == 401
    )
    assert httpx.get(f"{again[1]}/v1/collections", headers=headers).status_code == 200
    assert keys_in(again[2]) == []
    refused, _, log = start(EXCERPTA_MAKE_KEY="false")
    assert refused.wait(60) == 2
    assert "EXCERPTA_API_KEYS" in log.read_text()
