"""The addresses of this authorization server, all derived from the FHIR base address."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Addresses:
    """`issuer` is this server's name as an authorization server, `base` the FHIR base: the audience of all its tokens."""

    issuer: str
    base: str

    @classmethod
    def of(cls, base: str) -> Self:
        """Derive the issuer from the FHIR base: it is the base without its last segment (`https://a.example/fhir`)."""
        base = base.rstrip("/")
        return cls(base.rpartition("/")[0], base)

    @property
    def authorize(self) -> str:
        """The authorization endpoint."""
        return f"{self.issuer}/auth/authorize"

    @property
    def token(self) -> str:
        """The token endpoint, which is also the audience of client assertions."""
        return f"{self.issuer}/auth/token"

    @property
    def introspect(self) -> str:
        """The introspection endpoint (RFC 7662)."""
        return f"{self.issuer}/auth/introspect"

    @property
    def revoke(self) -> str:
        """The revocation endpoint (RFC 7009)."""
        return f"{self.issuer}/auth/revoke"

    @property
    def jwks(self) -> str:
        """Where the public keys are that verify this server's tokens."""
        return f"{self.issuer}/auth/jwks"

    def resource(self, reference: str) -> str:
        """Give the address of a resource, as the claim fhirUser needs it."""
        return f"{self.base}/{reference}"
