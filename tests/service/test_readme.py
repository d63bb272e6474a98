"""The README's examples, run as they stand."""

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"


# What a prompt of one's own makes of the answer is the prompt's affair.
_PRINTED = (["head of finance", "travel.md"], ["head of finance", "2000 euros"], ["finance"])


@pytest.mark.real_model
def test_the_readme_examples_print_the_answer(server_url, handbook, monkeypatch, capsys):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 3
    assert "./handbook/" in blocks[0]
    for block, wanted in zip(blocks, _PRINTED, strict=True):
        code = block.replace("http://localhost:8000", server_url).replace("./handbook/", str(handbook))
        assert code.count(server_url) == 1
        exec(compile(code, "README.md", "exec"), {})
        printed = capsys.readouterr().out
        for one in wanted:
            assert one in printed
