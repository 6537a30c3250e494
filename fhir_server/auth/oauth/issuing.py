"""What the token endpoint gives: access tokens, refresh tokens and ID tokens, for a code, a refresh token, or a system itself.

https://www.rfc-editor.org/rfc/rfc6749#section-5.1
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#response-5
https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html#issue-access-token

Each is the same three steps: load, let the rules decide, commit by one compare-and-swap. A token is made after the commit, and
given only if nothing ended the grant meanwhile: who ends it is then either seen here, or cuts a token that was there.
"""

from collections.abc import Mapping
from typing import Any, Final

from fhir_server.auth.clients import Client
from fhir_server.auth.oauth import rules
from fhir_server.auth.oauth.addresses import Addresses
from fhir_server.auth.oauth.client_authentication import Presented
from fhir_server.auth.oauth.codes import Code, Codes
from fhir_server.auth.oauth.credentials import digest, fresh
from fhir_server.auth.oauth.grants import Grant, Grants, Lifetimes
from fhir_server.auth.oauth.people import Authorization, People
from fhir_server.auth.oauth.refusals import (
    OAuth2Error,
    invalid_client,
    invalid_grant,
    invalid_scope,
    unauthorized_client,
    unsupported_grant_type,
)
from fhir_server.auth.scopes import ScopeError, ScopeGrammar
from fhir_server.auth.tokens import Tokens

GRANT_TYPES: Final = ("authorization_code", "refresh_token", "client_credentials")

Response = dict[str, Any]


