"""Schemathesis sends what the OpenAPI document allows, and what it does not: no 500, no undocumented reply."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.model
def test_the_service_keeps_its_contract(server_url, client, tmp_path):
    client.collections.create("fuzz", exist_ok=True).add([{"id": "one", "text": "A document to find."}])
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{server_url}/openapi.json",
        "--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        "--max-examples=15",
        "--request-timeout=60",
        "--seed=1",
        "--workers=1",
        "--exclude-path-regex=/events$",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=900)
    assert done.returncode == 0, done.stdout[-8000:]
