"""On which consents somebody relies who was given what others keep: the audit log names them (CONSENT.md, D2)."""

from typing import Final

from fhir_server.auth.requester import Requester
from fhir_server.consent.directive import in_force
from fhir_server.consent.making import Maker
from fhir_server.store.sharing import Sharing
from fhir_server.store.trace import Trace

_MOST: Final = 20
"""Patients whose consents one event names."""


class Relying:
    """Finds the consents in force of the patients whose data was given out of another custody."""

    def __init__(self, sharing: Sharing, maker: Maker) -> None:
        self._sharing = sharing
        self._maker = maker

    async def __call__(self, requester: Requester, trace: Trace) -> tuple[str, ...]:
        """Give their references, of a few patients at most."""
        if requester.organization is None:
            return ()
        patients = {patient for patient, custodian, _ in trace.seen if patient and custodian not in ("", requester.organization)}
        moment = self._maker.moment()
        found: dict[str, None] = {}
        for patient in sorted(patients)[:_MOST]:
            shared = await self._sharing.of(patient)
            directives = self._maker.directives(shared) if shared is not None else ()
            found |= dict.fromkeys(each.reference for each in in_force(directives, moment))
        return tuple(found)