class Issuing:
    """Answers the requests of authenticated clients for tokens."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        scopes: ScopeGrammar,
        codes: Codes,
        grants: Grants,
        people: People,
        addresses: Addresses,
        lifetimes: Lifetimes,
    ) -> None:
        self._tokens = tokens
        self._scopes = scopes
        self._codes = codes
        self._grants = grants
        self._people = people
        self._addresses = addresses
        self._lifetimes = lifetimes

    async def issue(self, client: Client, presented: Presented, number: int) -> Response:
        """Give the response to a request of this client; `number` is that of the last cut when it came. Raises OAuth2Error."""
        certificate = _bound_to(client, presented)
        match presented.fields.get("grant_type"):
            case "authorization_code":
                return await self._for_code(client, presented.fields, certificate, number)
            case "refresh_token":
                return await self._for_refresh_token(client, presented.fields, certificate, number)
            case "client_credentials":
                return await self._for_itself(client, presented.fields, certificate, number)
        raise unsupported_grant_type()

    async def _for_code(self, client: Client, fields: Mapping[str, str], certificate: str | None, number: int) -> Response:
        code = await self._codes.get(fields.get("code", ""))
        bound = rules.Bound(code.authorization.client, code.redirect_uri, code.challenge) if code is not None else None
        try:
            rules.check_code(fields, client, bound)
        except OAuth2Error:
            if code is not None:
                await self._spoil(code)
            raise
        assert code is not None
        if not self._codes.alive(code):
            raise invalid_grant("The code has expired (60 seconds)")
        family = fresh()
        if not await self._codes.use(code, digest(family)):
            await self._spoil(code)
            raise invalid_grant("The code was used before; what came of it is revoked")
        if not await self._people.session_goes_on(code.authorization):
            raise invalid_grant("The person has logged out meanwhile")
        grant, refresh_token = await self._grants.begin(family, code.authorization, certificate)
        response = await self._response(grant, self._within(code.authorization.scope, client), certificate, refresh_token, number)
        if await self._codes.was_brought_again(code):
            await self._grants.end(grant.id)
            raise invalid_grant("The code was used twice; what came of it is revoked")
        return response

    async def _spoil(self, code: Code) -> None:
        """A code that somebody else brings, or with a wrong verifier, or again, is in wrong hands: it is worth nothing, nor what came of it."""
        await self._codes.use(code, None)
        grant = await self._codes.again(code)
        if grant is not None:
            await self._grants.end(grant)

    async def _for_refresh_token(self, client: Client, fields: Mapping[str, str], certificate: str | None, number: int) -> Response:
        token = fields.get("refresh_token", "")
        found = await self._grants.find(token)
        grant = found[0] if found is not None else None
        rules.check_refresh(fields, client, grant.authorization.client if grant is not None else None)
        assert found is not None
        grant, is_last = found
        if not is_last:
            await self._grants.end(grant.id)
            raise invalid_grant("The refresh token was used before; all that came of this authorization is revoked")
        await self._check_lasting(grant, client, certificate)
        scope = self._narrowed(grant, client, fields.get("scope"))
        following = await self._grants.turn(grant, token)
        if following is None:
            await self._grants.end(grant.id)
            raise invalid_grant("The refresh token was used twice; all that came of this authorization is revoked")
        response = await self._response(grant, scope, certificate, following, number)
        if not await self._grants.lasts(grant.id):
            await self._grants.end(grant.id)
            raise invalid_grant("The authorization has ended meanwhile")
        return response

    async def _check_lasting(self, grant: Grant, client: Client, certificate: str | None) -> None:
        if self._grants.was_cut(grant):
            await self._grants.end(grant.id)
            raise invalid_grant("The authorization was revoked")
        if not grant.is_offline and not await self._people.session_goes_on(grant.authorization):
            raise invalid_grant("The session of the person has ended (online_access)")
        if client.is_public and grant.certificate is not None and grant.certificate != certificate:
            raise invalid_grant("The refresh token is bound to another certificate")

    async def _for_itself(self, client: Client, fields: Mapping[str, str], certificate: str | None, number: int) -> Response:
        if client.is_public or client.role is None:
            raise unauthorized_client("client_credentials is for confidential clients that are registered as a system")
        rules.check_client_credentials(fields, client)
        scope = self._of_system(client, fields.get("scope"))
        requester = await self._people.system(client, scope, certificate)
        token = await self._tokens.issue(requester, self._lifetimes.system, number)
        return _bearer(token, int(self._lifetimes.system.total_seconds()), scope)

    def _of_system(self, client: Client, scope: str | None) -> str:
        if scope is None:
            raise invalid_scope("scope is missing: a system asks for system/ scopes, such as system/Observation.rs")
        try:
            asked = self._scopes.parse(scope)
            granted = self._scopes.granted(scope, client.scope)
        except ScopeError as error:
            raise invalid_scope(str(error)) from None
        if asked.contexts != {"system"} or asked.others:
            raise invalid_scope("A system asks for system/ scopes only: there is no person, no patient and no launch")
        if not granted:
            raise invalid_scope("None of these scopes is in the registration of this client")
        return granted

    def _narrowed(self, grant: Grant, client: Client, scope: str | None) -> str:
        """Give the scopes of a refreshed token: those granted, or fewer, and none that the registration has lost."""
        granted = grant.authorization.scope
        try:
            asked = self._scopes.granted(scope, granted) if scope is not None else granted
        except ScopeError as error:
            raise invalid_scope(str(error)) from None
        if not asked:
            raise invalid_scope("None of these scopes was granted")
        return self._within(asked, client)

    def _within(self, scope: str, client: Client) -> str:
        try:
            left = self._scopes.granted(scope, client.scope)
        except ScopeError as error:
            raise invalid_scope(str(error)) from None
        if not left:
            raise invalid_scope("None of these scopes is in the registration of this client any more")
        return left

    async def _response(self, grant: Grant, scope: str, certificate: str | None, refresh_token: str | None, number: int) -> Response:
        authorization = grant.authorization
        try:
            requester = await self._people.requester(authorization, grant.id, scope, certificate)
        except OAuth2Error:
            await self._grants.end(grant.id)
            raise
        lifetime = self._lifetimes.of(grant)
        token = await self._tokens.issue(requester, lifetime, number)
        response = _bearer(token, int(lifetime.total_seconds()), scope)
        response |= _launch_context(authorization)
        if authorization.has("openid"):
            response["id_token"] = await self._identity(authorization)
        if refresh_token is not None:
            response["refresh_token"] = refresh_token
        return response

    async def _identity(self, authorization: Authorization) -> str:
        person = self._addresses.resource(authorization.fhir_user)
        claims = {
            "nonce": authorization.nonce,
            "auth_time": int(authorization.authenticated.timestamp()),
            "amr": list(authorization.factors) or None,
            "fhirUser": person if authorization.has("fhirUser", "profile") else None,
            "profile": person if authorization.has("profile") else None,
        }
        said = {name: value for name, value in claims.items() if value is not None}
        return await self._tokens.identity(authorization.client, authorization.account, said, self._lifetimes.access)


def _bearer(token: str, seconds: int, scope: str) -> Response:
    return {"access_token": token, "token_type": "Bearer", "expires_in": seconds, "scope": scope}


def _launch_context(authorization: Authorization) -> Response:
    """Give what the app is told of patient, encounter and the EHR's screen."""
    context = authorization.context
    if authorization.patient is None and context.encounter is None:
        return {}
    told: Response = {"need_patient_banner": context.need_patient_banner}
    for name, reference in (("patient", authorization.patient), ("encounter", context.encounter)):
        if reference is not None:
            told[name] = reference.partition("/")[2]
    if context.intent is not None:
        told["intent"] = context.intent
    return told


def _bound_to(client: Client, presented: Presented) -> str | None:
    """Give the certificate that the tokens of this request are bound to (RFC 8705)."""
    if not client.bound and client.method != "tls_client_auth":
        return None
    if presented.certificate is None:
        raise invalid_client("This client must ask with its client certificate (mutual TLS)")
    if client.certificates and presented.certificate not in client.certificates:
        raise invalid_client()
    return presented.certificate
