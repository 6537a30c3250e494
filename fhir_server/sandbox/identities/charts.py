"""The same people as the facilities wrote them down: each in its way, and each with its mistakes.

A chart is a FHIR Patient in custody of one facility. Ways of writing: half-width or hiragana or large small kana, old kanji, addresses with
hyphens or Chinese numerals, numbers of any width. Mistakes: digits, neighbours, eras; missing, outdated and exchanged parts.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from fhir_server.identity.demographics import MEMBER
from fhir_server.sandbox.addresses import Address
from fhir_server.sandbox.identities.people import Card, Somebody
from fhir_server.sandbox.identities.spelling import another_kanji, changed_digit, kana_ways, mistyped, written_address, written_phone

FACILITIES: Final = tuple(f"37100{number:05d}" for number in range(1, 9))
REPRESENTATION: Final = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_VISITED: Final = ((1, 25), (2, 35), (3, 25), (4, 15))
_TWICE: Final = 0.01  # registered twice at one facility


@dataclass(frozen=True, slots=True)
class Chart:
    """One Patient of one facility; `person` is who it truly is."""

    person: Somebody
    facility: str
    patient: dict[str, Any]


def charts(seed: int, people: Sequence[Somebody]) -> tuple[Chart, ...]:
    """Write down these people at the facilities they visit."""
    rng = Random(f"charts {seed}")
    return tuple(chart for each in people for chart in _of(rng, each))


def _of(rng: Random, person: Somebody) -> Iterator[Chart]:
    visited = rng.choices([count for count, _ in _VISITED], [weight for _, weight in _VISITED])[0]
    places = rng.sample(FACILITIES, 1 if person.kind in ("unknown", "baby", "test") else visited)
    if rng.random() < _TWICE and person.kind != "test":
        places.append(places[0])
    for turn, place in enumerate(places):
        yield Chart(person, place, _patient(rng, person, place, turn))


def _patient(rng: Random, person: Somebody, facility: str, turn: int) -> dict[str, Any]:
    style = FACILITIES.index(facility)
    outdated = rng.random() < 0.25
    address = person.earlier_address if outdated and person.earlier_address else person.address
    card = person.earlier_card if outdated and person.earlier_card and rng.random() < 0.6 else person.card
    number = {"system": f"urn:oid:1.2.392.100495.20.3.51.1{facility}", "value": f"{person.key:07d}{turn}"}
    patient: dict[str, Any] = {
        "resourceType": "Patient",
        "id": f"p{person.key}-{style}-{turn}",
        "identifier": [number, *_insured(rng, person, card, style)],
        "name": _names(rng, person, style, outdated=outdated),
        "birthDate": _birth(rng, person),
    }
    optional: Mapping[str, Callable[[], Any]] = {
        "gender": lambda: _sex(rng, person),
        "telecom": lambda: _phones(rng, person, address, style),
        "address": lambda: _addresses(rng, address, style),
        "deceasedBoolean": lambda: True if rng.random() < 0.02 else None,
    }
    patient.update({element: value for element, make in optional.items() if (value := make())})
    return patient


def _sex(rng: Random, person: Somebody) -> str | None:
    chance = rng.random()
    right, wrong = ("male", "female") if person.sex == "M" else ("female", "male")
    return None if chance < 0.01 else wrong if chance < 0.013 else "unknown" if chance < 0.015 else right


def _birth(rng: Random, person: Somebody) -> str:
    written, chance = person.birth.isoformat(), rng.random()
    if chance < 0.005:
        return f"{written[:4]}-01-01"
    return changed_digit(rng, person.birth) if chance < 0.02 else written


def _insured(rng: Random, person: Somebody, card: Card, style: int) -> list[dict[str, str]]:
    """Absent in a quarter of charts, without a branch in a sixth, with a relative's branch or 01 for everybody in a few."""
    if rng.random() < 0.25:
        return []
    branch, chance = card.branch, rng.random()
    if branch:
        branch = "" if chance < 0.16 else "01" if chance < 0.17 else rng.choice(person.others or (branch,)) if chance < 0.18 else branch
    narrow = str.maketrans("０１２３４５６７８９", "0123456789")
    symbol, number = (each.translate(narrow) if style % 2 else each for each in (card.symbol, card.number))
    branch = branch.lstrip("0") if style == 3 else branch
    return [{"system": MEMBER, "value": f"{card.insurer}:{symbol}:{number}:{branch}"}]


def _names(rng: Random, person: Somebody, style: int, *, outdated: bool) -> list[dict[str, Any]]:
    family, family_kana = (person.name.family, person.name.family_kana)
    given, given_kana = another_kanji(rng, person.name.given, old=style > 3), person.name.given_kana
    maiden = person.maiden if person.maiden and (outdated or rng.random() < 0.1) else None
    names: list[dict[str, Any]] = []
    if maiden and rng.random() < 0.5:
        names += [_name("IDE", maiden[0], given, "maiden"), _name("SYL", maiden[1], given_kana, "maiden")]
    elif maiden:
        family, family_kana = maiden
    family, given = another_kanji(rng, family, old=style > 3), given if rng.random() > 0.01 else mistyped(rng, given)
    kana, kana_given = (kana_ways(rng, each, style) for each in (family_kana, given_kana))
    chance = rng.random()
    if chance < 0.01:
        kana_given = mistyped(rng, kana_given)
    elif chance < 0.015:
        family, given, kana, kana_given = given, family, kana_given, kana
    written = [_name("IDE", family, given)]
    if rng.random() > 0.03:
        written.append(_name("SYL", kana, kana_given) if rng.random() > 0.01 else {"use": "usual", "text": f"{kana}　{kana_given}"})
    return written + names


def _name(code: str, family: str, given: str, use: str = "usual") -> dict[str, Any]:
    extension = [{"url": REPRESENTATION, "valueCode": code}]
    return {"extension": extension, "use": use, "text": f"{family} {given}", "family": family, "given": [given]}


def _phones(rng: Random, person: Somebody, address: Address, style: int) -> list[dict[str, str]]:
    if rng.random() < 0.12:
        return []
    both = [address.phone, *([person.mobile] if person.mobile else [])]
    chosen = both if rng.random() < 0.4 else [rng.choice(both)]
    return [{"system": "phone", "value": written_phone(each, style)} for each in chosen]


def _addresses(rng: Random, address: Address, style: int) -> list[dict[str, str]]:
    if rng.random() < 0.05:
        return []
    postal = {"postalCode": address.postal_code if style % 2 else address.postal_code.replace("-", "")} if rng.random() > 0.1 else {}
    return [{"use": "home", "text": written_address(rng, address.text, style), **postal}]
