"""Every error as a problem document (RFC 9457): one table, from our errors to registered types."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, InternalServerException, ValidationException

from api import errors as service
from api.db.faults import Fault, fault_of
from api.http.fields import with_allowed
from base import errors as base
from base import methods
from compress import errors as compress
from context import errors as context
from models import errors as models
from rerank import errors as rerank
from retrieval import errors as retrieval
from retrieval.corpus import InvalidChunking, InvalidLimits
from retrieval.fusion import InvalidFusionOption
from retrieval.ngrams import InvalidNgramOption, InvalidTokens, SegmentTooLarge
from retrieval.tokens.errors import InvalidTokenOption, UnusableFaiss

MEDIA_TYPE = "application/problem+json"
_HUNG_UP = "client disconnected prematurely"  # as Litestar says it
_MOST_LISTED = 50
_log = structlog.get_logger("excerpta.http")


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A registered type: the last part of its address, its title, and the status it comes with."""

    slug: str
    title: str
    status: int

    @property
    def type(self) -> str:
        """The address, relative to the service, which serves a page about it there."""
        return f"/problems/{self.slug}"


INTERNAL = ProblemType("internal-error", "The service failed", 500)
MALFORMED = ProblemType("malformed-request", "The request cannot be read", 400)
INVALID = ProblemType("invalid-request", "The request has a value that cannot be used", 422)
NOT_FOUND = ProblemType("not-found", "There is nothing at this address", 404)
NOT_ALLOWED = ProblemType("method-not-allowed", "This address does not take that method", 405)
TOO_LARGE = ProblemType("too-large", "The request is too large", 413)
MEDIA = ProblemType("unsupported-media-type", "The body has a type this address does not take", 415)
TOO_SLOW = ProblemType("too-slow", "The body did not come in time", 408)
FAULTS = {
    Fault.DISK: ProblemType("disk-full", "The disk is full", 507),
    Fault.FILES: ProblemType("too-many-files", "The service has too many files open", 503),
    Fault.DATABASE: ProblemType("database-unavailable", "The database cannot be reached", 503),
}
_STAGE = ProblemType("stage-failed", "A stage of the query failed", 500)

BY_STATUS = {
    400: MALFORMED,
    404: NOT_FOUND,
    405: NOT_ALLOWED,
    408: TOO_SLOW,
    413: TOO_LARGE,
    415: MEDIA,
    422: INVALID,
    500: INTERNAL,
}

