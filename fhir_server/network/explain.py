"""Consent/$explain: why a facility sees, or does not see, a patient's data, in reason codes and without any of the data.

NETWORK.md D1-D11, F015, 4.4 ("なぜ見えないか"); docs/decisions/0019-consent.md

The secretariat, the auditor and the patient herself are told of every facility that has data of hers. A facility asks by its own Patient. Where it
asks for itself it is told of the facilities that stand in the same consent as it, and of no other: not where else the patient goes, nor what she
has agreed to with others. Where it asks for another facility it is told of its own data.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from fhir_server.auth.roles import Role
from fhir_server.consent.decision import decide
from fhir_server.consent.directive import Directive, directive
from fhir_server.consent.emergencies import PURPOSES, Emergencies
from fhir_server.consent.facts import Facts
from fhir_server.consent.making import Maker
from fhir_server.consent.provision import DENY
from fhir_server.consent.question import Question, Reason
from fhir_server.consent.register import is_member
from fhir_server.consent.vocabulary import vocabulary
from fhir_server.exchange import FhirResponse, Resource
from fhir_server.network.desk import Asked
from fhir_server.network.emergency.asking import named
from fhir_server.network.explanations import SYSTEM, TEXTS, Explanation
from fhir_server.network.matching.persons import NETWORK, Person, custodian, person
from fhir_server.outcome import FhirError, Issue, invalid, not_found
from fhir_server.search.expression import ForPatient, Or
from fhir_server.store.sharing import Membership
from profiles import json

_OF_ALL: Final = (Role.SECRETARIAT, Role.AUDITOR, Role.PATIENT)
_OF_FACILITIES: Final = (Role.PHYSICIAN, Role.PHARMACIST, Role.NURSE, Role.CLERK, Role.SYSTEM)
_TREATMENT: Final = "TREAT"
_DEEPEST: Final = 8


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is asked: whose data, who reads, for what, when (milliseconds); `told` are the custodians that may be told of, None for all."""

    person: Person
    reader: str
    purpose: str
    moment: int
    told: frozenset[str] | None


async def explain(asked: Asked) -> FhirResponse:
    """Say it for each custodian that may be told of, or once for all where none may.

    Raises FhirError: 403 for whoever may not ask, 404 for a patient whom he does not know: hidden looks like absent.
    """
    _permitted(asked)
    asking = await _asking(asked)
    found = [each async for each in _explained(asked, asking)]
    permitted = any(TEXTS[each.code].permits for each in found)
    parts = [{"name": "reason", "part": await _parts(asked, each)} for each in found]
    answer = [{"name": "permitted", "valueBoolean": permitted}, *parts]
    return FhirResponse(200, json.encode({"resourceType": "Parameters", "parameter": answer}))


def _permitted(asked: Asked) -> None:
    asked.require(*_OF_ALL, *_OF_FACILITIES)
    type = "AuditEvent" if asked.requester.role is Role.AUDITOR else "Consent"
    asked.seen.permit.require("read", (type,))
    if asked.requester.role in _OF_FACILITIES and asked.requester.organization is None:
        raise FhirError(Issue("forbidden", "The access token names no facility", ("http.path",)))


async def _asking(asked: Asked) -> _Asking:
    patient = named(asked, "patient", "Patient") or ""
    reader = named(asked, "organization", "Organization") or asked.requester.organization
    if reader is None:
        raise invalid("organization names the facility that reads", "Parameters.parameter.where(name='organization')", code="required")
    known = await _known(asked, patient)
    told = None
    if asked.requester.role in _OF_FACILITIES and reader != asked.requester.organization:
        told = frozenset({asked.requester.organization or ""})
    purpose = asked.arguments.one("purpose") or _TREATMENT
    return _Asking(known, reader, purpose, round(asked.desk.now().timestamp() * 1000), told)


async def _known(asked: Asked, patient: str) -> Person:
    """The person; only a facility's own Patient for a facility, only herself for a patient."""
    hidden = not_found("Patient", patient.partition("/")[2])
    try:
        found = await person(asked.desk, patient)
    except FhirError as failure:
        raise hidden if failure.status == 404 else failure from None
    members = {f"Patient/{each['id']}": each for each in found.members}
    if asked.requester.role is Role.PATIENT:
        known = {*members, found.reference}
        allowed = asked.requester.fhir_user in known and patient in known
    elif asked.requester.role in _OF_FACILITIES:
        allowed = patient in members and custodian(members[patient]) == asked.requester.organization
    else:
        allowed = True
    if not allowed:
        raise hidden
    return found


async def _explained(asked: Asked, asking: _Asking) -> AsyncIterator[Explanation]:
    maker = Maker(asked.desk.everything, asked.desk.terms.zone, asked.desk.serving.parameters.base, asked.desk.now)
    if (
        asking.told is None
        and asked.requester.organization == asking.reader
        and any(custodian(each) == asking.reader for each in asking.person.members)
    ):
        yield Explanation("own-data", asking.reader)
    if not is_member(await maker.facility(Membership(asking.reader)), asking.moment):
        yield Explanation("not-a-member")
        return
    if asking.purpose in PURPOSES and asking.reader == asked.requester.organization:
        opening = await Emergencies(asked.desk.shelf, asked.desk.everything).open_for(asked.requester, asking.purpose, asked.desk.now())
        if opening is not None:
            yield Explanation("emergency", until=opening.expires)
    directives = await _directives(asked, asking)
    question = Question(await _with_ancestors(maker, asking.reader), frozenset(), asking.purpose, asking.moment)
    concerned = _concerned(asked, asking, directives, question)
    for each in concerned:
        yield await _of(maker, asking, directives, question, each)
    if not concerned:
        yield _in_general(asking, directives, question)


