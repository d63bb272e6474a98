"""The examples of both READMEs, run as they stand."""

import re

import pytest

from tests.support import ROOT

# What a prompt of one's own makes of the answer is the prompt's affair.
_PRINTED = {
    "README.md": (["head of finance", "travel.md"], ["head of finance", "2000 euros"], ["finance"]),
    "sdk/README.md": (
        ["head of finance", "travel.md"],
        ["passages", "head of finance", "travel.md"],
        ["head of finance"],
        ["unknown-collection", "handbok"],
    ),
}


@pytest.mark.model
@pytest.mark.parametrize("readme", _PRINTED)
def test_the_readme_examples_print_the_answer(readme, server_url, handbook, capsys):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / readme).read_text("utf-8"), re.DOTALL)
    assert "./handbook/" in blocks[0]
    for block, wanted in zip(blocks, _PRINTED[readme], strict=True):
        code = block.replace("http://localhost:8000", server_url).replace("./handbook/", str(handbook))
        assert code.count(server_url) == 1
        exec(compile(code, readme, "exec"), {"__name__": "example"})
        printed = capsys.readouterr().out
        for one in wanted:
            assert one in printed
