"""Searches that find the Patients who may be the same person, each led by one entry of the index or a few.

docs/decisions/0005-indexes.md. No single key is trusted: whoever has a wrong birth date is found by name, insured number or telephone. A birth date that
stands for unknown (1 January), and one's name alone, would find thousands: they are asked together with something else.
"""

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Final, NamedTuple

from fhir_server.identity import dates, normal
from fhir_server.identity.demographics import ELDERLY, MEMBER, REGIONAL, Demographics
from fhir_server.identity.guards import names_nobody
from fhir_server.search.expression import And, Begins, Expression, Has, Or, Spans, StartsWith
from fhir_server.search.types.sortable import sortable_date
from fhir_server.search.types.string import squeeze
from profiles.primitives import date_span

_WIDE: Final = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F) if chr(code) != ":"})
_AREA_CODES: Final = (2, 3, 4, 5)


class Block(NamedTuple):
    """One search for candidates: what it goes by, and the Expression for Patients (of `insured-coverage`: for Coverages)."""

    key: str
    expression: Expression


def expressions(who: Demographics, zone: tzinfo) -> tuple[Expression, ...]:
    """Give the searches for Patients who may be this one; none where too little is said. `zone` is that of the
    search index: in the summers of 1948 to 1951 midnight in Japan was at another hour.
    """
    return tuple(each.expression for each in blocks(who, zone))


def blocks(who: Demographics, zone: tzinfo) -> tuple[Block, ...]:
    """Give the same searches with what each goes by."""
    return tuple(Block(key, expression) for key, expression in _blocks(who, zone) if expression != Or())


def coverages(who: Demographics) -> Expression | None:
    """Give the search for Coverages of the same insured person, whose beneficiaries are candidates; None without insurance."""
    return _one_of(_insured(who)) if who.insured else None


def _blocks(who: Demographics, zone: tzinfo) -> Iterator[tuple[str, Expression]]:
    names = () if names_nobody(who) else tuple(dict.fromkeys(filter(None, map(squeeze, who.written))))
    whole = who.birth is not None and len(who.birth) == len("1958-07-14")
    if whole and not dates.is_placeholder(who.birth):
        yield "birth-date", _born(str(who.birth), zone)
    yield "insured-id", _one_of(_insured(who))
    yield "phone", _one_of(Has("phone", each) for each in _phones(who))
    yield "regional-id", _one_of(Has("identifier", f"{REGIONAL}|{each}") for each in sorted(who.regional))
    named = [StartsWith("name", each) for each in names if len(each) >= 3]
    if named and who.birth is None:
        yield "name", _one_of(named)
    elif named:
        low, high = date_span(str(who.birth)[:4], zone)
        yield "name-birth-year", And((_one_of(named), Spans("birthdate", "eq", low, high)))
        if whole:
            yield "name-near-birth-date", And((_one_of(named), _one_of(_born(each, zone) for each in dates.mistaken(str(who.birth)))))


def _born(day: str, zone: tzinfo) -> Expression:
    return Begins("birthdate", sortable_date(date_span(day, zone)[0]))


def _phones(who: Demographics) -> Iterator[str]:
    """As written, and as it is usually written: with hyphens after an area code of any length, or with the country's."""
    yield from dict.fromkeys(each for each in who.phones_written if normal.phone(each))
    for digits in sorted(who.phones):
        yield digits
        yield f"+81{digits[1:]}"
        areas = (3,) if len(digits) == 11 else _AREA_CODES
        for area in areas:
            yield f"{digits[:area]}-{digits[area:-4]}-{digits[-4:]}"
        yield f"+81-{digits[1 : areas[0]]}-{digits[areas[0] : -4]}-{digits[-4:]}"


def _insured(who: Demographics) -> Iterator[Expression]:
    """The ways to write an insured person's identification: width, leading zeros of insurer and branch, and as it was written."""
    seen: dict[str, None] = {}
    for written in who.insured_written:
        seen[written] = None
        insurer, symbol, number, *branch = (*written.split(":"), "", "")[:4]
        for form in (str, _narrow, _wide):
            for each in (insurer, insurer.zfill(8)) if len(insurer) > 6 else (insurer,):
                for ending in _branches(branch[0] if branch else "", insurer):
                    seen[":".join((each, form(symbol), form(number), ending))] = None
    for each in seen:
        yield Has("identifier", f"{MEMBER}|{each}")


def _branches(branch: str, insurer: str) -> tuple[str, ...]:
    bare = normal.insured_part(branch)
    if not bare or ELDERLY.fullmatch(insurer):
        return ("", *((branch,) if branch else ()), "00")
    return tuple(dict.fromkeys((branch, bare, bare.zfill(2), "")))


def _narrow(text: str) -> str:
    return normal.insured_part(text)


def _wide(text: str) -> str:
    return _narrow(text).translate(_WIDE)


def _one_of(parts: Iterable[Expression]) -> Expression:
    each = tuple(dict.fromkeys(parts))
    return each[0] if len(each) == 1 else Or(each)
