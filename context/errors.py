"""The errors of answering from context, each with its remedy."""

from __future__ import annotations

from base.errors import ExcerptaError


class ContextError(ExcerptaError):
    """An error of the context package."""


class InvalidContextOption(ContextError):
    """An option of an answer has an invalid value. `allowed` lists the valid ones."""

    def __init__(self, option: str, value: object, allowed: str) -> None:
        super().__init__(f"{option} is {value!r}; it must be {allowed}.")
        self.option = option
        self.value = value
        self.allowed = allowed


class InvalidAnswerPrompt(ContextError):
    """The file of an answer prompt lacks a part or a placeholder, or has one too many."""

    def __init__(self, prompt: str, reason: str) -> None:
        super().__init__(f"answer prompt {prompt!r}: {reason}")
        self.prompt = prompt
        self.reason = reason


class InvalidCalibration(ContextError):
    """The file of a calibration cannot be used; deleting it brings back the usual T and S."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}. Make it anew by `excerpta calibrate`, or delete it.")
        self.file = file
        self.reason = reason


class InvalidPromptModule(ContextError):
    """A schema of prompt modules contradicts itself, or a prompt asks for what it does not have."""

    def __init__(self, module: str, reason: str) -> None:
        super().__init__(f"prompt module {module!r}: {reason}")
        self.module = module
        self.reason = reason
