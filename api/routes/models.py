"""Routes about models: those of the profile, and collections as the models of OpenAI's API."""

from excerpta.types import CollectionModel, ModelList, ModelReply
from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from api.collections.library import Entry
from api.compat.openai_chat import respond_in_form
from api.http.contract import openai_problems, problems
from api.service import Service


@get("/v1/models", operation_id="list_models", responses=problems(), tags=["system"])
async def models(service: NamedDependency[Service]) -> ModelList:
    """The models of the profile in use: where each comes from, its size, fingerprint and licence.

    `data` lists the collections in the form of OpenAI's API, whose clients choose a collection as a model.
    """
    entries = await service.library.all()
    found = await service.library.run(service.models.describe)
    return ModelList(
        profile=service.models.profile.name,
        models=[
            ModelReply(
                role=one.role,
                name=one.name,
                source=one.source,
                bytes=one.bytes,
                fingerprint=one.fingerprint,
                licence=one.licence,
                available=one.available,
            )
            for one in found
        ],
        data=[_as_model(entry) for entry in entries],
    )


@get(
    "/v1/models/{model:str}",
    operation_id="get_model",
    responses=openai_problems(404),
    tags=["system"],
    exception_handlers={HTTPException: respond_in_form, Exception: respond_in_form},
)
async def model(model: FromPath[str], service: NamedDependency[Service]) -> CollectionModel:
    """One collection in the form of OpenAI's API. Errors have OpenAI's form."""
    return _as_model(await service.library.get(model))


def _as_model(entry: Entry) -> CollectionModel:
    return CollectionModel(id=entry.name, created=int(entry.created_at))


PROFILE = [models, model]
