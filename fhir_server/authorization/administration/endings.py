"""Ends sessions, the grants of apps and every token: of a person, a facility, a client or the whole network, at once.

NETWORK.md F101, F102, F104. What can make new tokens ends first, the tokens last, so that nothing grows back between.
"""

from fhir_server.auth.accounts.session import SESSIONS, Session
from fhir_server.auth.accounts.sessions import Sessions
from fhir_server.auth.cuts import Cuts
from fhir_server.auth.oauth.grants import Grants
from fhir_server.store.records import Records, Shelf


class Endings:
    """Ends what is open. Each tells how many sessions ended; a token ends wherever it is, and nobody counts them."""

    def __init__(self, shelf: Shelf, sessions: Sessions, grants: Grants, cuts: Cuts) -> None:
        self._records: Records[Session] = shelf.records(SESSIONS)
        self._sessions = sessions
        self._grants = grants
        self._cuts = cuts

    async def open_sessions(self, **equal: str) -> list[Session]:
        """Give the sessions that are open: all, those of an `account`, or those for a `facility` (its code)."""
        return await self._records.find(100_000, **equal)

    async def user(self, login: str) -> int:
        """End everything of one person."""
        ended = await self._sessions.close_all(account=login)
        await self._grants.end_all(account=login)
        await self._cuts.cut("user", login)
        return ended

    async def facility(self, organization: str) -> int:
        """End everything that is done for one facility ("Organization/1")."""
        ended = await self._records.remove_all(organization=organization)
        await self._grants.end_all(organization=organization)
        await self._cuts.cut("facility", organization)
        return ended

    async def client(self, id: str) -> None:
        """End everything that one client holds; the people who use it stay logged in."""
        await self._grants.end_all(client=id)
        await self._cuts.cut("client", id)

    async def network(self) -> int:
        """End everything of everybody."""
        ended = await self._sessions.close_all(everything=True)
        await self._grants.end_all()
        await self._cuts.cut("network")
        return ended
