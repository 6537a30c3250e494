"""People's sessions at the login pages: opened by a password, whole by all that the policy asks for, ended by idleness.

A session belongs to one account, and an account has one session at a time: a shared ID logs its sharers out of each other's (L01).
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeAlias

from msgspec.structs import replace

from fhir_server.auth.accounts.account import Account
from fhir_server.auth.accounts.policy import Policy
from fhir_server.auth.accounts.session import Session
from fhir_server.outcome import FhirError, Issue
from fhir_server.store.records import Records, now

Factor: TypeAlias = Literal["pwd", "otp", "hwk", "recovery"]
"""How somebody proves who she is; all but the last as RFC 8176 calls them."""
Step: TypeAlias = Literal["second-factor", "password", "second-factor/register"]
"""What a session lacks, named like the page that leads there."""


class Assignment(Protocol):
    """What a person is to one facility: the organization's reference, its 10-digit code, the role there."""

    @property
    def organization(self) -> str:
        """The facility: "Organization/1"."""

    @property
    def facility(self) -> str | None:
        """Its 10-digit code."""

    @property
    def role(self) -> str | None:
        """The code of the role."""


class Sessions:
    """Opens, gives and ends sessions; `idle` and `longest` say how long one lives unused and altogether.

    Use is noted once in `touch` at most, so that idleness may end a session earlier by that, never later. With `single` a new
    session of an account ends the others.
    """

    def __init__(
        self,
        records: Records[Session],
        policy: Policy,
        *,
        clock: Callable[[], datetime] = now,
        idle: timedelta = timedelta(minutes=5),
        longest: timedelta = timedelta(hours=12),
        touch: timedelta = timedelta(seconds=1),
        single: bool = True,
    ) -> None:
        self._records = records
        self._policy = policy
        self._clock = clock
        self._idle = idle
        self._longest = longest
        self._touch = touch
        self._single = single

    async def open(self, account: Account, factors: Sequence[Factor] = ("pwd",)) -> tuple[Session, str]:
        """Begin a session of somebody who has proved these factors; with it comes what its cookie holds."""
        cookie, moment = secrets.token_urlsafe(32), self._clock()
        session = Session(
            id=_name(cookie),
            account=account.id,
            fhir_user=account.fhir_user,
            opened=moment,
            touched=moment,
            expires=moment + min(self._idle, self._longest),
            until=moment + self._longest,
            csrf=secrets.token_urlsafe(32),
            factors=tuple(factors),
        )
        session = replace(session, whole=self.lacks(session, account) is None)
        await self._records.add(session)
        if self._single:
            await self.close_all(account=account.id, but=session)
        return session, cookie

    async def get(self, cookie: str | None) -> Session | None:
        """Give the session of a cookie and note its use; None where it has ended, as by five minutes without use (F060)."""
        session = await self._records.get(_name(cookie)) if cookie else None
        moment = self._clock()
        if session is None or moment >= session.expires or moment >= session.until:
            return None
        if moment - session.touched < self._touch:
            return session
        expires = min(moment + self._idle, session.until)
        return await self._records.change(session.id, lambda each: replace(each, touched=moment, expires=expires))

    def lacks(self, session: Session, account: Account) -> Step | None:
        """Tell what is to be done next until the session is whole, None where it is."""
        if account.has_second_factor and not session.is_two_factor:
            return "second-factor"
        if self._policy.standing(account, self._clock()).due:
            return "password"
        if self._policy.second_factor and not account.has_second_factor:
            return "second-factor/register"
        return None

    async def prove(self, session: Session, account: Account, *factors: Factor) -> Session:
        """Note what was proved since, or with no factor what was done (a password changed), and judge anew whether it is whole."""

        def proved(each: Session) -> Session:
            more = replace(each, factors=tuple(dict.fromkeys((*each.factors, *factors))))
            return replace(more, whole=self.lacks(more, account) is None)

        if session.account != account.id:
            raise _ended()
        return await self._changed(session, proved)

    async def choose(self, session: Session, assignment: Assignment) -> Session:
        """Work for this facility from now on, until another is chosen (F085)."""
        if not session.whole:
            raise FhirError(Issue("forbidden", "The login is not complete"))
        organization, facility, role = assignment.organization, assignment.facility, assignment.role
        plain = str(role) if role is not None else None
        return await self._changed(session, lambda each: replace(each, organization=organization, facility=facility, role=plain))

    async def close(self, session: Session) -> None:
        """End a session."""
        await self._records.remove(session.id)

    async def close_all(
        self, *, account: str | None = None, facility: str | None = None, everything: bool = False, but: Session | None = None
    ) -> int:
        """End the sessions of an account, of those who work for a facility (its code), or all there are; tells how many."""
        equal = {name: value for name, value in (("account", account), ("facility", facility)) if value is not None}
        if not equal and not everything:
            raise ValueError("whose sessions are to end?")
        if but is not None:
            return sum([await self._records.remove(each.id) for each in await self._records.find(**equal) if each.id != but.id])
        return await self._records.remove_all(**equal)

    async def _changed(self, session: Session, change: Callable[[Session], Session]) -> Session:
        changed = await self._records.change(session.id, change)
        if changed is None:
            raise _ended()
        return changed


def _ended() -> FhirError:
    return FhirError(Issue("login", "The session has ended"))


def _name(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).hexdigest()
