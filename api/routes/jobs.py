"""Routes of jobs: inspect, watch, cancel."""

from collections.abc import AsyncGenerator

from excerpta.types import JobList, JobReply
from litestar import delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from api.db.replies import job_replies, job_reply
from api.http import sse
from api.http.contract import answered, problems
from api.service import Service

_LISTED = 100


@get("/v1/jobs", operation_id="list_jobs", responses=problems(), tags=["jobs"])
async def list_all(service: NamedDependency[Service]) -> JobList:
    """The latest 100 jobs, newest first."""
    return JobList(jobs=await job_replies(service.database, limit=_LISTED))


@get("/v1/jobs/{job_id:str}", operation_id="get_job", responses=problems(404), tags=["jobs"])
async def get_one(job_id: FromPath[str], service: NamedDependency[Service]) -> JobReply:
    """One job: its progress, and the documents that could not be read."""
    return await job_reply(service.database, job_id)


@delete(
    "/v1/jobs/{job_id:str}",
    operation_id="cancel_job",
    responses=problems(404),
    status_code=200,
    tags=["jobs"],
)
async def cancel(job_id: FromPath[str], service: NamedDependency[Service]) -> JobReply:
    """Cancels a job. Committed batches stay. A finished job is not changed."""
    await service.queue.cancel(job_id)
    await service.bell.ring(f"cancel:{job_id}")
    await service.bell.ring(f"job:{job_id}")
    return await job_reply(service.database, job_id)


@get(
    "/v1/jobs/{job_id:str}/events",
    operation_id="watch_job",
    responses={
        200: answered(
            str, "Server-sent events: `progress` with a JobReply, then `done` with the last.", sse.MEDIA_TYPE
        ),
        **problems(404),
    },
    tags=["jobs"],
)
async def watch(job_id: FromPath[str], service: NamedDependency[Service]) -> Stream:
    """Every change of a job until it ends, as server-sent events."""
    await job_reply(service.database, job_id)
    settings = service.settings
    events = sse.stream(
        _changes(service, job_id), closing=service.closing, keep_alive_s=settings.keep_alive_s
    )
    return Stream(events, media_type=sse.MEDIA_TYPE, headers=sse.HEADERS)


async def _changes(service: Service, job: str) -> AsyncGenerator[sse.Event]:
    shown: JobReply | None = None
    async with service.bell.listen(f"job:{job}") as listener:
        while True:
            now = await job_reply(service.database, job)
            if now != shown:
                yield ("done" if now.finished else "progress"), now
                shown = now
            if now.finished:
                return
            await listener.wait(service.settings.poll_s)


JOBS = [list_all, get_one, cancel, watch]
