"""What may be asked of each type of search parameter: its prefixes and modifiers, for whoever has to be told.

https://hl7.org/fhir/R4/search.html#table
https://hl7.org/fhir/R4/search.html#prefix

The CapabilityStatement and the OpenAPI document tell it; tests ask the running server every bit of it.
"""

from collections.abc import Mapping
from typing import NamedTuple

_PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")

PREFIXES: Mapping[str, tuple[str, ...]] = {"number": _PREFIXES, "date": _PREFIXES, "quantity": _PREFIXES}

MODIFIERS: Mapping[str, tuple[str, ...]] = {
    "string": ("missing", "exact", "contains"),
    "token": ("missing", "not", "text", "in", "not-in", "above", "below", "of-type"),
    "reference": ("missing", "[type]", "identifier", "above", "below"),  # the latter for what is part of others, and for versions
    "uri": ("missing", "above", "below"),
    "number": ("missing",),
    "date": ("missing",),
    "quantity": ("missing",),
    "composite": (),
    "special": ("missing",),
}
_OWN = {"_id": ("missing",), "_text": (), "_content": ()}


class Common(NamedTuple):
    """A parameter of every search that no expression defines: its type, what it says, and its definition if R4 has one."""

    name: str
    type: str
    says: str
    definition: str | None = None


COMMON = (
    Common("_text", "string", "words in the narrative / 説明文の語", "http://hl7.org/fhir/SearchParameter/DomainResource-text"),
    Common("_content", "string", "words anywhere / 全文の語", "http://hl7.org/fhir/SearchParameter/Resource-content"),
    Common("_list", "string", "members of the List with this id / リストの要素"),
    Common("_has", "string", "_has:Type:parameter:parameter=value, resources that others refer to / 逆参照"),
    Common("_filter", "special", "an expression / 条件式", "http://hl7.org/fhir/SearchParameter/filter"),
    Common("_type", "token", "resource types, in a search of the whole system / システム全体の検索の型"),
)

RESULTS: Mapping[str, str] = {
    "_count": "resources on a page / 1 ページの件数",
    "_sort": "search parameters, - before one turns its order / 並べ替え",
    "_include": "Type:parameter, also what is referred to / 参照先も含める",
    "_revinclude": "Type:parameter, also what refers to it / 参照元も含める",
    "_summary": "true, text, data, count or false / 要約",
    "_elements": "only these elements / 指定した要素のみ",
    "_total": "none, estimate or accurate / 総数",
    "_contained": "true, both or false / 内包リソース",
    "_containedType": "container or contained / 内包リソースの返し方",
}
"""The parameters about what is given back: https://hl7.org/fhir/R4/search.html#return."""


def sentence(type: str, code: str = "") -> str:
    """Say which prefixes and modifiers a parameter of this type takes, or this one; empty where there are none."""
    parts = [f"prefixes {' '.join(PREFIXES[type])}"] if type in PREFIXES else []
    modifiers = _OWN.get(code, MODIFIERS[type])
    if modifiers:
        parts.append("modifiers " + " ".join(f":{modifier}" for modifier in modifiers))
    if type == "reference":
        parts.append("chains parameter.parameter")
    return "; ".join(parts)
