"""(Shared prefix, texts, question) in, streamed answer out."""

from context.calibrating import calibrate, reference_prompts
from context.calibration import Calibration, find_calibration
from context.citations import Cited, CitedText, Citer
from context.engine import ContextEngine, EngineDefaults
from context.errors import (
    ContextError,
    InvalidAnswerPrompt,
    InvalidCalibration,
    InvalidContextOption,
    InvalidPromptModule,
)
from context.generation import Generation, TokenUsage
from context.modes import DEFAULT_MODE, Mode
from context.notes import ReadingNotes
from context.prefix_store import PrefixStore, RedisTier, StoreStats, TierStats
from context.prompt import AnswerPrompt, ContextPassage
from context.prompt_cache import forget_modules
from context.prompt_schema import FilledPrompt, Module, check_modules, choose
from context.scheduler import Listener, Row, Scheduler

__all__ = [
    "DEFAULT_MODE",
    "AnswerPrompt",
    "Calibration",
    "Cited",
    "CitedText",
    "Citer",
    "ContextEngine",
    "ContextError",
    "ContextPassage",
    "EngineDefaults",
    "FilledPrompt",
    "Generation",
    "InvalidAnswerPrompt",
    "InvalidCalibration",
    "InvalidContextOption",
    "InvalidPromptModule",
    "Listener",
    "Mode",
    "Module",
    "PrefixStore",
    "ReadingNotes",
    "RedisTier",
    "Row",
    "Scheduler",
    "StoreStats",
    "TierStats",
    "TokenUsage",
    "calibrate",
    "check_modules",
    "choose",
    "find_calibration",
    "forget_modules",
    "reference_prompts",
]
