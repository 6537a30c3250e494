"""What this authorization server says of itself.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html
https://www.rfc-editor.org/rfc/rfc8414
https://openid.net/specs/openid-connect-discovery-1_0.html

One table of facts, of which each document shows what its specification asks for. Nothing is listed that is not there.
"""

from collections.abc import Iterable
from typing import Any, Final

from fhir_server.auth.keys import ALGORITHM
from fhir_server.auth.oauth.addresses import Addresses
from fhir_server.auth.oauth.assertions import ALGORITHMS
from fhir_server.auth.oauth.issuing import GRANT_TYPES
from fhir_server.auth.scopes import CONTEXTS, LETTERS, OTHERS

Document = dict[str, Any]

CAPABILITIES: Final = (
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
)

_NOT_CHOSEN: Final = frozenset({"launch/encounter"})
"""Understood, but nobody is asked for an encounter: the EHR names it or there is none."""

_CLAIMS: Final = ("iss", "sub", "aud", "exp", "iat", "auth_time", "amr", "nonce", "fhirUser", "profile")


def smart_configuration(addresses: Addresses, types: Iterable[str], *, certificates: bool = False) -> Document:
    """Give `/.well-known/smart-configuration` of the FHIR base.

    `types` are the resource types served; `certificates` tells whether clients can prove themselves by certificate.
    """
    shared = _shared(addresses, types, certificates=certificates)
    return {**shared, "capabilities": list(CAPABILITIES)}


def server_metadata(addresses: Addresses, types: Iterable[str], *, certificates: bool = False) -> Document:
    """Give `/.well-known/oauth-authorization-server` (RFC 8414)."""
    return {
        **_shared(addresses, types, certificates=certificates),
        "response_modes_supported": ["query"],
        "authorization_response_iss_parameter_supported": True,
        "tls_client_certificate_bound_access_tokens": certificates,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "ui_locales_supported": ["ja", "en"],
    }


def openid_configuration(addresses: Addresses, types: Iterable[str], *, certificates: bool = False) -> Document:
    """Give `/.well-known/openid-configuration`."""
    return {
        **server_metadata(addresses, types, certificates=certificates),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "claims_supported": list(_CLAIMS),
        "claims_parameter_supported": False,
    }


def scopes_supported(types: Iterable[str]) -> list[str]:
    """Give the scopes that a client may ask for: granular ones and fewer letters are within these."""
    named = [f"{context}/{type}.{LETTERS}" for context in CONTEXTS for type in ("*", *sorted(types))]
    return [*sorted(OTHERS - _NOT_CHOSEN), *named]


def _shared(addresses: Addresses, types: Iterable[str], *, certificates: bool) -> Document:
    proving = ["client_secret_basic", "private_key_jwt", *(["tls_client_auth"] if certificates else [])]
    methods, algorithms = [*proving, "none"], list(ALGORITHMS)
    return {
        "issuer": addresses.issuer,
        "authorization_endpoint": addresses.authorize,
        "token_endpoint": addresses.token,
        "jwks_uri": addresses.jwks,
        "introspection_endpoint": addresses.introspect,
        "revocation_endpoint": addresses.revoke,
        "scopes_supported": scopes_supported(types),
        "response_types_supported": ["code"],
        "grant_types_supported": list(GRANT_TYPES),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": proving,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
    }
