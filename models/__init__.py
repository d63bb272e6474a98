"""Loading of encoders and language models: every stage gets its networks here.

The names are looked up in their modules when they are first used, so that a program which needs only the
errors or a profile does not wait for PyTorch.
"""

from typing import TYPE_CHECKING

from base.lazy import lazily

if TYPE_CHECKING:
    from base.errors import ExcerptaError
    from models.checkpoints.fingerprint import Progress
    from models.executor import Executor, Priority
    from models.networks.language_model import Geometry, LanguageModel
    from models.networks.text_network import HiddenStates, TextNetwork
    from models.networks.token_classifier import TokenClassifier, TokenProbabilities
    from models.networks.tokenizer import TextTokenizer, TokenizedText
    from models.profile import (
        EncoderSpec,
        LanguageModelSpec,
        ModelSpec,
        Profile,
        load_profile,
        profile_names,
    )
    from models.registry import ModelInfo, Models

_HOMES = {
    "ExcerptaError": "base.errors",
    "Executor": "models.executor",
    "Priority": "models.executor",
    "Progress": "models.checkpoints.fingerprint",
    "Geometry": "models.networks.language_model",
    "LanguageModel": "models.networks.language_model",
    "EncoderSpec": "models.profile",
    "LanguageModelSpec": "models.profile",
    "ModelSpec": "models.profile",
    "Profile": "models.profile",
    "load_profile": "models.profile",
    "profile_names": "models.profile",
    "ModelInfo": "models.registry",
    "Models": "models.registry",
    "HiddenStates": "models.networks.text_network",
    "TextNetwork": "models.networks.text_network",
    "TokenClassifier": "models.networks.token_classifier",
    "TokenProbabilities": "models.networks.token_classifier",
    "TextTokenizer": "models.networks.tokenizer",
    "TokenizedText": "models.networks.tokenizer",
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
