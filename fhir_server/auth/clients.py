"""The registrations of clients: apps that people use, and systems.

https://www.rfc-editor.org/rfc/rfc7591#section-2
https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from fhir_server.auth.roles import Role
from fhir_server.store.records import Kind

AuthenticationMethod = Literal["none", "client_secret_basic", "private_key_jwt", "tls_client_auth"]


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """One registered client.

    `scope` holds the most it is ever granted. `role`, `organization` ("Organization/1") and `facility` (10 digits) are those of
    a system that asks for itself (client_credentials); an app that people use has none of the three. `secret` is the hash of
    a shared secret in PHC form; `jwks` holds public keys by value, `jwks_uri` tells where they are. `certificates` are the
    SHA-256 thumbprints (base64url) of client certificates that prove who it is (tls_client_auth); with `bound` every token
    it gets is bound to the certificate of the connection (RFC 8705). `introspects` allows it to ask about others' tokens;
    `launches` to make launch contexts, as an EHR does.
    """

    id: str
    name: str
    method: AuthenticationMethod
    scope: str
    created: datetime
    redirect_uris: tuple[str, ...] = ()
    launch_uri: str | None = None
    grant_types: tuple[str, ...] = ("authorization_code",)
    role: Role | None = None
    organization: str | None = None
    facility: str | None = None
    secret: str | None = None
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    certificates: tuple[str, ...] = ()
    bound: bool = False
    introspects: bool = False
    launches: bool = False
    active: bool = True

    @property
    def is_public(self) -> bool:
        """Tell whether it cannot keep a secret, as an app in a browser."""
        return self.method == "none"


CLIENTS: Final = Kind("auth_client", Client, found_by=("facility", "certificates"))
