"""Profiles: named sets of models, read from TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from models.device import DTYPES
from models.errors import InvalidProfile

BUILT_IN = Path(__file__).parent / "profiles"

_Table: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model of a profile: where its weights may be, tried in the order path, package, hub.

    `path` is relative to the profile's own file. `package_path` is the directory inside the installed
    `package`. `sha256` pins files of the package and of the hub by name.
    """

    name: str
    licence: str = ""
    path: str = ""
    package: str = ""
    package_path: str = ""
    hub: str = ""
    revision: str = ""
    sha256: Mapping[str, str] = field(default_factory=dict)

    @property
    def weights_file(self) -> str:
        """The one file in the directory that is the model; empty where the directory is."""
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSpec(ModelSpec):
    """The token encoder. `max_tokens` lowers its limit.

    `adapter` is a directory with weights of ours that are added to it. ColBERT models mark what they read
    by a token. Most checkpoints declare their markers; markers given here replace them.
    """

    adapter: str = ""
    dtype: str = "auto"
    max_tokens: int | None = None
    query_marker: str = ""
    passage_marker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModelSpec(ModelSpec):
    """The language model: a directory in the transformers layout, or the GGUF `file` in it.

    `dtype` is the precision in which prompts are read, and keys and values kept. With "auto" answers are
    written with packed weights, where these are faster on this CPU and close to the dense ones; with any
    other, all products are in that precision.
    """

    file: str = ""
    dtype: str = "auto"

    @property
    def weights_file(self) -> str:
        """The GGUF file, if it is one."""
        return self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossEncoderSpec(ModelSpec):
    """A network that reads question and passage together, in the layout of sentence-transformers."""

    dtype: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class RankerSpec(ModelSpec):
    """What ranks a list of passages by letters: weights for `[lm]`, or a language model of its own.

    `prompt` names the prompt that a checkpoint was trained with; weights for `[lm]` name theirs themselves.
    """

    prompt: str = "first"
    dtype: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterSpec(ModelSpec):
    """Weights for `[lm]` that teach it to write n-grams of the passages that answer a question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorSpec:
    """A remote service that generates the answers, through OpenAI's chat completions API.

    `base_url` ends before `/chat/completions`. `key_env` names the environment variable with the key; without
    it no key is sent. `timeout_s` is the longest time without data from the service.
    """

    base_url: str
    model: str
    key_env: str = ""
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named set of models; without a token classifier, texts are compressed without a network.

    With a `generator`, another service generates the answers, and the language model only ranks and searches.
    The token classifier runs in the encoder's dtype, because it may share the encoder's network. `plan` has
    the defaults of a query's stages where they differ with these models.
    """

    name: str
    description: str = ""
    encoder: EncoderSpec
    lm: LanguageModelSpec
    token_classifier: ModelSpec | None = None
    cross_encoder: CrossEncoderSpec | None = None
    ranker: RankerSpec | None = None
    ngram_writer: WriterSpec | None = None
    generator: GeneratorSpec | None = None
    plan: Mapping[str, Any] = field(default_factory=dict)

    def roles(self) -> dict[str, ModelSpec]:
        """The models of the profile, by role."""
        named = {
            "encoder": self.encoder,
            "lm": self.lm,
            "token_classifier": self.token_classifier,
            "cross_encoder": self.cross_encoder,
            "ranker": self.ranker,
            "ngram_writer": self.ngram_writer,
        }
        return {role: spec for role, spec in named.items() if spec is not None}


_WITH_DTYPE = EncoderSpec | LanguageModelSpec | CrossEncoderSpec | RankerSpec
_KINDS: Mapping[str, type[ModelSpec]] = {
    "encoder": EncoderSpec,
    "lm": LanguageModelSpec,
    "token_classifier": ModelSpec,
    "cross_encoder": CrossEncoderSpec,
    "ranker": RankerSpec,
    "ngram_writer": WriterSpec,
}


def load_profile(name_or_path: str | Path, *, search: Sequence[Path] = ()) -> Profile:
    """Reads a profile: a built-in one, `NAME.toml` in one of the `search` directories, or a file by its path.

    With `extends = "small"`, a profile inherits every key that it leaves out. A model table with a `name` is
    another model and inherits nothing. Without a `name`, single keys are changed; `ranker = false` leaves the
    model out, as it does any that a profile may lack.
    Raises InvalidProfile for a missing file, a wrong type, and an unknown key, with the allowed ones.
    """
    file = _find(name_or_path, search, skip=())
    name = file.stem
    return _build(name, _resolve(name, file, search, seen=()))


def profile_names(search: Sequence[Path] = ()) -> list[str]:
    """The names that `load_profile` knows."""
    return sorted({file.stem for folder in (*search, BUILT_IN) for file in folder.glob("*.toml")})


