"""Who asks: a person or a system, where it belongs, and what it was granted."""

from dataclasses import dataclass, replace

from fhir_server.auth.roles import Role


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks, as an access token tells.

    `subject` is the id of an account or, of a system, of its client. Without a role it may do nothing, without `scope`
    neither. `organization` ("Organization/1") is the facility on whose behalf it asks, `facility` its 10-digit code,
    `facility_roles` what that facility is to the network. `fhir_user` is "Practitioner/1" or "Patient/1", `patient` the
    "Patient/1" that was chosen at the launch. `grant` is the login that the token comes from: what is cut when it ends.
    `purpose` is a code of v3-PurposeOfUse. `certificate` is the SHA-256 thumbprint (base64url) the token is bound to.
    """

    subject: str
    client: str = ""
    role: Role | None = None
    scope: str = ""
    organization: str | None = None
    facility: str | None = None
    facility_roles: frozenset[str] = frozenset()
    fhir_user: str | None = None
    patient: str | None = None
    grant: str | None = None
    purpose: str = "TREAT"
    certificate: str | None = None

    @property
    def is_person(self) -> bool:
        """Tell whether a person asks, through whatever client."""
        return self.fhir_user is not None

    def narrowed(self, scope: str) -> "Requester":
        """Give the same one with other scopes."""
        return replace(self, scope=scope)


class Local(Requester):
    """The operator's own process: the sandbox, an index being rebuilt; an import on behalf of the facility `organization`.

    It never comes in over the network: no token makes one.
    """

    __slots__ = ()


LOCAL = Local("local")
