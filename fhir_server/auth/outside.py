"""Access tokens of another issuer, such as a Keycloak realm: verified with its keys, read by its names of claims.

https://www.rfc-editor.org/rfc/rfc7519
https://openid.net/specs/openid-connect-discovery-1_0.html

The issuer says who somebody is and, with role and facility, as what she asks; what the facility is to the network is read
from the directory here. What is missing is not guessed: without a role or a scope nothing is permitted.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from fhir_server.auth.cuts import LASTS
from fhir_server.auth.directory import Directory
from fhir_server.auth.fetching import Unavailable
from fhir_server.auth.requester import Requester
from fhir_server.auth.tokens import InvalidToken, Verified, header_of, keys_of, requester_of

Fetch = Callable[[str], Awaitable[Mapping[str, Any]]]
"""Gets a JSON document from an address; raises Unavailable where it cannot."""

ALGORITHMS: Final = ("ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_OURS: Final = ("role", "organization", "facility", "fhirUser", "patient", "scope", "client_id", "purpose")
_OF_IDENTITY: Final = frozenset({"nonce", "at_hash", "c_hash"})
_PAUSE: Final = 60.0
_LEEWAY: Final = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OutsideIssuer:
    """Who it is, whom its tokens must be for, where its keys are (None: as its openid-configuration says), its names of claims.

    `base` is the FHIR base: a fhirUser of it may be written as an address.
    """

    issuer: str
    audience: str
    base: str
    jwks: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)


class Outside:
    """Verifies the tokens of an outside issuer."""

    def __init__(self, issuer: OutsideIssuer, fetch: Fetch, directory: Directory, clock: Callable[[], datetime]) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._directory = directory
        self._clock = clock
        self._keys: KeySet | None = None
        self._looked = float("-inf")

    async def verify(self, text: str) -> Verified:
        """Give what an access token of this issuer says. Raises InvalidToken."""
        header = header_of(text)
        if header.get("alg") not in ALGORITHMS:
            raise InvalidToken("The access token is signed in a way that is not accepted")
        claims = await self._signed(text, str(header.get("kid", "")))
        self._check(claims, header)
        requester = await self._requester(claims)
        expires, issued = (datetime.fromtimestamp(claims[name], UTC) for name in ("exp", "iat"))
        expires = min(expires, issued + LASTS)  # longer, it would come to life again when a cut is forgotten
        if expires <= self._clock():
            raise InvalidToken("The access token was issued more than a day ago")
        jti = str(claims.get("jti", ""))
        return Verified(requester, expires, issued, None, jti, keys_of(requester, jti))

    async def _signed(self, text: str, kid: str) -> Mapping[str, Any]:
        keys = await self._known(kid)
        try:
            return jwt.decode(text, keys, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError, TypeError):
            raise InvalidToken("The signature of the access token is wrong, or of a key that its issuer does not publish") from None

    async def _known(self, kid: str) -> KeySet:
        """Give the issuer's keys; fetched again for a kid that is not among them, but not for every stranger's."""
        has = self._keys is not None and any(key.kid == kid for key in self._keys)
        if not has and time.monotonic() - self._looked > _PAUSE:
            self._looked = time.monotonic()
            try:
                self._keys = KeySet.import_key_set(dict(await self._fetch(await self._address())))  # type: ignore[arg-type] # JSON
            except (Unavailable, KeyError, ValueError, TypeError, JoseError) as failure:
                log.warning("the keys of the outside issuer cannot be had: %s", type(failure).__name__)
        if self._keys is None:
            raise InvalidToken("The keys of the outside issuer cannot be had now")
        return self._keys

    async def _address(self) -> str:
        if self._issuer.jwks is not None:
            return self._issuer.jwks
        found = await self._fetch(f"{self._issuer.issuer.rstrip('/')}/.well-known/openid-configuration")
        return str(found["jwks_uri"])

    def _check(self, claims: Mapping[str, Any], header: Mapping[str, Any]) -> None:
        if claims.get("iss") != self._issuer.issuer:
            raise InvalidToken("The access token was issued by somebody else (iss)")
        audience = claims.get("aud")
        if self._issuer.audience not in (audience if isinstance(audience, list) else [audience]):
            raise InvalidToken("The access token is for another server (aud)")
        if claims.get("typ") in ("ID", "Refresh", "Offline") or _OF_IDENTITY & claims.keys() or header.get("typ") == "dpop+jwt":
            raise InvalidToken("This is no access token")
        moment = self._clock().timestamp()
        times = [claims.get(name) for name in ("exp", "iat")] + [claims.get("nbf", 0)]
        if not all(isinstance(each, int | float) and not isinstance(each, bool) and 0 <= each < 1e11 for each in times):
            raise InvalidToken("The access token lacks exp or iat")
        expires, issued, begins = times
        if expires <= moment or begins > moment + _LEEWAY or issued > moment + _LEEWAY:  # type: ignore[operator] # numbers, see above
            raise InvalidToken("The access token has expired, or is not valid yet")

    async def _requester(self, claims: Mapping[str, Any]) -> Requester:
        said = {name: claims[theirs] for name in _OURS if (theirs := self._issuer.names.get(name, name)) in claims}
        if isinstance(said.get("fhirUser"), str):
            said["fhirUser"] = said["fhirUser"].removeprefix(f"{self._issuer.base}/")
        said["client_id"] = said.get("client_id") or claims.get("azp")
        try:
            requester = requester_of({"sub": claims.get("sub"), "cnf": claims.get("cnf"), "grant": claims.get("sid"), **said})
        except (KeyError, TypeError, ValueError):
            raise InvalidToken("The access token's claims are not what this server's configuration (outside_claims) expects") from None
        return await self._placed(requester)

    async def _placed(self, requester: Requester) -> Requester:
        """Add what the facility is to the network; one that is unknown, or has left, is none."""
        facility = None
        if requester.organization is not None:
            facility = await self._directory.facility(requester.organization)
        elif requester.facility is not None:
            facility = await self._directory.facility_of(requester.facility)
        if facility is None or not facility.active or (requester.facility or facility.code) != facility.code:
            return replace(requester, organization=None, facility=None, facility_roles=frozenset())
        return replace(requester, organization=facility.organization, facility=facility.code, facility_roles=facility.roles)
