"""Settings: where they come from, and which are refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from api.errors import (
    InvalidSettings,
)
from api.settings import Settings, variable


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"port": -1}, "0 or more"),
        ({"port": 70_000}, "65535 or less"),
        ({"role": "boss"}, "all, api, worker"),
        ({"host": ""}, "127.0.0.1"),
        ({"api_keys": ("short",)}, "16 characters"),
        ({"database_url": "mysql://root:secret@x/y"}, "postgresql"),
        ({"redis_url": "http://x"}, "redis://"),
        ({"queue_capacity": 0}, "1 or more"),
        ({"lease_s": 0}, "0.5 or more"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_with_its_remedy(wrong, says):
    with pytest.raises(InvalidSettings, match=says) as raised:
        Settings(**wrong)
    assert "secret" not in str(raised.value)


def test_settings_come_from_the_environment():
    environ = {
        "EXCERPTA_DATA": "/d",
        "EXCERPTA_PORT": "9",
        "EXCERPTA_LEASE_S": "2.5",
        "EXCERPTA_INSECURE": "yes",
        "EXCERPTA_API_KEYS": "a" * 16 + "," + "b" * 16,
        "EXCERPTA_REDIS_URL": "",
    }
    settings = Settings.from_env(environ, port=8, host=None)
    assert (settings.data_dir, settings.port, settings.lease_s) == (Path("/d"), 8, 2.5)
    assert settings.insecure
    assert settings.api_keys == ("a" * 16, "b" * 16)
    assert settings.database == "sqlite+aiosqlite:////d/excerpta.db"
    assert variable("batch_documents") == "EXCERPTA_BATCH_DOCUMENTS"
    for name, value in (("PORT", "x"), ("INSECURE", "perhaps"), ("LEASE_S", "soon")):
        with pytest.raises(InvalidSettings, match=name):
            Settings.from_env({f"EXCERPTA_{name}": value})


def test_converted_models_are_shared_by_data_directories(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Settings().cache == tmp_path / "excerpta"
    assert Settings(cache_dir="~/models").cache == Path.home() / "models"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert Settings().cache == Path.home() / ".cache/excerpta"

    def homeless():
        raise RuntimeError

    monkeypatch.setattr(Path, "expanduser", lambda _: homeless())
    assert Settings(data_dir=tmp_path).cache == tmp_path


@pytest.mark.parametrize(
    ("host", "open_door"),
    [("127.0.0.1", False), ("localhost", False), ("::1", False), ("0.0.0.0", True), ("example.org", True)],
)
def test_only_this_machine_without_keys(host, open_door):
    settings = Settings(host=host, make_key=False)
    assert settings.needs_key == open_door
    if open_door:
        with pytest.raises(InvalidSettings, match="EXCERPTA_API_KEYS"):
            settings.refuse_open_door()
    else:
        settings.refuse_open_door()
    replace(settings, api_keys=("k" * 16,)).refuse_open_door()
    replace(settings, insecure=True).refuse_open_door()
