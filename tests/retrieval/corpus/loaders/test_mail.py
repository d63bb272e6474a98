import base64
from email.message import EmailMessage

import pytest

from retrieval.corpus import LoadLimits, Remark, load_file
from retrieval.errors import UnreadableDocument
from retrieval.types import Document


def message(text="Hello.", *, subject="Pump 7", html="", attachments=(), **headers):
    made = EmailMessage()
    made["Subject"] = subject
    made["From"] = "Ann Lee <ann@example.org>"
    made["To"] = "Bo Ek <bo@example.org>, Ci <ci@example.org>"
    made["Date"] = "Wed, 31 Jan 2024 10:05:00 +0100"
    for name, value in headers.items():
        made[name] = value
    if text:
        made.set_content(text)
    if html:
        made.add_alternative(html, subtype="html") if text else made.set_content(html, subtype="html")
    for name, data in attachments:
        if isinstance(data, EmailMessage):
            made.add_attachment(data)
        else:
            made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return made


def read(data, name="a.eml", limits=None):
    data = data.as_bytes() if isinstance(data, EmailMessage) else data
    found = list(load_file(name, data, *([limits] if limits else [])))
    documents = {one.id: one for one in found if isinstance(one, Document)}
    return documents, [one for one in found if not isinstance(one, Document)]


def body(data):
    """The text of a message under its headers."""
    documents, others = read(data)
    assert not others
    return documents["a.eml"].text.split("\n\n", 2)[-1]


def test_headers_are_metadata_and_stand_above_the_text():
    documents, others = read(message(Cc="Di <di@example.org>"))
    document = documents["a.eml"]
    assert document.text == (
        "# Pump 7\n\nFrom: Ann Lee <ann@example.org>\nTo: Bo Ek <bo@example.org>, Ci <ci@example.org>\n"
        "Cc: Di <di@example.org>\nDate: 2024-01-31 10:05:00+01:00\n\nHello."
    )
    assert document.title == "Pump 7"
    assert document.metadata == {
        "source": "a.eml",
        "from": "Ann Lee <ann@example.org>",
        "to": ["Bo Ek <bo@example.org>", "Ci <ci@example.org>"],
        "cc": ["Di <di@example.org>"],
        "date": "2024-01-31T10:05:00+01:00",
    }
    assert not others


@pytest.mark.parametrize(
    ("subject", "sender", "right"),
    [
        (b"=?utf-8?B?R3LDvMOfZQ==?= =?utf-8?Q?_an_alle?=", b"=?iso-8859-1?Q?J=F6rg?= <j@x.org>", ("Grüße an alle", "Jörg <j@x.org>")),
        (b"=?utf-8?Q?Price=2C_new?=", b"=?utf-8?Q?Ek=2C_Bo?= <b@x.org>", ("Price, new", "Ek, Bo <b@x.org>")),
        ("Grüße".encode(), "Jörg <j@x.org>".encode(), ("Grüße", "Jörg <j@x.org>")),
        ("Über die Straße und die Brücke".encode("cp1252"), b"<j@x.org>", ("Über die Straße und die Brücke", "j@x.org")),
        (b"a\r\n b", b'"Ek, Bo" <b@x.org>', ("a b", "Ek, Bo <b@x.org>")),
        (b"=?nonsense?Q?x?=", b"broken <", ("=?nonsense?Q?x?=", "broken")),
    ],
)  # fmt: skip
def test_headers_in_any_encoding_are_decoded(subject, sender, right):
    documents, _ = read(b"Subject: " + subject + b"\r\nFrom: " + sender + b"\r\n\r\nText.\r\n")
    document = documents["a.eml"]
    assert (document.title, document.metadata["from"]) == right


def test_headers_that_are_no_dates_or_addresses_harm_nothing():
    documents, _ = read(b"From: a@x.org\nDate: yesterday\nTo: undisclosed-recipients:;\n\nText.")
    assert documents["a.eml"].metadata == {"source": "a.eml", "from": "a@x.org"}
    assert documents["a.eml"].text == "From: a@x.org\n\nText."


