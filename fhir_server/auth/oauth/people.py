"""What a person has authorized, and whether it still holds: account, role at the facility, session.

NETWORK.md F104: who leaves a facility gets nothing more the same day, whatever refresh token an app still holds.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from fhir_server.auth.accounts.account import ACCOUNTS, Account
from fhir_server.auth.accounts.session import SESSIONS, Session
from fhir_server.auth.clients import Client
from fhir_server.auth.directory import Assignment, Facility
from fhir_server.auth.oauth.launches import Context
from fhir_server.auth.oauth.refusals import access_denied, invalid_grant
from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import OF_PEOPLE, Role
from fhir_server.store.records import Records, Shelf


class Assignments(Protocol):
    """Knows facilities and people; the directory of the server does."""

    async def assignments(self, fhir_user: str, /) -> Sequence[Assignment]:
        """Give the roles that somebody ("Practitioner/1") has now."""

    async def facility(self, organization: str, /) -> Facility | None:
        """Give the facility of a reference "Organization/1", None where there is none."""


class Authorization(msgspec.Struct, frozen=True, kw_only=True):
    """What a person allowed an app: who she is, as what and for which facility, which scopes, about which patient.

    `session` is the id of the session she did it in, `authenticated` when that began, `factors` how she proved who she is.
    """

    client: str
    account: str
    fhir_user: str
    session: str
    role: str
    scope: str
    authenticated: datetime
    factors: tuple[str, ...] = ()
    organization: str | None = None
    facility: str | None = None
    patient: str | None = None
    nonce: str | None = None
    context: Context = Context()

    def has(self, *scopes: str) -> bool:
        """Tell whether one of these scopes was granted."""
        return bool(set(scopes) & set(self.scope.split(" ")))


def role_of(session: Session) -> Role:
    """Give what the person of this session is. Raises access_denied where she is nothing yet."""
    if session.fhir_user.startswith("Patient/"):
        return Role.PATIENT
    if session.role is None or session.role not in OF_PEOPLE or session.role == Role.PATIENT:
        raise access_denied("The person has chosen no facility, or has no role there")
    return Role(session.role)


class People:
    """Judges what was authorized by what is true now."""

    def __init__(self, shelf: Shelf, assignments: Assignments) -> None:
        self._accounts: Records[Account] = shelf.records(ACCOUNTS)
        self._sessions: Records[Session] = shelf.records(SESSIONS)
        self._assignments = assignments
        self._clock = shelf.clock

    async def requester(self, authorization: Authorization, grant: str, scope: str, certificate: str | None) -> Requester:
        """Give who asks. Raises invalid_grant where the person is not what she was when she allowed it."""
        account = await self._accounts.get(authorization.account)
        if account is None or not account.active or account.fhir_user != authorization.fhir_user:
            raise invalid_grant("The account of the person is closed")
        assigned = await self._assigned(authorization)
        return Requester(
            subject=authorization.account,
            client=authorization.client,
            role=Role(authorization.role),
            scope=scope,
            organization=assigned.organization,
            facility=assigned.facility,
            facility_roles=assigned.facility_roles,
            fhir_user=authorization.fhir_user,
            patient=authorization.patient,
            grant=grant,
            certificate=certificate,
        )

    async def session_lasts(self, authorization: Authorization) -> bool:
        """Tell whether the session is still open."""
        return await self._sessions.get(authorization.session) is not None

    async def system(self, client: Client, scope: str, certificate: str | None) -> Requester:
        """Give the requester that a system is. Raises invalid_grant where its facility takes no part any more."""
        facility = await self._assignments.facility(client.organization) if client.organization is not None else None
        if client.organization is not None and (facility is None or not facility.active):
            raise invalid_grant("The facility of this client does not take part in the network")
        return Requester(
            subject=client.id,
            client=client.id,
            role=client.role,
            scope=scope,
            organization=client.organization,
            facility=client.facility,
            facility_roles=facility.roles if facility is not None else frozenset(),
            certificate=certificate,
        )

    async def session_goes_on(self, authorization: Authorization) -> bool:
        """Tell whether the session is still open, and note that it is used: an app that refreshes is in somebody's hands."""
        moment = self._clock()

        def used(session: Session) -> Session:
            idle = session.expires - session.touched
            return msgspec.structs.replace(session, touched=moment, expires=min(moment + idle, session.until))

        return await self._sessions.change(authorization.session, used) is not None

    async def _assigned(self, authorization: Authorization) -> Assignment:
        for each in await self._assignments.assignments(authorization.fhir_user):
            if each.organization == authorization.organization and each.role == authorization.role:
                return each
        raise invalid_grant("The person no longer has this role at this facility")
