"""What patients and members allow at the moment of a request: what a permit is made of beside the token."""

from dataclasses import dataclass, field
from typing import Final

from fhir_server.access.finding import Finding
from fhir_server.access.policies import NOTHING_ASKED, Asked, Policies
from fhir_server.access.visibility import Facts, Visibility
from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from fhir_server.consent.making import Maker
from fhir_server.consent.register import Register, Snapshot
from fhir_server.search.parameters import Parameters


@dataclass(frozen=True)
class Basis:
    """The snapshot (told apart by its version), and the facts found out for one request."""

    version: int
    facts: Facts
    snapshot: Snapshot | None = field(default=None, compare=False)
    asked: Asked = field(default=NOTHING_ASKED, compare=False)

    def has_left(self, organization: str) -> bool:
        """Tell whether a facility that was a member is none any more (D11)."""
        return self.snapshot is not None and organization in self.snapshot.departed

    def visibility(self, requester: Requester, parameters: Parameters) -> Visibility | None:
        """Give what a facility's requester may read; None where no facility asks."""
        if self.snapshot is None or requester.organization is None:
            return None
        return Visibility(self.snapshot, self.asked, parameters, requester.organization, requester.purpose, self.facts)


NO_BASIS: Final = Basis(0, Facts())
_UNCONCERNED: Final = frozenset({Role.SECRETARIAT, Role.AUDITOR, Role.TESTER, Role.UPLOADER})


class Sharing:
    """Gives the basis of a request."""

    def __init__(self, register: Register, maker: Maker, finding: Finding) -> None:
        self._register = register
        self._policies = Policies(maker)
        self._finding = finding

    async def basis(self, requester: Requester) -> Basis:
        """Give what holds now, for this requester. Raises FhirError (503) where that cannot be known."""
        snapshot = await self._register.current()
        asked = self._policies.asked(snapshot)
        unconcerned = requester.role in _UNCONCERNED and requester.patient is None
        facts = Facts() if unconcerned else await self._finding.facts(requester, snapshot, asked)
        return Basis(snapshot.version, facts, snapshot, asked)
