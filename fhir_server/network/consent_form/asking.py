"""Who may ask for what about consents: roles, scopes, and whose patient or consent it is.

NETWORK.md F006, F076, F077; CONSENT.md C40; SECURITY.md S32. What a requester may not know of looks as if it were not there.
"""

from typing import Final

from fhir_server.auth.roles import FacilityRole, Role
from fhir_server.auth.scopes import ScopeError, ScopeGrammar
from fhir_server.exchange import Resource
from fhir_server.network.desk import Asked
from fhir_server.network.matching.persons import NETWORK, custodian, key, members
from fhir_server.outcome import FhirError, Issue, not_found

AT_A_FACILITY: Final = (Role.PHYSICIAN, Role.PHARMACIST, Role.NURSE, Role.CLERK, Role.SYSTEM)
_EXPLAINING: Final = frozenset({FacilityRole.PROVIDING, FacilityRole.SHARING})


def require_scope(asked: Asked, type: str, letter: str) -> None:
    """Raise FhirError (403) unless the token's scopes let the app write this type; a granular scope does not. GET changes nothing: 405."""
    if asked.request.by_get:
        issue = Issue("not-supported", f"${asked.request.operation} changes what is stored: use POST", ("http.method",))
        raise FhirError(issue, status=405, headers=(("Allow", "POST"),))
    grammar = ScopeGrammar(asked.desk.serving.parameters, asked.desk.terms.zone)
    try:
        scopes = grammar.parse(asked.requester.scope).resources
    except ScopeError:
        scopes = ()
    if not any(each.type in (type, "*") and letter in each.letters and not each.parameters for each in scopes):
        context = "user" if asked.requester.is_person else "system"
        text = f"${asked.request.operation} needs the scope {context}/{type}.{letter} / スコープが不足しています"
        raise FhirError(Issue("forbidden", text, ("http.header",)))


def require_facility(asked: Asked) -> str:
    """Give the facility on whose behalf is asked; raises FhirError (403) unless it provides or shares data and its people may explain."""
    asked.require(*AT_A_FACILITY)
    organization = asked.requester.organization
    if organization is None or not _EXPLAINING & asked.requester.facility_roles:
        text = "Only a facility that provides or shares data hands in consents / 情報提供施設・情報公開施設のみ提出できます"
        raise FhirError(Issue("forbidden", text, ("http.path",)))
    return organization


async def consent_of(asked: Asked) -> Resource:
    """Read the Consent that the address names. Raises FhirError (404) where there is none of the network's."""
    id = asked.request.id or ""
    found = await asked.desk.read(f"Consent/{id}")
    if found is None:
        raise not_found("Consent", id)
    return found


def patient_of(consent: Resource) -> str:
    """Give the reference of a consent's patient; "" where it names none."""
    return str((consent.get("patient") or {}).get("reference", ""))


async def own_patients(asked: Asked, patient: str) -> list[str]:
    """Give those Patients of a person who are the requester himself, or his facility's own, and whom he may see."""
    desk, requester = asked.desk, asked.requester
    everybody = {key(each): each for each in await members(desk, patient)}
    if (one := await desk.read(patient)) is not None:
        everybody[patient] = one
    if requester.role is Role.PATIENT:
        own = [each for each in everybody if each == requester.fhir_user]
    else:
        facility = requester.organization
        own = [reference for reference, each in everybody.items() if facility is not None and custodian(each) == facility]
    return [version.reference for version in await asked.seen.get_several(own)]


async def require_own(asked: Asked, consent: Resource) -> str:
    """Give the requester's own Patient of a consent; raises FhirError (404) where it is about nobody that he may speak for."""
    found = await own_patients(asked, patient_of(consent))
    if not found:
        raise not_found("Consent", consent["id"])
    return found[0]


def who(asked: Asked) -> Resource:
    """Give a reference to whoever asks, for the record."""
    requester = asked.requester
    if requester.fhir_user is not None:
        return {"reference": requester.fhir_user}
    return {"identifier": {"system": "urn:tsunagi:client", "value": requester.client or requester.subject}}


def decider(asked: Asked) -> str:
    """Give who decides for the network: the secretary, "Practitioner/1"."""
    return asked.requester.fhir_user or NETWORK


def text_of(asked: Asked, name: str, most: int = 500) -> str | None:
    """Give a text among the arguments; raises FhirError (422) where it is blank or too long."""
    value = asked.arguments.one(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        place = f"Parameters.parameter.where(name='{name}')"
        raise FhirError(Issue("business-rule", f"{name} is blank or longer than {most} characters / 空欄か、長すぎます", (place,)))
    return value.strip()
