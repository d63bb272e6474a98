"""Letters of languages by how often they are written, to tell which reading of bytes is plausible."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alphabet:
    """A language's letters outside ASCII, most frequent first, and the encodings that it was written in."""

    letters: str
    encodings: tuple[str, ...]


_WEST = ("cp1252", "iso8859-15", "mac-roman", "cp850")
_CENTRE = ("cp1250", "iso8859-2", "cp852")
_RUSSIAN = ("cp1251", "koi8-r", "iso8859-5", "cp866", "mac-cyrillic")

# Orders after general frequency counts of each language; letters of other languages' names are left out.
ALPHABETS = {
    "German": Alphabet("üäößé", _WEST),
    "French": Alphabet("éàèêçôâîùûëïœæü", _WEST),
    "Spanish": Alphabet("óíáéñúü¿¡", _WEST),
    "Portuguese": Alphabet("ãçáéíóêõâúôàü", _WEST),
    "Italian": Alphabet("èàùòéì", _WEST),
    "Dutch": Alphabet("ëéïöüèê", _WEST),
    "Swedish": Alphabet("äåöé", _WEST),
    "Danish": Alphabet("øåæé", _WEST),
    "Finnish": Alphabet("äöå", _WEST),
    "Icelandic": Alphabet("ðáíþóæöéúý", _WEST),
    "Catalan": Alphabet("àóéèíòçúïü·", _WEST),
    "Polish": Alphabet("łąęóżśćńź", _CENTRE),
    "Czech": Alphabet("íáéěýřčžůšúťňóďö", _CENTRE),
    "Slovak": Alphabet("áíéčšýžľťúôňäďóĺŕ", _CENTRE),
    "Hungarian": Alphabet("áéöőíóüűú", _CENTRE),
    "Croatian": Alphabet("čšžćđ", _CENTRE),
    "Romanian": Alphabet("ăîâţş", _CENTRE),
    "Turkish": Alphabet("ıüşğöçİâî", ("cp1254", "iso8859-9", "mac-turkish")),
    "Lithuanian": Alphabet("ėąšūžįųčę", ("cp1257", "iso8859-13")),
    "Latvian": Alphabet("āīšēžņļūķčģ", ("cp1257", "iso8859-13")),
    "Russian": Alphabet("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё№", _RUSSIAN),
    "Bulgarian": Alphabet("аиоетнрсвлкдпмзугъчбцжщхйяшюф№", ("cp1251",)),
    "Ukrainian": Alphabet("оанивітерсклупдмзьягчбйхїцжюєшщфґ№", ("cp1251", "koi8-u")),
    "Serbian": Alphabet("аоиенртсвудклмпјзгбчцшхжњљћђфџ", ("cp1251",)),
    "Greek": Alphabet("αοιετνσηρπκςμλυόίάήέωδγχύθφώβξζψϊϋ", ("cp1253", "iso8859-7")),
    "Hebrew": Alphabet("יוהלאתברמשנםדעחקכפגסזטץןךף", ("cp1255",)),
    "Arabic": Alphabet("الينموترةبعدسفهكقحجشطصخإأىثذضزغظءآؤئ،؟", ("cp1256",)),
    "Persian": Alphabet("اینردهومتبشکسلگخزفقعپجآحچطصغثضظذژئ،؟", ("cp1256",)),
    "Thai": Alphabet("านรกอเงมยลวดทสตะปบคหแจพชขใไโผฟถซณธัี่้ิ็ืุูำๆฯ์", ("cp874",)),
}
