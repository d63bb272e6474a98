"""Who asks reaches the jobs and the log; the key itself reaches neither."""

from dataclasses import replace

import pytest
import structlog
from sqlalchemy import select

from api.access.keys import digest
from api.db import JobRow

KEY = "k" * 20


@pytest.mark.long
async def test_a_job_names_its_caller(settings, open_api):
    async with open_api(replace(settings, api_keys=(KEY,))) as api:
        headers = {"authorization": f"Bearer {KEY}"}
        await api("PUT", "/v1/collections/c", json={}, headers=headers)
        with structlog.testing.capture_logs() as logs:
            body = {"documents": [{"id": "a", "text": "Tides."}]}
            await api("POST", "/v1/collections/c/documents", json=body, headers=headers)
            await api("POST", "/v1/collections/c/rebuild", headers=headers)
        async with api.service.database.read() as session:
            rows = (await session.scalars(select(JobRow))).all()
    assert [(row.tenant, row.key) for row in rows] == [("default", digest(KEY).hex()[:12])] * len(rows)
    assert rows
    assert KEY not in repr(logs)


async def test_the_log_line_of_a_request_names_its_caller(settings, open_api):
    async with open_api(replace(settings, api_keys=(KEY,))) as api:
        merged = [structlog.contextvars.merge_contextvars]
        with structlog.testing.capture_logs(processors=merged) as logs:
            await api("GET", "/v1/collections", headers={"authorization": f"Bearer {KEY}"})
    (line,) = [line for line in logs if line["event"] == "http.request"]
    assert (line["tenant"], line["key"]) == ("default", digest(KEY).hex()[:12])


async def test_without_keys_the_caller_is_the_default_tenant(settings, open_api):
    async with open_api(settings) as api:
        await api("PUT", "/v1/collections/c", json={})
        await api("POST", "/v1/collections/c/rebuild")
        async with api.service.database.read() as session:
            rows = (await session.scalars(select(JobRow))).all()
    assert [(row.tenant, row.key) for row in rows] == [("default", "")]
