"""Clients of the network: apps that people use, and systems that ask for themselves.

A secret is made here, shown once and kept as a hash; keys and certificates are the client's own.
"""

import secrets
from collections.abc import Callable

from msgspec.structs import replace

from fhir_server.auth.accounts.passwords import Passwords
from fhir_server.auth.clients import CLIENTS, Client
from fhir_server.auth.registrations import Draft, Rules, register
from fhir_server.authorization.administration.endings import Endings
from fhir_server.authorization.administration.facilities import Facilities
from fhir_server.outcome import FhirError, Issue, conflict, invalid
from fhir_server.store.records import Records, Shelf

_BYTES = 32


class Clients:
    """Registers clients and changes them; what is switched off gets nothing more from that moment."""

    def __init__(self, shelf: Shelf, passwords: Passwords, facilities: Facilities, endings: Endings, rules: Rules) -> None:
        self._records: Records[Client] = shelf.records(CLIENTS)
        self._clock = shelf.clock
        self._passwords = passwords
        self._facilities = facilities
        self._endings = endings
        self._rules = rules

    async def add(self, draft: Draft, secret: str | None = None) -> tuple[Client, str | None]:
        """Register a client; give it and its secret, which nobody can be told again."""
        organization = (await self._facilities.active(draft.facility)).organization if draft.facility is not None else None
        if draft.method == "client_secret_basic" and secret is None:
            secret = new_secret()
        client = register(draft, self._rules, organization, "" if secret is not None else None, self._clock())
        if secret is not None:
            client = replace(client, secret=await self._passwords.hash(secret))
        if not await self._records.add(client):
            raise conflict(f"A client with the id {draft.id} exists already", "id")
        return client, secret

    async def all(self) -> list[Client]:
        """Give all clients in the order of their ids."""
        return await self._records.find(100_000)

    async def find(self, id: str) -> Client:
        """Give a client; raises FhirError where there is none."""
        found = await self._records.get(id)
        if found is None:
            raise _unknown(id)
        return found

    async def disable(self, id: str) -> Client:
        """Switch a client off; its tokens end."""
        client = await self._changed(id, lambda found: replace(found, active=False))
        await self._endings.client(id)
        return client

    async def enable(self, id: str) -> Client:
        """Switch a client on again, where its facility is in the network."""
        client = await self.find(id)
        if client.facility is not None:
            await self._facilities.active(client.facility)
        return await self._changed(id, lambda found: replace(found, active=True))

    async def renew_secret(self, id: str) -> str:
        """Give a client a new secret, which nobody can be told again. The old one and its tokens end."""
        if (await self.find(id)).method != "client_secret_basic":
            raise invalid(f"Client {id} has no secret: it proves who it is in another way", "method")
        secret = new_secret()
        hashed = await self._passwords.hash(secret)
        await self._changed(id, lambda found: replace(found, secret=hashed))
        await self._endings.client(id)
        return secret

    async def remove(self, id: str) -> None:
        """Forget a client; its tokens end."""
        if not await self._records.remove(id):
            raise _unknown(id)
        await self._endings.client(id)

    async def _changed(self, id: str, change: Callable[[Client], Client]) -> Client:
        changed = await self._records.change(id, change)
        if changed is None:
            raise _unknown(id)
        return changed


def new_secret() -> str:
    """Make a secret of 256 random bits."""
    return secrets.token_urlsafe(_BYTES)


def _unknown(id: str) -> FhirError:
    return FhirError(Issue("not-found", f"Client {id[:64]} is not known"))
