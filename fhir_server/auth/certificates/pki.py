"""Everything about the network's certificates that one process needs, put together."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fhir_server.auth.certificates.authority import Authorities, authorities_pem
from fhir_server.auth.certificates.binding import Binding, networks
from fhir_server.auth.certificates.enrolment import Enrolment, Policy
from fhir_server.auth.certificates.register import Cut, Register
from fhir_server.auth.certificates.revocation import RevocationLists
from fhir_server.auth.certificates.trust import Trust
from fhir_server.auth.sealing import Sealer
from fhir_server.store.records import Shelf

_LOOK: Final = 20.0  # seconds between two looks for a new authority


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies whose header tells the client's certificate: their addresses, the header's name. Without both there is none."""

    addresses: str = ""
    header: str | None = None


class Pki:
    """The authorities, the register, enrolment and what connections prove.

    `address` is the server's public one without a path, "https://fhir.example.jp". `anchors` are authorities (PEM) that are
    accepted instead of the network's own. Await `start` once, then `refresh` twice a second.
    """

    def __init__(
        self,
        shelf: Shelf,
        sealer: Sealer,
        policy: Policy,
        *,
        address: str,
        cut: Cut | None = None,
        proxies: Proxies | None = None,
        anchors: bytes | None = None,
        pulse: Callable[[], float] = time.monotonic,
    ) -> None:
        proxies = proxies or Proxies()
        self._pulse = pulse
        self._anchors = anchors
        self._looked = float("-inf")
        self._trusted = b""
        self.authorities = Authorities(shelf, sealer, address)
        self.register = Register(shelf, cut, pulse)
        self.enrolment = Enrolment(shelf, self.authorities, self.register, policy)
        self.lists = RevocationLists(self.authorities, self.register, pulse)
        self.binding = Binding(self.register, Trust([]), networks(proxies.addresses), proxies.header)
        if anchors is not None:
            self.binding.trust(Trust.of_pem(anchors))

    async def start(self) -> None:
        """Read what is stored."""
        await self.register.start()
        await self.refresh()

    async def refresh(self) -> None:
        """Learn what other processes changed: certificates at once, new authorities within half a minute."""
        await self.register.refresh()
        if self._anchors is None and self._pulse() - self._looked > _LOOK:
            trusted = await self.chain()
            if trusted != self._trusted:
                self._trusted = trusted
                self.binding.trust(Trust.of_pem(trusted))
            self._looked = self._pulse()

    async def chain(self) -> bytes:
        """Give the certificates of the authorities that issue, and of the root, as PEM; empty where there are none."""
        return authorities_pem(await self.authorities.all())