PROBLEMS: dict[type[base.ExcerptaError], ProblemType] = {
    base.ExcerptaError: INTERNAL,
    methods.UnknownMethod: ProblemType("unknown-method", "There is no such method", 422),
    methods.InvalidOption: ProblemType("invalid-option", "An option of a method cannot be used", 422),
    methods.MethodUnavailable: ProblemType("method-unavailable", "A method needs what is not here", 422),
    models.ModelNotFound: ProblemType("model-not-found", "A model of the profile is missing", 503),
    models.ModelCorrupt: ProblemType("model-corrupt", "A model's files are damaged", 503),
    models.InvalidProfile: ProblemType("invalid-profile", "The profile cannot be used", 503),
    models.UnsupportedModel: ProblemType("unsupported-model", "The model cannot do this", 422),
    base.Overloaded: ProblemType("overloaded", "The service is busy", 503),
    models.GeneratorFailed: ProblemType("generator-failed", "The generator elsewhere failed", 502),
    base.InputTooLong: ProblemType("input-too-long", "A text is too long", 422),
    retrieval.RetrievalError: _STAGE,
    retrieval.InvalidFilter: ProblemType("invalid-filter", "The filter cannot be used", 422),
    retrieval.InvalidField: ProblemType("invalid-field", "The metadata field cannot be used", 422),
    retrieval.CorruptSegment: ProblemType("corrupt-index", "A file of the index is damaged", 500),
    retrieval.InvalidArchive: INTERNAL,
    retrieval.DuplicateDocument: ProblemType("duplicate-document", "A document comes twice", 422),
    retrieval.UnreadableDocument: ProblemType("unreadable-document", "A document cannot be read", 422),
    retrieval.InvalidVectors: ProblemType("invalid-vectors", "The encoder's vectors cannot be used", 500),
    retrieval.IndexMismatch: ProblemType("index-mismatch", "The index was made with other models", 409),
    InvalidChunking: ProblemType("invalid-chunking", "The passage size cannot be used", 422),
    InvalidLimits: INTERNAL,
    InvalidFusionOption: ProblemType("invalid-fusion-option", "An option of fusion is out of range", 422),
    UnusableFaiss: ProblemType("unusable-faiss", "The installed FAISS cannot be used", 500),
    InvalidTokenOption: ProblemType("invalid-token-option", "An option of token search is out of range", 422),
    InvalidNgramOption: ProblemType(
        "invalid-ngram-option", "An option of n-gram search is out of range", 422
    ),
    InvalidTokens: _STAGE,
    SegmentTooLarge: ProblemType("segment-too-large", "A batch is too large for one index", 422),
    rerank.RerankError: _STAGE,
    rerank.Absent: ProblemType("absent-evidence", "The texts lack what the method needs", 422),
    rerank.InvalidPrompt: _STAGE,
    compress.CompressError: _STAGE,
    compress.InvalidBudget: ProblemType("invalid-budget", "The token budget cannot be met", 422),
    context.ContextError: _STAGE,
    context.InvalidContextOption: ProblemType(
        "invalid-context-option", "An option of the answer is out of range", 422
    ),
    context.InvalidAnswerPrompt: _STAGE,
    context.InvalidCalibration: _STAGE,
    context.InvalidPromptModule: ProblemType("invalid-prompt", "The prompt cannot be used", 422),
    service.ServiceError: INTERNAL,
    service.InvalidSettings: INTERNAL,
    service.ShadowedPackage: INTERNAL,
    service.DatabaseTooNew: INTERNAL,
    service.CannotStart: INTERNAL,
    service.ForeignDatabase: INTERNAL,
    service.Unsettled: INTERNAL,
    service.CorruptDocument: ProblemType("corrupt-document", "A document is damaged in the database", 500),
    service.JobStopped: ProblemType("job-stopped", "The work was stopped", 409),
    service.UnknownCollection: ProblemType("unknown-collection", "There is no such collection", 404),
    service.CollectionExists: ProblemType("collection-exists", "The collection is there already", 409),
    service.CollectionBusy: ProblemType("collection-busy", "The collection is being rebuilt", 409),
    service.UnknownPrompt: ProblemType("unknown-prompt", "There is no such prompt", 404),
    service.UnknownDocument: ProblemType("unknown-document", "There is no such document", 404),
    service.DuplicateDocument: ProblemType("duplicate-document", "A document comes twice", 422),
    service.UnknownJob: ProblemType("unknown-job", "There is no such job", 404),
    service.UnknownPlan: ProblemType("unknown-plan", "There is no such plan", 422),
    service.InvalidPlan: ProblemType("invalid-plan", "The plan's stages do not go together", 422),
    service.InvalidRequest: INVALID,
    service.InvalidUpload: ProblemType("invalid-upload", "The upload cannot be taken", 422),
    service.UploadTooLarge: TOO_LARGE,
    service.TooManyTokens: ProblemType("too-many-tokens", "The request costs too many tokens", 413),
    service.OutOfTime: ProblemType("out-of-time", "The request was not done in time", 503),
    service.IdempotencyConflict: ProblemType("idempotency-conflict", "The key was used for other data", 409),
    service.Unauthorized: ProblemType("unauthorized", "An API key is needed", 401),
    service.UnknownHost: ProblemType("unknown-host", "The service does not have this name", 403),
    service.ForeignPage: ProblemType("foreign-page", "A page of another site sent the request", 403),
    service.Forbidden: ProblemType("forbidden", "The API key may not do this", 403),
    service.UnknownKey: ProblemType("unknown-key", "There is no such API key", 404),
    service.NotReady: ProblemType("not-ready", "The service is starting", 503),
    service.ShuttingDown: ProblemType("shutting-down", "The service is ending", 503),
}
"""Every class of our errors. A test finds one that is missing."""


