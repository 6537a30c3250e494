"""The authorization server: its parts put together, and what its endpoints do, free of HTTP.

https://hl7.org/fhir/smart-app-launch/STU2.2/
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from fhir_server.auth.clients import CLIENTS, Client
from fhir_server.auth.cuts import Cuts
from fhir_server.auth.keys import Keys
from fhir_server.auth.oauth.addresses import Addresses
from fhir_server.auth.oauth.assertions import SEEN_ASSERTIONS, Assertions
from fhir_server.auth.oauth.client_authentication import ClientAuthentication, Presented
from fhir_server.auth.oauth.codes import CODES, Codes
from fhir_server.auth.oauth.grants import GRANTS, Grants, Lifetimes
from fhir_server.auth.oauth.issuing import Issuing
from fhir_server.auth.oauth.launches import LAUNCHES, Launches, requested
from fhir_server.auth.oauth.people import Assignments, People
from fhir_server.auth.oauth.public_keys import PublicKeys
from fhir_server.auth.oauth.refusals import invalid_client, invalid_request, invalid_token, unauthorized_client
from fhir_server.auth.oauth.requests import AUTHORIZATION_REQUESTS, Requests
from fhir_server.auth.oauth.revocation import Revocation
from fhir_server.auth.oauth.shared_secrets import SharedSecrets, VerifySecret
from fhir_server.auth.scopes import ScopeGrammar
from fhir_server.auth.throttle import Throttle
from fhir_server.auth.tokens import InvalidToken, Tokens
from fhir_server.store.records import Records, Shelf

KINDS: Final = (AUTHORIZATION_REQUESTS, CODES, GRANTS, LAUNCHES, SEEN_ASSERTIONS)
"""The kinds of records kept here, for Shelf.ensure."""

_MOST_CLIENTS: Final = 100_000


class AuthorizationServer:
    """One authorization server. `requests` and `launches` are for the pages and the launcher, `grants` for whoever ends things."""

    def __init__(
        self,
        *,
        shelf: Shelf,
        tokens: Tokens,
        keys: Keys,
        cuts: Cuts,
        scopes: ScopeGrammar,
        directory: Assignments,
        addresses: Addresses,
        verify_secret: VerifySecret,
        throttle: Throttle | None = None,
        lifetimes: Lifetimes | None = None,
        public_keys: PublicKeys | None = None,
        code_lasts: timedelta = timedelta(seconds=60),
    ) -> None:
        lifetimes = lifetimes or Lifetimes()
        self.addresses = addresses
        self.scopes = scopes
        self.keys = keys
        codes = Codes(shelf, code_lasts)
        people = People(shelf, directory)
        self.grants = Grants(shelf, cuts, lifetimes)
        self.launches = Launches(shelf)
        self.requests = Requests(shelf, scopes, addresses, self.launches, codes)
        assertions = Assertions(shelf, public_keys or PublicKeys(), addresses.token)
        self.clients = ClientAuthentication(shelf, assertions, SharedSecrets(verify_secret, throttle))
        self._registered: Records[Client] = shelf.records(CLIENTS)
        self._tokens = tokens
        self._cuts = cuts
        self._issuing = Issuing(
            tokens=tokens, scopes=scopes, codes=codes, grants=self.grants, people=people, addresses=addresses, lifetimes=lifetimes
        )
        self._revocation = Revocation(tokens, self.grants, people, cuts, addresses)

    async def token(self, presented: Presented) -> dict[str, Any]:
        """Answer a token request. Raises OAuth2Error."""
        if "grant_type" not in presented.fields:
            raise invalid_request("grant_type is missing")
        number = await self._cuts.number()  # before anything is looked at: what is cut from here on, the token does not survive
        presented = await self._named(presented)
        return await self._issuing.issue(await self.clients.authenticate(presented), presented, number)

    async def introspect(self, presented: Presented) -> dict[str, Any]:
        """Answer an introspection request. Raises OAuth2Error."""
        return await self._revocation.introspect(await self.clients.authenticate(presented), presented.fields)

    async def revoke(self, presented: Presented) -> None:
        """Revoke a token of the client that asks. Raises OAuth2Error."""
        await self._revocation.revoke(await self.clients.authenticate(presented), presented.fields)

    async def launch(self, presented: Presented) -> str:
        """Make a launch context for an EHR that asks with a bearer token of its own or as a client. Raises OAuth2Error."""
        client, person = await self._launching(presented)
        if not client.launches:
            raise unauthorized_client("This client is not registered to launch apps (launches)")
        context, app, account = requested(presented.fields, person)
        return await self.launches.open(client.id, context, client=app, account=account)

    async def origins(self) -> frozenset[str]:
        """Give the origins of the pages that are registered apps: their browsers may call the token endpoint."""
        return frozenset(
            origin
            for client in await self._registered.find(_MOST_CLIENTS)
            if client.active
            for uri in client.redirect_uris
            if (origin := _origin(uri)) is not None
        )

    async def _named(self, presented: Presented) -> Presented:
        """Name the client of a refresh token that comes without any: RFC 6749 asks public clients for no name there.

        A confidential client is not believed by its name (`ClientAuthentication`).
        """
        fields = presented.fields
        if fields["grant_type"] != "refresh_token" or presented.authorization or {"client_id", "client_assertion"} & fields.keys():
            return presented
        found = await self.grants.find(fields.get("refresh_token", ""))
        if found is None:
            return presented
        return replace(presented, fields={**fields, "client_id": found[0].authorization.client})

    async def _launching(self, presented: Presented) -> tuple[Client, str | None]:
        scheme, _, token = (presented.authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            client = await self.clients.authenticate(presented)
            if client.is_public:
                raise invalid_client("A launch needs client authentication, or an access token")
            return client, None
        try:
            verified = await self._tokens.verify(token.strip())
        except InvalidToken as error:
            raise invalid_token(str(error)) from None
        requester = verified.requester
        if requester.certificate is not None and requester.certificate != presented.certificate:
            raise invalid_token("The access token is bound to another certificate")
        active = await self.clients.active(requester.client)
        if active is None:
            raise invalid_client()
        return active, requester.subject if requester.is_person else None


def _origin(uri: str) -> str | None:
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme not in ("http", "https"):
        return None
    return f"{scheme}://{rest.partition('/')[0].partition('?')[0]}"
