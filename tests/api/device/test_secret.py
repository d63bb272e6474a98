"""The secret of a data directory."""

import pytest

from api.device.secret import FILE, secret_of
from api.errors import InvalidSettings


def test_the_secret_is_made_once_and_its_users_alone(tmp_path):

    first = secret_of(tmp_path / "data")
    assert len(first) == 32
    assert secret_of(tmp_path / "data") == first
    assert (tmp_path / "data" / FILE).stat().st_mode & 0o077 == 0
    (tmp_path / "data" / FILE).write_bytes(b"short")
    with pytest.raises(InvalidSettings, match="damaged"):
        secret_of(tmp_path / "data")
