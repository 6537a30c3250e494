"""A search that names a golden Patient means all patients linked to her.

The links are the facilities' Patients' own (Patient.link); which of them the requester may see, the permit says.
"""

from typing import Final

from fhir_server.search.expression import And, Expression, ForPatient, Has, Not, Or
from fhir_server.store.mongo import Mongo

PREFIX: Final = "Patient/golden-"


async def widened(expression: Expression, mongo: Mongo) -> Expression:
    """Give the expression with every golden Patient accompanied by those linked to her."""
    match expression:
        case And(parts):
            each = tuple([await widened(part, mongo) for part in parts])
            return expression if each == parts else And(each)
        case Or(parts):
            each = tuple([await widened(part, mongo) for part in parts])
            return expression if each == parts else Or(each)
        case Not(part):
            return Not(await widened(part, mongo))
        case ForPatient(patient) if patient.startswith(PREFIX):
            return Or(tuple(ForPatient(member) for member in await members(patient, mongo)))
        case Has(parameter, value) if value.startswith(PREFIX) and parameter != "link":
            return Or(tuple(Has(parameter, member) for member in await members(value, mongo)))
    return expression


async def members(golden: str, mongo: Mongo) -> tuple[str, ...]:
    """Give the golden Patient herself and all that are linked to her; a Patient that is not golden is alone."""
    if not golden.startswith(PREFIX):
        return (golden,)
    shared = await mongo.sharing.person(golden)
    return (golden, *(each for each in (shared.members if shared is not None else ()) if each != golden))
