"""Route of the methods of every stage, with their options."""

from excerpta.types import MethodList, MethodReply
from litestar import get
from litestar.di import NamedDependency

from api.http.contract import problems
from api.http.method_schemas import options_schema
from api.query.catalogues import LISTED
from api.service import Service


@get("/v1/methods", operation_id="list_methods", responses=problems(), tags=["system"], sync_to_thread=False)
def list_methods(service: NamedDependency[Service]) -> MethodList:
    """Lists the methods of every stage with their options, and their unmet requirements."""
    available = service.networks.available()
    return MethodList(
        methods=[
            MethodReply(
                stage=stage,
                name=name,
                summary=method.summary,
                paper=method.paper,
                default=name == catalogue.default,
                needs=sorted(method.needs),
                missing=sorted(method.needs - available),
                options=options_schema(method),
                score_scale=method.score_scale,
            )
            for stage, catalogue in LISTED.items()
            for name, method in catalogue.items()
        ]
    )


METHODS = [list_methods]
