"""The rules of OAuth 2 as authlib knows them, applied to records that have been loaded before.

https://docs.authlib.org/en/latest/oauth2/authorization-server/

authlib asks for clients, codes and tokens in the middle of its rules and saves what it makes; here they are handed to it,
nothing is saved, and what it leaves is judged: an asynchronous program loads, lets it decide, and commits by one
compare-and-swap. Ours are the rules that SMART adds (`requests`, `issuing`), and what would repeat a stranger's text in an error.
"""

from collections.abc import Mapping
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant
from authlib.oauth2.rfc6749.models import AuthorizationCodeMixin, ClientMixin, TokenMixin
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge

from fhir_server.auth.clients import Client
from fhir_server.auth.oauth.refusals import invalid_request, unsupported_response_type


def check_authorization(fields: Mapping[str, str], client: Client) -> None:
    """Judge a request to the authorization endpoint: its client, redirect_uri, response_type and PKCE. Raises OAuth2Error."""
    if fields.get("response_type") != "code":
        raise unsupported_response_type()
    _Server(client).get_consent_grant(_Request(fields))


def check_code(fields: Mapping[str, str], client: Client, code: "Bound | None") -> None:
    """Judge the exchange of a code: its client, redirect_uri and code_verifier. Raises OAuth2Error."""
    _Server(client, code=code).get_token_grant(_Request(fields)).validate_token_request()


def check_refresh(fields: Mapping[str, str], client: Client, owner: str | None) -> None:
    """Judge the use of a refresh token that was given to the client `owner`. Raises OAuth2Error."""
    unscoped = {name: value for name, value in fields.items() if name != "scope"}  # SMART's scopes are narrowed by what they mean
    _Server(client, owner=owner).get_token_grant(_Request(unscoped)).validate_token_request()


def check_client_credentials(fields: Mapping[str, str], client: Client) -> None:
    """Judge the request of a system for itself. Raises OAuth2Error."""
    _Server(client).get_token_grant(_Request(fields)).validate_token_request()


class Bound(AuthorizationCodeMixin):  # type: ignore[misc] # authlib has no types
    """What a code is bound to, in authlib's words."""

    def __init__(self, client: str, redirect_uri: str, challenge: str) -> None:
        self.client = client
        self.redirect_uri = redirect_uri
        self.code_challenge = challenge
        self.code_challenge_method = "S256"

    def get_redirect_uri(self) -> str:
        """Give the redirect_uri of the authorization request."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Give nothing: scopes are SMART's."""
        return ""


class _Client(ClientMixin):  # type: ignore[misc]
    def __init__(self, client: Client) -> None:
        self._client = client

    def get_client_id(self) -> str:
        return self._client.id

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str | None) -> str:
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self._client.redirect_uris  # the whole text, never a beginning or a pattern (S35)

    def check_client_secret(self, _: str) -> bool:
        return False

    def check_endpoint_auth_method(self, method: str, _: str) -> bool:
        return method == self._client.method

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and "authorization_code" in self._client.grant_types

    def check_grant_type(self, grant_type: str) -> bool:
        """Refresh tokens come with codes: whether there is one, the scopes of the registration tell."""
        return ("authorization_code" if grant_type == "refresh_token" else grant_type) in self._client.grant_types


class _Token(TokenMixin):  # type: ignore[misc]
    def __init__(self, owner: str) -> None:
        self._owner = owner

    def check_client(self, client: _Client) -> bool:
        return client.get_client_id() == self._owner


class _Request(OAuth2Request):  # type: ignore[misc]
    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("POST", "https://localhost/")  # whether the transport is safe is decided where requests come in
        self.payload = BasicOAuth2Payload(dict(fields))
        self._fields = dict(fields)

    @property
    def args(self) -> dict[str, str]:
        return self._fields

    @property
    def form(self) -> dict[str, str]:
        return self._fields


class _Pkce(CodeChallenge):  # type: ignore[misc]
    """PKCE by S256 only, and by everybody: also a confidential client's code can be stolen on its way."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)
    CODE_CHALLENGE_METHODS = {"S256": CodeChallenge.CODE_CHALLENGE_METHODS["S256"]}  # noqa: RUF012 - authlib's

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        fields = grant.request.payload.data
        if not fields.get("code_challenge"):
            raise invalid_request("PKCE is required: code_challenge is missing")
        if fields.get("code_challenge_method") != "S256":
            raise invalid_request("PKCE is required: code_challenge_method must be S256")
        super().validate_code_challenge(grant, redirect_uri)


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    @staticmethod
    def validate_authorization_redirect_uri(request: _Request, client: _Client) -> str:
        redirect_uri = str(request.payload.redirect_uri or "")
        if not client.check_redirect_uri(redirect_uri):
            raise invalid_request("redirect_uri is not one of those registered")
        return redirect_uri

    def query_authorization_code(self, _: str, client: _Client) -> Bound | None:
        code: Bound | None = self.server.code
        return code if code is not None and code.client == client.get_client_id() else None


class _RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]
    def authenticate_refresh_token(self, _: str) -> _Token | None:
        return _Token(self.server.owner) if self.server.owner is not None else None


class _Server(AuthorizationServer):  # type: ignore[misc]
    def __init__(self, client: Client, *, code: Bound | None = None, owner: str | None = None) -> None:
        super().__init__()
        self._client = _Client(client)
        self.code = code
        self.owner = owner
        self.register_grant(_CodeGrant, [_Pkce()])
        self.register_grant(_RefreshGrant)
        self.register_grant(ClientCredentialsGrant)

    def query_client(self, client_id: str) -> _Client | None:
        return self._client if client_id == self._client.get_client_id() else None

    def authenticate_client(self, *_: object, **__: object) -> _Client:
        """Give the client, which was authenticated before."""
        return self._client

    def send_signal(self, *_: object, **__: object) -> None:
        """Tell nobody."""

    def create_oauth2_request(self, request: _Request) -> _Request:
        return request
