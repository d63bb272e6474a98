"""Words that name columns, in the languages that tables come in most."""

from __future__ import annotations

import re

_IN_LANGUAGES = """
id ids key code codes sku ref reference number no nr num count counter index rank row line position
name names title label heading subject text texts content body passage description desc summary
abstract notes note comment comments remark remarks question questions answer answers type kind
category class group status state level stage tag tags topic language source url link email mail
phone tel address street city town village country region county province district postcode zip
location place site latitude longitude lat lon date day week month quarter year time start end begin
from to since until due created updated modified author authors owner user username customer client
supplier vendor manufacturer brand company organisation organization department team role job person
people employee manager contact first last firstname lastname surname gender sex age birthday
product products item items article articles part parts model version serial material colour color
size width height length depth weight volume area unit units quantity qty amount amounts stock price
prices cost costs fee fees rate rates value values total sum subtotal net gross tax vat discount
salary wage revenue sales budget balance currency min max mean average median score points percent
percentage share ratio population capital temperature speed power capacity warehouse shelf order
orders invoice account accounts transaction payment file filename path format duration hours minutes
priority severity error symptom cause action bezeichnung beschreibung artikel artikelnummer nummer
anzahl menge preis preise betrag summe gesamt datum monat jahr woche stadt ort land straße strasse
plz vorname nachname kunde lieferant firma abteilung einheit gewicht größe farbe bestand lager titel
inhalt frage antwort art gruppe kategorie einwohner wert währung bemerkung nom prénom ville pays
adresse numéro quantité prix montant jour mois année titre texte contenu catégorie unité poids
taille couleur valeur produit fournisseur désignation référence auteur nombre apellido ciudad país
dirección número cantidad precio importe fecha día mes año título texto contenido categoría unidad
peso tamaño valor producto proveedor descripción código autor nome cognome città paese indirizzo
numero quantità prezzo importo data giorno mese anno titolo testo naam plaats prijs aantal
omschrijving navn by pris antall beskrivelse dato år namn stad antal nazwa cena ilość opis miasto
kraj
имя название город страна цена количество дата год адрес описание
名称 姓名 城市 国家 价格 数量 日期 编号 类型 名前
価格 番号 日付 이름 가격 수량 날짜
"""
_NAMES = frozenset(_IN_LANGUAGES.split())
_MOST_WORDS = 4
_PARTS = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-zß-ÿ])(?=[A-Z])")
_IDENTIFIER = re.compile(r"_?[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+|[a-z]+(?:[A-Z][a-z0-9]+)+|\$\w+")
_UNIT = re.compile(r".+\s?[\[(][^\W\d]{1,6}[²³]?(?:/[^\W\d]{1,6})?[\])]|.+\s\[[^\]]{1,8}\]")


def names_a_column(text: str) -> bool:
    """Whether a cell reads as the name of a column: by its words, or its form.

    >>> [names_a_column(text) for text in ("Unit price", "first_name", "Width (mm)", "Check valve")]
    [True, True, True, False]
    """
    text = text.strip()
    if _IDENTIFIER.fullmatch(text) or _UNIT.fullmatch(text):
        return True
    words = [word.lower() for word in _PARTS.findall(_CAMEL.sub(" ", text))]
    if not 0 < len(words) <= _MOST_WORDS or any(map(str.isdigit, text)):
        return False
    return words[0] in _NAMES or words[-1] in _NAMES
