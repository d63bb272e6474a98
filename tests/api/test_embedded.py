"""A local application opens nothing before it is used."""

from api.embedded import open_local


def test_open_local_opens_nothing_yet(tmp_path):
    app = open_local(str(tmp_path / "new"), profile="small")
    assert not (tmp_path / "new").exists()
    assert app.state.settings.role == "all"
    assert not app.state.settings.warm
