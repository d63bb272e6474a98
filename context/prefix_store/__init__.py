"""Cache of prefix blocks by content: memory over disk over Redis, with byte budgets, separate per tenant."""

from context.prefix_store.admission import ADMISSIONS, Admission
from context.prefix_store.eviction import EVICTIONS, EvictionName
from context.prefix_store.key import BlockKey, Keys, Namespace, document_of, scope_of
from context.prefix_store.store import Fetched, PrefixStore, StoreStats
from context.prefix_store.stored import STORAGES, Storage, StoredBlock, pack, unpack
from context.prefix_store.tier import Tier, TierStats
from context.prefix_store.tiers.disk import DiskTier
from context.prefix_store.tiers.memory import MemoryTier
from context.prefix_store.tiers.redis_tier import RedisTier

__all__ = [
    "ADMISSIONS",
    "EVICTIONS",
    "STORAGES",
    "Admission",
    "BlockKey",
    "DiskTier",
    "EvictionName",
    "Fetched",
    "Keys",
    "MemoryTier",
    "Namespace",
    "PrefixStore",
    "RedisTier",
    "Storage",
    "StoreStats",
    "StoredBlock",
    "Tier",
    "TierStats",
    "document_of",
    "pack",
    "scope_of",
    "unpack",
]
