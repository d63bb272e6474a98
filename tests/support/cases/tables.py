"""Tables: rows that a search must find, values that must stay under their own heading."""

from __future__ import annotations

import json

from tests.support.cases.case import Case


def _lines(*lines: str, encoding: str = "utf-8") -> bytes:
    return ("\n".join(lines) + "\n").encode(encoding)


def _plans(row: str) -> list[str]:
    return [row.format(n=n, requests=n * 10, gigabytes=n * 3, price=n + 0.99) for n in range(1, 90)]


_NAMES = (
    "Check valve",
    "Ball valve",
    "Gate valve",
    "Float switch",
    "Pressure gauge",
    "Pipe clamp",
    "Seal kit",
)
_PARTS = [
    (f"PPR-{1000 + 37 * n}", f"{_NAMES[n % 7]} {20 + n} mm", f"{5 + n / 4:.2f}", n % 13) for n in range(200)
]
_ELEMENTS = (("Helium", "He", 2), ("Neon", "Ne", 10), ("Argon", "Ar", 18), ("Krypton", "Kr", 36))


def _joined(number: str) -> str:
    return number.replace("-", "")


def _parted(number: str) -> str:
    return number.replace("-", " ").lower()


def _wide(number: str) -> str:
    """In the full-width forms of East Asian keyboards."""
    return "".join(chr(ord(sign) + 0xFEE0) for sign in number)


FILES: dict[str, bytes] = {
    # Rows: every cell is searched, and a row names its columns.
    "tables/catalogue.csv": _lines("sku;name;price;stock", *(";".join(map(str, row)) for row in _PARTS)),
    "tables/staff.tsv": _lines(
        "badge\tname\toffice\tphone",
        "B-2041\tIngrid Solheim\tBergen\t+47 55 10 20 41",
        "B-2042\tJonas Lie\tHamar\t+47 62 10 20 42",
        "B-2043\tKari Nordmann\tNarvik\t+47 76 10 20 43",
    ),
    "tables/gases.jsonl": _lines(
        *(json.dumps({"name": n, "symbol": s, "atomic number": z}) for n, s, z in _ELEMENTS)
    ),
    "tables/rooms.csv": _lines("The boardroom seats,14", "The canteen seats,120", "The library seats,35"),
    "tables/tariffs.csv": _lines(
        "zone,parcel up to 2 kg,parcel up to 10 kg", '"Zone, inner",4.90,7.50', '"Zone, outer",9.80,15.20'
    ),
    # Forms of CSV that people have.
    "forms/excel.csv": _lines("sep=;", "id;text", "1;The gamma pump is blue", "2;The delta pump is green"),
    "forms/title.csv": _lines(
        "Opening hours of the swimming pools",
        "",
        "pool,opens,closes",
        "Nordbad,6:30,21:00",
        "Sudbad,8:00,20:15",
    ),
    "forms/ragged.csv": _lines(
        "tool,shelf", "torque wrench,A7", "crimper,B2,borrowed by the night shift", "awl"
    ),
    "forms/western.csv": _lines("Stadt;Größe", "Köln;405,02 km²", "Zürich;87,88 km²", encoding="cp1252"),
    "forms/utf16.csv": _lines("cheese\tfat", "Gruyère\t32 %", "Féta\t21 %", encoding="utf-16"),
    # Empty and spanned cells keep their column.
    "cells/sales.html": b"""<h1>Bicycles sold in 2024</h1><table><tr><th>Store</th><th>Spring</th><th>Summer</th>
      <th>Autumn</th><th>Winter</th></tr><tr><td>Oslo</td><td></td><td>5</td><td></td><td>2</td></tr>
      <tr><td>Molde</td><td>7</td><td></td><td></td><td>9</td></tr></table>""",
    "cells/power.html": b"""<h1>Power of the heaters</h1><table><thead><tr><th rowspan=2>Heater</th>
      <th colspan=2>Watts</th></tr><tr><th>idle</th><th>full</th></tr></thead>
      <tr><td>Vulcan</td><td>12</td><td>1800</td></tr><tr><td>Ember</td><td colspan=2>640</td></tr></table>""",
    "cells/shifts.html": b"""<h1>Night shifts</h1><table><tr><th>Ward</th><th>Day</th><th>Nurse</th></tr>
      <tr><td rowspan=2>Cardiology</td><td>Monday</td><td>Amal</td></tr><tr><td>Tuesday</td><td>Birk</td></tr>
      <tr><td>Oncology</td><td>Monday</td><td>Chloe</td></tr></table>""",
    "cells/harvest.md": _lines(
        "# Harvest of 2023",
        "",
        "| Farm | Rye | Oats | Barley |",
        "|---|---|---|---|",
        "| Aasen | | 41 | |",
        "| Brekke | 17 | | 23 |",
    ),
    "cells/trains.csv": _lines("train,Lund,Kalmar,Visby", "T81,,07:10,", "T82,08:25,,11:40"),
    # A long table that is cut: each passage names the columns.
    "long/plans.md": _lines(
        "# Plans",
        "",
        "| Plan | Requests per minute | Storage GB | Price |",
        "| --- | ---: | ---: | --- |",
        *_plans("| tier{n} | {requests} | {gigabytes} | {price} |"),
    ),
    "long/quotas.html": (
        "<h1>Quotas</h1><table><tr><th>Quota</th><th>Uploads per hour</th><th>Disk GB</th><th>Fee</th></tr>"
        + "".join(_plans("<tr><td>quota{n}</td><td>{requests}</td><td>{gigabytes}</td><td>{price}</td></tr>"))
        + "</table>"
    ).encode(),
    "long/hosts.csv": _lines(
        "host,threads,memory GB,rack", *_plans("host{n},{requests},{gigabytes},{price}")
    ),
    # Ids that two tables share.
    "ids/gates.csv": _lines("id,text", "1,Gate one leads to Tromso.", "2,Gate two leads to Malmo."),
    "ids/docks.csv": _lines("id,text", "1,Dock one loads timber.", "2,Dock two loads salmon."),
    "ids/lifts.jsonl": _lines(
        '{"id": 1, "text": "Lift one carries skiers."}', '{"id": 2, "text": "Lift two rests."}'
    ),
    "ids/berths.tsv": _lines("id\ttext", "1\tBerth one is for ferries.", "2\tBerth two is for tugs."),
}

