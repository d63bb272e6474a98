"""Results: one table for people, one JSON object a line for programs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Result:
    """One number: `case` names the variant that was run, `unit` the unit of `value`."""

    benchmark: str
    data: str
    case: str
    metric: str
    value: float
    unit: str


class Report:
    """Gathers results as they come; each is written at once, so that an interrupted run keeps them."""

    def __init__(self, benchmark: str, path: Path | None) -> None:
        self._benchmark = benchmark
        self._path = path
        self.results: list[Result] = []
        self.notes: dict[tuple[str, str], str] = {}

    def add(self, data: str, case: str, metric: str, value: float, unit: str = "") -> None:
        """Records one result."""
        result = Result(self._benchmark, data, case, metric, round(float(value), 6), unit)
        self.results.append(result)
        self._write(result)

    def note(self, data: str, case: str, text: str) -> None:
        """Records why a case has no numbers; in JSON the text is the unit of the metric `failed`."""
        self.notes[data, case] = text
        self._write(Result(self._benchmark, data, case, "failed", 1.0, text))

    def _write(self, result: Result) -> None:
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(result)) + "\n")

    def table(self) -> str:
        """A row a data set and case, a column a metric."""
        metrics = list(dict.fromkeys(result.metric for result in self.results))
        rows: dict[tuple[str, str], dict[str, float]] = {}
        for result in self.results:
            rows.setdefault((result.data, result.case), {})[result.metric] = result.value
        cells = [["data", "case", *metrics]]
        for (data, case), values in rows.items():
            cells.append([data, case, *(_number(values.get(metric)) for metric in metrics)])
        widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells
        ]
        lines += [f"{data}  {case}  {text}" for (data, case), text in self.notes.items()]
        return "\n".join(line.rstrip() for line in lines) + "\n"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:,.1f}"
