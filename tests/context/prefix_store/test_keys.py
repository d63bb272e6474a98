"""Keys of blocks: what changes them, what does not, and that they are the same everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context.prefix_store import Keys
from context.prefix_store.key import digest_of
from tests.support import ROOT
from tests.support.context_blocks import NAMESPACE, key_of


def test_every_field_of_the_namespace_changes_the_key():
    seen = {key_of(1, 2)}
    for field in fields(NAMESPACE):
        value = getattr(NAMESPACE, field.name)
        other = replace(NAMESPACE, **{field.name: value + 1 if isinstance(value, int) else value + "x"})
        seen.add(key_of(1, 2, namespace=other))
    assert (
        len({key.block for key in seen}) == len({key.namespace for key in seen}) == len(fields(NAMESPACE)) + 1
    )


def test_salt_prefix_and_passage_change_the_key():
    keys = {
        key_of(1, 2),
        key_of(1, 2, salt=b"a"),
        key_of(1, 2, salt=b"b"),
        key_of(1),
        key_of(12),
        Keys(NAMESPACE, b"", [1]).key([2, 1, 2]),
        Keys(NAMESPACE, b"", [1, 2, 1]).key([2]),
        Keys(NAMESPACE, b"", []).key([1, 2, 1, 2]),
    }
    assert len({key.block for key in keys}) == 8


def test_a_document_is_where_a_block_is_filed_and_gives_no_name_away():
    one, other = key_of(1, document="a"), key_of(1, document="b")
    assert one.block == other.block
    assert one.document != other.document
    assert one.document != key_of(1, document="a", salt=b"x").document
    assert one.document != "a" * 64
    assert len(one.document) == 64


@pytest.mark.process
def test_the_key_is_the_same_in_every_process():
    program = (
        "import sys; sys.path.insert(0, 'context/prefix_store'); from key import Keys, Namespace;"
        "n = Namespace(model='m:float32:0', tokenizer='t', layers=2, kv_heads=1, head_dim=4, rope='{}', dtype='float32');"
        "print(Keys(n, b'salt', [1, 2]).key([3, 70000], 'd'), hash('a'))"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for seed in ("1", "2")
    ]
    assert {key for key, _ in found} == {str(key_of(3, 70000, salt=b"salt", document="d"))}
    assert found[0][1] != found[1][1]  # the two processes do hash differently


VALUES = st.one_of(
    st.text(max_size=4), st.integers(0, 9), st.binary(max_size=4), st.lists(st.integers(0, 300), max_size=3)
)


@given(*[st.dictionaries(st.text(max_size=3), VALUES, max_size=3)] * 2)
def test_different_fields_never_encode_alike(a, b):
    assert (digest_of(a) == digest_of(b)) == (
        repr(sorted(a.items(), key=str)) == repr(sorted(b.items(), key=str))
    )
