"""What a client's developer is told when a request is refused; the errors are authlib's, made here so that no text can break them.

https://www.rfc-editor.org/rfc/rfc6749#section-5.2
https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
https://openid.net/specs/openid-connect-core-1_0.html#AuthError

Descriptions are English, for developers. They may hold printable ASCII only, without quotes and backslashes: RFC 6749 says
so, and authlib raises ValueError for anything else, which must not become a 500.
"""

import re
from typing import Any

from authlib.oauth2.rfc6749.errors import (
    AccessDeniedError,
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    UnauthorizedClientError,
)

__all__ = [
    "OAuth2Error",
    "access_denied",
    "interaction_required",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "invalid_token",
    "login_required",
    "plain",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
]

CLIENT_FAILED = "Client authentication failed"
"""The same for a client that is unknown, switched off, of another method, or has another secret or key."""


def plain(text: str) -> str:
    """Give a text with only the characters that error_description may have."""
    return re.sub(r"[^\x20\x21\x23-\x5b\x5d-\x7e]", "?", text.replace('"', "'"))


def invalid_request(text: str) -> Any:
    """A parameter is missing, repeated or malformed."""
    return InvalidRequestError(plain(text))


def invalid_client(text: str = CLIENT_FAILED, *, basic: bool = False) -> Any:
    """The client did not prove who it is: 401 where it tried HTTP Basic, else 400."""
    return InvalidClientError(plain(text), status_code=401 if basic else 400)


def invalid_grant(text: str) -> Any:
    """The code or refresh token is not honoured, or not for this client."""
    return InvalidGrantError(plain(text))


def invalid_scope(text: str) -> Any:
    """A scope is not understood or not to be had."""
    return InvalidScopeError(plain(text))


def unauthorized_client(text: str) -> Any:
    """The client may not ask in this way."""
    return UnauthorizedClientError(plain(text))


def invalid_token(text: str) -> Any:
    """A bearer token is not honoured (RFC 6750): 401."""
    return OAuth2Error(plain(text), status_code=401, error="invalid_token")


def access_denied(text: str) -> Any:
    """The person, or the server for her, said no."""
    return AccessDeniedError(plain(text))


def unsupported_grant_type() -> Any:
    """There is no such grant type here."""
    return OAuth2Error("grant_type is authorization_code, refresh_token or client_credentials", error="unsupported_grant_type")


def unsupported_response_type() -> Any:
    """Only codes are given."""
    return OAuth2Error("response_type must be code", error="unsupported_response_type")


def interaction_required(text: str) -> Any:
    """The person must see a page, which the request forbids (prompt=none)."""
    return OAuth2Error(plain(text), error="interaction_required")


def login_required(text: str) -> Any:
    """The person must log in (again)."""
    return OAuth2Error(plain(text), error="login_required")
