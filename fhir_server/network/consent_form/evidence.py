"""What a patient signed, named in a request: a document or a form that is stored here and is this patient's.

NETWORK.md F077 (患者情報利用停止届出書), L17
"""

from typing import Final

from fhir_server.auth.roles import Role
from fhir_server.exchange import Resource
from fhir_server.network.desk import Asked
from fhir_server.network.matching.persons import key, members
from fhir_server.outcome import FhirError, Issue
from profiles import json

_PLACE: Final = "Parameters.parameter.where(name='source')"
_TYPES: Final = ("DocumentReference", "QuestionnaireResponse")


async def require_evidence(asked: Asked, patient: str, *, needed: bool) -> str | None:
    """Give the reference in the argument `source`, None where none is given and none needed.

    Raises FhirError (422) where one is needed, or the one named is not this person's, or not the requester's to see.
    """
    named = (asked.arguments.one("source") or {}).get("reference")
    if named is None:
        if needed:
            raise _refused("Name what the patient signed, a DocumentReference / 患者の届出書・同意書が必要です")
        return None
    found = await _read(asked, str(named))
    people = {patient, *(key(each) for each in await members(asked.desk, patient))}
    if found is None or found.get("subject", {}).get("reference") not in people:
        raise _refused("This document of the patient is not known here / この患者の文書が見つかりません")
    return str(named)


async def _read(asked: Asked, reference: str) -> Resource | None:
    """The secretariat names what it may not read itself; everybody else names what he sees and his own facility has stored."""
    if reference.partition("/")[0] not in _TYPES:
        return None
    if asked.requester.role is Role.SECRETARIAT:
        return await asked.desk.read(reference)
    found = await asked.seen.get_several([reference])
    theirs = [each for each in found if each.body is not None and each.custodian == asked.requester.organization]
    return json.decode(theirs[0].body or b"{}") if theirs else None


def _refused(text: str) -> FhirError:
    return FhirError(Issue("business-rule", text, (_PLACE,)))
