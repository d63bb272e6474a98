"""(Shared prefix, texts, question) in, streamed answer out."""

from context.calibration.calibrating import calibrate, reference_prompts
from context.citations.citer import Cited, CitedText, Citer
from context.defaults import Calibration, EngineDefaults, find_calibration
from context.encoding.modules import forget_modules
from context.engine import ContextEngine
from context.errors import (
    ContextError,
    InvalidAnswerPrompt,
    InvalidCalibration,
    InvalidContextOption,
    InvalidPromptModule,
)
from context.notes import ReadingNotes
from context.prefix_store import PrefixStore, RedisTier, StoreStats, TierStats
from context.prompts.prompt import AnswerPrompt, ContextPassage
from context.prompts.schema import FilledPrompt, Module, check_modules, choose
from context.reading.catalogue import CATALOGUE as READINGS
from context.reading.held import Held
from context.rewriting.base import Turn
from context.rewriting.catalogue import CATALOGUE as REWRITERS
from context.writing.generation import Generation, TokenUsage
from context.writing.scheduler import Listener, Row, Scheduler
from context.writing.stopping import StopFilter
from context.writing.transcript import Writing

__all__ = [
    "READINGS",
    "REWRITERS",
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
    "Held",
    "InvalidAnswerPrompt",
    "InvalidCalibration",
    "InvalidContextOption",
    "InvalidPromptModule",
    "Listener",
    "Module",
    "PrefixStore",
    "ReadingNotes",
    "RedisTier",
    "Row",
    "Scheduler",
    "StopFilter",
    "StoreStats",
    "TierStats",
    "TokenUsage",
    "Turn",
    "Writing",
    "calibrate",
    "check_modules",
    "choose",
    "find_calibration",
    "forget_modules",
    "reference_prompts",
]
