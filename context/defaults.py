"""The temperature T and scale S of a model, calibrated without labels.

Reading passages in parallel spreads the attention of the question too widely. T is chosen so that the mean
entropy over some prompts equals that of reading the same prompts in sequence. Several pairs of T and S do
that. Of these, the pair is chosen that makes the answers written after sequential reading most likely. The
result is stored in a small file named by the model's fingerprint.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import msgspec

from context.errors import InvalidCalibration

SHIPPED = Path(__file__).parent / "calibrations"
_KEEP = 3
"""Decimals; a second run on another machine differs behind them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """T and S of one model, and the measurements behind them: nats, means over `prompts`.

    `entropy` and `nll` are those of reading in parallel with T and S, `plain_` without (T = S = 1);
    `sequential_` those of ordinary reading. `nll` is of the answers written in sequence, a token.
    """

    fingerprint: str
    temperature: float
    scale: float
    prompts: int
    entropy: float
    plain_entropy: float
    sequential_entropy: float
    nll: float
    plain_nll: float
    sequential_nll: float

    def save(self, folder: Path) -> Path:
        """Writes the file of this model and returns it; an older one is replaced."""
        folder.mkdir(parents=True, exist_ok=True)
        name = "".join(one if one.isalnum() or one in "-." else "." for one in self.fingerprint)
        file = folder / f"{name}.toml"
        lines = [f"{name} = {_toml(value)}" for name, value in asdict(self).items()]
        partial = file.with_suffix(".partial")
        partial.write_text("\n".join([*lines, ""]), "utf-8")
        return partial.replace(file)

    @classmethod
    def read(cls, file: Path) -> Calibration:
        """Raises InvalidCalibration."""
        try:
            values = tomllib.loads(file.read_text("utf-8"))
            unknown = sorted(set(values) - {field.name for field in fields(cls)})
            if unknown:
                raise InvalidCalibration(str(file), f"unknown keys {', '.join(unknown)}")
            found = msgspec.convert(values, cls)
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
            raise InvalidCalibration(str(file), str(error)) from error
        if not (0 < found.temperature <= 2 and 0 < found.scale <= 2):
            raise InvalidCalibration(str(file), "temperature and scale must be above 0 and at most 2")
        return found


def find_calibration(fingerprint: str, folders: Sequence[Path] = ()) -> Calibration | None:
    """The calibration of the model, from the first folder that has one, else from this package.

    Raises InvalidCalibration for a file that cannot be read.
    """
    for folder in (*folders, SHIPPED):
        for file in sorted(folder.glob("*.toml")):
            if (found := Calibration.read(file)).fingerprint == fingerprint:
                return found
    return None


@dataclass(frozen=True, slots=True)
class EngineDefaults:
    """The temperature and scale of a model, for readings that are given none.

    T = S = 0.9 are the values of APE's authors, for models of 7 billion parameters and more. Smaller models
    need other values (`excerpta calibrate`).
    """

    temperature: float = 0.9
    scale: float = 0.9

    @classmethod
    def of(cls, fingerprint: str, calibrations: Sequence[Path] = ()) -> EngineDefaults:
        """The defaults for a model, with calibrated T and S where they exist. Raises InvalidCalibration."""
        found = find_calibration(fingerprint, calibrations)
        return cls() if found is None else cls(found.temperature, found.scale)

    def over(self, temperature: float | None, scale: float | None) -> tuple[float, float]:
        """T and S: those given, and the model's own where none is.

        >>> EngineDefaults(0.7, 0.8).over(None, 1.0)
        (0.7, 1.0)
        """
        return (
            self.temperature if temperature is None else temperature,
            self.scale if scale is None else scale,
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """Means over the prompts at one T and S."""

    entropy: float
    nll: float


def choose(
    measure: Callable[[float, float], Measured],
    sequential_entropy: float,
    *,
    scales: Sequence[float] = (1.0, 0.9, 0.8),
    bounds: tuple[float, float] = (0.3, 1.2),
    steps: int = 6,
) -> tuple[float, float, Measured]:
    """T, S and what was measured there: for each S the T of equal entropy, of these the lowest nll.

    The entropy rises with T, so halving the interval `steps` times finds it.
    """
    found: list[tuple[float, float, Measured]] = []
    for scale in scales:
        low, high = bounds
        for _ in range(steps):
            middle = (low + high) / 2
            if measure(middle, scale).entropy < sequential_entropy:
                low = middle
            else:
                high = middle
        temperature = round((low + high) / 2, 2)
        found.append((temperature, scale, measure(temperature, scale)))
    return min(found, key=lambda one: one[2].nll)


def _toml(value: str | float) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(round(value, _KEEP))
