"""Grants: what came of one authorization, and the family of refresh tokens that continues it.

https://www.rfc-editor.org/rfc/rfc9700#section-4.14 (rotation: each refresh token works once)
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-a-refresh-token

A refresh token is FAMILY.TURN, two random values. The grant's id is the hash of the first, so that its name, which access
tokens carry, makes nobody a holder; the hash of the second is that of the last token given. Whoever brings the family with
another turn holds a copy: everything that came of the authorization ends. There is no grace for a request that is repeated
after its answer was lost: the person logs in once more, which is better than a thief who is not noticed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from fhir_server.auth import cuts as cut_keys
from fhir_server.auth.cuts import Cuts
from fhir_server.auth.oauth.credentials import digest, fresh, matches
from fhir_server.auth.oauth.people import Authorization
from fhir_server.auth.oauth.refusals import invalid_grant
from fhir_server.store.records import Kind, Records, Shelf

_MOST: Final = 100_000


class Lifetimes(msgspec.Struct, frozen=True, kw_only=True):
    """How long what is given lives: access tokens of people and of systems; refresh tokens unused, and altogether.

    A session that is not used ends after `session` (F060), and access tokens that go with it do not outlive that; those with
    offline_access have `access`. `online` is for online_access: each refresh notes that the session is used, so they must be
    short beside it. It may end earlier by that much, never later.
    """

    access: timedelta = timedelta(minutes=5)
    session: timedelta = timedelta(minutes=5)
    online: timedelta = timedelta(minutes=1)
    system: timedelta = timedelta(minutes=5)
    idle: timedelta = timedelta(days=30)
    longest: timedelta = timedelta(days=90)

    def of(self, grant: "Grant") -> timedelta:
        """Give how long an access token of this grant lives."""
        if grant.is_offline:
            return self.access
        return min(self.online if grant.is_renewable else self.session, self.access)


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """One authorization as it is used; `turn` is the hash of what the last refresh token ends with.

    `until` is the end whatever happens, `expires` the end unless it is used. `number` is that of the last cut when it began.
    """

    id: str
    authorization: Authorization
    created: datetime
    expires: datetime
    until: datetime
    number: int
    turn: str | None = None
    certificate: str | None = None

    @property
    def is_offline(self) -> bool:
        """Tell whether it outlives the session."""
        return self.authorization.has("offline_access")

    @property
    def is_renewable(self) -> bool:
        """Tell whether it has refresh tokens."""
        return self.authorization.has("offline_access", "online_access")


GRANTS: Final = Kind(
    "auth_grant",
    Grant,
    found_by=("authorization.account", "authorization.session", "authorization.client", "authorization.organization"),
)


class Grants:
    """The grants of all apps and people."""

    def __init__(self, shelf: Shelf, cuts: Cuts, lifetimes: Lifetimes) -> None:
        self._records: Records[Grant] = shelf.records(GRANTS)
        self._clock = shelf.clock
        self._cuts = cuts
        self._lifetimes = lifetimes

    async def begin(self, family: str, authorization: Authorization, certificate: str | None) -> tuple[Grant, str | None]:
        """Remember a new grant of this family; give it and its first refresh token, where it has any.

        Raises invalid_grant where somebody has been cut while it began: whoever ends all grants may not have seen this one.
        """
        turn = fresh()
        grant = self._new(family, authorization, certificate, await self._cuts.number())
        if grant.is_renewable:
            grant = msgspec.structs.replace(grant, turn=digest(turn), expires=self._idle_end(grant))
        await self._records.put(grant)
        if await self._cuts.number() != grant.number:
            await self._cuts.refresh()
            if self.was_cut(grant):
                await self._records.remove(grant.id)
                raise invalid_grant("The authorization was revoked meanwhile")
        return grant, f"{family}.{turn}" if grant.is_renewable else None

    async def find(self, token: str) -> tuple[Grant, bool] | None:
        """Give the grant that a refresh token belongs to, and whether the token is the last one; None where there is no such."""
        family, _, turn = token.partition(".")
        grant = await self._records.get(digest(family)) if turn else None
        if grant is None or grant.turn is None:
            return None
        return grant, matches(turn, grant.turn)

    async def turn(self, grant: Grant, token: str) -> str | None:
        """Use a refresh token up and give the next; None where another request has used it meanwhile."""
        family, turn = token.partition(".")[0], fresh()

        def turned(found: Grant) -> Grant | None:
            if found.turn != grant.turn:
                return None
            return msgspec.structs.replace(found, turn=digest(turn), expires=self._idle_end(found))

        return f"{family}.{turn}" if await self._records.change(grant.id, turned) is not None else None

    def was_cut(self, grant: Grant) -> bool:
        """Tell whether the person, her facility, the client, the network or the grant itself was cut since it began."""
        authorization = grant.authorization
        keys = [
            cut_keys.key("network", cut_keys.NETWORK),
            cut_keys.key("user", authorization.account),
            cut_keys.key("client", authorization.client),
            cut_keys.key("grant", grant.id),
            *([cut_keys.key("facility", authorization.organization)] if authorization.organization else []),
            *([cut_keys.key("certificate", grant.certificate)] if grant.certificate else []),
        ]
        return self._cuts.ended(keys, grant.number, grant.created)

    async def lasts(self, grant_id: str) -> bool:
        """Tell whether the grant has not ended."""
        return await self._records.get(grant_id) is not None

    async def end(self, grant_id: str) -> None:
        """End a grant: its refresh tokens and, at once, its access tokens."""
        await self._records.remove(grant_id)
        await self._cuts.cut("grant", grant_id)

    async def of_account(self, account: str) -> Sequence[Grant]:
        """Give the grants of a person: the apps she has let in."""
        return await self._records.find(_MOST, **{"authorization.account": account})

    async def end_session(self, session: str) -> None:
        """End what ends with a session: every grant of it but those with offline_access."""
        for grant in await self._records.find(_MOST, **{"authorization.session": session}):
            if not grant.is_offline:
                await self.end(grant.id)

    async def end_all(self, *, account: str | None = None, client: str | None = None, organization: str | None = None) -> int:
        """Forget the grants of a person, a client or a facility ("Organization/1"), of all where none is named; tells how many.

        Access tokens are not touched: who ends all of somebody's grants also cuts him (`Cuts.cut`).
        """
        named = {"account": account, "client": client, "organization": organization}
        return await self._records.remove_all(**{f"authorization.{name}": value for name, value in named.items() if value is not None})

    def _new(self, family: str, authorization: Authorization, certificate: str | None, number: int) -> Grant:
        moment = self._clock()
        return Grant(
            id=digest(family),
            authorization=authorization,
            created=moment,
            expires=moment + self._lifetimes.access,
            until=moment + self._lifetimes.longest,
            number=number,
            certificate=certificate,
        )

    def _idle_end(self, grant: Grant) -> datetime:
        return min(self._clock() + self._lifetimes.idle, grant.until)
