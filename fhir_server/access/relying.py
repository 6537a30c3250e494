"""On which consents somebody relies who was given what others keep: the audit log names them (CONSENT.md, D2)."""

from collections.abc import Sequence
from typing import Final

from fhir_server.auth.requester import Requester
from fhir_server.consent.directive import Directive, in_force
from fhir_server.consent.making import Maker
from fhir_server.consent.register import Register
from fhir_server.store.sharing import Shared, Sharing
from fhir_server.store.trace import Trace

_MOST: Final = 20
"""Patients whose consents one event names."""
_MOST_KNOWN: Final = 20_000


class Relying:
    """Finds the consents in force of the patients whose data was given out of another custody."""

    def __init__(self, register: Register, sharing: Sharing, maker: Maker) -> None:
        self._register = register
        self._sharing = sharing
        self._maker = maker
        self._known: dict[str, tuple[Directive, ...]] = {}
        register.told.append(self._forget)

    async def __call__(self, requester: Requester, trace: Trace) -> tuple[str, ...]:
        """Give their references, of a few patients at most."""
        if requester.organization is None:
            return ()
        patients = {patient for patient, custodian, _ in trace.seen if patient and custodian not in ("", requester.organization)}
        moment = self._maker.moment()
        found: dict[str, None] = {}
        for patient in sorted(patients)[:_MOST]:
            found |= dict.fromkeys(each.reference for each in in_force(await self._directives(patient), moment))
        return tuple(found)

    async def _directives(self, patient: str) -> tuple[Directive, ...]:
        """Give the consents that concern the patient: remembered as long as they are the same."""
        known = self._known.get(patient)
        if known is None:
            revision = self._register.revision
            shared = await self._sharing.of(patient)
            known = self._maker.directives(shared) if shared is not None else ()
            if revision == self._register.revision and len(self._known) < _MOST_KNOWN:
                self._known[patient] = known
        return known

    def _forget(self, persons: Sequence[Shared]) -> None:
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        for person in persons:
            for name in (person.id, *person.members, *person.former):
                self._known.pop(name, None)
