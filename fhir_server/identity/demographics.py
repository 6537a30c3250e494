"""What a Patient says of who he is, in the forms that are compared.

https://hl7.org/fhir/R4/patient.html; NETWORK.md L27 (numbers of facilities, insured persons), F089 (地域患者ID). Whatever is malformed counts
as absent: nothing here raises on what a Patient may hold.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from fhir_server.exchange import Resource
from fhir_server.identity import normal
from fhir_server.identity.dates import iso_date
from fhir_server.identity.places import Place, place
from fhir_server.search.types.string import REPRESENTATION

FACILITY_NUMBER: Final = re.compile(r"urn:oid:1\.2\.392\.100495\.20\.3\.51\.1[0-4][0-9][1-3][0-9]{7}")
"""Systems of the patient numbers of facilities: 1, then the 10 digits of the 医療機関コード (JP-CLINS R1010)."""
MEMBER: Final = "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID"
"""保険者番号:記号:番号:枝番, as Patient.identifier or Coverage.identifier (JP-CLINS R1012)."""
REGIONAL: Final = "urn:tsunagi:regional-patient-id"
CUSTODIAN: Final = "urn:tsunagi:custodian"

_SPACES: Final = re.compile(r"[ \u3000]+")
_FORMER: Final = ("old", "maiden", "nickname")  # 通称 of foreign residents: a name he also bears
_NOBODY: Final = ("anonymous",)
ELDERLY: Final = re.compile(r"39\d{6}")


class Name(NamedTuple):
    """A personal name as compared: all of it without spaces, and its two parts where they are known."""

    whole: str
    family: str
    given: str


class Insured(NamedTuple):
    """An insured person: 保険者番号, 記号 and 番号 ("symbol:number"), 枝番 ("" where unknown).

    後期高齢者医療 (insurers 39…) numbers each person and has no 枝番: it is "-" there.
    """

    insurer: str
    number: str
    branch: str


class Number(NamedTuple):
    """A patient number: the facility's identifier system, the value as written."""

    system: str
    value: str


@dataclass(frozen=True, slots=True)
class Demographics:
    """Who a Patient is. Names, phones (digits from 0), postal codes and addresses are all that are current; `former` names are others.

    `birth` is an ISO date, perhaps only a year or month. `sex` is male, female or other, None where unknown. `deceased` is None where
    nothing is said, "no", "yes", or the day. `facilities` tell where the Patient is from: the systems of his numbers, his custodian.
    `written` are all names as written; `phones_written` and `insured_written` serve the search for candidates.
    """

    kana: tuple[Name, ...] = ()
    kanji: tuple[Name, ...] = ()
    former_kana: tuple[Name, ...] = ()
    former_kanji: tuple[Name, ...] = ()
    birth: str | None = None
    sex: str | None = None
    phones: frozenset[str] = frozenset()
    postal_codes: frozenset[str] = frozenset()
    places: tuple[Place, ...] = ()
    numbers: frozenset[Number] = frozenset()
    insured: frozenset[Insured] = frozenset()
    regional: frozenset[str] = frozenset()
    facilities: frozenset[str] = frozenset()
    deceased: str | None = None
    anonymous: bool = False
    written: tuple[str, ...] = ()
    phones_written: tuple[str, ...] = ()
    insured_written: tuple[str, ...] = ()


def demographics(patient: Resource, coverages: Iterable[Resource] = ()) -> Demographics:
    """Read a Patient; `coverages` are his Coverages, where insurance is not among his identifiers."""
    identifiers = list(_dicts(patient, "identifier"))
    members = [_text(each, "value") for each in identifiers if each.get("system") == MEMBER]
    members += [_text(each, "value") for one in coverages for each in _dicts(one, "identifier") if each.get("system") == MEMBER]
    phones = tuple(
        _text(each, "value") for each in _dicts(patient, "telecom") if each.get("system") == "phone" and each.get("use") != "old"
    )
    addresses = [each for each in _dicts(patient, "address") if each.get("use") != "old"]
    numbers = frozenset(
        Number(system, value)
        for each in identifiers
        if FACILITY_NUMBER.fullmatch(system := _text(each, "system")) and (value := _text(each, "value").strip())
    )
    names = list(_dicts(patient, "name"))
    return Demographics(
        **_names(names),
        birth=iso_date(_text(patient, "birthDate")),
        sex=sex if (sex := patient.get("gender")) in ("male", "female", "other") else None,
        phones=frozenset(filter(None, map(normal.phone, phones))),
        postal_codes=frozenset(filter(None, (normal.postal_code(_text(each, "postalCode")) for each in addresses))),
        places=tuple(dict.fromkeys(found for each in addresses if (found := place(_address(each))))),
        numbers=numbers,
        insured=frozenset(who for each in members if (who := insured(each))),
        regional=frozenset(_text(each, "value") for each in identifiers if each.get("system") == REGIONAL),
        facilities=frozenset(each.system for each in numbers) | _custodians(patient),
        deceased=_deceased(patient),
        anonymous=any(each.get("use") in _NOBODY for each in names),
        written=tuple(dict.fromkeys(text for each in names if (text := " ".join(_parts(each))))),
        phones_written=tuple(dict.fromkeys(filter(None, phones))),
        insured_written=tuple(dict.fromkeys(filter(None, members))),
    )


