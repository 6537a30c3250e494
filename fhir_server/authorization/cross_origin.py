"""Pages of other origins that may call the OAuth endpoints: those of registered apps.

https://fetch.spec.whatwg.org/#http-cors-protocol
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support

What is public anyway (discovery, keys) may be read from everywhere; the token and revocation endpoints answer the pages that
are the redirect_uri of an app. Cookies never count here. This guards browsers; it gives nobody a right.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

EVERYWHERE: Final = {"Access-Control-Allow-Origin": "*"}

_KEPT_SECONDS: Final = 30.0
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}


class Origins:
    """The origins of registered apps, as they were at most half a minute ago."""

    def __init__(self, ask: Callable[[], Awaitable[frozenset[str]]], pulse: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._pulse = pulse
        self._known: frozenset[str] = frozenset()
        self._asked = float("-inf")

    async def headers(self, origin: str | None) -> Mapping[str, str]:
        """Give what an answer to this origin carries."""
        if origin is None or not await self._is_known(origin):
            return {"Vary": "Origin"}
        return {"Vary": "Origin", "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "Retry-After"}

    async def preflight(self, origin: str | None) -> Mapping[str, str]:
        """Give what the answer to a browser that asks beforehand carries."""
        headers = await self.headers(origin)
        return {**headers, **_PREFLIGHT} if "Access-Control-Allow-Origin" in headers else headers

    async def _is_known(self, origin: str) -> bool:
        if self._pulse() - self._asked > _KEPT_SECONDS:
            self._known, self._asked = await self._ask(), self._pulse()
        return origin in self._known
