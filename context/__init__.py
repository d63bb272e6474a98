"""(Shared prefix, texts, question) in, streamed answer out."""

from context.citations import Cited, CitedText, Citer
from context.engine import ContextEngine, EngineDefaults
from context.errors import ContextError, InvalidAnswerPrompt, InvalidContextOption
from context.generation import Generation, TokenUsage
from context.modes import DEFAULT_MODE, Mode
from context.notes import ReadingNotes
from context.prefix_store import PrefixStore, RedisTier, StoreStats, TierStats
from context.prompt import AnswerPrompt, ContextPassage

__all__ = [
    "DEFAULT_MODE",
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
    "ReadingNotes",
    "RedisTier",
    "StoreStats",
    "TierStats",
    "TokenUsage",
]
