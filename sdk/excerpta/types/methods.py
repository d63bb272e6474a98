"""The base of all methods' options: a name, a summary, a source.

A method is one way to do a stage of a query, usually one paper. Its options are a struct of this package:
fields with bounds and defaults, the first line of the docstring as summary. On the wire the struct is an
object whose `method` names it: `{"method": "first", "limit": 20, "window": 10}`.

A struct in a plan sets every option: defaults are sent too. A mapping sets only the options that it names.
The others come from the plan that it overrides. A mapping without `method` keeps the method of that plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias

from msgspec import Meta, Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

AUTO = "auto"
"""The name that stands for a stage's default method."""


class MethodOptions(Struct, frozen=True, forbid_unknown_fields=True, tag_field="method"):
    """Base of every method's options."""

    paper: ClassVar[str] = ""
    score_scale: ClassVar[str] = ""
    """What its scores mean, where hits have them as `score`: `min_score` is on that scale."""

    @classmethod
    def name(cls) -> str:
        """What a plan calls the method."""
        return str(cls.__struct_config__.tag)

    @classmethod
    def summary(cls) -> str:
        """The method in one line."""
        return (cls.__doc__ or "").strip().split("\n")[0]

    @property
    def method(self) -> str:
        """What a plan calls the method."""
        return self.name()


class MethodReply(Struct, kw_only=True):
    """A method of this service. `options` is their JSON schema. `missing` lists its unmet requirements.

    `score_scale` says what its scores mean, where hits have them as `score`.
    """

    stage: str
    name: str
    summary: str
    paper: str
    default: bool
    needs: list[str]
    missing: list[str]
    options: dict[str, Any]
    score_scale: str = ""


class MethodList(Struct, kw_only=True):
    """The methods of every stage."""

    methods: list[MethodReply]


if TYPE_CHECKING:
    Stage: TypeAlias = MethodOptions | Mapping[str, Any]
else:
    # A mapping may be partial, so it is read by the service, which knows the plan below it.
    Stage = Annotated[dict[str, Any], Meta(description="A method's name as `method`, and its options.")]
