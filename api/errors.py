"""The errors of the service itself, each with its remedy."""

from __future__ import annotations

from collections.abc import Sequence

from base.errors import ExcerptaError


class ServiceError(ExcerptaError):
    """An error of the api package."""


class InvalidSettings(ServiceError):
    """A setting has a value the service cannot run with."""

    def __init__(self, setting: str, value: object, remedy: str) -> None:
        super().__init__(f"{setting}={value!r}: {remedy}")
        self.setting = setting
        self.value = str(value)


class ShadowedPackage(ServiceError):
    """Python would import another package of the same name instead of one of ours."""

    def __init__(self, package: str, found: str, expected: str) -> None:
        super().__init__(
            f"`import {package}` finds {found}, not {expected}. "
            "Start from another folder, or rename the package that shadows it."
        )
        self.package = package
        self.found = found
        self.expected = expected


class DatabaseTooNew(ServiceError):
    """The database was made by a later release; this one does not know its tables."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the database is at revision {revision!r}, which this release does not know. "
            "Install the release that made it, or use another database."
        )
        self.revision = revision


class CannotStart(ServiceError):
    """What the service needs at its start is not there."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"{reason}. Start what EXCERPTA_DATABASE_URL names, or correct it; see that EXCERPTA_DATA is a "
            "directory with room that this user may write."
        )
        self.reason = reason


class ForeignDatabase(ServiceError):
    """The database and the data directory are not of one service. Nothing was read, changed or removed."""

    def __init__(
        self, path: str, held: str | None, found: str | None, *, indexes: int = 0, rows: int = 0
    ) -> None:
        if held is None and found is None:
            said = (
                f"{path} has {indexes} indexes and the database names {rows} collections, none of which is "
                "there: set EXCERPTA_DATABASE_URL and EXCERPTA_DATA to those that belong together, or move "
                "the directory's `collections` away to begin anew."
            )
        elif held is None:
            said = (
                f"the database belongs to another data directory ({path} is missing): correct EXCERPTA_DATA "
                f"or EXCERPTA_DATABASE_URL, or write {found} into that file if this directory "
                "replaces a lost one."
            )
        else:
            said = (
                f"{path} names the database {held}, and this is {found or 'a database never used with it'}: "
                "correct EXCERPTA_DATABASE_URL or EXCERPTA_DATA, or delete that file if a backup of its "
                "database has taken its place."
            )
        super().__init__(said)
        self.path = path
        self.held = held
        self.found = found


class CorruptDocument(ServiceError):
    """A document's row in the database is not as it was written; it was not used."""

    def __init__(self, document: str) -> None:
        super().__init__(
            f"document {document!r} is damaged in the database: send it again, or restore a backup. "
            "`excerpta verify` lists all such documents."
        )
        self.document = document


class UnknownCollection(ServiceError):
    """There is no collection of this name."""

    def __init__(self, collection: str) -> None:
        super().__init__(
            f"there is no collection {collection!r}. "
            f"Make it with PUT /v1/collections/{collection}; GET /v1/collections lists those there are."
        )
        self.collection = collection


class CollectionExists(ServiceError):
    """The collection is there already, with other settings or without leave to reuse it."""

    def __init__(self, collection: str) -> None:
        super().__init__(
            f"there is a collection {collection!r} already. Use it, delete it, or choose another name."
        )
        self.collection = collection


class CollectionBusy(ServiceError):
    """The collection is being rebuilt: it answers queries, but takes no changes until that ends."""

    def __init__(self, collection: str, job: str) -> None:
        super().__init__(
            f"collection {collection!r} is being rebuilt by job {job}; queries go on, changes have to wait. "
            f"Watch GET /v1/jobs/{job} and try again."
        )
        self.collection = collection
        self.job = job


class Unsettled(ServiceError):
    """Index and documents of a collection kept changing, so that no consistent moment was found."""

    def __init__(self, collection: str, difference: str) -> None:
        super().__init__(
            f"collection {collection!r} cannot be exported: {difference}. Wait until its jobs are done "
            f"(`excerpta jobs`) and try again; if none runs, `excerpta rebuild -c {collection}` mends it."
        )
        self.collection = collection
        self.difference = difference


class UnknownPrompt(ServiceError):
    """There is no prompt of this name."""

    def __init__(self, prompt: str) -> None:
        super().__init__(
            f"there is no prompt {prompt!r}. "
            f"Make it with PUT /v1/prompts/{prompt}; GET /v1/prompts lists those there are."
        )
        self.prompt = prompt


