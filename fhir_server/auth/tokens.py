"""Access tokens and ID tokens: what they say, how they are signed, and what makes them worthless.

https://www.rfc-editor.org/rfc/rfc9068 (JWT profile of access tokens)
https://openid.net/specs/openid-connect-core-1_0.html#IDToken

An access token is `at+jwt`, an ID token `JWT`, and each names another audience: neither passes for the other (S35).
"""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError

from fhir_server.auth import cuts
from fhir_server.auth.cuts import Cuts
from fhir_server.auth.keys import ALGORITHM, Keys
from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role

ACCESS_TYPE: Final = "at+jwt"
IDENTITY_TYPE: Final = "JWT"
LONGEST: Final = 8192
"""Characters of a token; more is no token of anybody."""


class InvalidToken(Exception):  # noqa: N818 - an outcome, told to the client's developer
    """The token is not honoured; the text says why, and nothing of what it holds."""


@dataclass(frozen=True, slots=True)
class Verified:
    """An access token that is honoured: who asks, until when, and by which names it can be cut."""

    requester: Requester
    expires: datetime
    issued: datetime
    number: int | None
    jti: str
    keys: tuple[str, ...]


class Tokens:
    """Issues and verifies the tokens of one server: `issuer` is its own name, `audience` the FHIR base address."""

    def __init__(self, keys: Keys, cuts: Cuts, issuer: str, audience: str, clock: Callable[[], datetime]) -> None:
        self.issuer = issuer
        self.audience = audience
        self._keys = keys
        self._cuts = cuts
        self._clock = clock

    async def issue(self, requester: Requester, lifetime: timedelta, number: int | None = None) -> str:
        """Sign an access token for this requester.

        `number` is that of the last cut before anything that the token rests on was looked at: whoever was cut since is cut.
        """
        moment = self._clock()
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": requester.subject,
            "client_id": requester.client,
            "iat": int(moment.timestamp()),
            "exp": int((moment + lifetime).timestamp()),
            "jti": secrets.token_urlsafe(16),
            "seq": number if number is not None else await self._cuts.number(),
            "scope": requester.scope,
            **_claims(requester),
        }
        return await self._signed(ACCESS_TYPE, claims)

    async def identity(self, client: str, subject: str, claims: Mapping[str, Any], lifetime: timedelta) -> str:
        """Sign an ID token that tells a client who logged in; `claims` holds nonce, auth_time, fhirUser and the like."""
        moment = self._clock()
        own = {"iss": self.issuer, "aud": client, "sub": subject, "iat": int(moment.timestamp())}
        return await self._signed(IDENTITY_TYPE, {**claims, **own, "exp": int((moment + lifetime).timestamp())})

    async def verify(self, text: str) -> Verified:
        """Give what an access token of this server says. Raises InvalidToken for anything that is not one, or not any more."""
        claims = await self._claims_of(text)
        verified = self._read(claims)
        if verified.expires <= self._clock():
            raise InvalidToken("The access token has expired")
        if self._cuts.ended(verified.keys, verified.number, verified.issued):
            raise InvalidToken("The access token has been revoked")
        return verified

    @property
    def version(self) -> int:
        """Counts up whenever a signing key is withdrawn: what was verified before is to be forgotten."""
        return self._keys.version

    def are_to_judge(self, text: str) -> bool:
        """Tell whether a token is to be verified here and not by another issuer; that proves nothing yet. Raises InvalidToken.

        Its kid is known here or, where another process has just made that key, it says itself that this server issued it.
        """
        return self._keys.holds(str(header_of(text).get("kid"))) or _said_issuer(text) == self.issuer

    async def _signed(self, type: str, claims: dict[str, Any]) -> str:
        key = await self._keys.signing()
        return jwt.encode({"alg": ALGORITHM, "kid": str(key.kid), "typ": type}, claims, key, algorithms=[ALGORITHM])

    async def _claims_of(self, text: str) -> dict[str, Any]:
        header = header_of(text)
        if header.get("typ") != ACCESS_TYPE:
            raise InvalidToken("This is no access token")
        if header.get("alg") != ALGORITHM or not isinstance(header.get("kid"), str):
            raise InvalidToken("The access token is not signed as this server signs")
        key = await self._keys.verifying(header["kid"])
        if key is None:
            raise InvalidToken("The access token is signed with a key that is not this server's")
        try:
            return jwt.decode(text, key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError):
            raise InvalidToken("The signature of the access token is wrong") from None

    def _read(self, claims: Mapping[str, Any]) -> Verified:
        if claims.get("iss") != self.issuer:
            raise InvalidToken("The access token was issued by somebody else (iss)")
        if claims.get("aud") != self.audience:
            raise InvalidToken("The access token is for another server (aud)")
        try:
            requester = requester_of(claims)
            expires, issued = (datetime.fromtimestamp(claims[name], UTC) for name in ("exp", "iat"))
            jti, number = str(claims["jti"]), int(claims["seq"])
        except (KeyError, TypeError, ValueError, OverflowError):
            raise InvalidToken("The access token lacks what it must say") from None
        return Verified(requester, expires, issued, number, jti, keys_of(requester, jti))


