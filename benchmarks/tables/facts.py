"""Tables of public facts: chemical elements, countries, HTTP status codes and HTML entities."""

from __future__ import annotations

import unicodedata
from html.entities import name2codepoint
from http import HTTPStatus

from benchmarks.tables.table import Asked, Row, Table

_ELEMENTS = """
H Hydrogen He Helium Li Lithium Be Beryllium B Boron C Carbon N Nitrogen O Oxygen F Fluorine Ne Neon
Na Sodium Mg Magnesium Al Aluminium Si Silicon P Phosphorus S Sulfur Cl Chlorine Ar Argon K Potassium
Ca Calcium Sc Scandium Ti Titanium V Vanadium Cr Chromium Mn Manganese Fe Iron Co Cobalt Ni Nickel
Cu Copper Zn Zinc Ga Gallium Ge Germanium As Arsenic Se Selenium Br Bromine Kr Krypton Rb Rubidium
Sr Strontium Y Yttrium Zr Zirconium Nb Niobium Mo Molybdenum Tc Technetium Ru Ruthenium Rh Rhodium
Pd Palladium Ag Silver Cd Cadmium In Indium Sn Tin Sb Antimony Te Tellurium I Iodine Xe Xenon Cs Caesium
Ba Barium La Lanthanum Ce Cerium Pr Praseodymium Nd Neodymium Pm Promethium Sm Samarium Eu Europium
Gd Gadolinium Tb Terbium Dy Dysprosium Ho Holmium Er Erbium Tm Thulium Yb Ytterbium Lu Lutetium Hf Hafnium
Ta Tantalum W Tungsten Re Rhenium Os Osmium Ir Iridium Pt Platinum Au Gold Hg Mercury Tl Thallium Pb Lead
Bi Bismuth Po Polonium At Astatine Rn Radon Fr Francium Ra Radium Ac Actinium Th Thorium Pa Protactinium
U Uranium Np Neptunium Pu Plutonium Am Americium Cm Curium Bk Berkelium Cf Californium Es Einsteinium
Fm Fermium Md Mendelevium No Nobelium Lr Lawrencium Rf Rutherfordium Db Dubnium Sg Seaborgium Bh Bohrium
Hs Hassium Mt Meitnerium Ds Darmstadtium Rg Roentgenium Cn Copernicium Nh Nihonium Fl Flerovium
Mc Moscovium Lv Livermorium Ts Tennessine Og Oganesson
"""
_NOBLE_GASES = (2, 10, 18, 36, 54, 86, 118)

# Continent: country, capital, code, currency.
_COUNTRIES = """
Africa
Algeria Algiers DZ dinar; Angola Luanda AO kwanza; Botswana Gaborone BW pula; Cameroon Yaoundé CM CFA_franc
Egypt Cairo EG pound; Ethiopia Addis_Ababa ET birr; Ghana Accra GH cedi; Kenya Nairobi KE shilling
Madagascar Antananarivo MG ariary; Malawi Lilongwe MW kwacha; Mali Bamako ML CFA_franc
Morocco Rabat MA dirham; Mozambique Maputo MZ metical
Namibia Windhoek NA dollar; Niger Niamey NE CFA_franc
Nigeria Abuja NG naira
Rwanda Kigali RW franc; Senegal Dakar SN CFA_franc; Somalia Mogadishu SO shilling; Sudan Khartoum SD pound
Tunisia Tunis TN dinar; Uganda Kampala UG shilling; Zambia Lusaka ZM kwacha
Asia
Afghanistan Kabul AF afghani; Bangladesh Dhaka BD taka; Cambodia Phnom_Penh KH riel; China Beijing CN yuan
India New_Delhi IN rupee; Indonesia Jakarta ID rupiah; Iran Tehran IR rial; Iraq Baghdad IQ dinar
Japan Tokyo JP yen; Jordan Amman JO dinar; Kuwait Kuwait_City KW dinar; Laos Vientiane LA kip
Lebanon Beirut LB pound; Malaysia Kuala_Lumpur MY ringgit; Mongolia Ulaanbaatar MN tögrög
Nepal Kathmandu NP rupee; Oman Muscat OM rial; Pakistan Islamabad PK rupee; Philippines Manila PH peso
Qatar Doha QA riyal; Saudi_Arabia Riyadh SA riyal; South_Korea Seoul KR won; Syria Damascus SY pound
Thailand Bangkok TH baht; Uzbekistan Tashkent UZ som; Vietnam Hanoi VN dong; Yemen Sanaa YE rial
Europe
Albania Tirana AL lek; Austria Vienna AT euro; Belgium Brussels BE euro; Czechia Prague CZ koruna
Denmark Copenhagen DK krone; Estonia Tallinn EE euro; Finland Helsinki FI euro; France Paris FR euro
Germany Berlin DE euro; Greece Athens GR euro; Hungary Budapest HU forint; Iceland Reykjavik IS króna
Ireland Dublin IE euro; Italy Rome IT euro; Latvia Riga LV euro; Lithuania Vilnius LT euro
Luxembourg Luxembourg LU euro; Malta Valletta MT euro; Moldova Chișinău MD leu; Netherlands Amsterdam NL euro
Norway Oslo NO krone; Poland Warsaw PL złoty; Portugal Lisbon PT euro; Romania Bucharest RO leu
Serbia Belgrade RS dinar; Slovakia Bratislava SK euro; Slovenia Ljubljana SI euro; Spain Madrid ES euro
Sweden Stockholm SE krona; Switzerland Bern CH franc; Ukraine Kyiv UA hryvnia; United_Kingdom London GB pound
North America
Barbados Bridgetown BB dollar; Canada Ottawa CA dollar; Costa_Rica San_José CR colón; Cuba Havana CU peso
Dominican_Republic Santo_Domingo DO peso; Guatemala Guatemala_City GT quetzal; Haiti Port-au-Prince HT gourde
Honduras Tegucigalpa HN lempira; Jamaica Kingston JM dollar; Mexico Mexico_City MX peso
Nicaragua Managua NI córdoba; United_States Washington,_D.C. US dollar
Oceania
Australia Canberra AU dollar; Fiji Suva FJ dollar; New_Zealand Wellington NZ dollar; Samoa Apia WS tala
Papua_New_Guinea Port_Moresby PG kina; Tonga Nukuʻalofa TO paʻanga; Vanuatu Port_Vila VU vatu
South America
Argentina Buenos_Aires AR peso; Brazil Brasília BR real; Chile Santiago CL peso; Colombia Bogotá CO peso
Ecuador Quito EC dollar; Guyana Georgetown GY dollar; Paraguay Asunción PY guaraní; Peru Lima PE sol
Suriname Paramaribo SR dollar; Uruguay Montevideo UY peso
"""


