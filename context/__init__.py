"""(Shared prefix, texts, question) in, streamed answer out."""

from context.citations import Cited, CitedText, Citer
from context.engine import ContextEngine, EngineDefaults, Mode
from context.errors import ContextError, InvalidAnswerPrompt, InvalidContextOption
from context.generation import Generation, TokenUsage
from context.prefix_store import PrefixStore, RedisTier, StoreStats, TierStats
from context.prompt import AnswerPrompt, ContextPassage

__all__ = [
    "AnswerPrompt",
    "Cited",
    "CitedText",
    "Citer",
    "ContextEngine",
    "ContextError",
    "ContextPassage",
    "EngineDefaults",
    "Generation",
    "InvalidAnswerPrompt",
    "InvalidContextOption",
    "Mode",
    "PrefixStore",
    "RedisTier",
    "StoreStats",
    "TierStats",
    "TokenUsage",
]