@lru_cache(maxsize=4_096)
def insured(written: str) -> Insured | None:
    """Read 保険者番号:記号:番号:枝番; None where insurer or number lack, or say nothing (0000)."""
    parts = [normal.insured_part(each) for each in written.split(":")]
    if len(parts) not in (3, 4) or not parts[0] or not parts[2] or len(set(parts[2])) == 1 < len(parts[2]):
        return None
    branch = "-" if ELDERLY.fullmatch(parts[0]) else parts[3] if len(parts) == 4 else ""
    return Insured(parts[0], f"{parts[1]}:{parts[2]}", branch)


def _names(names: Sequence[dict[str, Any]]) -> dict[str, tuple[Name, ...]]:
    found: dict[str, dict[Name, None]] = {"kana": {}, "kanji": {}, "former_kana": {}, "former_kanji": {}}
    for each in names:
        family, given, bracketed = _divided(each)
        former = "former_" if each.get("use") in _FORMER or _text(each, "period", "end") else ""
        for prefix, parts in ((former, (family, given)), *([("former_", (bracketed, given))] if bracketed else [])):
            if any(parts):
                script = "kana" if _is_kana(each, "".join(parts)) else "kanji"
                found[prefix + script][_name(script, *parts)] = None
    return {kind: tuple(values) for kind, values in found.items()}


def _divided(name: dict[str, Any]) -> tuple[str, str, str]:
    """Family name, given names, and what stood in brackets; a text is divided at its first space, or all of it is as a given name."""
    parts = _parts(name)
    if len(parts) == 1 and not _text(name, "family"):
        parts = [*_SPACES.split(parts[0].strip(), maxsplit=1)] if "given" not in name else parts
        parts = parts if len(parts) == 2 else ["", *parts]
    family, bracketed = normal.without_brackets(parts[0] if parts else "")
    given, more = normal.without_brackets(" ".join(parts[1:]))
    return family, given, bracketed or more


def _parts(name: dict[str, Any]) -> list[str]:
    given = [each for each in name.get("given") or () if isinstance(each, str)] if isinstance(name.get("given"), list) else []
    family = _text(name, "family")
    if family or given:
        return [family, *given] if family else given
    return [text] if (text := _text(name, "text")) else []


def _name(script: str, family: str, given: str) -> Name:
    one_form = normal.kana if script == "kana" else normal.kanji
    return Name(one_form(f"{family} {given}"), one_form(family), one_form(given))


def _is_kana(name: dict[str, Any], text: str) -> bool:
    """By its characters; a name in kana that says it is the written one (IDE) is taken as both are: sounds."""
    says = next((each.get("valueCode") for each in _dicts(name, "extension") if each.get("url") == REPRESENTATION), None)
    return normal.is_kana(text) and says != "IDE"


def _address(address: dict[str, Any]) -> str:
    if text := _text(address, "text"):
        return text
    lines = [each for each in address.get("line") or () if isinstance(each, str)] if isinstance(address.get("line"), list) else []
    return "".join([_text(address, "state"), _text(address, "city"), *lines])


def _custodians(patient: Resource) -> frozenset[str]:
    meta = patient.get("meta")
    tags = _dicts(meta, "tag") if isinstance(meta, dict) else iter(())
    found = {f"Organization/{_text(each, 'code')}" for each in tags if each.get("system") == CUSTODIAN}
    return frozenset(found | {reference} if (reference := _text(patient, "managingOrganization", "reference")) else found)


def _deceased(patient: Resource) -> str | None:
    if isinstance(said := patient.get("deceasedBoolean"), bool):
        return "yes" if said else "no"
    return (iso_date(day) or "yes") if (day := _text(patient, "deceasedDateTime")) else None


def _dicts(resource: Resource, element: str) -> Iterator[dict[str, Any]]:
    values = resource.get(element)
    yield from (each for each in values if isinstance(each, dict)) if isinstance(values, list) else ()


def _text(element: dict[str, Any], *path: str) -> str:
    value: Any = element
    for each in path:
        value = value.get(each) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
