"""Loading of encoders and language models: every stage gets its networks here.

The names are looked up in their modules when they are first used, so that a program which needs only the
errors or a profile does not wait for PyTorch.
"""

from typing import TYPE_CHECKING

from models.lazy import lazily

if TYPE_CHECKING:
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

_HOMES = {
    "ExcerptaError": "models.errors",
    "Executor": "models.executor",
    "Priority": "models.executor",
    "Progress": "models.fingerprint",
    "Geometry": "models.language_model",
    "LanguageModel": "models.language_model",
    "EncoderSpec": "models.profile",
    "LanguageModelSpec": "models.profile",
    "ModelSpec": "models.profile",
    "Profile": "models.profile",
    "load_profile": "models.profile",
    "profile_names": "models.profile",
    "ModelInfo": "models.registry",
    "Models": "models.registry",
    "HiddenStates": "models.text_network",
    "TextNetwork": "models.text_network",
    "TokenClassifier": "models.token_classifier",
    "TokenProbabilities": "models.token_classifier",
    "TextTokenizer": "models.tokenizer",
    "TokenizedText": "models.tokenizer",
}


__getattr__ = lazily(__name__, _HOMES)

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
