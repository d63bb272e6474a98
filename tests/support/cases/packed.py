"""Spreadsheets, presentations, books, mails, rich text and notebooks: their values as they are shown."""

from __future__ import annotations

import json
from datetime import date
from email.message import EmailMessage
from typing import Any

from tests.support.cases.case import Case
from tests.support.packages.epub import epub
from tests.support.packages.slides import box, deck
from tests.support.workbooks import ods, ods_row, xlsx


def _merged(book: Any) -> None:
    sheet = book.active
    sheet.title = "Moorings"
    sheet.merge_cells("A2:A3")
    for row in sheet.iter_rows(min_row=2, min_col=3, max_col=3):
        row[0].number_format = "0.0%"


def _two_sheets(book: Any) -> None:
    book.active.title = "Kilns"
    cellar = book.create_sheet("Cellar")
    for row in (["cask", "litres"], ["Amarone", 225], ["Barolo", 300]):
        cellar.append(row)


def _ferries(slide: Any) -> None:
    slide.shapes.title.text = "Ferry timetable"
    box(slide, 1, 2, "The night ferry to Bornholm sails at 23:45.")
    slide.notes_slide.notes_text_frame.text = "Mention the harbour strike."


def _mail() -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ada@example.com", "ben@example.com", "Re: Größe der Segel"
    mail.set_content("The spinnaker measures ninety square metres.\n\n> Which cloth, by the way?\n")
    mail.add_attachment(
        b"sail,cloth\nmainsail,Dacron\nspinnaker,nylon\n", "text", "csv", filename="sails.csv"
    )
    return bytes(mail)


_NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "source": ["# Tide model\n", "The lag of the tide is 50 minutes a day."]},
        {
            "cell_type": "code",
            "source": ["# hours\n", "lag = 50 / 60"],
            "outputs": [],
            "execution_count": 1,
        },
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}

FILES: dict[str, bytes] = {
    "sheets/moorings.xlsx": xlsx(
        [
            ["pier", "berth", "occupied", "since"],
            ["North", 1, 0.925, date(2024, 3, 1)],
            [None, 2, 0.4, date(2024, 5, 9)],
        ],
        _merged,
    ),
    "sheets/cellar.xlsx": xlsx([["kiln", "degrees"], ["Tunnel", 1180], ["Shuttle", None]], _two_sheets),
    "sheets/gaps.xlsx": xlsx(
        [["tram", "Uni", "Zoo", "Port"], ["7", None, "08:12", None], ["9", "08:30", None, "08:55"]]
    ),
    "sheets/herbs.ods": ods(
        f'<table:table table:name="Herbs">{ods_row("herb", "sown", "cut")}{ods_row("Lovage", "", "June")}</table:table>'
    ),
    "slides/ferries.pptx": deck((5, _ferries)),
    "books/beekeeping.epub": epub(
        {
            "one.xhtml": "<h1>Spring</h1><p>The queen lays 2<sup>11</sup> eggs a day.</p>",
            "two.xhtml": "<h1>Winter</h1><p>The hive's cluster keeps 20 degrees.</p>",
        }
    ),
    "mail/sails.eml": _mail(),
    "rich/granary.rtf": rb"{\rtf1\ansi The granary holds 10{\super 5} kg of rye. {\v hidden PWNED}\par\strike 30\strike0  45 silos stand.}",
    "notes/tides.ipynb": json.dumps(_NOTEBOOK).encode(),
}

CASES: tuple[Case, ...] = (
    Case(
        "berth 2 of pier North: occupied",
        "sheets/moorings.xlsx",
        ("pier: North; berth: 2; occupied: 40.0%", "2024-05-09"),
    ),
    Case("berth 1 of pier North: occupied since", "sheets/moorings.xlsx", ("occupied: 92.5%", "2024-03-01")),
    Case("litres of the Barolo cask", "sheets/cellar.xlsx", ("litres: 300",)),
    Case("degrees of the tunnel kiln", "sheets/cellar.xlsx", ("degrees: 1180",)),
    Case(
        "When is tram 9 at Port?",
        "sheets/gaps.xlsx",
        ("Uni: 08:30", "Port: 08:55"),
        ("Zoo: 08:30", "Zoo: 08:55"),
    ),
    Case("When is lovage cut?", "sheets/herbs.ods", ("cut: June",), ("sown: June",)),
    Case("When does the night ferry to Bornholm sail?", "slides/ferries.pptx", ("23:45", "harbour strike")),
    Case("How many eggs does the queen lay?", "books/beekeeping.epub", ("2^11",), ("211",)),
    Case("How large is the spinnaker?", "mail/sails.eml", ("ninety square metres",)),
    Case("cloth of the mainsail", "mail/sails.eml/sails.csv", ("cloth: Dacron",)),
    Case(
        "How much rye does the granary hold?",
        "rich/granary.rtf",
        ("10^5", "[deleted: 30]"),
        ("105 kg", "PWNED"),
    ),
    Case("lag of the tide", "notes/tides.ipynb", ("50 minutes a day", "# hours\nlag = 50 / 60")),
)