def header_of(text: str) -> Mapping[str, Any]:
    """Give the header of a token before its signature is checked. Raises InvalidToken for what is no signed token."""
    if len(text) > LONGEST or text.count(".") != 2 or not text.isascii():
        raise InvalidToken("This is no signed token")
    try:
        header: Mapping[str, Any] = jws.extract_compact(text.encode()).headers()
    except (JoseError, ValueError, TypeError, AttributeError):
        raise InvalidToken("This is no signed token") from None
    return header


def _said_issuer(text: str) -> Any:
    try:
        claims = json.loads(jws.extract_compact(text.encode()).payload)
    except (JoseError, ValueError, RecursionError):
        return None
    return claims.get("iss") if isinstance(claims, dict) else None


def keys_of(requester: Requester, jti: str) -> tuple[str, ...]:
    """Give every name by which a token of this requester can be cut."""
    named = {
        "facility": requester.organization,
        "user": requester.subject if requester.is_person else None,
        "client": requester.client,
        "grant": requester.grant,
        "certificate": requester.certificate,
        "token": jti,
    }
    network = cuts.key("network", cuts.NETWORK)
    return (network, *(cuts.key(kind, value) for kind, value in named.items() if value))  # type: ignore[arg-type] # the keys are Subjects


def _claims(requester: Requester) -> dict[str, Any]:
    said: dict[str, Any] = {
        "role": requester.role.value if requester.role is not None else None,
        "organization": requester.organization,
        "facility": requester.facility,
        "facility_roles": sorted(requester.facility_roles),
        "fhirUser": requester.fhir_user,
        "patient": requester.patient.partition("/")[2] if requester.patient else None,
        "grant": requester.grant,
        "purpose": requester.purpose,
        "cnf": {"x5t#S256": requester.certificate} if requester.certificate else None,
    }
    return {name: value for name, value in said.items() if value}


def requester_of(claims: Mapping[str, Any]) -> Requester:
    """Give the requester that claims of ours describe; raises KeyError, TypeError or ValueError where they are not of that form."""
    text = {name: _text(claims, name) for name in ("sub", "client_id", "scope", "organization", "facility", "fhirUser", "patient", "grant")}
    role = claims.get("role")
    confirmation = claims.get("cnf") or {}
    if not isinstance(confirmation, Mapping):
        raise TypeError("cnf")
    return Requester(
        subject=text["sub"] or _missing("sub"),
        client=text["client_id"] or "",
        role=Role(role) if role is not None else None,
        scope=text["scope"] or "",
        organization=text["organization"],
        facility=text["facility"],
        facility_roles=frozenset(map(str, claims.get("facility_roles") or ())),
        fhir_user=text["fhirUser"],
        patient=f"Patient/{text['patient']}" if text["patient"] else None,
        grant=text["grant"],
        purpose=str(claims.get("purpose") or "TREAT"),
        certificate=_text(confirmation, "x5t#S256"),
    )


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is not None and not isinstance(value, str):
        raise TypeError(name)
    return value


def _missing(name: str) -> str:
    raise KeyError(name)
