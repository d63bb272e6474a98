"""Loading of encoders and language models: every stage gets its networks here."""

from models.errors import ExcerptaError
from models.executor import Executor, Priority
from models.fingerprint import Progress
from models.language_model import Geometry, LanguageModel
from models.profile import (
    EncoderSpec,
    LanguageModelSpec,
    ModelSpec,
    Profile,
    load_profile,
    profile_names,
)
from models.registry import ModelInfo, Models
from models.text_network import HiddenStates, TextNetwork
from models.token_classifier import TokenClassifier, TokenProbabilities
from models.tokenizer import TextTokenizer, TokenizedText

__all__ = [
    "EncoderSpec",
    "ExcerptaError",
    "Executor",
    "Geometry",
    "HiddenStates",
    "LanguageModel",
    "LanguageModelSpec",
    "ModelInfo",
    "ModelSpec",
    "Models",
    "Priority",
    "Profile",
    "Progress",
    "TextNetwork",
    "TextTokenizer",
    "TokenClassifier",
    "TokenProbabilities",
    "TokenizedText",
    "load_profile",
    "profile_names",
]