CASES: tuple[Case, ...] = (
    *(
        Case(f"{words} {sku}", "tables/catalogue.csv", (sku, name, price))
        for (sku, name, price, _), words in zip(
            (_PARTS[3], _PARTS[50], _PARTS[117], _PARTS[199]),
            ("price of", "what does it cost:", "stock of", "how much is"),
            strict=True,
        )
    ),
    *(
        Case(f"stock of {spelling(sku)}", "tables/catalogue.csv", (sku, name))
        for sku, name, _, _ in (_PARTS[8], _PARTS[61], _PARTS[142])
        for spelling in (_joined, _parted, str.lower, _wide)
    ),
    Case("Who has badge B-2042?", "tables/staff.tsv", ("Jonas Lie", "Hamar")),
    Case("Who has badge b2043?", "tables/staff.tsv", ("Kari Nordmann",)),
    Case("phone of Kari Nordmann", "tables/staff.tsv", ("76 10 20 43",)),
    Case("atomic number of argon", "tables/gases.jsonl", ("18", "Argon")),
    Case("How many does the canteen seat?", "tables/rooms.csv", ("120",)),
    Case("How many does the boardroom seat?", "tables/rooms.csv", ("14",)),
    Case("parcel up to 10 kg, outer zone", "tables/tariffs.csv", ("parcel up to 10 kg: 15.20",)),
    Case("Which pump is green?", "forms/excel.csv", ("delta",)),
    Case("When does Sudbad close?", "forms/title.csv", ("closes: 20:15",)),
    Case("Where is the crimper?", "forms/ragged.csv", ("B2", "borrowed by the night shift")),
    Case("Where is the torque wrench?", "forms/ragged.csv", ("A7",)),
    Case("Größe von Zürich", "forms/western.csv", ("Größe: 87,88 km²",)),
    Case("fat of Gruyère", "forms/utf16.csv", ("fat: 32 %",)),
    Case("bicycles sold in Oslo in spring", "cells/sales.html", ("Summer: 5", "Winter: 2"), ("Spring: 5",)),
    Case("bicycles sold in Molde in winter", "cells/sales.html", ("Winter: 9", "Spring: 7")),
    Case("Vulcan heater watts idle", "cells/power.html", ("Watts idle: 12", "Watts full: 1800")),
    Case("Ember heater watts", "cells/power.html", ("Watts idle: 640", "Watts full: 640")),
    Case(
        "Who has the Tuesday night shift in cardiology?",
        "cells/shifts.html",
        ("Ward: Cardiology; Day: Tuesday; Nurse: Birk",),
    ),
    Case("oats harvest of Aasen", "cells/harvest.md", ("Farm: Aasen; Oats: 41",), ("Rye: 41", "Barley: 41")),
    Case(
        "When does train T82 leave Lund?",
        "cells/trains.csv",
        ("Lund: 08:25", "Visby: 11:40"),
        ("Kalmar: 08:25",),
    ),
    Case("When does train T81 stop in Kalmar?", "cells/trains.csv", ("Kalmar: 07:10",), ("Lund: 07:10",)),
    Case("storage of plan tier67", "long/plans.md", ("tier67", "670", "201")),
    Case(
        "uploads per hour of quota81",
        "long/quotas.html",
        ("Quota: quota81; Uploads per hour: 810; Disk GB: 243",),
    ),
    Case("threads of host74", "long/hosts.csv", ("threads: 740", "memory GB: 222")),
    Case("Where does gate two lead?", "ids/gates.csv", ("Malmo",)),
    Case("What does dock two load?", "ids/docks.csv", ("salmon",)),
    Case("Whom does lift one carry?", "ids/lifts.jsonl", ("skiers",)),
    Case("For whom is berth one?", "ids/berths.tsv", ("ferries",)),
)
