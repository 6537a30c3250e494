"""Asking about tokens (RFC 7662) and giving them back (RFC 7009).

https://www.rfc-editor.org/rfc/rfc7662
https://www.rfc-editor.org/rfc/rfc7009
https://hl7.org/fhir/smart-app-launch/STU2.2/token-introspection.html

A token that is not honoured, and one that the asking client has no business with, look the same: `{"active": false}`.
"""

from collections.abc import Mapping
from typing import Any

from fhir_server.auth.clients import Client
from fhir_server.auth.cuts import Cuts
from fhir_server.auth.oauth.addresses import Addresses
from fhir_server.auth.oauth.grants import Grant, Grants
from fhir_server.auth.oauth.people import People
from fhir_server.auth.oauth.refusals import OAuth2Error, invalid_client, invalid_request
from fhir_server.auth.tokens import InvalidToken, Tokens, Verified

Response = dict[str, Any]

_INACTIVE = {"active": False}


class Revocation:
    """Tells what a token is worth, and makes it worth nothing."""

    def __init__(self, tokens: Tokens, grants: Grants, people: People, cuts: Cuts, addresses: Addresses) -> None:
        self._tokens = tokens
        self._grants = grants
        self._people = people
        self._cuts = cuts
        self._addresses = addresses

    async def introspect(self, client: Client, fields: Mapping[str, str]) -> Response:
        """Say what a token is, to a client that may ask, or whose own it is. Raises OAuth2Error for a request that is none."""
        if client.is_public:
            raise invalid_client("Introspection needs client authentication")
        token = _token(fields)
        verified = await self._access(token)
        if verified is not None:
            return self._described(verified) if _may_ask(client, verified.requester.client) else dict(_INACTIVE)
        grant = await self._refresh(token)
        if grant is not None and _may_ask(client, grant.authorization.client):
            return await self._described_grant(grant)
        return dict(_INACTIVE)

    async def revoke(self, client: Client, fields: Mapping[str, str]) -> None:
        """Make a client's own token worth nothing, and with a refresh token all that came of its authorization.

        What is no token, or another client's, is passed over: what the client wants is true of it already.
        """
        token = _token(fields)
        verified = await self._access(token)
        if verified is not None and verified.requester.client == client.id:
            await self._cuts.cut("token", verified.jti)
            return
        found = await self._grants.find(token)
        if found is not None and found[0].authorization.client == client.id:
            await self._grants.end(found[0].id)

    async def _access(self, token: str) -> Verified | None:
        try:
            return await self._tokens.verify(token)
        except InvalidToken:
            return None

    async def _refresh(self, token: str) -> Grant | None:
        """Give the grant of a refresh token that could be used now; asking does not use it up."""
        found = await self._grants.find(token)
        if found is None or not found[1] or self._grants.was_cut(found[0]):
            return None
        grant = found[0]
        return grant if grant.is_offline or await self._people.session_lasts(grant.authorization) else None

    async def _described_grant(self, grant: Grant) -> Response:
        authorization = grant.authorization
        try:
            await self._people.requester(authorization, grant.id, authorization.scope, grant.certificate)
        except OAuth2Error:
            return dict(_INACTIVE)
        said = {
            "scope": authorization.scope,
            "client_id": authorization.client,
            "sub": authorization.account,
            "iss": self._addresses.issuer,
            "iat": int(grant.created.timestamp()),
            "exp": int(grant.expires.timestamp()),
        }
        return {"active": True, **said}

    def _described(self, verified: Verified) -> Response:
        requester = verified.requester
        said = {
            "token_type": "Bearer",
            "scope": requester.scope,
            "client_id": requester.client,
            "sub": requester.subject,
            "iss": self._addresses.issuer,
            "aud": self._addresses.base,
            "iat": int(verified.issued.timestamp()),
            "exp": int(verified.expires.timestamp()),
            "jti": verified.jti,
            "role": requester.role.value if requester.role is not None else None,
            "organization": requester.organization,
            "facility": requester.facility,
            "fhirUser": self._addresses.resource(requester.fhir_user) if requester.fhir_user else None,
            "patient": requester.patient.partition("/")[2] if requester.patient else None,
            "cnf": {"x5t#S256": requester.certificate} if requester.certificate else None,
        }
        return {"active": True, **{name: value for name, value in said.items() if value is not None}}


def _token(fields: Mapping[str, str]) -> str:
    token = fields.get("token")
    if token is None:
        raise invalid_request("token is missing")
    return token


def _may_ask(client: Client, owner: str) -> bool:
    return client.introspects or client.id == owner