PAGE = "<html><body><h1>Fees</h1><table><tr><th>City</th><th>A</th><th>B</th></tr><tr><td>Oslo</td><td></td><td>5</td></tr></table></body></html>"


def test_of_text_and_page_the_text_is_taken_unless_it_says_nothing():
    assert body(message("Fees: Oslo 5 in column B.", html=PAGE)) == "Fees: Oslo 5 in column B."
    assert body(message("", html=PAGE)) == "# Fees\n\nCity: Oslo; B: 5"
    long = PAGE.replace("</table>", "</table><p>" + "A fee is due each month. " * 20 + "</p>")
    assert body(message("See HTML.", html=long)).startswith("# Fees\n\nCity: Oslo; B: 5")


def test_what_a_page_hides_is_left_out_and_raised_signs_stay_apart():
    html = '<div style="display:none">preview</div><p>10<sup>9</sup> calls, <s>40</s> 50</p>'
    assert body(message("", html=html)) == "10^9 calls, [deleted: 40] 50"


def test_quoted_lines_are_kept_and_lines_are_no_headings():
    text = "Yes.\n\nOn Monday Bo wrote:\n> How much?\n> 5 or 6?\n\n# no heading\n"
    made = body(message(text))
    assert made == "Yes.\n\nOn Monday Bo wrote:\n> How much?\n> 5 or 6?\n\n\\# no heading"


def test_soft_line_ends_are_joined_and_columns_stay_aligned():
    flowed = b"From: a@x.org\nContent-Type: text/plain; format=flowed\n\nA long \nline.\n> quoted \n> line.\n-- \nAnn\n"
    documents, _ = read(flowed)
    assert documents["a.eml"].text.partition("\n\n")[2] == "A long line.\n> quoted line.\n--\nAnn"
    chinese = (
        "From: a@x.org\nContent-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\n\n泵的 \n价格。\n"
    )
    assert read(chinese.encode())[0]["a.eml"].text.endswith("泵的价格。")
    table = "City    A    B\nOslo         5\n"
    assert body(message(table)) == "```\nCity    A    B\nOslo         5\n```"


@pytest.mark.parametrize(
    ("charset", "text"),
    [("iso-8859-1", "Café à 5 €".replace("€", "EUR")), ("cp1251", "Цена насоса"), ("gb2312", "水泵的价格")],
)
@pytest.mark.parametrize("coding", ["base64", "8bit"])
def test_text_in_declared_encodings(charset, text, coding):
    data = text.encode(charset)
    data = base64.encodebytes(data) if coding == "base64" else data
    head = (
        f"From: a@x.org\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {coding}\n\n"
    )
    assert read(head.encode() + data)[0]["a.eml"].text == f"From: a@x.org\n\n{text}"


def test_attachments_are_documents_of_their_own(make):
    attached = [
        ("fees.csv", b"city,fee\nOslo,5\n"),
        ("files.zip", make.archive({"in/note.txt": b"packed"})),
        ("../../etc/pump.md", b"# Pump"),
        ("broken.pdf", b"none"),
        ("fees.csv", b"city,fee\nBergen,6\n"),
    ]
    documents, others = read(message(attachments=attached))
    assert {name: one.text for name, one in documents.items() if name != "a.eml"} == {
        "a.eml/fees.csv#1": "city: Oslo; fee: 5",
        "a.eml/files.zip/in/note.txt": "packed",
        "a.eml/pump.md": "# Pump",
        "a.eml/fees-2.csv#1": "city: Bergen; fee: 6",
    }
    assert [error.name for error in others] == ["a.eml/broken.pdf"]


def test_attached_messages_are_messages_and_depth_is_limited():
    inner = message("inner", subject="Re: a/b?", attachments=[("x.txt", b"deep")])
    middle = message("middle", subject="Middle", attachments=[("", inner)])
    documents, others = read(message("outer", attachments=[("", middle)]))
    assert list(documents) == ["a.eml", "a.eml/Middle.eml", "a.eml/Middle.eml/b.eml"]
    assert [error.name for error in others] == ["a.eml/Middle.eml/b.eml/x.txt"]
    assert "3 deep; at most 2" in others[0].reason
    few = LoadLimits(max_entries=1)
    documents, others = read(message(attachments=[("a.txt", b"1"), ("b.txt", b"2")]), limits=few)
    assert list(documents) == ["a.eml", "a.eml/a.txt"]
    assert "the rest of it was left out" in others[0].reason


