"""TLS with the server itself: 1.3, or also 1.2 with the suites of CRYPTREC's high-security type; client certificates.

NETWORK.md F110, L06. https://docs.python.org/3.11/library/ssl.html
TLS 1.2 where it is allowed: ephemeral elliptic curves and authenticated encryption only; no RSA key exchange, no CBC, no compression,
no renegotiation. https://www.cryptrec.go.jp/list/cryptrec-gl-3001-3.1.0.pdf

The handshake asks whether a certificate comes from a trusted authority and is in time; whether it is revoked is asked at each
request (fhir_server.auth.certificates.binding), since connections and tickets outlive a revocation.
"""

import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from fhir_server.command import CommandFailed
from fhir_server.settings import Settings

log = logging.getLogger(__name__)

SUITES_1_2: Final = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
)
_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_CLIENTS: Final = {"off": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


@dataclass(frozen=True, slots=True)
class Tls:
    """How the server speaks TLS; `certificate` holds its chain, `authorities` are those of clients' certificates (PEM)."""

    certificate: Path
    key: Path
    version: Literal["1.2", "1.3"] = "1.3"
    clients: Literal["off", "optional", "required"] = "off"
    authorities: bytes = b""


def context(tls: Tls) -> ssl.SSLContext:
    """Make what the server speaks TLS by. Raises CommandFailed where the files cannot be used."""
    made = _empty(tls)
    _load(made, tls)
    if tls.clients != "off":
        _trust(made, tls.authorities)
    if tls.clients == "required" and not made.get_ca_certs():
        raise CommandFailed("clients must show certificates, but there is no authority yet: tsunagi cert root, tsunagi cert intermediate")
    return made


def from_settings(settings: Settings, authorities: bytes = b"") -> Tls | None:
    """Give what the settings say, None where the server itself speaks no TLS; `authorities` are the network's own (PEM)."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    if settings.tls_client_ca is not None:
        authorities = client_authorities(settings.tls_client_ca)
    return Tls(settings.tls_certificate, settings.tls_key, settings.tls_version, settings.tls_client_certificates, authorities)


def client_authorities(path: Path) -> bytes:
    """Read the file of setting tls_client_ca. Raises CommandFailed."""
    try:
        content = path.read_bytes()
        _trust(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), content)
    except OSError as error:
        raise CommandFailed(f"setting tls_client_ca: {path} cannot be read ({error.strerror})") from error
    return content


class Renewal:
    """Loads the server's own certificate anew when its files were replaced, as ACME clients do every few weeks."""

    def __init__(self, tls: Tls, made: ssl.SSLContext) -> None:
        self._tls = tls
        self._made = made
        self._seen = _state(tls)

    def look(self) -> bool:
        """Look once; tells whether there was another certificate. One that cannot be used changes nothing, and is logged."""
        state = _state(self._tls)
        if state in (self._seen, None):
            return False
        try:
            _load(_empty(self._tls), self._tls)  # halfway replaced files must not spoil what is in use
            _load(self._made, self._tls)
        except CommandFailed as failure:
            log.error("the server's new certificate is not used: %s", failure)  # noqa: TRY400 - the text says it all
            return False
        self._seen = state
        log.info("the server's certificate was loaded anew")
        return True


def _empty(tls: Tls) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = _VERSIONS[tls.version]
    made.maximum_version = ssl.TLSVersion.TLSv1_3
    made.set_ciphers(":".join(SUITES_1_2))
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    made.set_alpn_protocols(["http/1.1"])
    made.verify_mode = _CLIENTS[tls.clients]
    made.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return made


def _load(made: ssl.SSLContext, tls: Tls) -> None:
    try:
        made.load_cert_chain(tls.certificate, tls.key, password=lambda: "")  # an encrypted key must fail, not ask
    except ssl.SSLError:
        raise CommandFailed(
            f"{tls.certificate} and {tls.key} are no certificate chain and its key, both in PEM, the key not encrypted"
        ) from None
    except OSError as error:
        raise CommandFailed(f"{tls.certificate} or {tls.key} cannot be read ({error.strerror})") from error


def _trust(made: ssl.SSLContext, authorities: bytes) -> None:
    if not authorities:
        return
    try:
        made.load_verify_locations(cadata=authorities.decode("ascii", "replace"))
    except (ssl.SSLError, ValueError):
        raise CommandFailed("the authorities of client certificates are no certificates in PEM") from None


def _state(tls: Tls) -> tuple[tuple[int, int, int], ...] | None:
    try:
        return tuple((each.st_ino, each.st_mtime_ns, each.st_size) for each in (tls.certificate.stat(), tls.key.stat()))
    except OSError:
        return None
