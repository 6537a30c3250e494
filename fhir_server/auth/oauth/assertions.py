"""Client assertions: a JWT by which a client proves who it is, with a key that never leaves it.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#authentication-jwt-header-values
https://www.rfc-editor.org/rfc/rfc7523#section-3

What can be judged by the assertion alone is told exactly, since it is the same for everybody. What needs the registration
(client, key, signature) has one answer, so that a stranger cannot find out which clients there are. authlib's own class knows
neither the algorithms that SMART asks for nor a longest life: joserfc verifies.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError

from fhir_server.auth.clients import Client
from fhir_server.auth.fetching import Unavailable
from fhir_server.auth.oauth.credentials import digest
from fhir_server.auth.oauth.public_keys import PublicKeys
from fhir_server.auth.oauth.refusals import invalid_client
from fhir_server.store.records import Kind, Records, Shelf

log = logging.getLogger(__name__)

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS: Final = ("RS384", "ES384")

_LONGEST_LIFE: Final = timedelta(minutes=5)
_SKEW: Final = timedelta(seconds=30)
"""How far the clock of a client may be off."""
_LONGEST: Final = 16_384


class SeenAssertion(msgspec.Struct, frozen=True):
    """An assertion that was used: `id` is the hash of client and jti."""

    id: str
    expires: datetime


SEEN_ASSERTIONS: Final = Kind("auth_assertion", SeenAssertion)


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion as it was read; its signature has not been looked at."""

    text: str
    client: str
    kid: str
    algorithm: str
    jku: str | None
    jti: str
    expires: datetime


class Assertions:
    """Verifies assertions that were made for this token endpoint (`audience`)."""

    def __init__(self, shelf: Shelf, keys: PublicKeys, audience: str) -> None:
        self._seen: Records[SeenAssertion] = shelf.records(SEEN_ASSERTIONS)
        self._clock = shelf.clock
        self._keys = keys
        self._audience = audience

    def read(self, text: str) -> Assertion:
        """Read an assertion and judge all but its signature. Raises invalid_client."""
        header, claims = _parts(text)
        algorithm, kid, jku = header.get("alg"), header.get("kid"), header.get("jku")
        if algorithm not in ALGORITHMS:
            raise invalid_client(f"The client assertion must be signed with {' or '.join(ALGORITHMS)} (alg)")
        if not isinstance(kid, str) or not kid:
            raise invalid_client("The client assertion does not name its key (kid)")
        issuer, jti = claims.get("iss"), claims.get("jti")
        if not isinstance(issuer, str) or not issuer or issuer != claims.get("sub"):
            raise invalid_client("iss and sub of the client assertion must both be the client_id")
        if not isinstance(jti, str) or not jti:
            raise invalid_client("The client assertion has no jti")
        self._check_audience(claims.get("aud"))
        expires = self._lasting(claims)
        return Assertion(text, issuer, kid, algorithm, jku if isinstance(jku, str) or jku is None else "", jti, expires)

    async def verify(self, assertion: Assertion, client: Client) -> None:
        """Check the signature by the client's key, and that it comes for the first time. Raises invalid_client."""
        if assertion.jku is not None and assertion.jku != client.jwks_uri:
            raise invalid_client()
        try:
            key = await self._keys.find(client, assertion.kid, assertion.algorithm)
        except Unavailable as problem:
            log.warning("keys of the client %s: %s", client.id, problem)
            raise invalid_client() from None  # it would tell a stranger that the client exists
        if key is None:
            raise invalid_client()
        try:
            jwt.decode(assertion.text, key, algorithms=[assertion.algorithm])
        except (JoseError, ValueError, RecursionError):
            raise invalid_client() from None
        seen = SeenAssertion(digest(f"{client.id}\0{assertion.jti}"), assertion.expires + _SKEW)
        if not await self._seen.add(seen):
            raise invalid_client("This client assertion was used before (jti)")

    def _check_audience(self, audience: object) -> None:
        if audience != self._audience and not (isinstance(audience, list) and self._audience in audience):
            raise invalid_client(f"aud of the client assertion must be {self._audience}")

    def _lasting(self, claims: Mapping[str, Any]) -> datetime:
        moment = self._clock()
        expires = _time(claims, "exp")
        if expires is None or expires + _SKEW <= moment:
            raise invalid_client("The client assertion has expired, or has no exp")
        if expires > moment + _LONGEST_LIFE + _SKEW:
            raise invalid_client("exp of the client assertion is more than 5 minutes ahead")
        if any((when := _time(claims, name)) is not None and when > moment + _SKEW for name in ("nbf", "iat")):
            raise invalid_client("The client assertion is not valid yet (nbf, iat)")
        return expires


def _parts(text: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Give header and claims of what is a signed token by its form."""
    try:
        if len(text) > _LONGEST or text.count(".") != 2:
            raise ValueError
        found = jws.extract_compact(text.encode("ascii"))
        header: Mapping[str, Any] = found.headers()
        claims = msgspec.json.decode(found.payload or b"", type=dict[str, Any])
    except (JoseError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise invalid_client("client_assertion is no signed JWT") from None
    return header, claims


def _time(claims: Mapping[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid_client(f"{name} of the client assertion must be a number of seconds")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise invalid_client(f"{name} of the client assertion must be a number of seconds") from None
