"""What holds of a person or a facility, made of the resources that say so."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any, Final

import msgspec

from fhir_server.auth.members import NETWORK
from fhir_server.auth.roles import FACILITY_ROLE_SYSTEM, FacilityRole
from fhir_server.consent.concerned import is_of_network
from fhir_server.consent.directive import Directive, among, directive
from fhir_server.consent.plain import Plain, plain
from fhir_server.exchange import Resource, Version
from fhir_server.search.expression import And, Expression, ForPatient, Has, OfType, Or
from fhir_server.search.query import Query
from fhir_server.store.golden import PREFIX
from fhir_server.store.repository import Repository
from fhir_server.store.sharing import Membership, Shared
from profiles import json
from profiles.primitives import date_span

_MOST: Final = 1000
_FACILITY_ROLES: Final = frozenset(each.value for each in FacilityRole)
_EVER: Final = 1 << 53


class Maker:
    """Makes what `Sharing` stores; `base` is this server's address, `zone` what dates without a time are meant in."""

    def __init__(self, everything: Repository, zone: tzinfo, base: str, clock: Callable[[], datetime]) -> None:
        self._everything = everything
        self._zone = zone
        self._clock = clock
        self._directive = lru_cache(maxsize=20_000)(lambda body: directive(json.decode(body), zone, base))

    def moment(self) -> int:
        """Tell the time in milliseconds since 1970."""
        return round(self._clock().timestamp() * 1000)

    def directives(self, shared: Shared) -> tuple[Directive, ...]:
        """Give the Consents of a person as rules."""
        return self._linked(shared.consents, shared.members)

    def _linked(self, consents: Iterable[bytes], members: Mapping[str, str]) -> tuple[Directive, ...]:
        """Of the facilities that a form names, those count whose Patient is linked (D2, D4): the others neither read nor are read."""
        custodians = frozenset(members.values())
        found = (among(self._directive(each), custodians) for each in consents)
        return tuple(each for each in found if each is not None)

    def boundaries(self, shared: Shared) -> Iterable[int]:
        """Give the moments (milliseconds) at which the clock changes what holds."""
        if shared.until is not None:
            yield round(shared.until.timestamp() * 1000)
        for each in self.directives(shared) if shared.special or not shared.written else ():
            if each.published_at is not None:
                yield each.published_at
            for rule in each.root.walk():
                if rule.period is not None:
                    yield from (rule.period.low, rule.period.high + 1)

    async def person(self, before: Shared) -> Shared:
        """Give what holds of the person now; the documents are to be rewritten where that differs."""
        members = await self._members(before.id)
        consents = await self._consents(members) if members else ()
        directives = self._linked(consents, members)
        moment = self.moment()
        simple = plain(directives, [each for each in members.values() if each], moment)
        readers = _with_network(simple.readers) if simple is not None else {}
        barred = tuple(sorted(simple.barred)) if simple is not None else ()
        former = tuple(dict.fromkeys(each for each in (*before.members, *before.former) if each not in members))
        same = (readers, barred, members) == (before.readers, before.barred, before.members) and former == before.former
        return msgspec.structs.replace(
            before,
            members=members,
            former=former,
            readers=readers,
            barred=barred,
            consents=consents,
            special=simple is None,
            until=_moment(simple),
            written=before.written and same,
            narrowed=(before.narrowed and not before.written) or not covers(readers, barred, before),
            since=before.since if same and before.since is not None else self._clock(),
        )

    async def facility(self, before: Membership) -> Membership:
        """Give what the facility is to the network now."""
        body = await self._body(before.id)
        if body is None:
            return msgspec.structs.replace(before, active=False)
        roles = sorted(code for code in _codes(body) if code in _FACILITY_ROLES)
        address: Mapping[str, Any] = next(iter(body.get("address", ())), {})
        return msgspec.structs.replace(
            before,
            active=body.get("active") is not False,
            roles=tuple(roles),
            parent=(body.get("partOf") or {}).get("reference"),
            city=str(address.get("city", "")),
            periods=await self._periods(before.id),
        )

    async def _members(self, id: str) -> dict[str, str]:
        """The Patients that are one person, with their custodians; nobody where the Patient belongs to a golden one."""
        own = await self._version(id)
        if id.startswith(PREFIX):
            linked = await self._find("Patient", Has("link", id))
            found = [*([own] if own is not None else []), *linked]
            return {each.reference: each.custodian or "" for each in found}
        if own is None or (PREFIX.encode() in (own.body or b"") and any(_links_to_golden(own))):
            return {}
        return {own.reference: own.custodian or ""}

    async def _consents(self, members: Iterable[str]) -> tuple[bytes, ...]:
        asked = Or(tuple(ForPatient(member) for member in members))
        found = await self._find("Consent", And((Has("status", "active"), asked)))
        return tuple(each.body for each in found if each.body is not None)

    async def _periods(self, organization: str) -> tuple[tuple[int, int], ...] | None:
        """The times of membership; None where none are told, so that only the Organization says it."""
        found = await self._find("OrganizationAffiliation", Has("participating-organization", organization))
        affiliations = [body for each in found if each.body is not None and is_of_network(body := json.decode(each.body))]
        if not affiliations and not found:
            return None
        return tuple(self._period(each.get("period") or {}) for each in affiliations)

    def _period(self, period: Mapping[str, Any]) -> tuple[int, int]:
        begin, end = period.get("start"), period.get("end")
        low = date_span(begin, self._zone)[0] if begin is not None else -_EVER
        return low, date_span(end, self._zone)[1] if end is not None else _EVER

    async def _find(self, type: str, expression: Expression) -> tuple[Version, ...]:
        page = await self._everything.find(Query(type, And((OfType((type,)), expression)), count=_MOST))
        return page.versions

    async def _version(self, reference: str) -> Version | None:
        return next(iter(await self._everything.get_several([reference])), None)

    async def _body(self, reference: str) -> Resource | None:
        found = await self._version(reference)
        return json.decode(found.body) if found is not None and found.body is not None else None


def _with_network(readers: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """What the network keeps of a person (the golden Patient, her Consents) is for the facilities that share her data (C40)."""
    found = {custodian: tuple(each) for custodian, each in readers.items() if each}
    named = {*found, *(each for several in found.values() for each in several)}
    return {**found, NETWORK: tuple(sorted(named))} if named else {}


def covers(readers: Mapping[str, tuple[str, ...]], barred: Collection[str], before: Shared) -> bool:
    """Tell whether all that could be read before may be read now, and nobody more is excluded."""
    kept = all(set(each) <= set(readers.get(custodian, ())) for custodian, each in before.readers.items())
    return kept and set(barred) <= set(before.barred)


def _moment(simple: Plain | None) -> datetime | None:
    return None if simple is None or simple.until is None else datetime.fromtimestamp(simple.until / 1000, UTC)


def _links_to_golden(patient: Version) -> Iterable[bool]:
    links = json.decode(patient.body or b"{}").get("link", ())
    return (str((link.get("other") or {}).get("reference", "")).startswith(PREFIX) for link in links)


def _codes(organization: Resource) -> list[str]:
    codings = [coding for concept in organization.get("type", ()) for coding in concept.get("coding", ())]
    return [coding["code"] for coding in codings if coding.get("system") == FACILITY_ROLE_SYSTEM and "code" in coding]
