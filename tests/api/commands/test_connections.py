"""Slow, silent and vanishing clients, and an end that one deadline bounds, over real sockets."""

import json
import signal
import socket
import sqlite3
import threading
import time

import httpx
import pytest

pytestmark = pytest.mark.process

HEAD = b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"


def opened(url, content=b""):
    address = httpx.URL(url)
    one = socket.create_connection((address.host, address.port), timeout=10)
    one.sendall(content)
    return one


def answer(one):
    """Everything the server says until it closes the connection."""
    said = b""
    try:
        while data := one.recv(65536):
            said += data
    except ConnectionResetError:
        pass
    return said


def log_of(tmp_path):
    lines = (tmp_path / "server-0.log").read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_half_open_connections_are_capped_and_end(serve):
    _, url = serve(EXCERPTA_MAX_CONNECTIONS="50", EXCERPTA_HEAD_TIMEOUT_S="2")
    began = time.monotonic()
    half = [opened(url, b"GET /health/live HTT" if n % 2 else b"") for n in range(200)]
    said = [answer(one) for one in half]
    assert time.monotonic() - began < 6
    assert {one.split(b" ")[1] for one in said if one} == {b"408", b"503"}
    assert sum(one.startswith(b"HTTP/1.1 408") for one in said) <= 50
    assert httpx.get(f"{url}/health/live").status_code == 200
    with httpx.Client(base_url=url) as client:  # a connection that is kept has its time for each head
        for _ in range(3):
            assert client.get("/health/live").status_code == 200
            time.sleep(0.8)


def test_a_body_that_stalls_is_a_408(serve):
    _, url = serve(EXCERPTA_BODY_TIMEOUT_S="0.5")
    one = opened(url, HEAD + b'{"collec')
    one.settimeout(5)
    said = b""
    while b"too-slow" not in said and (more := one.recv(65536)):
        said += more
    assert said.startswith(b"HTTP/1.1 408"), said
    assert b"too-slow" in said


def test_a_hang_up_in_a_body_is_no_error(serve, tmp_path):
    _, url = serve()
    httpx.put(f"{url}/v1/collections/c", json={})
    form = HEAD.replace(b"search", b"collections/c/files").replace(
        b"application/json", b"multipart/form-data; boundary=x"
    )
    lines = HEAD.replace(b"search", b"collections/c/documents:batch").replace(b"json", b"x-ndjson")
    for head in (HEAD, form, lines):
        opened(url, head + b'{"collec').close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        log = log_of(tmp_path)
        gone = [one for one in log if one["event"] == "http.request" and one["status"] == 499]
        if len(gone) == 3:
            break
        time.sleep(0.1)
    assert len(gone) == 3
    assert [one for one in log if one["level"] == "error"] == []


def test_a_plain_query_in_flight_is_answered_at_the_end(serve):
    process, url = serve()
    httpx.put(f"{url}/v1/collections/c", json={})
    text = "Tides are caused by the gravity of the moon."
    httpx.post(f"{url}/v1/collections/c/documents", json={"documents": [{"id": "a", "text": text}]})
    replies = []

    def ask():
        body = {"collection": "c", "query": "tides and the moon", "plan": {"answer": {"max_tokens": 2000}}}
        replies.append(httpx.post(f"{url}/v1/query", json=body, timeout=60))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for one in threads:
        one.start()
    time.sleep(0.5)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert time.monotonic() - began < 4
    for one in threads:
        one.join(5)
    assert len(replies) == len(threads)
    refused = [one for one in replies if one.status_code == 503]
    assert refused
    for reply in refused:
        assert reply.json()["type"] == "/problems/shutting-down"
        assert int(reply.headers["retry-after"]) > 0
    assert {one.status_code for one in replies} <= {200, 503}


def test_an_end_where_everything_hangs_is_bounded(serve, tmp_path):
    process, url = serve()
    httpx.put(f"{url}/v1/collections/c", json={})
    held = sqlite3.connect(tmp_path / "data" / "excerpta.db", isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    stuck = [opened(url, HEAD + b'{"collec'), opened(url, b"GET /he")]
    put = b"PUT /v1/collections/d HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    stuck.append(opened(url, put))
    time.sleep(0.5)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert time.monotonic() - began < 4
    held.close()
    for one in stuck:
        one.close()
