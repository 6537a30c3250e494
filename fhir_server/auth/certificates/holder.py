"""Whose a certificate is: one person, one client or one device of one facility (F049, F105, L01).

It stands in the certificate as URIs of the subjectAltName, `urn:tsunagi:facility:3710000017` and `urn:tsunagi:user:A1`:
https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6. The subject beside it is for people only.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args
from urllib.parse import quote, unquote

from cryptography import x509

from fhir_server.outcome import invalid

HolderKind: TypeAlias = Literal["user", "client", "device"]
KINDS: Final[tuple[HolderKind, ...]] = get_args(HolderKind)

_SCHEME: Final = "urn:tsunagi:"
NETWORK: Final = "network"
"""What stands for a facility where somebody belongs to the network itself: the secretariat, an auditor."""

_FACILITY: Final = re.compile(rf"[0-9]{{10}}|{NETWORK}")
_LONGEST: Final = 64


@dataclass(frozen=True, slots=True)
class Holder:
    """The facility (10 digits, or "network"), and who or what of it: the id of an account or client, or the name of a device."""

    facility: str
    kind: HolderKind
    id: str

    def checked(self) -> "Holder":
        """Give the same one. Raises FhirError where it cannot be written into a certificate."""
        if not _FACILITY.fullmatch(self.facility):
            raise invalid("A facility is named by its code of 10 digits")
        if self.kind not in KINDS:
            raise invalid(f"A certificate is issued to one of {', '.join(KINDS)}")
        if not 1 <= len(self.id) <= _LONGEST or not self.id.isprintable() or self.id != self.id.strip():
            raise invalid(f"The {self.kind} of a certificate is named by 1 to {_LONGEST} printable characters")
        return self

    @property
    def uris(self) -> tuple[str, str]:
        """The two names as URIs."""
        return f"{_SCHEME}facility:{self.facility}", f"{_SCHEME}{self.kind}:{quote(self.id, safe='')}"


def holder_of(certificate: x509.Certificate) -> Holder | None:
    """Read whose a certificate is; None where it is not named, or more than one is."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    pairs = [_split(uri) for uri in names.get_values_for_type(x509.UniformResourceIdentifier) if uri.startswith(_SCHEME)]
    facilities = [value for name, value in pairs if name == "facility"]
    others: list[tuple[HolderKind, str]] = [(kind, value) for kind in KINDS for name, value in pairs if name == kind]
    if len(facilities) != 1 or len(others) != 1 or len(pairs) != 2:
        return None
    return Holder(facilities[0], *others[0])


def _split(uri: str) -> tuple[str, str]:
    name, _, value = uri.removeprefix(_SCHEME).partition(":")
    return name, unquote(value)
