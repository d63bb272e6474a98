"""Methods by name: options with bounds and defaults, merged plan over plan, refused with what is allowed."""

from typing import Annotated, ClassVar

import pytest
from excerpta.types.methods import MethodOptions
from msgspec import Meta

from base.methods import Catalogue, InvalidOption, Method, MethodUnavailable, UnknownMethod


class Order(MethodOptions, frozen=True, kw_only=True):
    """Base."""

    limit: Annotated[int, Meta(ge=1)] = 10
    weights: dict[str, float] = {}


class Plain(Order, frozen=True, kw_only=True, tag="plain"):
    """Sorts as it is.

    More is said here.
    """

    paper: ClassVar[str] = "Author 2024"


class Deep(Order, frozen=True, kw_only=True, tag="deep"):
    """Looks deeper."""

    depth: Annotated[int, Meta(ge=1, le=9)] = 3
    limit: Annotated[int, Meta(ge=1)] = 20

    def __post_init__(self):
        if self.depth == 7:
            raise ValueError("`depth` is never 7")


CATALOGUE = Catalogue(
    "order", Order, Method(Plain, lambda networks: "p"), Method(Deep, lambda networks: "d", frozenset({"lm"}))
)


def test_the_first_is_the_default_and_auto_stands_for_it():
    assert list(CATALOGUE) == ["plain", "deep"]
    assert CATALOGUE.default == "plain"
    assert CATALOGUE["auto"] is CATALOGUE["plain"]
    assert CATALOGUE.resolve({}) == CATALOGUE.resolve({"method": "auto"}) == Plain()
    assert "auto" not in CATALOGUE


def test_a_method_says_what_it_is():
    plain = CATALOGUE["plain"]
    assert (plain.name, plain.summary, plain.paper) == ("plain", "Sorts as it is.", "Author 2024")
    assert CATALOGUE["deep"].fields == ("limit", "weights", "depth")
    assert plain.file == __name__
    assert Deep().method == "deep"
    assert CATALOGUE.of(Deep(depth=4)) is CATALOGUE["deep"]


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"depth": 1}, "depth"),
        ({"method": "deep", "depht": 1}, "depht"),
        ({"method": "deep", "depth": 0}, "depth"),
        ({"method": "deep", "depth": "3"}, "depth"),
        ({"method": "deep", "depth": 7}, "depth"),
        ({"weights": {"a": "b"}}, "weights"),
    ],
)
def test_what_a_method_does_not_have_is_refused_with_what_it_has(given, option):
    with pytest.raises(InvalidOption) as caught:
        CATALOGUE.resolve(given)
    assert caught.value.option == option
    assert caught.value.allowed == list(CATALOGUE[given.get("method", "auto")].fields)
    assert option in str(caught.value)


@pytest.mark.parametrize("name", ["shallow", "", None, 3, ["deep"]])
def test_unknown_methods_are_refused_with_the_known(name):
    with pytest.raises(UnknownMethod) as caught:
        CATALOGUE.resolve({"method": name})
    assert caught.value.allowed == ["auto", "plain", "deep"]


def test_options_lie_over_those_of_the_same_method():
    merged = CATALOGUE.merge({"method": "deep", "depth": 5, "limit": 4}, {"limit": 6})
    assert CATALOGUE.resolve(merged) == Deep(depth=5, limit=6)
    merged = CATALOGUE.merge({"method": "deep", "depth": 5}, {"method": "deep"})
    assert CATALOGUE.resolve(merged) == Deep(depth=5)
    assert CATALOGUE.merge({"weights": {"a": 1.0}}, {"weights": {"b": 2.0}})["weights"] == {
        "a": 1.0,
        "b": 2.0,
    }


def test_another_method_keeps_only_what_all_methods_have():
    merged = CATALOGUE.merge({"method": "deep", "depth": 5, "limit": 4}, {"method": "plain"})
    assert CATALOGUE.resolve(merged) == Plain(limit=4)
    merged = CATALOGUE.merge({"limit": 4}, {"method": "deep"})
    assert CATALOGUE.resolve(merged) == Deep(limit=4)
    assert CATALOGUE.resolve(CATALOGUE.merge({"limit": 4}, {"method": "auto"})) == Plain(limit=4)
    assert CATALOGUE.resolve(CATALOGUE.merge(None, {"method": "deep"})) == Deep()


def test_what_is_not_there_is_refused_with_the_remedy():
    CATALOGUE.check(Plain(), (), {})
    CATALOGUE.check(Deep(), ("lm",), {})
    with pytest.raises(MethodUnavailable, match="give the profile one"):
        CATALOGUE.check(Deep(), (), {"lm": "give the profile one"})
