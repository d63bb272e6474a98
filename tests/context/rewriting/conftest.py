"""A random language model that can chat."""

import pytest


@pytest.fixture(scope="session")
def lm(tmp_path_factory, tiny_profile):
    from models import Models, load_profile

    return Models(load_profile(tiny_profile), tmp_path_factory.mktemp("rewriting"), device="cpu").lm
