"""The models of a profile. Each is found, checked and loaded once, at its first use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, cast

import torch

from base.errors import ExcerptaError
from models.checkpoints.fingerprint import Checksums, Progress, content_files, fingerprint
from models.checkpoints.sources import Located, locate
from models.device import dtype_name, pick_device, pick_dtype
from models.errors import InvalidProfile, ModelCorrupt
from models.networks.adapter import digest
from models.networks.cross_encoder import CrossEncoderNetwork
from models.networks.language_model import LanguageModel
from models.networks.letter_network import LetterNetwork, Ranker, is_letter_adapter
from models.networks.ngram_writer import NgramWriter
from models.networks.text_network import TextNetwork
from models.networks.token_adapter import adapt
from models.networks.token_classifier import TokenClassifier
from models.profile import (
    CrossEncoderSpec,
    EncoderSpec,
    LanguageModelSpec,
    ModelSpec,
    Profile,
    RankerSpec,
    WriterSpec,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model as `excerpta models` shows it. Without weights, `source` has the reason."""

    role: str
    name: str
    source: str
    bytes: int
    fingerprint: str
    licence: str
    available: bool


class Models:
    """The networks of one profile on one device.

    Each is loaded once, at its first use. Other threads wait meanwhile. Cached checksums are under
    `data_dir/models`, results of `excerpta calibrate` in `calibrations`. Converted weights are under
    `cache/models`, where all data directories of a user find them; without a cache, in the data directory.
    """

    def __init__(
        self,
        profile: Profile,
        data_dir: Path,
        *,
        cache: Path | None = None,
        device: str = "auto",
        progress: Progress | None = None,
    ) -> None:
        self.profile = profile
        self.device = pick_device(device)
        kept = data_dir / "models"
        self._converted = [kept] if cache is None else [cache / "models", kept]
        self.calibrations = kept / "calibrations"
        self._progress = progress
        self._checksums = Checksums(kept / "checksums.json")
        self._loaded: dict[str, object] = {}
        self._locks = {role: threading.RLock() for role in ("encoder_base", *profile.roles())}

    @property
    def encoder(self) -> TextNetwork:
        """The token encoder. Raises ModelNotFound, ModelCorrupt, UnsupportedModel."""
        return self._once("encoder", lambda: self._adapted(self.profile.encoder))

    @property
    def lm(self) -> LanguageModel:
        """The language model; a GGUF file is converted at the first use.

        Raises ModelNotFound, ModelCorrupt, UnsupportedModel.
        """
        return self._once("lm", lambda: self._load_lm(self.profile.lm))

    @property
    def token_classifier(self) -> TokenClassifier:
        """The token classifier. Raises as `encoder` does, and InvalidProfile if the profile has none."""
        spec = self.profile.token_classifier
        if spec is None:
            raise InvalidProfile(self.profile.name, "it has no token classifier; add [token_classifier]")
        return self._once("token_classifier", lambda: self._load_token_classifier(spec))

    @property
    def cross_encoder(self) -> CrossEncoderNetwork:
        """The cross-encoder. Raises as `encoder` does, and InvalidProfile if the profile has none."""
        spec = self.profile.cross_encoder
        if spec is None:
            raise InvalidProfile(self.profile.name, "it has no cross-encoder; add [cross_encoder]")
        return self._once("cross_encoder", lambda: self._load_cross_encoder(spec))

    @property
    def ranker(self) -> Ranker:
        """What ranks lists by letters: the profile's, or else its language model. Raises as `lm` does."""
        spec = self.profile.ranker
        if spec is None:
            return Ranker(self.lm, "first")
        return self._once("ranker", lambda: self._load_ranker(spec))

    @property
    def ngram_writer(self) -> NgramWriter:
        """What writes n-grams: the profile's, or else its language model. Raises as `lm` does."""
        spec = self.profile.ngram_writer
        if spec is None:
            return NgramWriter(self.lm, examples=True)
        return self._once("ngram_writer", lambda: self._load_writer(spec))

    def describe(self) -> list[ModelInfo]:
        """Every model of the profile: what is there and what it is. No network is loaded or downloaded."""
        return [self._describe(role, spec) for role, spec in self.profile.roles().items()]

    def _once(self, role: str, load: Callable[[], T]) -> T:
        with self._locks[role]:
            if role not in self._loaded:
                self._loaded[role] = load()
            return cast(T, self._loaded[role])

    @property
    def plain_encoder(self) -> TextNetwork:
        """The token encoder without the adapter of the profile. Raises as `encoder` does."""
        return self._once("encoder_base", lambda: self._load_encoder(self.profile.encoder))

    def _load_encoder(self, spec: EncoderSpec) -> TextNetwork:
        located = self._checked(spec)
        return TextNetwork.load(
            located.path,
            name=spec.name,
            fingerprint=self._fingerprint(replace(spec, adapter=""), located),
            device=self.device,
            dtype=self._dtype(spec),
            max_tokens=spec.max_tokens,
            query_marker=spec.query_marker,
            passage_marker=spec.passage_marker,
        )

    def _adapted(self, spec: EncoderSpec) -> TextNetwork:
        if not spec.adapter:
            return self.plain_encoder
        identity = self._fingerprint(spec, self._checked(spec))
        return adapt(self.plain_encoder, Path(spec.adapter), fingerprint=identity)

    def _load_lm(self, spec: LanguageModelSpec) -> LanguageModel:
        located = self._checked(spec)
        dtype = self._dtype(spec)
        directory = located.path
        if directory.is_file():
            from models.checkpoints.gguf import converted  # it imports a library for this alone

            directory = converted(
                located.path,
                *self._converted,
                name=spec.name,
                dtype=dtype,
                checksums=self._checksums,
                progress=self._progress,
            )
        identity = self._fingerprint(spec, located)
        lm = LanguageModel.load(
            directory, name=spec.name, fingerprint=identity, device=self.device, dtype=dtype
        )
        lm.write_lean(packed=spec.dtype == "auto", cache=self._converted[0])
        return lm

    def _load_token_classifier(self, spec: ModelSpec) -> TokenClassifier:
        located = self._checked(spec)
        classifier = TokenClassifier.load(self.plain_encoder, located.path)
        classifier.fingerprint = self._fingerprint(spec, located)  # the one that describe() tells
        return classifier

    def _load_cross_encoder(self, spec: CrossEncoderSpec) -> CrossEncoderNetwork:
        path = self._checked(spec).path
        return CrossEncoderNetwork(path, name=spec.name, device=self.device, dtype=self._dtype(spec))

    def _load_ranker(self, spec: RankerSpec) -> Ranker:
        located = self._checked(spec)
        identity = self._fingerprint(spec, located)
        if is_letter_adapter(located.path):
            adapted = LetterNetwork.load(self.lm, located.path, fingerprint=identity)
            return Ranker(adapted, adapted.config.prompt)
        network = LanguageModel.load(
            located.path, name=spec.name, fingerprint=identity, device=self.device, dtype=self._dtype(spec)
        )
        return Ranker(network, spec.prompt)

    def _load_writer(self, spec: WriterSpec) -> NgramWriter:
        located = self._checked(spec)
        return NgramWriter.load(self.lm, located.path, fingerprint=self._fingerprint(spec, located))

    def _describe(self, role: str, spec: ModelSpec) -> ModelInfo:
        try:
            located = self._checked(spec, download=False)
            size = sum(file.stat().st_size for file in content_files(located.path))
            identity = self._fingerprint(spec, located)
        except (ExcerptaError, OSError) as error:
            return ModelInfo(role, spec.name, str(error), 0, "", spec.licence, available=False)
        return ModelInfo(role, spec.name, located.source, size, identity, spec.licence, available=True)

    def _checked(self, spec: ModelSpec, *, download: bool = True) -> Located:
        """Where the weights are, with the profile's checksums verified."""
        located = locate(spec, download=download)
        folder = located.path if located.path.is_dir() else located.path.parent
        for name, wanted in spec.sha256.items() if located.pinned else ():
            file = folder / name
            if not file.is_file():
                raise ModelCorrupt(str(file), "the profile pins it, but it is missing")
            if self._checksums.sha256(file, progress=self._progress) != wanted:
                raise ModelCorrupt(str(file), "its SHA-256 is not the one the profile pins")
        return located

    def _fingerprint(self, spec: ModelSpec, located: Located) -> str:
        digests = self._digests(located)
        if isinstance(spec, RankerSpec | WriterSpec):
            lm = self.profile.lm
            if isinstance(spec, WriterSpec) or is_letter_adapter(located.path):
                digests["lm"] = self._fingerprint(lm, self._checked(lm, download=False))
            dtype = self._dtype(lm if isinstance(spec, WriterSpec) else spec)
            return fingerprint(spec.name, spec.revision, digests, dtype_name(dtype))
        encoder = self.profile.encoder
        if not isinstance(
            spec, EncoderSpec | LanguageModelSpec | CrossEncoderSpec
        ):  # a classifier may stand on the encoder
            plain = replace(encoder, adapter="")
            digests["encoder"] = self._fingerprint(plain, self._checked(encoder, download=False))
            return fingerprint(spec.name, spec.revision, digests, dtype_name(self._dtype(encoder)))
        if isinstance(spec, EncoderSpec):
            digests |= _own_settings(spec)
        return fingerprint(spec.name, spec.revision, digests, dtype_name(self._dtype(spec)))

    def _digests(self, located: Located) -> dict[str, str]:
        folder = located.path if located.path.is_dir() else located.path.parent
        return {
            file.relative_to(folder).as_posix(): self._checksums.sha256(file, progress=self._progress)
            for file in content_files(located.path)
        }

    def _dtype(self, spec: EncoderSpec | LanguageModelSpec | CrossEncoderSpec | RankerSpec) -> torch.dtype:
        return pick_dtype(spec.dtype, self.device)


def _own_settings(spec: EncoderSpec) -> dict[str, str]:
    """What the profile adds to an encoder's files, where it decides the vectors."""
    said = {"query_marker": spec.query_marker, "passage_marker": spec.passage_marker}
    if spec.adapter:
        said["adapter"] = digest(Path(spec.adapter))
    return {key: value for key, value in said.items() if value}