def elements() -> Table:
    """The chemical elements in Markdown; some cells are empty, as lanthanides and actinides have no group."""
    words = _ELEMENTS.split()
    rows = [
        _element(number, symbol, name)
        for number, (symbol, name) in enumerate(zip(words[::2], words[1::2], strict=True), 1)
    ]
    asked = (
        Asked("Symbol", lambda row: f"What is the chemical symbol of {row['Name'].lower()}?"),
        Asked("Number", lambda row: f"Which atomic number does {row['Name']} have?"),
        Asked("Period", lambda row: f"In which period is the element {row['Name'].lower()}?"),
        Asked("Name", lambda row: f"Which element has the symbol {row['Symbol']}?"),
        Asked(
            "Group", lambda row: f"To which group of the periodic table does {row['Name'].lower()} belong?"
        ),
    )
    columns = ("Number", "Symbol", "Name", "Period", "Group", "Block")
    return Table("elements.md", "Periodic table of the elements", columns, rows, asked)


def _element(number: int, symbol: str, name: str) -> Row:
    period = next(at for at, last in enumerate(_NOBLE_GASES, 1) if number <= last)
    from_end = _NOBLE_GASES[period - 1] - number
    place = number - (_NOBLE_GASES[period - 2] if period > 1 else 0)
    if place <= 2 and name != "Helium":
        block, group = "s", str(place)
    elif name == "Helium":
        block, group = "s", "18"
    elif from_end < 6:
        block, group = "p", str(18 - from_end)
    elif from_end < 16:
        block, group = "d", str(18 - from_end)
    else:
        block, group = "f", ""
    return {
        "Number": str(number),
        "Symbol": symbol,
        "Name": name,
        "Period": str(period),
        "Group": group,
        "Block": block,
    }


def countries() -> Table:
    """Countries in HTML; one cell names the continent of all of its rows."""
    rows: list[Row] = []
    continent = ""
    for line in _COUNTRIES.strip().splitlines():
        if len(line.split(";")) == 1 and len(line.split()) < 4:
            continent = line
            continue
        for country in line.split(";"):
            words = [word.replace("_", " ") for word in country.split()]
            names = ("Country", "Capital", "Code", "Currency")
            rows.append({"Continent": continent, **dict(zip(names, words, strict=True))})
    asked = (
        Asked("Capital", lambda row: f"What is the capital of {row['Country']}?"),
        Asked("Currency", lambda row: f"What do people pay with in {row['Country']}?"),
        Asked("Code", lambda row: f"What is the two-letter code of {row['Country']}?"),
        Asked("Country", lambda row: f"Of which country is {row['Capital']} the capital?"),
        Asked("Continent", lambda row: f"On which continent is {row['Country']}?"),
    )
    columns = ("Continent", "Country", "Capital", "Code", "Currency")
    return Table("countries.html", "Countries of the world", columns, rows, asked)


def statuses() -> Table:
    """HTTP status codes, as Python has them, in CSV."""
    kinds = ("information", "success", "redirection", "client error", "server error")
    rows = [
        {
            "Code": str(one.value),
            "Reason phrase": one.phrase,
            "Kind": kinds[one.value // 100 - 1],
            "Meaning": one.description,
        }
        for one in HTTPStatus
    ]
    asked = (
        Asked("Reason phrase", lambda row: f"What does HTTP status {row['Code']} stand for?"),
        Asked("Code", lambda row: f"Which status code means {row['Reason phrase'].lower()}?"),
        Asked("Kind", lambda row: f"Is a {row['Code']} a client error or a server error?"),
    )
    return Table("http-status.csv", "HTTP status codes", tuple(rows[0]), rows, asked)


def entities() -> Table:
    """Named characters of HTML in TSV."""
    rows = [
        {
            "Entity": f"&{name};",
            "Character": chr(point),
            "Code point": f"U+{point:04X}",
            "Unicode name": unicodedata.name(chr(point)).lower(),
        }
        for name, point in sorted(name2codepoint.items())
        if not chr(point).isspace() and unicodedata.category(chr(point)) != "Cf"
    ]
    asked = (
        Asked("Entity", lambda row: f"Which HTML entity gives the {row['Unicode name']}?"),
        Asked("Code point", lambda row: f"What is the code point of {row['Unicode name']}?"),
        Asked("Unicode name", lambda row: f"Which character is {row['Code point']}?"),
    )
    return Table("entities.tsv", "Named characters", tuple(rows[0]), rows, asked)
