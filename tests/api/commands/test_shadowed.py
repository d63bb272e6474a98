"""Another package with the name of one of this project is noticed."""

import sys

import pytest

from api.commands import shadowed as layout
from api.errors import (
    ShadowedPackage,
)


def test_another_package_of_our_name_is_noticed(tmp_path, monkeypatch):
    layout.refuse_shadows()
    (tmp_path / "rerank").mkdir()
    (tmp_path / "rerank" / "__init__.py").write_text("")
    monkeypatch.delitem(sys.modules, "rerank")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ShadowedPackage, match="rename the package") as raised:
        layout.refuse_shadows()
    assert raised.value.package == "rerank"
