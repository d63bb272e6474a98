"""A method is one file, one options struct and one catalogue line: nothing else in the product names it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from api.query.catalogues import CATALOGUES

ROOT = Path(__file__).parents[2]
PRODUCT = ("api", "base", "models", "retrieval", "rerank", "compress", "context", "evaluation")
EXCEPT = {
    # T and S are calibrated for one reading, against another: that is what a calibration is.
    ("context/calibration/calibrating.py", "Ape"),
    ("context/calibration/calibrating.py", "Sequential"),
}


def _imported(path: Path) -> set[str]:
    """What a file imports by name, submodules included, as `module.name`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{name.name}" for name in node.names} | {str(node.module)}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return found


IMPORTED = {
    str(path.relative_to(ROOT)): _imported(path) for top in PRODUCT for path in (ROOT / top).rglob("*.py")
}


@pytest.mark.parametrize(
    ("stage", "name"), [(stage, name) for stage in CATALOGUES for name in CATALOGUES[stage]]
)
def test_nothing_else_names_a_method(stage, name):
    method = CATALOGUES[stage][name]
    own = f"{method.file.replace('.', '/')}.py"
    catalogue = f"{'/'.join(method.file.split('.')[:-2])}/catalogue.py"
    struct = f"{method.options.__module__}.{method.options.__name__}"
    for path, imported in IMPORTED.items():
        if struct in imported and (path, method.options.__name__) not in EXCEPT:
            assert path == own, f"{path} names {struct}"
        if path != catalogue:
            made = {one for one in imported if one == f"{method.file}.METHOD"}
            assert not made, f"{path} takes {name} from its file instead of the catalogue"
    assert method.file in IMPORTED[catalogue]
