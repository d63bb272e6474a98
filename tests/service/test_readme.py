"""The README's examples, run as they stand."""

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.real_model
def test_the_readme_examples_print_a_cited_answer(server_url, handbook, monkeypatch, capsys):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 2
    assert "./handbook/" in blocks[0]
    for block, wanted in zip(blocks, (["travel.md"], ["2000 euros"]), strict=True):
        code = block.replace("http://localhost:8000", server_url).replace("./handbook/", str(handbook))
        assert code.count(server_url) == 1
        exec(compile(code, "README.md", "exec"), {})
        printed = capsys.readouterr().out
        assert "head of finance" in printed
        for one in wanted:
            assert one in printed
