"""Why an evaluation cannot be run."""

from __future__ import annotations

from base.errors import ExcerptaError


class MeasuresMissing(ExcerptaError):
    """ir-measures is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "Rankings are measured by ir-measures, which is not installed: "
            "pip install 'excerpta-server[evaluate]'"
        )


class UnfinishedQuery(ExcerptaError):
    """A query ran out of time, so its ranking is not the plan's."""

    def __init__(self, question: str, warnings: list[str]) -> None:
        super().__init__(
            f"{question!r} was not finished: {'; '.join(warnings)} Give it more time with --query-timeout."
        )
        self.question = question
        self.warnings = warnings


class UnreadableSet(ExcerptaError):
    """A directory is not in BEIR layout, or lacks the split."""

    def __init__(self, directory: str, reason: str) -> None:
        super().__init__(
            f"{directory} cannot be evaluated: {reason}. "
            "It needs corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv."
        )
        self.directory = directory
        self.reason = reason
