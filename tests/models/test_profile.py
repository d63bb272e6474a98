"""Profiles: built-in ones, extending, and everything that is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import InvalidProfile
from models.profile import BUILT_IN, load_profile, profile_names

MINIMAL = """
[encoder]
name = "e"
hub = "owner/e"
[lm]
name = "l"
path = "weights/l.gguf"
"""


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / f"{name}.toml"
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize("name", ["compact", "small", "standard"])
def test_built_in(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    optional = ["cross_encoder", "ranker"] if name == "standard" else ["ranker", "ngram_writer"]
    assert list(profile.roles()) == ["encoder", "lm", "token_classifier", *optional]
    assert all(spec.licence for spec in profile.roles().values())


def test_small_pins_its_weights() -> None:
    small = load_profile("small")
    assert small.encoder.sha256["model.safetensors"].startswith("53aa51172d142c89")
    assert small.lm.sha256[small.lm.file].startswith("b179c9523d0e6a0f")


def test_by_path_and_by_search(tmp_path: Path) -> None:
    file = write(tmp_path, "mine", MINIMAL)
    by_path = load_profile(file)
    assert by_path == load_profile(str(file)) == load_profile("mine", search=[tmp_path])
    assert by_path.token_classifier is None
    assert by_path.lm.path == str(tmp_path / "weights" / "l.gguf")
    assert profile_names([tmp_path]) == ["compact", "mine", "small", "standard"]


def test_extends_without_a_model_of_the_base(tmp_path: Path) -> None:
    write(tmp_path, "mine", 'extends = "small"\nranker = false\ntoken_classifier = false\n')
    mine = load_profile("mine", search=[tmp_path])
    assert (mine.ranker, mine.token_classifier) == (None, None)
    assert mine.lm == load_profile("small").lm
    write(tmp_path, "none", 'extends = "small"\nlm = false\n')
    with pytest.raises(InvalidProfile, match="lm"):
        load_profile("none", search=[tmp_path])


def test_extends_changes_single_keys(tmp_path: Path) -> None:
    write(tmp_path, "mine", 'extends = "small"\n[encoder]\ndtype = "float32"\nmax_tokens = 128\n')
    mine, small = load_profile("mine", search=[tmp_path]), load_profile("small")
    assert (mine.encoder.dtype, mine.encoder.max_tokens) == ("float32", 128)
    assert mine.encoder.sha256 == small.encoder.sha256
    assert (mine.lm, mine.token_classifier) == (small.lm, small.token_classifier)
    assert mine.name == "mine"


def test_a_named_model_inherits_nothing(tmp_path: Path) -> None:
    file = write(tmp_path, "mine", 'extends = "small"\n[lm]\nname = "other"\nhub = "owner/other"\n')
    lm = load_profile(file).lm
    assert (lm.package, lm.file, lm.sha256) == ("", "", {})


def test_a_profile_may_extend_the_built_in_one_of_its_name(tmp_path: Path) -> None:
    write(tmp_path, "small", 'extends = "small"\n[lm]\ndtype = "float32"\n')
    small = load_profile("small", search=[tmp_path])
    assert small.lm.dtype == "float32"
    assert small.encoder == load_profile("small").encoder


def test_a_chain(tmp_path: Path) -> None:
    write(tmp_path, "one", 'extends = "small"\n[lm]\ndtype = "float32"\n')
    write(tmp_path, "two", 'extends = "one"\n[encoder]\ndtype = "float32"\n')
    two = load_profile("two", search=[tmp_path])
    assert (two.lm.dtype, two.encoder.dtype) == ("float32", "float32")


def test_a_circle_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "one", 'extends = "two"')
    write(tmp_path, "two", 'extends = "one"')
    with pytest.raises(InvalidProfile, match="no such profile"):
        load_profile("one", search=[tmp_path])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[encoder", "cannot be read as TOML"),
        ("", "encoder"),
        ('extends = "nothing"', "no such profile"),
        ("extends = 3", "extends is the name"),
        (MINIMAL + 'speed = "fast"', r"\[lm\] has unknown keys speed; allowed are name, licence, path"),
        (MINIMAL + "[reranker]\n", "it has unknown keys reranker; allowed are .*encoder, lm, token_class"),
        (MINIMAL + "max_tokens = 3", r"\[lm\] has unknown keys max_tokens"),
        (MINIMAL + 'dtype = "int4"', r"\[lm\] dtype is one of auto, float32"),
        (MINIMAL + "revision = 3", r"Expected `str`, got `int` - at `\$\.lm\.revision`"),
        (MINIMAL + "[token_classifier]\nname = 't'", r"\[token_classifier\] needs a path, a package or"),
        (MINIMAL + "[token_classifier]\nname = ''\nhub = 'a/b'", r"\[token_classifier\] needs a name"),
        (MINIMAL + "[token_classifier]\nname = 't'\npath = 't.gguf'", "cannot be a GGUF file"),
        (MINIMAL.replace("[lm]", "max_tokens = 0\n[lm]"), r"\[encoder\] max_tokens is at least 1"),
        (MINIMAL + "[token_classifier]\ndtype = 'auto'", r"\[token_classifier\] has unknown keys dtype"),
        (MINIMAL.replace("[lm]", "file = 'x'\n[lm]"), r"\[encoder\] has unknown keys file"),
        ("lm = 3\n[encoder]\nname = 'e'\nhub = 'a/b'", r"Expected `object`, got `int` - at `\$\.lm`"),
    ],
)
def test_refused(tmp_path: Path, text: str, message: str) -> None:
    file = write(tmp_path, "bad", text)
    with pytest.raises(InvalidProfile, match=message) as refused:
        load_profile(file)
    assert refused.value.profile in ("bad", "nothing")


@pytest.mark.parametrize("name", ["", "nope", "../small", "a/b", "missing.toml", "small/"])
def test_unknown_names_list_the_known(name: str) -> None:
    with pytest.raises(InvalidProfile, match="small, standard"):
        load_profile(name)


def test_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidProfile, match="TOML"):
        load_profile(file)


def test_the_profiles_are_data_of_the_package() -> None:
    assert {file.suffix for file in BUILT_IN.iterdir()} == {".toml"}
