import fnmatch
import re
import shutil
import subprocess
import tomllib

import pytest
import yaml

from api.access.first_key import known_keys
from api.routes import SYSTEM
from api.settings import Settings
from tests.support import ROOT

SERVERS = {"api": "api", "worker": "worker", "api-gpu": "api", "worker-gpu": "worker"}
STORES = {"postgres", "redis"}


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def dockerfile():
    joined = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def has_compose():
    docker = shutil.which("docker")
    return (
        docker
        and not subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode
    )


@pytest.mark.skipif(not has_compose(), reason="docker compose is not installed")
@pytest.mark.parametrize("profile", [None, "gpu"])
def test_docker_compose_accepts_the_file(profile, compose):
    options = ["--profile", profile] if profile else []
    done = subprocess.run(
        ["docker", "compose", "-f", str(ROOT / "compose.yaml"), *options, "config"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = {name for name, service in compose["services"].items() if profile or "profiles" not in service}
    assert set(yaml.safe_load(done.stdout)["services"]) == expected


def test_the_services_are_there(compose):
    assert set(compose["services"]) == set(SERVERS) | STORES
    assert {name for name, service in compose["services"].items() if service.get("profiles") == ["gpu"]} == {
        "api-gpu",
        "worker-gpu",
    }


def test_every_service_is_locked_down_watched_and_restarted(compose):
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert any(mount.startswith("/tmp") for mount in service["tmpfs"]), name
        assert service["user"].split(":")[0] not in ("root", "0"), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service["healthcheck"]["retries"] >= 1, name
        assert re.fullmatch(r"[\w./-]+:[\w.-]+", service["image"]), f"{name} has no tag"
        assert not service["image"].endswith(":latest"), name


def test_servers_wait_for_healthy_stores_and_know_where_they_are(compose):
    for name, role in SERVERS.items():
        service = compose["services"][name]
        assert service["depends_on"] == {store: {"condition": "service_healthy"} for store in STORES}
        environment = service["environment"]
        assert environment["EXCERPTA_ROLE"] == role
        assert environment["EXCERPTA_DATA"] == "/data"
        assert environment["EXCERPTA_DATABASE_URL"].startswith("postgresql+asyncpg://excerpta:")
        assert environment["EXCERPTA_DATABASE_URL"].endswith("@postgres:5432/excerpta")
        assert environment["EXCERPTA_REDIS_URL"].startswith("redis://redis:")
        assert service["volumes"] == ["data:/data"]


def resolved(text, given):
    """A value of compose.yaml with `${NAME:-default}` filled in."""
    return re.sub(
        r"\$\{(\w+)(?::-([^}]*))?\}", lambda found: given.get(found[1]) or found[2] or "", str(text)
    )


def image_environment(dockerfile):
    (line,) = [line for line in dockerfile if line.startswith("ENV ") and "EXCERPTA_HOST" in line]
    return dict(part.split("=", 1) for part in line.split()[1:])


def environments(compose, dockerfile, given):
    """What each server, and the image alone, is started with."""
    image = image_environment(dockerfile)
    for name in SERVERS:
        own = compose["services"][name]["environment"]
        yield name, {**image, **{key: resolved(value, given) for key, value in own.items()}}
    yield "the image alone", image


def test_every_server_starts_and_all_ask_for_the_same_key(compose, dockerfile, tmp_path):
    shown = []
    for name, environment in environments(compose, dockerfile, {}):
        settings = Settings.from_env(environment, data_dir=tmp_path)
        assert settings.needs_key, name
        assert len(known_keys(settings, shown.append)) == 1, name
    assert len(shown) == 1


def test_keys_of_ones_own_reach_every_server(compose, dockerfile, tmp_path):
    for given, keys in (({"EXCERPTA_API_KEYS": "k" * 16}, 1), ({"EXCERPTA_INSECURE": "true"}, 0)):
        for name, environment in environments(compose, dockerfile, given):
            if name in SERVERS:
                settings = Settings.from_env(environment, data_dir=tmp_path)
                assert len(known_keys(settings, pytest.fail)) == keys, name


def test_health_checks_ask_for_what_needs_no_key(compose, dockerfile):
    public = {path for handler in SYSTEM if handler.opt.get("public") for path in handler.paths}
    checks = [" ".join(compose["services"][name]["healthcheck"]["test"]) for name in SERVERS]
    checks += [line for line in dockerfile if line.startswith("HEALTHCHECK")]
    for check in checks:
        assert re.search(r"http://127\.0\.0\.1:8000(/[\w/]+)", check)[1] in public


def test_only_the_api_is_published_and_only_here(compose):
    published = {
        name: service["ports"] for name, service in compose["services"].items() if "ports" in service
    }
    assert set(published) == {"api", "api-gpu"}
    assert all(
        port.startswith("${EXCERPTA_BIND:-127.0.0.1}:") for ports in published.values() for port in ports
    )
    for store in STORES:
        assert compose["services"][store]["networks"] == ["inside"]
    assert compose["networks"]["inside"]["internal"] is True


def test_volumes_and_the_password_agree(compose):
    used = {
        mount.split(":")[0]
        for service in compose["services"].values()
        for mount in service.get("volumes", [])
    }
    assert used == set(compose["volumes"])
    password = compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"]
    assert f":{password}@" in compose["services"]["api"]["environment"]["EXCERPTA_DATABASE_URL"]


def test_gpu_services_get_a_gpu_and_an_image_of_their_own(compose):
    for name in ("api-gpu", "worker-gpu"):
        service = compose["services"][name]
        (device,) = service["deploy"]["resources"]["reservations"]["devices"]
        assert device["driver"] == "nvidia"
        assert device["capabilities"] == ["gpu"]
        assert service["image"] != compose["services"]["api"]["image"]
        assert "gpu" in service["build"]["args"]["EXTRAS"].split(",")


def test_build_arguments_exist_in_the_dockerfile(compose, dockerfile):
    arguments = {line.split()[1].split("=")[0] for line in dockerfile if line.startswith("ARG ")}
    assert set(compose["services"]["api-gpu"]["build"]["args"]) <= arguments
    assert {"TORCH", "TORCH_INDEX", "EXTRAS"} <= arguments


def test_the_image_is_pinned_small_and_not_root(compose, dockerfile):
    assert all(line.startswith("FROM python:3.11-slim") for line in dockerfile if line.startswith("FROM"))
    users = [line.split()[1] for line in dockerfile if line.startswith("USER")]
    assert users == ["excerpta"]
    uid = compose["services"]["api"]["user"].split(":")[0]
    assert any(f"--uid {uid} " in line for line in dockerfile)
    installs = [line for line in dockerfile if "pip install" in line]
    assert '"$TORCH"' in installs[0]
    assert "--require-hashes" in installs[1]
    assert "-c constraints.txt" in installs[2]
    torch = next(line for line in dockerfile if line.startswith("ARG TORCH=")).split("=", 1)[1]
    assert torch == re.search(r"^TORCH \?= (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]


def test_the_build_sees_what_it_copies_and_every_package(dockerfile):
    copied = [
        part
        for line in dockerfile
        if line.startswith("COPY ") and "--from" not in line
        for part in line.split()[1:-1]
    ]
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line]
    assert patterns[0] == "*"
    let_in = {pattern[1:] for pattern in patterns if pattern.startswith("!")}
    assert set(copied) == let_in
    assert all((ROOT / path).exists() for path in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= let_in
    assert any(fnmatch.fnmatch("api/__pycache__", pattern) for pattern in patterns[1:])