async def _directives(asked: Asked, asking: _Asking) -> tuple[Directive, ...]:
    """The person's Consents, whatever their status; for a facility that asks for itself, those that speak of it."""
    patients = dict.fromkeys((asking.person.reference, *(f"Patient/{each['id']}" for each in asking.person.members)))
    found = await asked.desk.find("Consent", Or(tuple(ForPatient(each) for each in patients)))
    read = tuple(directive(each, asked.desk.terms.zone, asked.desk.serving.parameters.base) for each in found)
    if asked.requester.role not in _OF_FACILITIES or asking.told is not None:
        return read
    return tuple(each for each in read if asking.reader in _named(each) or not _named(each))


def _named(directive: Directive) -> frozenset[str]:
    """Every Organization that the consent's rules name."""
    return frozenset(
        actor.reference for rule in directive.root.walk() for actor in rule.actors if actor.reference.startswith("Organization/")
    )


def _concerned(asked: Asked, asking: _Asking, directives: tuple[Directive, ...], question: Question) -> tuple[str, ...]:
    """The custodians that may be told of, the reader's own data left out; whose data he sees, he knows of."""
    holding = {of for each in asking.person.members if (of := custodian(each)) not in (None, NETWORK)}
    named = {organization for each in directives for organization in _named(each)}
    if asking.told is not None:
        found = holding & asking.told
    elif asked.requester.role in _OF_FACILITIES:
        found = named | {each for each in holding if decide(directives, question, Facts("", "", each), vocabulary()).permits}
    else:
        found = holding | named
    return tuple(sorted(each for each in found if each is not None and each not in question.organizations))


async def _of(maker: Maker, asking: _Asking, directives: tuple[Directive, ...], question: Question, of: str) -> Explanation:
    """Why the reader sees what this custodian has, or does not."""
    if not any(custodian(each) == of for each in asking.person.members):
        return Explanation("not-linked", of)
    if not is_member(await maker.facility(Membership(of)), asking.moment):
        return Explanation("custodian-left", of)
    facts = Facts("", "", of)
    decision = decide(directives, question, facts, vocabulary())
    if decision.permits and asking.person.golden is None:
        return Explanation("not-linked", of)
    reason = Reason.CONSENTED if decision.permits else _first(decision.reasons)
    until = _until(directives, decision.consents, question) if reason in _TIMED else None
    return Explanation(str(reason), of, until, decision.consents)


def _in_general(asking: _Asking, directives: tuple[Directive, ...], question: Question) -> Explanation:
    """Where no custodian may be told of, or there is none: what speaks against it whoever has data."""
    if asking.person.golden is None:
        return Explanation("not-linked")
    if not directives:
        return Explanation(str(Reason.NO_CONSENT))
    decision = decide(directives, question, Facts("", "", None), vocabulary())
    return Explanation("no-data" if decision.permits else str(_first(decision.reasons)), consents=decision.consents)


_ORDER: Final = (
    Reason.STOPPED, Reason.PARTLY_STOPPED, Reason.TEMPORARILY_STOPPED, Reason.DISSENT, Reason.UNCLEAR, Reason.DATA_EXCLUDED,
    Reason.PURPOSE, Reason.ACTION, Reason.NOT_PUBLISHED, Reason.NOT_YET, Reason.EXPIRED, Reason.CUSTODIAN_NOT_NAMED, Reason.NOT_NAMED,
    Reason.SUPERSEDED, Reason.NO_CONSENT,
)  # fmt: skip
_TIMED: Final = frozenset({Reason.TEMPORARILY_STOPPED, Reason.NOT_YET})


def _first(reasons: Iterable[Reason]) -> Reason:
    """The one that says most, of several."""
    known = set(reasons)
    return next((each for each in _ORDER if each in known), Reason.NO_CONSENT)


def _until(directives: Iterable[Directive], consents: tuple[str, ...], question: Question) -> datetime | None:
    """When the clock changes it: the end of a stop that holds now, the beginning of what is to come."""
    moments: list[int] = []
    for each in directives:
        for rule in each.root.walk() if not consents or each.reference in consents else ():
            if rule.period is None:
                continue
            if rule.type == DENY and rule.period.low <= question.moment <= rule.period.high:
                moments.append(rule.period.high)
            elif rule.type != DENY and rule.period.low > question.moment:
                moments.append(rule.period.low)
    return _at(min(moments)) if moments else None


def _at(moment: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(moment / 1000, UTC)
    except (OverflowError, OSError, ValueError):  # a period without an end
        return None


async def _with_ancestors(maker: Maker, organization: str) -> tuple[str, ...]:
    found = [organization]
    while len(found) < _DEEPEST:
        parent = (await maker.facility(Membership(found[-1]))).parent
        if parent is None or parent in found:
            break
        found.append(parent)
    return tuple(found)


async def _parts(asked: Asked, explanation: Explanation) -> list[Resource]:
    """The code with its texts; Consents only for whoever may read them."""
    text: Mapping[str, str] = {"ja": TEXTS[explanation.code].japanese, "en": TEXTS[explanation.code].english}
    parts: list[Resource] = [
        {"name": "code", "valueCoding": {"system": SYSTEM, "code": explanation.code, "display": text["en"]}},
        {"name": "text", "valueString": f"{text['ja']} / {text['en']}"},
    ]
    if explanation.custodian is not None:
        parts.append({"name": "custodian", "valueReference": {"reference": explanation.custodian}})
    if explanation.until is not None:
        until = explanation.until.astimezone(asked.desk.terms.zone).isoformat(timespec="seconds")
        parts.append({"name": "until", "valueDateTime": until})
    if explanation.consents:
        readable = await asked.seen.get_several(explanation.consents)
        parts += [{"name": "consent", "valueReference": {"reference": each.reference}} for each in readable]
    return parts
