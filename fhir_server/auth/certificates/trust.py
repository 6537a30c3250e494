"""Whether a certificate leads to an authority that this network trusts: https://www.rfc-editor.org/rfc/rfc5280#section-6."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError


class Trust:
    """The authorities whose holders' certificates are accepted: those signed by themselves are where a chain must end."""

    def __init__(self, certificates: Sequence[x509.Certificate]) -> None:
        roots = [each for each in certificates if each.issuer == each.subject]
        self._store = Store(roots or list(certificates)) if certificates else None
        self._between = [each for each in certificates if each not in roots] if roots else []

    @classmethod
    def of_pem(cls, text: bytes) -> Self:
        """Read the authorities from PEM. Raises ValueError."""
        return cls(x509.load_pem_x509_certificates(text) if text else [])

    def verifies(self, certificate: x509.Certificate, moment: datetime) -> bool:
        """Tell whether a certificate was issued, to be shown by a TLS client, by one of them, and is in time."""
        if self._store is None:
            return False
        try:
            PolicyBuilder().store(self._store).time(moment).build_client_verifier().verify(certificate, self._between)
        except (VerificationError, UnsupportedAlgorithm, ValueError):
            return False
        return True
