"""Accounts, clients, sessions and certificates as the secretariat sees them: never a password, a secret or a hash of one."""

from typing import Any

from fhir_server.auth.accounts.session import Session
from fhir_server.auth.certificates.records import Certificate
from fhir_server.auth.clients import Client
from fhir_server.authorization.administration.people import Known

Shown = dict[str, Any]


def user(known: Known) -> Shown:
    """Show an account."""
    account = known.account
    return _there(
        {
            "id": account.id,
            "fhirUser": account.fhir_user,
            "active": account.active,
            "created": account.created.isoformat(),
            "passwordChanged": account.changed.isoformat() if account.changed is not None else None,
            "mustChangePassword": account.must_change,
            "secondFactor": account.has_second_factor,
            "lockedUntil": known.locked_until.isoformat() if known.locked_until is not None else None,
            "roles": [{"role": post.role.value, "organization": post.organization} for post in known.posts],
        }
    )


def client(found: Client) -> Shown:
    """Show a client; of its keys those that are public."""
    return _there(
        {
            "id": found.id,
            "name": found.name,
            "active": found.active,
            "created": found.created.isoformat(),
            "method": found.method,
            "scope": found.scope,
            "grantTypes": list(found.grant_types),
            "redirectUris": list(found.redirect_uris) or None,
            "launchUri": found.launch_uri,
            "role": found.role.value if found.role is not None else None,
            "facility": found.facility,
            "organization": found.organization,
            "jwks": found.jwks,
            "jwksUri": found.jwks_uri,
            "certificates": list(found.certificates) or None,
            "bound": found.bound,
            "introspects": found.introspects,
            "launches": found.launches,
        }
    )


def session(found: Session) -> Shown:
    """Show a session; its id stays out, for it opens nothing but could be compared with a cookie."""
    return _there(
        {
            "user": found.account,
            "fhirUser": found.fhir_user,
            "opened": found.opened.isoformat(),
            "lastUsed": found.touched.isoformat(),
            "complete": found.whole,
            "facility": found.facility,
            "role": found.role,
        }
    )


def certificate(found: Certificate) -> Shown:
    """Show a certificate."""
    return _there(
        {
            "number": found.id,
            "serial": found.serial,
            "facility": found.facility,
            "kind": found.kind,
            "holder": found.holder,
            "issued": found.issued.isoformat(),
            "ends": found.last.isoformat(),
            "revoked": found.revoked.isoformat() if found.revoked is not None else None,
            "reason": found.reason,
        }
    )


def _there(fields: Shown) -> Shown:
    return {name: value for name, value in fields.items() if value is not None}
