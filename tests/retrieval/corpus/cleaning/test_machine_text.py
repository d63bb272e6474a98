"""Encoded data is left out; what people write is not."""

import base64
import random

import pytest

from retrieval.corpus import Remark, load_file
from retrieval.corpus.cleaning.machine_text import MachineText

DATA = random.Random(3).randbytes(3000)


@pytest.mark.parametrize(
    "encoded",
    [
        base64.b64encode(DATA).decode(),
        base64.encodebytes(DATA).decode(),
        base64.urlsafe_b64encode(DATA).decode(),
        DATA.hex(),
        "data:image/png;base64," + base64.b64encode(DATA).decode(),
    ],
)
def test_encoded_data_is_left_out(encoded):
    found = MachineText()
    assert found.leave_out(f"before\n{encoded}\nafter").split() == ["before", "after"]
    assert "1 run of encoded data" in found.remark("a.txt").text


@pytest.mark.parametrize(
    "text",
    [
        "word " * 500,
        "-" * 2000,
        "ACGT" * 500,
        "1234567890\n" * 500,
        "usr/local/lib/" * 100,
        "保修期为两年" * 300,
        "Donaudampfschifffahrtsgesellschaft" * 20,
        "|---|---|\n" * 500,
    ],
)
def test_other_long_runs_stay(text):
    found = MachineText()
    assert found.leave_out(text) == text
    assert found.remark("a.txt") is None


def test_a_key_in_a_text_file_is_left_out_with_a_remark():
    key = f"Key:\n-----BEGIN CERTIFICATE-----\n{base64.encodebytes(DATA).decode()}-----END CERTIFICATE-----\nKeep it."
    document, remark = load_file("a.txt", key.encode())
    assert len(document.text) < 100
    assert isinstance(remark, Remark)
    assert "left out" in remark.text


@pytest.mark.parametrize(
    ("body", "visible"),
    [
        ("<pre>{}</pre>", 1),
        ("<p>Key: {} ends.</p><div>{}</div>", 2),
        ("<script>var data = '{}';</script>", 0),
        ("<!-- {} -->", 0),
        ("<p title='{}'>Titled.</p>", 0),
        ("<img alt='A ship' src='data:image/png;base64,{}'>", 0),
    ],
)
def test_of_a_page_only_what_a_reader_would_see_is_named(body, visible):
    encoded = base64.b64encode(DATA).decode()
    page = f"<html><body><main><h1>Keys</h1><p>Keep them safe.</p>{body.replace('{}', encoded)}</main></body></html>"
    document, *remarks = load_file("a.html", page.encode())
    assert "Keep them safe." in document.text
    assert len(document.text) < 100
    assert "\ufdd0" not in document.text
    runs = {0: [], 1: ["1 run of encoded data was left out"], 2: ["2 runs of encoded data were left out"]}
    assert [remark.text for remark in remarks] == runs[visible]