class UnknownDocument(ServiceError):
    """The collection has no document of this id."""

    def __init__(self, collection: str, document: str) -> None:
        super().__init__(f"collection {collection!r} has no document {document!r}. Ids are case-sensitive.")
        self.collection = collection
        self.document = document


class DuplicateDocument(ServiceError):
    """One request names the same document more than once."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(
            f"the request has more than one document with the id {', '.join(map(repr, ids[:5]))}. "
            "Send each id once."
        )
        self.ids = list(ids)


class UnknownJob(ServiceError):
    """There is no job of this id; jobs go with their collection."""

    def __init__(self, job: str) -> None:
        super().__init__(f"there is no job {job!r}. GET /v1/jobs lists those there are.")
        self.job = job


class UnknownPlan(ServiceError):
    """A plan was asked for by a name that no preset has."""

    def __init__(self, plan: str, allowed: Sequence[str]) -> None:
        super().__init__(f"there is no plan {plan!r}; choose one of {', '.join(allowed)}.")
        self.plan = plan
        self.allowed = list(allowed)


class InvalidPlan(ServiceError):
    """A plan's stages do not go together."""


class InvalidRequest(ServiceError):
    """A part of the request has a value that cannot be used."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class InvalidUpload(ServiceError):
    """An upload as a whole cannot be accepted. Nothing of it was stored."""

    def __init__(self, reason: str, *, name: str | None = None) -> None:
        super().__init__(f"{name}: {reason}" if name else reason)
        self.name = name
        self.reason = reason


class UploadTooLarge(InvalidUpload):
    """An upload has more bytes, or more files, than the service takes at once."""


class TooManyTokens(ServiceError):
    """A request for a single stage costs more than all of them may together."""

    def __init__(self, tokens: int, budget: int) -> None:
        super().__init__(
            f"the request costs about {tokens} tokens; the budget is {budget}. Send fewer or shorter "
            "texts, or raise EXCERPTA_STAGE_TOKENS."
        )
        self.tokens = tokens
        self.budget = budget


class OutOfTime(ServiceError):
    """A request for a single stage was not done in time. What it began has ended."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"not done within {seconds:g} s (EXCERPTA_QUERY_TIMEOUT_S). Send fewer or shorter texts."
        )
        self.retry_after_s = 5.0


class IdempotencyConflict(ServiceError):
    """An Idempotency-Key came again with a different upload."""

    def __init__(self, key: str, job: str) -> None:
        super().__init__(
            f"Idempotency-Key {key!r} belongs to job {job}, which got other data. Use a new key for new data."
        )
        self.key = key
        self.job = job


class Unauthorized(ServiceError):
    """The request has no API key, or one this service does not know."""

    def __init__(self) -> None:
        super().__init__("send a key this service knows, as `Authorization: Bearer KEY`.")


class UnknownHost(ServiceError):
    """The request came by a name that is not this service's: perhaps a web page had it sent here."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"this service has no keys and is not called {host!r}. Use http://localhost, or name the host in "
            "EXCERPTA_ALLOWED_HOSTS or EXCERPTA_PUBLIC_URL."
        )
        self.host = host


class ForeignPage(ServiceError):
    """A web page of another site sent the request, and the service has no keys."""

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"a web page of another site ({origin}) sent this, and the service has no keys. If the page is "
            "yours, name its origin in EXCERPTA_CORS_ORIGINS."
        )
        self.origin = origin


class Forbidden(ServiceError):
    """The key of the request has none of the scopes that this needs."""

    def __init__(self, scopes: Sequence[str]) -> None:
        super().__init__(f"this needs a key with the scope {' or '.join(scopes)}, or admin.")
        self.scopes = list(scopes)


class UnknownKey(ServiceError):
    """There is no API key of this id."""

    def __init__(self, key: str) -> None:
        super().__init__(f"there is no API key with the id {key!r}. GET /v1/keys lists those there are.")
        self.key = key


class NotReady(ServiceError):
    """The service is starting: a part of it cannot be used yet."""

    def __init__(self, reason: str, *, retry_after_s: float = 2.0) -> None:
        super().__init__(f"not ready yet: {reason}")
        self.reason = reason
        self.retry_after_s = retry_after_s


class ShuttingDown(ServiceError):
    """The service is shutting down. Jobs continue after the restart; a query has to be sent again."""

    def __init__(self) -> None:
        super().__init__("the service is shutting down; ask again when it is back.")
        self.retry_after_s = 5.0


class JobStopped(ServiceError):
    """A job was cancelled, or its lease went to another worker."""

    def __init__(self, job: str, reason: str) -> None:
        super().__init__(f"job {job} was stopped: {reason}")
        self.job = job
        self.reason = reason
