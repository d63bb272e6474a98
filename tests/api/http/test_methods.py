"""`GET /v1/methods`, and one schema a method in the OpenAPI document."""

import msgspec
import pytest

from api.commands import openapi
from api.http.method_schemas import component
from api.query.catalogues import LISTED, REMEDIES


@pytest.fixture(scope="module")
def schemas():
    return msgspec.json.decode(openapi.rendered())["components"]["schemas"]


EACH = [(stage, method) for stage, catalogue in LISTED.items() for method in catalogue.values()]


async def test_every_method_is_listed_with_its_options(api):
    listed = (await api("GET", "/v1/methods")).json()["methods"]
    assert [(one["stage"], one["name"]) for one in listed] == [(stage, one.name) for stage, one in EACH]
    assert [one["name"] for one in listed if one["default"]] == [one.default for one in LISTED.values()]
    for one, (_, method) in zip(listed, EACH, strict=True):
        assert one["summary"].endswith(".")
        assert set(one["options"]["properties"]) == {"method", *method.fields}
        assert set(one["missing"]) <= set(one["needs"])


async def test_the_service_serves_the_document_in_the_docs(api):
    served = (await api("GET", "/openapi.json")).json()
    assert served == msgspec.json.decode(openapi.FILE.read_bytes())
    assert (await api("GET", "/openapi/openapi.json")).json() == served


def test_no_union_asks_for_exactly_one_of_its_members():
    assert '"oneOf"' not in openapi.rendered()


@pytest.mark.parametrize(("stage", "method"), EACH)
def test_the_document_has_a_schema_a_method(schemas, stage, method):
    schema = schemas[component(stage, method)]
    assert schema["properties"]["method"]["enum"] == [method.name]
    assert schema["additionalProperties"] is False
    assert "required" not in schema


@pytest.mark.parametrize(("stage", "method"), [one for one in EACH if one[0] in ("fuse", "rerank")])
def test_every_score_of_a_hit_has_a_scale(stage, method):
    assert method.score_scale.endswith(".")


@pytest.mark.parametrize(("stage", "method"), EACH)
def test_every_need_has_a_remedy(stage, method):
    assert method.needs <= set(REMEDIES)
