"""`python -m training`: help that teaches, recipes by name, and runs that are resumed."""

from __future__ import annotations

import json
import random
from dataclasses import fields

import pytest
from safetensors.torch import load_file

import training.runs
from tests.support.tiny.word_encoder import save_encoder
from training.__main__ import RECIPES, main
from training.options import Recipe, changed_options, chosen_recipe
from training.recipes.keep.recipe import KeepRecipe
from training.recipes.tokens.recipe import TokensRecipe

pytestmark = pytest.mark.long

WORDS = ["red", "green", "blue", "fish", "tree", "house", "the", "a", "."]


def test_help_teaches_what_there_is(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(f"python -m training {name} " in text for name in RECIPES)
    assert "--resume" in text


@pytest.mark.parametrize(("name", "recipe"), [("keep", KeepRecipe), ("tokens", TokensRecipe)])
def test_every_field_of_a_recipe_is_an_option_with_help(capsys, name, recipe):
    with pytest.raises(SystemExit):
        main([name, "--help"])
    text = capsys.readouterr().out
    for field in fields(recipe):
        assert f"--{field.name.replace('_', '-')} " in text
        assert field.metadata["meaning"].split()[0] in text


def test_a_card_names_only_options_that_differ():
    assert changed_options(KeepRecipe()) == ""
    assert changed_options(KeepRecipe(epochs=2, learning_rate=0.5)) == " --epochs 2 --learning-rate 0.5"


def test_chosen_options_make_the_recipe():
    parsed = {field.name: field.default for field in fields(Recipe)} | {"rank": 3}
    assert chosen_recipe(Recipe, type("Options", (), parsed)()) == Recipe(rank=3)


@pytest.fixture
def command(tmp_path):
    """A training of some 12 steps."""
    rng = random.Random(0)
    sentences = [rng.choices(WORDS, k=rng.randint(3, 9)) for _ in range(60)]
    lines = [json.dumps({"tokens": one, "keep": [int(word == "fish") for word in one]}) for one in sentences]
    for part in ("train", "test"):
        (tmp_path / f"google-{part}.jsonl").write_text("\n".join(lines))
    encoder = save_encoder(tmp_path / "encoder")
    profile = tmp_path / "tiny.toml"
    profile.write_text(
        f'[encoder]\nname = "tiny"\npath = "{encoder}"\n[lm]\nname = "none"\npath = "nowhere"\n'
    )
    given = ["keep", "--data", tmp_path, "--profile", profile, "--models", tmp_path / "m", "--rank", 2]
    return [*map(str, given), "--epochs", "4", "--batch-tokens", "128", "--window", "32"]


def test_an_interrupted_run_goes_on_to_the_same_weights(tmp_path, command, monkeypatch):
    assert main([*command, "--out", str(tmp_path / "whole")]) == 0
    out = ["--out", str(tmp_path / "out"), "--checkpoint-every", "2"]

    class Interrupting(training.runs.Loop):
        def _record(self, descent, step, value):
            super()._record(descent, step, value)
            if step == 5:
                raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(training.runs, "Loop", Interrupting)
        with pytest.raises(KeyboardInterrupt):
            main([*command, *out])
    assert (tmp_path / "out.checkpoint").exists()
    assert main([*command, *out, "--resume"]) == 0
    whole, resumed = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "out"))
    assert all((whole[name] == resumed[name]).all() for name in whole)
    assert not (tmp_path / "out.checkpoint").exists()


def test_faults_name_the_remedy(tmp_path, command, capsys):
    assert main([*command, "--out", str(tmp_path / "out"), "--resume"]) == 2
    assert "leave --resume out" in capsys.readouterr().err
