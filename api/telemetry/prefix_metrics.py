"""The prefix store in Prometheus's words and in the API's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from excerpta.types import PrefixStoreReply, PrefixTierReply
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from context import StoreStats, TierStats

_COUNTERS = {
    "hits": "Blocks found in a tier of the prefix store.",
    "misses": "Blocks a tier did not have.",
    "evictions": "Blocks that had to go for others.",
    "refused": "Blocks that found no room.",
    "corrupt": "Blocks that were not what was written.",
    "errors": "Calls of a tier that failed.",
}
_GAUGES = {
    "blocks": "Blocks in a tier.",
    "bytes": "Bytes in a tier.",
    "capacity_bytes": "Bytes a tier may hold; 0 where another program decides.",
}


class PrefixCollector(Collector):
    """Reads the store's counters when Prometheus scrapes. Without a store there are no metrics."""

    def __init__(self, stats: Callable[[], StoreStats | None]) -> None:
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        """Metrics by tier, and what encoding took."""
        stats = self._stats()
        if stats is None:
            return
        for name, text in _COUNTERS.items():
            yield _filled(CounterMetricFamily(f"excerpta_prefix_{name}", text, labels=["tier"]), stats, name)
        saved = CounterMetricFamily(
            "excerpta_prefix_saved_seconds", "Seconds of encoding that hits saved.", labels=["tier"]
        )
        yield _filled(saved, stats, "saved_s")
        for name, text in _GAUGES.items():
            yield _filled(GaugeMetricFamily(f"excerpta_prefix_{name}", text, labels=["tier"]), stats, name)
        yield CounterMetricFamily(
            "excerpta_prefix_encoded", "Blocks that had to be made.", value=stats.encoded
        )
        yield CounterMetricFamily(
            "excerpta_prefix_encode_seconds", "Seconds that making blocks took.", value=stats.encode_s
        )


def prefix_reply(stats: StoreStats) -> PrefixStoreReply:
    """The store's numbers as the API sends them."""
    return PrefixStoreReply(
        tiers=[_tier_reply(tier) for tier in stats.tiers],
        encoded=stats.encoded,
        encode_s=stats.encode_s,
        shared=stats.shared,
    )


def _tier_reply(tier: TierStats) -> PrefixTierReply:
    return PrefixTierReply(
        **{name: getattr(tier, name) for name in ("name", "saved_s", *_COUNTERS, *_GAUGES)}
    )


def _filled(
    family: CounterMetricFamily | GaugeMetricFamily, stats: StoreStats, member: str
) -> CounterMetricFamily | GaugeMetricFamily:
    for tier in stats.tiers:
        family.add_metric([tier.name], getattr(tier, member))
    return family
