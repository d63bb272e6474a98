"""Tables of a business, made from a seed: parts, trains, staff, weather, servers and who is on call."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import product

from benchmarks.tables.table import Asked, Row, Table

_NAMES = """
Anna Ben Carla David Elif Farid Greta Hugo Ines Jonas Kira Lukas Maja Nils Olga Pavel Quinn Rosa Samir
Tess Uwe Vera Wim Yara Zoe

Adler Berg Costa Dahl Eriksen Fischer Garcia Haugen Ivanova Jensen Kaya Lindqvist Moreau Novak Okafor
Petrov Rossi Schmidt Tanaka Vogel Weber Yilmaz

Aachen Bremen Dresden Erfurt Freiburg Göttingen Hamburg Jena Kassel Leipzig Mainz Nürnberg Potsdam
Rostock Stuttgart Ulm Würzburg

Airport Bridge Castle Dairy Harbour Hillside Lakeside Mill Observatory Quarry
"""
_FIRST_NAMES, _LAST_NAMES, _CITIES, _STATIONS = (one.split() for one in _NAMES.split("\n\n"))


def parts(seed: int) -> Table:
    """A catalogue of 2,000 parts in CSV with semicolons and decimal commas."""
    chance = random.Random(seed)
    kinds = (
        "hex bolt",
        "wood screw",
        "washer",
        "lock nut",
        "rivet",
        "dowel pin",
        "cable tie",
        "ball bearing",
    )
    sizes = ("M3", "M4", "M5", "M6", "M8", "M10", "M12", "M16", "M20", "M24")
    made_of = ("stainless steel", "brass", "nylon", "galvanised steel")
    finishes = ("plain", "black", "blue", "yellow", "clear", "red")
    names = [", ".join(one) for one in product(kinds, sizes, made_of, finishes)]
    skus = set[str]()
    while len(skus) < len(names):
        letters = "".join(chance.choices("ABCDEFGHKLMNPRSTUVWX", k=3))
        skus.add(f"{letters}-{chance.randrange(1000, 10000)}")
    chance.shuffle(names)
    rows = [
        {
            "SKU": sku,
            "Description": name,
            "Unit price (EUR)": f"{chance.randrange(1, 90)},{chance.randrange(100):02}",
            "In stock": str(chance.randrange(0, 9000)),
            "Warehouse": chance.choice(_CITIES),
            "Supplier": f"{chance.choice(_LAST_NAMES)} {chance.choice(('GmbH', 'AG', 'Ltd', 'SA'))}",
        }
        for sku, name in zip(sorted(skus), names, strict=True)
    ]
    asked = (
        Asked("Unit price (EUR)", lambda row: f"What does {row['SKU']} cost?"),
        Asked("In stock", lambda row: f"How many {row['SKU']} are left?"),
        Asked("Warehouse", lambda row: f"Where is part {row['SKU'].replace('-', '')} stored?"),
        Asked("Supplier", lambda row: f"Who supplies {row['SKU'].lower()}?"),
        Asked("SKU", lambda row: f"What is the part number of the {_spoken(row['Description'])}?"),
    )
    return Table("parts.csv", "Parts catalogue", tuple(rows[0]), rows, asked)


def _spoken(description: str) -> str:
    """A description in the order in which people say it: black M8 hex bolt in brass."""
    kind, size, material, finish = description.split(", ")
    return f"{finish} {size} {kind} in {material}"


def trains(seed: int) -> Table:
    """A timetable of 400 trains in Markdown."""
    chance = random.Random(seed)
    rows = []
    for number in sorted(chance.sample(range(100, 3000), 400)):
        start, end = chance.sample(_CITIES, 2)
        leaves, takes = chance.randrange(5 * 60, 21 * 60), chance.randrange(35, 175)
        rows.append(
            {
                "Train": f"{chance.choice(('IC', 'RE', 'RB'))} {number}",
                "From": start,
                "Departs": _clock(leaves),
                "To": end,
                "Arrives": _clock(leaves + takes),
                "Platform": str(chance.randrange(1, 15)),
                "Runs": chance.choice(("daily", "Mon-Fri", "Sat and Sun", "not on Sundays")),
            }
        )
    asked = (
        Asked("Departs", lambda row: f"When does {row['Train']} leave {row['From']}?"),
        Asked(
            "Platform",
            lambda row: (
                f"Which platform does the {row['Departs']} from {row['From']} to {row['To']} leave from?"
            ),
        ),
        Asked("Arrives", lambda row: f"When does {row['Train'].replace(' ', '')} get to {row['To']}?"),
        Asked("Runs", lambda row: f"On which days does train {row['Train']} run?"),
        Asked("To", lambda row: f"Where does the {row['Train']} go to?"),
    )
    return Table("timetable.md", "Timetable", tuple(rows[0]), rows, asked)


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def staff(seed: int) -> Table:
    """A directory of 300 people in XLSX; many share a first or a last name."""
    chance = random.Random(seed)
    people = chance.sample(list(product(_FIRST_NAMES, _LAST_NAMES)), 300)
    departments = [
        "Sales",
        "Purchasing",
        "Accounting",
        "Logistics",
        "Research",
        "Legal",
        "Human Resources",
        "IT Support",
    ]
    jobs = ("assistant", "specialist", "team lead", "analyst", "coordinator", "manager")
    extensions = chance.sample(range(1000, 9999), len(people))
    rows = [
        {
            "Name": f"{first} {last}",
            "Position": chance.choice(jobs),
            "Department": chance.choice(departments),
            "Room": f"{chance.choice('ABCD')}{chance.randrange(1, 6)}.{chance.randrange(1, 40):02}",
            "Extension": str(extension),
            "E-mail": f"{first}.{last}@example.com".lower(),
        }
        for (first, last), extension in zip(sorted(people), extensions, strict=True)
    ]
    asked = (
        Asked("Extension", lambda row: f"What is {row['Name']}'s phone extension?"),
        Asked("Department", lambda row: f"Which department does {row['Name']} work in?"),
        Asked("Room", lambda row: f"Where is the office of {row['Name']}?"),
        Asked("E-mail", lambda row: f"How can I mail {row['Name'].split()[1]}, {row['Name'].split()[0]}?"),
        Asked("Name", lambda row: f"Whose extension is {row['Extension']}?"),
    )
    return Table("staff.xlsx", "Staff directory", tuple(rows[0]), rows, asked)


def weather(seed: int) -> Table:
    """What ten stations measured on 150 days, in TSV."""
    chance = random.Random(seed)
    rows = []
    for day in _days(date(2026, 3, 1), 150):
        for station in _STATIONS:
            low = chance.randrange(-30, 160)
            rows.append(
                {
                    "Station": station,
                    "Date": day.isoformat(),
                    "Max. temperature (°C)": f"{(low + chance.randrange(20, 150)) / 10:.1f}",
                    "Min. temperature (°C)": f"{low / 10:.1f}",
                    "Rain (mm)": f"{chance.choice((0, 0, chance.randrange(300))) / 10:.1f}",
                    "Wind (km/h)": str(chance.randrange(2, 90)),
                }
            )
    asked = (
        Asked(
            "Max. temperature (°C)",
            lambda row: f"How warm did it get at {row['Station']} on {row['Date']}?",
        ),
        Asked("Rain (mm)", lambda row: f"How much did it rain at {row['Station']} on {_said(row['Date'])}?"),
        Asked("Wind (km/h)", lambda row: f"wind speed {row['Station'].lower()} {row['Date']}"),
        Asked(
            "Min. temperature (°C)",
            lambda row: f"What was the lowest temperature at {row['Station']} on {_said(row['Date'])}?",
        ),
    )
    return Table("weather.tsv", "Weather stations", tuple(rows[0]), rows, asked)


def on_call(seed: int) -> Table:
    """Who is on call, in PDF: a row a day, a column a place."""
    chance = random.Random(seed)
    places = ("Oslo", "Hamburg", "Porto")
    rows: list[Row] = [
        {"Date": f"{day.day} {day:%B} {day.year}"}
        | {place: f"{chance.choice(_FIRST_NAMES)} {chance.choice(_LAST_NAMES)}" for place in places}
        for day in _days(date(2026, 4, 1), 92)
    ]
    asked = tuple(Asked(place, _on_call(place)) for place in places)
    return Table("on-call.pdf", "On-call roster", ("Date", *places), rows, asked)


def _on_call(place: str) -> Callable[[Row], str]:
    return lambda row: f"Who is on call on {row['Date'].rsplit(' ', 1)[0]} in {place}?"


def servers(seed: int) -> Table:
    """An inventory of 300 servers in HTML, with a heading over two columns."""
    chance = random.Random(seed)
    roles = ("web", "db", "mail", "cache", "build", "backup", "proxy", "log")
    numbers: dict[str, int] = {}
    rows = []
    for _ in range(300):
        role, site = chance.choice(roles), chance.choice(("fra", "osl", "lis"))
        numbers[role + site] = numbers.get(role + site, 0) + 1
        rows.append(
            {
                "Host": f"{role}{numbers[role + site]:02}-{site}",
                "Address": f"10.{chance.randrange(8)}.{chance.randrange(256)}.{chance.randrange(1, 255)}",
                "Operating system": chance.choice(("Debian 12", "Debian 13", "Ubuntu 24.04", "Rocky 9")),
                "Memory (GB)": str(chance.choice((16, 32, 64, 128, 256))),
                "Rack": f"{chance.choice('RST')}{chance.randrange(1, 30)}",
                "Owner": f"{chance.choice(_FIRST_NAMES)} {chance.choice(_LAST_NAMES)}",
            }
        )
    rows.sort(key=lambda row: row["Host"])
    asked = (
        Asked("Address", lambda row: f"What is the IP address of {row['Host']}?"),
        Asked("Memory (GB)", lambda row: f"How much RAM does {row['Host']} have?"),
        Asked("Owner", lambda row: f"Who is responsible for {row['Host']}?"),
        Asked("Host", lambda row: f"Which server has the address {row['Address']}?"),
        Asked("Rack", lambda row: f"In which rack is {row['Host'].upper()}?"),
    )
    return Table("servers.html", "Server inventory", tuple(rows[0]), rows, asked)


def _days(first: date, count: int) -> Sequence[date]:
    return [first + timedelta(days=number) for number in range(count)]


def _said(day: str) -> str:
    """A date as people write it: 3 May 2026."""
    found = date.fromisoformat(day)
    return f"{found.day} {found:%B} {found.year}"
