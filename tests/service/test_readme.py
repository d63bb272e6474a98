"""The README's example, run as it stands."""

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.real_model
def test_the_readme_example_prints_a_cited_answer(server_url, handbook, monkeypatch, capsys):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 1
    code = blocks[0].replace("http://localhost:8000", server_url).replace("./handbook/", str(handbook))
    assert code.count(server_url) == 1
    assert code.count(str(handbook)) == 1
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "head of finance" in printed
    assert "travel.md" in printed
