"""Which client asks: by a signed assertion, a shared secret, its certificate, or, for public clients, only by its name.

https://www.rfc-editor.org/rfc/rfc6749#section-2.3
https://www.rfc-editor.org/rfc/rfc8705#section-2 (tls_client_auth)

A client proves itself in the one way that it is registered with. authlib reads HTTP Basic; its own registry of methods cannot
wait for a database, and says which clients exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from authlib.oauth2.rfc6749.util import extract_basic_authorization

from fhir_server.auth.clients import CLIENTS, AuthenticationMethod, Client
from fhir_server.auth.oauth.assertions import TYPE, Assertion, Assertions
from fhir_server.auth.oauth.refusals import invalid_client, invalid_request
from fhir_server.auth.oauth.shared_secrets import SharedSecrets
from fhir_server.store.records import Records, Shelf

_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Presented:
    """What a client sent: the form, the header Authorization, the thumbprint of the connection's certificate; the address it has.

    Only a certificate that is good now may be handed in here: of this network, in time, not revoked.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    authorization: str | None = None
    certificate: str | None = None
    source: str = ""


class ClientAuthentication:
    """Authenticates clients by their registrations."""

    def __init__(self, shelf: Shelf, assertions: Assertions, secrets: SharedSecrets) -> None:
        self._clients: Records[Client] = shelf.records(CLIENTS)
        self._assertions = assertions
        self._secrets = secrets

    async def authenticate(self, presented: Presented) -> Client:
        """Give the client. Raises invalid_client, with one text for all that a stranger must not tell apart."""
        fields = presented.fields
        if "client_secret" in fields:
            raise invalid_request("client_secret in the body is not supported: use HTTP Basic or private_key_jwt")
        asserted = "client_assertion" in fields or "client_assertion_type" in fields
        if asserted and presented.authorization is not None:
            raise invalid_request("Use one way of client authentication, not two")
        if asserted:
            return await self._by_assertion(fields)
        if presented.authorization is not None:
            return await self._by_secret(presented.authorization, fields, presented.source)
        return await self._by_name(presented)

    async def active(self, client_id: str) -> Client | None:
        """Give a client that is registered and switched on."""
        if not client_id.isascii() or len(client_id) > _LONGEST:
            return None
        client = await self._clients.get(client_id)
        return client if client is not None and client.active else None

    async def _by_assertion(self, fields: Mapping[str, str]) -> Client:
        if fields.get("client_assertion_type") != TYPE:
            raise invalid_request(f"client_assertion_type must be {TYPE}")
        if "client_assertion" not in fields:
            raise invalid_request("client_assertion is missing")
        assertion: Assertion = self._assertions.read(fields["client_assertion"])
        client = await self._registered(assertion.client, "private_key_jwt", fields)
        if client is None:
            raise invalid_client()
        await self._assertions.verify(assertion, client)
        return client

    async def _by_secret(self, authorization: str, fields: Mapping[str, str], source: str) -> Client:
        client_id, secret = _basic(authorization)
        client = await self._registered(client_id, "client_secret_basic", fields)
        right = await self._secrets.is_right(client, secret, source)
        if client is None or not right:
            raise invalid_client(basic=True)
        return client

    async def _by_name(self, presented: Presented) -> Client:
        client_id = presented.fields.get("client_id")
        if client_id is None:
            raise invalid_client("There is no client authentication: client_assertion, HTTP Basic, or client_id of a public client")
        client = await self.active(client_id)
        if client is None or client.method not in ("none", "tls_client_auth"):
            raise invalid_client()
        if client.method == "tls_client_auth" and presented.certificate not in client.certificates:
            raise invalid_client()
        return client

    async def _registered(self, client_id: str, method: AuthenticationMethod, fields: Mapping[str, str]) -> Client | None:
        if fields.get("client_id", client_id) != client_id:
            raise invalid_request("client_id is not that of the client authentication")
        client = await self.active(client_id)
        return client if client is not None and client.method == method else None


def _basic(authorization: str) -> tuple[str, str]:
    try:
        client_id, secret = extract_basic_authorization({"Authorization": authorization})
    except ValueError:
        client_id = secret = None
    if not client_id or not secret:
        raise invalid_client("The header Authorization must be HTTP Basic with client_id and secret", basic=True)
    return client_id, secret
