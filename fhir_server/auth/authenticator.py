"""From the Authorization header to the requester, remembered by token.

https://www.rfc-editor.org/rfc/rfc6750
https://www.rfc-editor.org/rfc/rfc8705#section-3 (tokens bound to a certificate)

A verified token is remembered until it ends, anything is cut or a signing key is withdrawn: then everything remembered is forgotten, so a revocation
binds the next request of this process, and of the others as soon as they have asked (`Cuts`).
"""

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from fhir_server.auth.cuts import Cuts
from fhir_server.auth.requester import Requester
from fhir_server.auth.tokens import InvalidToken, Tokens, Verified
from fhir_server.outcome import FhirError, Issue

Verify = Callable[[str], Awaitable[Verified]]
"""Verifies a token of one kind of issuer; raises InvalidToken."""

_REMEMBERED: Final = 10_000
_TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/=]+")  # RFC 6750, 2.1
_WHERE: Final = ("http.Authorization",)


class Authenticator:
    """Tells who asks. `outside` verifies tokens of another issuer, where one is configured."""

    def __init__(self, tokens: Tokens, cuts: Cuts, clock: Callable[[], datetime], outside: Verify | None = None) -> None:
        self._tokens = tokens
        self._cuts = cuts
        self._clock = clock
        self._outside = outside
        self._known: OrderedDict[str, Verified] = OrderedDict()
        self._version = (cuts.version, tokens.version)

    async def requester(self, authorization: str | None, thumbprint: str | None) -> Requester:
        """Give who asks; `thumbprint` is that of the connection's client certificate, if it shows one.

        Raises FhirError: 401 without a valid token, 503 where this process cannot know what was revoked.
        """
        verified = await self._verified(authorization)
        bound = verified.requester.certificate
        if bound is not None and thumbprint != bound:
            raise unauthenticated("The access token is bound to another client certificate than this connection's", "invalid_token")
        return verified.requester

    async def _verified(self, authorization: str | None) -> Verified:
        if self._cuts.stale:
            raise FhirError(Issue("transient", "It cannot be told now whether the access token is still valid; try again", _WHERE))
        version = (self._cuts.version, self._tokens.version)
        if self._version != version:
            self._known.clear()
            self._version = version
        known = self._known.get(authorization) if authorization is not None else None
        if known is None:
            known = await self._verify(_bearer(authorization))
            self._remember(authorization or "", known)
        if known.expires <= self._clock():
            raise unauthenticated("The access token has expired", "invalid_token")
        return known

    def _remember(self, authorization: str, verified: Verified) -> None:
        self._known[authorization] = verified
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    async def _verify(self, text: str) -> Verified:
        try:
            verify = self._outside if self._outside is not None and not self._tokens.are_to_judge(text) else self._tokens.verify
            verified = await verify(text)
            if self._cuts.ended(verified.keys, verified.number, verified.issued):  # perhaps while it was verified
                raise InvalidToken("The access token has been revoked")
        except InvalidToken as failure:
            raise unauthenticated(str(failure), "invalid_token") from None
        return verified


def unauthenticated(text: str, error: str | None = None) -> FhirError:
    """Nobody is known to ask (401); `error` is a code of RFC 6750, none where there were no credentials at all."""
    challenge = 'Bearer realm="Tsunagi"' + (f', error="{error}", error_description="{text}"' if error else "")
    return FhirError(Issue("login", f"{text} / アクセストークンが必要です", _WHERE), headers=(("WWW-Authenticate", challenge),))


def _bearer(authorization: str | None) -> str:
    if authorization is None:
        raise unauthenticated("An access token is needed: Authorization: Bearer ...")
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer" or not text or not _is_token(text):
        raise unauthenticated("The Authorization header is to be: Bearer, one space, the access token", "invalid_request")
    return text


def _is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None
