"""Whether compression pays: shortened texts are read faster, but shortening takes its time first.

A small model on the same machine reads 1,000 tokens in seconds, and scorers that are networks themselves may
take as long. A large or remote model is slow or paid by the token.
"""

from __future__ import annotations

from dataclasses import dataclass, field

RECENT = 0.3
"""Weight of the latest measurement in the running mean."""


@dataclass(slots=True)
class Rates:
    """Seconds a token of each kind of work, as measured while it was done."""

    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, work: str, tokens: int, seconds: float) -> None:
        """Counts one measurement; the first is taken as it is.

        >>> rates = Rates()
        >>> rates.add("read", 100, 1.0), rates.add("read", 100, 2.0)
        (None, None)
        >>> round(rates.seconds["read"], 6)
        0.013
        """
        if tokens > 0:
            one = seconds / tokens
            known = self.seconds.get(work, one)
            self.seconds[work] = known + RECENT * (one - known)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to compress, and why."""

    compress: bool
    reason: str


def worth(
    before: int,
    target: int,
    *,
    room: int | None,
    compressing: float | None,
    reading: float | None,
    remote: bool,
) -> Verdict:
    """Compares compressing `before` tokens to `target` and reading those with reading them all.

    `compressing` and `reading` are seconds a token, None where nothing was measured yet: then it compresses,
    which measures both. `room` are the tokens that the model can read, None without a limit.

    >>> worth(1000, 500, room=2000, compressing=0.002, reading=0.003, remote=False)
    Verdict(compress=False, reason='reading 1000 tokens takes 3.0 s; compressing and reading 500 takes 3.5 s')
    """
    if before <= target:
        return Verdict(False, f"{before} tokens are within the {target} asked for")
    if room is not None and before > room:
        return Verdict(True, f"{before} tokens are more than the {room} that the model reads")
    if remote:
        return Verdict(True, f"the model is remote: {before} tokens are sent and paid for, or {target}")
    if compressing is None or reading is None:
        return Verdict(True, "the cost was not measured yet")
    whole, shortened = before * reading, before * compressing + target * reading
    costs = f"takes {whole:.1f} s; compressing and reading {target} takes {shortened:.1f} s"
    return Verdict(shortened < whole, f"reading {before} tokens {costs}")
