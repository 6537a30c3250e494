"""What a connection proves by a client certificate: the server's own TLS, or a proxy in front of it that says so.

https://asgi.readthedocs.io/en/latest/specs/tls.html
https://www.rfc-editor.org/rfc/rfc9440 (Client-Cert: :base64:); nginx writes PEM, percent-encoded

A header counts only where it comes from the address of a proxy that the operator has named; from anywhere else it is not
even looked at (S52). There nothing else counts, for a proxy's own certificate is not the requester's. Neither is
trusted to have verified anything: chain, time and register are asked here, at every request.
"""

import binascii
import ipaddress
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from fhir_server.auth.certificates.holder import NETWORK as NETWORK_FACILITY
from fhir_server.auth.certificates.holder import Holder, holder_of
from fhir_server.auth.certificates.register import Register
from fhir_server.auth.certificates.thumbprint import thumbprint
from fhir_server.auth.certificates.trust import Trust
from fhir_server.auth.members import NETWORK
from fhir_server.auth.requester import Requester
from fhir_server.outcome import FhirError, Issue

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_LONGEST: Final = 16 * 1024
_REMEMBERED: Final = 4096

_WHY: Final = {
    "revoked": "The client certificate has been revoked",
    "ended": "The client certificate is not valid at this time",
    "unknown": "The client certificate is not in the register of this network",
    "stale": "The client certificate cannot be checked at present",
    "untrusted": "The client certificate was not issued by an authority of this network, or is not valid at this time",
    "nobody": "The client certificate does not name its holder",
    "unreadable": "The client certificate cannot be read",
    "twice": "The header with the client certificate is present more than once",
}


class Refused(FhirError):  # noqa: N818 - an outcome, told to the client
    """A certificate was presented and does not count (403; 503 where it cannot be checked); `reason` is a word for logs."""

    def __init__(self, reason: str) -> None:
        super().__init__(Issue("transient" if reason == "stale" else "security", _WHY[reason]))
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Presented:
    """A certificate whose holder is at the other end: `thumbprint` is x5t#S256, `serial` hexadecimal."""

    thumbprint: str
    serial: str
    holder: Holder
    not_before: datetime
    not_after: datetime

    @property
    def facility(self) -> str:
        """The facility's code of 10 digits."""
        return self.holder.facility

    @property
    def user(self) -> str | None:
        """The id of the account, where it is a person's."""
        return self.holder.id if self.holder.kind == "user" else None

    @property
    def client(self) -> str | None:
        """The id of the client, where it is a client's."""
        return self.holder.id if self.holder.kind == "client" else None

    @property
    def device(self) -> str | None:
        """The name of the device, where it is a device's."""
        return self.holder.id if self.holder.kind == "device" else None

    def is_of(self, requester: Requester) -> bool:
        """Tell whether it is the requester's: the person's or client's own, or that of a device of the facility she acts for (F105)."""
        if self.user is not None:
            return self.user == requester.subject
        if self.client is not None:
            return self.client == requester.client
        return self.facility == (requester.facility or (NETWORK_FACILITY if requester.organization == NETWORK else None))


def networks(text: str | None) -> tuple[_Network, ...]:
    """Read the addresses and networks of proxies, "10.0.0.5, 192.168.1.0/24". Raises ValueError."""
    return tuple(ipaddress.ip_network(each.strip()) for each in (text or "").split(",") if each.strip())


class Binding:
    """Finds what a connection proves; `header` is the name of the proxy's header, e.g. "Client-Cert"."""

    def __init__(self, register: Register, trust: Trust, proxies: tuple[_Network, ...] = (), header: str | None = None) -> None:
        self._register = register
        self._proxies = proxies if header else ()
        self._header = (header or "").lower().encode("latin-1")
        self._by_address: dict[str, bool] = {}
        self._known: dict[bytes, Presented] = {}
        self._trust = trust

    def trust(self, trust: Trust) -> None:
        """Accept other authorities from now on."""
        self._trust = trust
        self._known = {}

    def presented(self, scope: Mapping[str, Any]) -> Presented | None:
        """Give the certificate that this request's connection proves, None where there is none. Raises Refused where it does not count."""
        shown = self._shown(scope)
        if shown is None:
            return None
        found = self._known.get(shown) or self._read(shown)
        state = self._register.state(found.thumbprint)
        if state != "good":
            raise Refused(state)
        if not found.not_before <= self._register.now() <= found.not_after:
            raise Refused("ended")
        return found

    def _shown(self, scope: Mapping[str, Any]) -> bytes | None:
        if self._proxies and self._from_proxy(scope.get("client")):
            values = [value for name, value in scope["headers"] if name == self._header]
            if len(values) > 1:
                raise Refused("twice")
            return bytes(values[0]).strip() or None if values else None
        extensions = scope.get("extensions")
        chain = extensions["tls"].get("client_cert_chain") if extensions and "tls" in extensions else None
        return chain[0].encode() if chain else None

    def _from_proxy(self, client: Any) -> bool:
        if not client:
            return False
        host = client[0]
        known = self._by_address.get(host)
        if known is None:
            known = _within(host, self._proxies)
            if len(self._by_address) < _REMEMBERED:
                self._by_address[host] = known
        return known

    def _read(self, shown: bytes) -> Presented:
        certificate = _certificate(shown)
        if not self._trust.verifies(certificate, self._register.now()):
            raise Refused("untrusted")
        holder = holder_of(certificate)
        if holder is None:
            raise Refused("nobody")
        made = Presented(
            thumbprint(certificate.public_bytes(Encoding.DER)),
            f"{certificate.serial_number:x}",
            holder,
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
        )
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[shown] = made
        return made


def _within(host: str, networks: tuple[_Network, ...]) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((mapped or address) in each for each in networks)


def _certificate(shown: bytes) -> x509.Certificate:
    """Read a certificate as PEM, as percent-encoded PEM, or as `:base64:`."""
    try:
        if len(shown) > _LONGEST:
            raise ValueError
        if shown.startswith(b":") and shown.endswith(b":"):
            return x509.load_der_x509_certificate(b64decode(shown[1:-1], validate=True))
        return x509.load_pem_x509_certificate(unquote_to_bytes(shown))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        raise Refused("unreadable") from None
