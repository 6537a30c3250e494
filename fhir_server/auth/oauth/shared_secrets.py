"""Shared secrets of clients, checked without letting strangers keep the server busy.

https://owasp.org/www-project-application-security-verification-standard/ (ASVS 11.1: what costs much is limited)

To check a secret against its argon2id hash takes a tenth of a second and 64 MiB, in the same few threads that people's
passwords wait for. So each address may have it done so often in a minute and no oftener, whichever endpoint it asks; a secret
that was right is remembered in this process, as a keyed hash, and costs nothing the next time.
"""

import hashlib
import hmac
import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from fhir_server.auth.clients import Client
from fhir_server.auth.throttle import Throttle

VerifySecret = Callable[[str, str | None], Awaitable[bool]]
"""Tells whether a secret is the one stored (argon2id); against None it takes as long, and says no (Passwords.verify)."""

A_MINUTE: Final = 60
_REMEMBERED: Final = 1000


class SharedSecrets:
    """Tells whether secrets are right; without a `throttle` as often as anybody likes."""

    def __init__(self, verify: VerifySecret, throttle: Throttle | None = None) -> None:
        self._verify = verify
        self._throttle = throttle
        self._key = os.urandom(32)
        self._right: OrderedDict[str, bytes] = OrderedDict()

    async def is_right(self, client: Client | None, secret: str, source: str) -> bool:
        """Tell whether it is the client's secret, at the same cost whether or not there is such a client. Raises TooMany."""
        stored = client.secret if client is not None else None
        tried = hashlib.blake2b(secret.encode("utf-8", "surrogatepass"), key=self._key).digest()
        if stored is not None and hmac.compare_digest(self._right.get(stored, b""), tried):
            return True
        if self._throttle is not None:
            await self._throttle.allow("secret", source, A_MINUTE, 60)
        if not await self._verify(secret, stored):
            return False
        if stored is not None:
            self._right[stored] = tried
            if len(self._right) > _REMEMBERED:
                self._right.popitem(last=False)
        return stored is not None