def test_images_of_a_page_and_signatures_are_no_attachments():
    made = message("", html='<p>See <img src="cid:1"></p>')
    made.add_related(b"\x89PNG", maintype="image", subtype="png", cid="<1>")
    documents, others = read(made)
    assert list(documents) == ["a.eml"]
    assert not others
    photo = message()
    photo.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="photo.png")
    assert "an image" in read(photo)[1][0].reason


def test_several_texts_of_a_message_are_read_in_order():
    made = EmailMessage()
    made["From"] = "a@x.org"
    made.set_content("first")
    made.add_attachment("attached", filename="note.txt")
    made.add_attachment("second", disposition="inline")
    documents, _ = read(made)
    assert documents["a.eml"].text == "From: a@x.org\n\nfirst\n\nsecond"
    assert documents["a.eml/note.txt"].text.strip() == "attached"


def test_encrypted_messages_are_named():
    locked = message()
    locked.replace_header("Content-Type", "multipart/encrypted")
    locked.set_payload([])
    assert [error.reason for error in read(locked)[1]] == ["is encrypted; save it decrypted"]
    opaque = b"From: a@x.org\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nAAAA"
    assert [error.reason for error in read(opaque)[1]] == ["is encrypted; save it decrypted"]
    (error,) = load_file("a.eml", b"This is not a message.")
    assert isinstance(error, UnreadableDocument)
    assert "is not an e-mail" in error.reason


def test_runs_of_encoded_data_are_left_out_with_a_remark():
    documents, others = read(message("Key:\n" + base64.b64encode(bytes(range(256)) * 4).decode()))
    assert documents["a.eml"].text.endswith("Key:")
    assert isinstance(others[0], Remark)


def test_the_messages_of_a_mailbox_are_numbered():
    one = message("First.").as_bytes()
    two = b"From: b@x.org\n\nSecond.\n>From here on.\n\nFrom there to here\n"
    start = b"From ann@example.org Wed Jan 31 10:05:00 2024\n"
    documents, others = read(start + one + b"\n" + start + two, "box.mbox")
    assert list(documents) == ["box.mbox/1.eml", "box.mbox/2.eml"]
    assert documents["box.mbox/2.eml"].text == "From: b@x.org\n\nSecond.\nFrom here on.\n\nFrom there to here"
    assert not others
    windows = (start + one + b"\n" + start + two).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert list(read(windows, "box.mbox")[0]) == ["box.mbox/1.eml", "box.mbox/2.eml"]
    (error,) = load_file("box.mbox", b"no message")
    assert "empty mailbox" in error.reason


def test_messages_of_other_programs():
    data = message("Hello.").as_bytes()
    apple = str(len(data)).encode() + b"\n" + data + b"<?xml version='1.0'?><plist/>"
    assert read(apple, "a.emlx")[0]["a.emlx"].text.endswith("Hello.")
    assert (
        read(b"Received: from x\n\tby y\nMIME-Version: 1.0\nFrom: a@x.org\n\nHello.", "unnamed")[0][
            "unnamed"
        ].metadata["from"]
        == "a@x.org"
    )


def test_a_web_page_saved_as_one_file_is_read_as_a_page():
    head = b"From: <Saved by a browser>\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n"
    page = "<html><title>Fees</title><nav>Home</nav><main><p>Parking costs 5 euros a day.</p></main></html>"
    data = head + f"--b\nContent-Type: text/html; charset=utf-8\n\n{page}\n--b--\n".encode()
    documents, _ = read(data, "a.mhtml")
    assert (documents["a.mhtml"].title, documents["a.mhtml"].text) == ("Fees", "Parking costs 5 euros a day.")


def test_parts_in_parts_without_end_are_harmless():
    data = b"From: a@x.org\n"
    for number in range(200):
        data += b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (number, number)
    documents, others = read(data + b"\nText.")
    assert len(documents) + len(others) >= 1