def problem_types() -> dict[str, ProblemType]:
    """Every registered type by its slug."""
    known = [INTERNAL, MALFORMED, INVALID, NOT_FOUND, NOT_ALLOWED, TOO_SLOW, TOO_LARGE, MEDIA, _STAGE]
    return {one.slug: one for one in [*known, *FAULTS.values(), *PROBLEMS.values()]}


def type_of(error: base.ExcerptaError) -> ProblemType:
    """The problem type of an error: its class's, or that of the nearest class above."""
    return next(PROBLEMS[cls] for cls in type(error).__mro__ if cls in PROBLEMS)


def document(error: Exception, *, instance: str | None = None) -> dict[str, Any]:
    """The problem document of any error. Internal details go to the log only."""
    if isinstance(error, base.ExcerptaError):
        kind = type_of(error)
        detail = "an error inside the service; its log has the details" if kind is INTERNAL else str(error)
        facts = {} if kind is INTERNAL else error.facts()
    elif isinstance(error, HTTPException):
        kind, detail, facts = _of_http(error)
    elif (fault := fault_of(error)) is not None:
        kind, detail, facts = FAULTS[fault], fault.value, {"retry_after_s": 5.0}
    else:
        kind, detail, facts = INTERNAL, "an error inside the service; its log has the details", {}
    body = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": instance,
    }
    members = {name: _plain(value) for name, value in facts.items() if value is not None and name not in body}
    for name, value in list(members.items()):
        if isinstance(value, list) and len(value) > _MOST_LISTED:
            members |= {name: value[:_MOST_LISTED], f"{name}_left_out": len(value) - _MOST_LISTED}
    return body | members


def respond(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The reply to a request that failed."""
    if isinstance(error, ValidationException):
        error = with_allowed(request, error)
    elif isinstance(error, UnicodeDecodeError):  # the JSON decoder lets it through
        error = HTTPException(f"the body is not UTF-8: {error.reason}", status_code=400)
    elif isinstance(error, RecursionError):
        error = HTTPException("the JSON is nested too deeply", status_code=400)
    elif isinstance(error, InternalServerException) and error.detail == _HUNG_UP:
        error = HTTPException("the client has hung up", status_code=499)
    body = document(error, instance=request.url.path)
    status = int(body["status"])
    if status >= 500 and not isinstance(body.get("retry_after_s"), float):
        _log.error("http.failed", path=request.scope.get("path_template"), exc_info=error)
    headers = dict(getattr(error, "headers", None) or {})
    if isinstance(seconds := body.get("retry_after_s"), float):
        headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(msgspec.json.encode(body), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _of_http(error: HTTPException) -> tuple[ProblemType, str, dict[str, object]]:
    if isinstance(error, ValidationException):
        found = [one for one in error.extra or [] if isinstance(one, dict)]
        detail = "; ".join(_sentence(one) for one in found) or error.detail
        return INVALID, detail, {"errors": found}
    kind = BY_STATUS.get(error.status_code)
    if kind is None:
        kind = ProblemType(f"http-{error.status_code}", "The request cannot be answered", error.status_code)
    return kind, _HINTS.get(error.status_code, error.detail), {}


_HINTS = {
    404: "there is nothing at this address; /docs lists what there is.",
    405: "this address does not take that method; the Allow header lists those it takes.",
    413: "the request is larger than this service takes. Send less at a time, or use a batch route.",
    500: "an error inside the service; its log has the details",
}


def _sentence(error: dict[str, Any]) -> str:
    key, message = error.get("key"), str(error.get("message", ""))
    return (
        f"{key}: {message}" if key and message != repr(key) else f"{key}: it is missing" if key else message
    )


def _plain(value: object) -> object:
    """An error attribute as a JSON value."""
    try:
        msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError):
        return str(value)
    return value
