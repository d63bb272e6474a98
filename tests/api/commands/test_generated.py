"""Files that a command writes: fresh, stale, missing."""

import pytest

from api.commands import methods_page, openapi, settings_page
from api.commands.generated import write_or_check


def test_a_file_is_written_and_then_up_to_date_until_either_side_changes(tmp_path, capsys):
    file, text = tmp_path / "docs" / "page.md", "ü\n"

    def run(*arguments):
        return write_or_check(file, lambda: text, "some.module", arguments)

    assert run("--check") == 1, "there is no file yet"
    assert "run python -m some.module" in capsys.readouterr().err
    assert run() == run("--check") == 0
    assert file.read_bytes() == "ü\n".encode()
    text = "other\n"
    assert run("--check") == 1
    assert file.read_bytes() == "ü\n".encode(), "a check writes nothing"


@pytest.mark.parametrize("arguments", [["--wrong"], ["--check", "--check"]])
@pytest.mark.parametrize("module", [methods_page, openapi, settings_page])
def test_unknown_arguments_are_refused_with_the_usage(module, arguments, capsys):
    assert module.main(arguments) == 2
    assert f"python -m {module.__name__} [--check]" in capsys.readouterr().err
