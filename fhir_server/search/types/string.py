"""Search parameters of type string.

https://hl7.org/fhir/R4/search.html#string

A string is found by how it begins, without regard to case, accents, width (ｻﾄｳ, サトウ), kana (さとう, サトウ), long vowels
(サトー, サトウ), old forms of kanji (渡邊, 渡辺), spaces and punctuation. So 佐藤 太郎 is found by 佐藤, by 太郎, by 佐藤太郎 and by 佐藤 太郎: its folded words are each
part between spaces, and all of it together. A text of more than MOST_WORDS parts (a description) is found by its
beginning only.

The index holds only the first 1, 2, 3 and 5 characters of each word: `index_prefix` says which entry serves a search;
the words themselves decide. A name asked in Latin letters is also asked in the kana it may stand for. A name in kana, as
its extension says, is what `_sort=name` goes by.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from functools import lru_cache
from typing import Any

from fhir_server.search.expression import EQUALS, LOW, TEXT, And, Contains, Exactly, Expression, Or, StartsWith
from fhir_server.search.parameters import Parameter
from fhir_server.search.types.asked import Asked, Refused, unsupported_modifier
from fhir_server.search.types.escapes import unescape
from fhir_server.search.types.found import Found
from fhir_server.search.types.japanese import ONE_FORM, one_sound
from fhir_server.search.types.romaji import readings
from profiles.fhirpath import Node

MOST_WORDS = 16
REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_KANA = "SYL"
_OF_PEOPLE = ("name", "family", "given")  # what may be asked in romaji
_SHORT = 64
_LENGTHS = (1, 2, 3, 5)
_VOICED_MARKS = "\u3099\u309a"  # the dots of が and ぱ: letters of their own, not accents
_GAPS, _PUNCTUATION = re.compile(r"[\s・]+"), re.compile(r"[^\w\s]|_")
_PARTS = {
    "HumanName": ("family", "given", "prefix", "suffix", "text"),
    "Address": ("line", "city", "district", "state", "country", "postalCode", "text"),
}


def fold(text: str) -> str:
    """Give the text as it is compared, its parts separated by single spaces."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(ONE_FORM)
        if not text.isascii():
            text = one_sound(_without_accents(text))
    text = text.casefold()
    spaced = _GAPS.sub(" ", text).strip()
    # What consists of punctuation only is found by its punctuation.
    return " ".join(_PUNCTUATION.sub("", spaced).split()) or spaced or text.strip()


def _without_accents(text: str) -> str:
    bare = "".join(
        character
        for character in unicodedata.normalize("NFD", text)
        if character in _VOICED_MARKS or unicodedata.category(character) != "Mn"
    )
    return unicodedata.normalize("NFC", bare)


def squeeze(text: str) -> str:
    """Fold a searched text: spaces inside do not count."""
    folded = words(text)
    return folded[0] if folded else ""


def words(text: str) -> tuple[str, ...]:
    """Give the folded words a text is found by: all of it, and each of its parts."""
    return _remembered(text) if len(text) <= _SHORT else _words(text)


def _words(text: str) -> tuple[str, ...]:
    folded = fold(text)
    parts = folded.split(" ")
    if len(parts) == 1:
        return (folded,) if folded else ()
    whole = one_sound("".join(parts))
    return (whole, *parts) if len(parts) <= MOST_WORDS else (whole,)


_remembered = lru_cache(maxsize=4096)(_words)  # a name is asked for once as name, once as family or given


def index_prefix(text: str) -> str:
    """Give the longest beginning of a folded text that the index holds: equality on it finds all candidates."""
    return text[: max((length for length in _LENGTHS if length <= len(text)), default=0)]


def entries(code: str, nodes: Iterable[Node], found: Found, zone: tzinfo) -> None:  # noqa: ARG001 - one signature
    """Add the beginnings of all words, the words, and the text as written."""
    seen: dict[str, None] = {}
    for type, value in nodes:
        for text in _texts(type, value):
            found.words.append(code + EQUALS + text)
            seen.update(dict.fromkeys(words(text)))
        if type == "HumanName":
            if "family" in value and "given" in value:
                seen.update(dict.fromkeys(_full_names(value)))
            if "extension" in value and _is_kana(value):
                found.words.append(code + LOW + _sorted_by(value))
    for word in seen:
        found.words.append(code + TEXT + word)
        for length in _LENGTHS:
            if length > len(word):
                break
            found.entries.append(code + TEXT + word[:length])


def _full_names(name: dict[str, Any]) -> tuple[str, str]:
    """佐藤太郎 and 太郎佐藤: people ask for either order."""
    family, given = squeeze(str(name["family"])), squeeze(" ".join(_strings(name["given"])))
    return one_sound(family + given), one_sound(given + family)


def _is_kana(name: dict[str, Any]) -> bool:
    """Tell whether the name says of itself that it is syllabic: カナ氏名, beside 漢字氏名 (IDE)."""
    return any(each.get("url") == REPRESENTATION and each.get("valueCode") == _KANA for each in name["extension"])


def _sorted_by(name: dict[str, Any]) -> str:
    """五十音順 of the family name, then of the given one."""
    family, given = squeeze(str(name.get("family", ""))), squeeze(" ".join(_strings(name.get("given"))))
    return f"{family} {given}" if family else squeeze(str(name.get("text", ""))) or given


def _texts(type: str, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in _PARTS.get(type, ("text",)):  # CodeableConcept.text, Annotation.text
            yield from _strings(value.get(part))
        if type == "CodeableConcept":
            for coding in value.get("coding", ()):
                yield from _strings(coding.get("display"))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))


def expression(parameter: Parameter, value: str, modifier: str, asked: Asked) -> Expression:  # noqa: ARG001
    """Give the expression of one searched text: begins with, or :exact, or :contains."""
    text = unescape(value)
    if modifier not in ("", "exact", "contains"):
        raise unsupported_modifier(modifier, "string")
    folded = squeeze(text)
    if modifier == "exact":
        exactly = Exactly(parameter.code, text)
        return And((StartsWith(parameter.code, folded), exactly)) if folded else exactly  # the index has the beginning only
    if not folded:
        raise Refused("The searched text is blank")
    if modifier:
        return Contains(parameter.code, folded)
    kana = readings(text) if parameter.code in _OF_PEOPLE else ()
    begins = tuple(StartsWith(parameter.code, each) for each in (folded, *kana))
    return begins[0] if len(begins) == 1 else Or(begins)
