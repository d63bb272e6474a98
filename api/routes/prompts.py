"""Routes of prompts: create, list, inspect, delete."""

from excerpta.types import Name, PromptList, PromptReply, PromptSettings
from litestar import delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from api.answers.prompts import Prompt
from api.db.replies import iso_time
from api.http.contract import problems
from api.service import Service

PromptName = FromPath[Name]


@put(
    "/v1/prompts/{name:str}",
    operation_id="put_prompt",
    responses=problems(413, 422),
    status_code=200,
    tags=["prompts"],
)
async def put_one(
    name: PromptName, data: JSONBody[PromptSettings], service: NamedDependency[Service]
) -> PromptReply:
    """Creates or replaces a prompt. `context.prompt` of a plan uses it.

    A module is encoded once, when an answer first needs it, and cached for later ones. All modules together
    may use at most half of the language model's context.
    """
    return _reply(await service.prompts.put(name, data.modules))


@get("/v1/prompts", operation_id="list_prompts", responses=problems(), tags=["prompts"])
async def list_all(service: NamedDependency[Service]) -> PromptList:
    """All prompts, by name."""
    return PromptList(prompts=[_reply(one) for one in await service.prompts.all()])


@get("/v1/prompts/{name:str}", operation_id="get_prompt", responses=problems(404, 422), tags=["prompts"])
async def get_one(name: PromptName, service: NamedDependency[Service]) -> PromptReply:
    """One prompt with its modules."""
    return _reply(await service.prompts.get(name))


@delete(
    "/v1/prompts/{name:str}",
    operation_id="delete_prompt",
    responses=problems(404, 422),
    status_code=200,
    tags=["prompts"],
)
async def remove(name: PromptName, service: NamedDependency[Service]) -> PromptReply:
    """Deletes a prompt and returns it. Plans that name it are refused from then on."""
    return _reply(await service.prompts.delete(name))


def _reply(prompt: Prompt) -> PromptReply:
    return PromptReply(
        name=prompt.name,
        modules=prompt.modules,
        created_at=iso_time(prompt.created_at),
        updated_at=iso_time(prompt.updated_at),
    )


PROMPTS = [put_one, list_all, get_one, remove]
