"""Prefix blocks by content: memory over disk, under byte budgets, apart for every tenant."""

from context.prefix_store.disk import DiskTier
from context.prefix_store.key import BlockKey, Keys, Namespace, scope_of
from context.prefix_store.memory import MemoryTier
from context.prefix_store.store import Fetched, PrefixStore, StoreStats
from context.prefix_store.tier import Tier, TierStats

__all__ = [
    "BlockKey",
    "DiskTier",
    "Fetched",
    "Keys",
    "MemoryTier",
    "Namespace",
    "PrefixStore",
    "StoreStats",
    "Tier",
    "TierStats",
    "scope_of",
]