def _find(name_or_path: str | Path, search: Sequence[Path], skip: Iterable[Path]) -> Path:
    name = str(name_or_path)
    for candidate in _candidates(name_or_path, search):
        if candidate.is_file() and candidate.resolve() not in skip:
            return candidate.resolve()
    known = ", ".join(profile_names(search))
    raise InvalidProfile(name, f"there is no such profile; give one of {known}, or the path of a .toml file")


def _candidates(name_or_path: str | Path, search: Sequence[Path]) -> Iterator[Path]:
    if isinstance(name_or_path, Path) or name_or_path.endswith(".toml"):
        yield Path(name_or_path).expanduser()
    elif name_or_path and Path(name_or_path).name == name_or_path:
        yield from (folder / f"{name_or_path}.toml" for folder in (*search, BUILT_IN))


def _resolve(name: str, file: Path, search: Sequence[Path], seen: tuple[Path, ...]) -> _Table:
    """The tables of a profile laid over those it extends; it may extend a built-in one of its own name."""
    own = _read(name, file)
    parent = own.pop("extends", None)
    if parent is None:
        return own
    if not isinstance(parent, str):
        raise InvalidProfile(name, "extends is the name of a profile, a string")
    places = [file.parent, *search]
    base = _resolve(name, _find(parent, places, (*seen, file)), search, (*seen, file))
    tables = base | {key: _overlay(base.get(key), value) for key, value in own.items()}
    return {key: value for key, value in tables.items() if value is not False}


def _overlay(base: object, value: object) -> object:
    if isinstance(base, dict) and isinstance(value, dict) and "name" not in value:
        return base | value
    return value


def _read(name: str, file: Path) -> _Table:
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidProfile(name, f"{file} cannot be read as TOML: {error}") from error
    for role in _KINDS:
        table = tables.get(role)
        for key in ("path", "adapter"):
            if isinstance(table, dict) and isinstance(table.get(key), str) and table[key]:
                table[key] = str((file.parent / Path(table[key]).expanduser()).resolve())
    return tables


def _build(name: str, tables: _Table) -> Profile:
    _refuse_unknown(
        name, "", tables, [key.name for key in fields(Profile) if key.name != "name"] + ["extends"]
    )
    for role, kind in {**_KINDS, "generator": GeneratorSpec}.items():
        table = tables.get(role, {})
        if isinstance(table, dict):
            _refuse_unknown(name, role, table, [key.name for key in fields(kind)])
    try:
        profile = msgspec.convert({**tables, "name": name}, Profile)
    except msgspec.ValidationError as error:
        raise InvalidProfile(name, str(error)) from error
    for role, spec in profile.roles().items():
        _check(name, role, spec)
    if profile.generator is not None:
        _check_generator(name, profile.generator)
    return profile


def _refuse_unknown(profile: str, role: str, table: Mapping[str, object], allowed: Sequence[str]) -> None:
    unknown = sorted(set(table) - set(allowed))
    if unknown:
        where = f"[{role}] has" if role else "it has"
        raise InvalidProfile(
            profile, f"{where} unknown keys {', '.join(unknown)}; allowed are {', '.join(allowed)}"
        )


def _check_generator(profile: str, spec: GeneratorSpec) -> None:
    if not spec.base_url.startswith(("http://", "https://")):
        raise InvalidProfile(profile, "[generator] base_url starts with http:// or https://")
    if "@" in spec.base_url:
        raise InvalidProfile(
            profile, "[generator] base_url has no password in it; name its variable in key_env"
        )
    if not spec.model:
        raise InvalidProfile(profile, "[generator] needs the name of a model")
    if not 0 < spec.timeout_s <= 3600:
        raise InvalidProfile(
            profile, f"[generator] timeout_s is above 0 and at most 3600, not {spec.timeout_s}"
        )


def _check(profile: str, role: str, spec: ModelSpec) -> None:
    if not spec.name:
        raise InvalidProfile(profile, f"[{role}] needs a name")
    if not (spec.path or spec.package or spec.hub):
        raise InvalidProfile(profile, f"[{role}] needs a path, a package or a hub name")
    if isinstance(spec, _WITH_DTYPE) and spec.dtype not in DTYPES:
        raise InvalidProfile(profile, f"[{role}] dtype is one of {', '.join(DTYPES)}, not {spec.dtype!r}")
    if isinstance(spec, EncoderSpec) and spec.max_tokens is not None and spec.max_tokens < 1:
        raise InvalidProfile(profile, f"[{role}] max_tokens is at least 1, not {spec.max_tokens}")
    if spec.path.endswith(".gguf") and not isinstance(spec, LanguageModelSpec):
        raise InvalidProfile(profile, f"[{role}] cannot be a GGUF file; only [lm] can")
