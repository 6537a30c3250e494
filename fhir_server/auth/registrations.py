"""What may be registered: the rules for clients, and the grammar of ids.

Whoever registers (a command, the secretariat's interface, the sandbox) sends a Draft through `register`; what comes out is
a Client that the token endpoint may trust. Everything here is a pure rule: nothing is stored.

https://www.rfc-editor.org/rfc/rfc7591#section-2
https://www.rfc-editor.org/rfc/rfc9700#section-2.1 (redirect URIs)
https://www.rfc-editor.org/rfc/rfc8252#section-7 (apps on phones and desktops)
https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html (keys)
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from fhir_server.auth.clients import AuthenticationMethod, Client
from fhir_server.auth.keysets import checked_keys
from fhir_server.auth.roles import OF_SYSTEMS, Role
from fhir_server.auth.scopes import ScopeError, ScopeGrammar, Scopes
from fhir_server.outcome import invalid

OF_APPS: Final = "launch launch/patient openid fhirUser offline_access online_access user/*.rs patient/*.rs"
OF_CLIENTS: Final = {Role.SYSTEM: "system/*.cruds", Role.UPLOADER: "system/*.cud", Role.TESTER: "system/*.cruds"}
"""The scopes of a registration that names none."""

_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_USER_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])?")  # K-MIX+ users keep theirs (F053)
_FACILITY: Final = re.compile(r"[0-4][0-9][1-3][0-9]{7}")  # L27: prefecture, fee table, institution
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+")  # RFC 8252, 7.1: a domain of one's own, reversed
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]{1,2000}")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_MOST_REDIRECTS: Final = 20
_REFRESHING: Final = frozenset({"offline_access", "online_access"})


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A client as somebody wants it registered; the fields are those of Client (in JSON `redirectUris`), and no others."""

    id: str
    name: str
    method: AuthenticationMethod
    scope: str | None = None
    redirect_uris: tuple[str, ...] = ()
    launch_uri: str | None = None
    role: Role | None = None
    facility: str | None = None
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    certificates: tuple[str, ...] = ()
    bound: bool = False
    introspects: bool = False
    launches: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What a registration is judged by; `own` is the address of this server, `sandbox` whether testers may be registered."""

    grammar: ScopeGrammar
    own: str = ""
    sandbox: bool = False


def register(draft: Draft, rules: Rules, organization: str | None, secret: str | None, created: datetime) -> Client:
    """Give the client that a draft asks for; `organization` is its facility's. Raises FhirError naming what is wrong."""
    checked_client_id(draft.id)
    checked_name(draft.name)
    is_app = bool(draft.redirect_uris)
    _check_kind(draft, rules, is_app=is_app)
    _check_proof(draft, secret)
    scope = _checked_scope(draft, rules.grammar, is_app=is_app)
    for uri in draft.redirect_uris:
        checked_redirect(uri, rules.own)
    if draft.launch_uri is not None:
        _checked_web(draft.launch_uri, "launch_uri", rules.own)
    return Client(
        id=draft.id,
        name=draft.name,
        method=draft.method,
        scope=str(scope) if draft.scope is None else draft.scope,
        created=created,
        redirect_uris=draft.redirect_uris,
        launch_uri=draft.launch_uri,
        grant_types=_grant_types(scope, is_app=is_app),
        role=draft.role,
        organization=organization,
        facility=draft.facility,
        secret=secret,
        jwks=checked_keys(draft.jwks) if draft.jwks is not None else None,
        jwks_uri=_checked_web(draft.jwks_uri, "jwks_uri", rules.own) if draft.jwks_uri is not None else None,
        certificates=draft.certificates,
        bound=draft.bound,
        introspects=draft.introspects,
        launches=draft.launches,
    )


def checked_client_id(id: str) -> str:
    """Give the id of a client; raises FhirError where it is not of the grammar."""
    if not _CLIENT_ID.fullmatch(id):
        raise invalid("A client's id has 1 to 64 letters, digits, dots, hyphens and underscores", "id", code="value")
    return id


def checked_user_id(id: str) -> str:
    """Give a login ID the one way it is stored, in small letters; raises FhirError where it is not of the grammar."""
    login = unicodedata.normalize("NFKC", id).strip().casefold() if len(id) <= 256 else ""
    if not _USER_ID.fullmatch(login):
        raise invalid("A user's ID has 1 to 64 letters, digits and . _ @ + -, with a letter or digit at both ends", "id", code="value")
    return login


def checked_facility(code: str) -> str:
    """Give a 医療機関コード; raises FhirError where it is none."""
    if not _FACILITY.fullmatch(code):
        raise invalid(
            "A facility is named by the 10 digits of its 医療機関コード: prefecture (2), fee table (1), institution (7)",
            "facility",
            code="value",
        )
    return code


def checked_name(name: str) -> str:
    """Give a name that people read; raises FhirError where it is empty, too long or not printable."""
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise invalid("A name has 1 to 200 printable characters", "name", code="value")
    return name


def checked_redirect(uri: str, own: str = "") -> str:
    """Give a redirect URI; raises FhirError where codes sent there would be open to others."""
    scheme = uri.partition(":")[0]
    if _SCHEME.fullmatch(scheme) and _PRINTABLE.fullmatch(uri) and "#" not in uri and "*" not in uri:
        return uri
    return _checked_web(uri, "redirect_uris", own)


def _checked_web(uri: str, field: str, own: str) -> str:
    """Give an address that a browser or the server itself is sent to: https, or this machine, or this server."""
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or not _PRINTABLE.fullmatch(uri) or "*" in uri or "\\" in uri or not uri.startswith(("https://", "http://")):
        raise invalid(f"{field}: expected an absolute address, https://app.example.org/… (apps: or their own scheme with a dot)", field)
    if "#" in uri or parts.username is not None or parts.password is not None:
        raise invalid(f"{field}: an address has no fragment (#) and no user", field)
    if parts.scheme == "http" and host not in _LOOPBACK and not (own and uri.startswith(f"{own}/")):
        raise invalid(f"{field}: an address begins with https://; http:// is for this machine only (127.0.0.1)", field)
    return uri


def _check_kind(draft: Draft, rules: Rules, *, is_app: bool) -> None:
    """See that it is an app that people use, or a system that asks for itself, and not half of each."""
    if is_app:
        if draft.role is not None or draft.facility is not None:
            raise invalid("An app has the role and facility of whoever uses it: register a system by itself", "role")
        if len(draft.redirect_uris) > _MOST_REDIRECTS:
            raise invalid(f"redirect_uris: at most {_MOST_REDIRECTS}", "redirect_uris")
        return
    if draft.launch_uri is not None:
        raise invalid("launch_uri: an app that is launched has redirect_uris, too", "launch_uri")
    if draft.role is None and not (draft.introspects or draft.launches):
        raise invalid("A client has redirect_uris (an app) or a role (a system); else it could do nothing", "role")
    if draft.role is not None and draft.role not in OF_SYSTEMS:
        raise invalid(f"role: a system is one of {', '.join(OF_SYSTEMS)}", "role")
    if draft.role is Role.TESTER and not rules.sandbox:
        raise invalid("role: a tester, who may do everything, exists in a sandbox only", "role", code="business-rule")
    if draft.role in (Role.SYSTEM, Role.UPLOADER) and draft.facility is None:
        raise invalid("facility: a system belongs to a facility", "facility", code="required")


def _check_proof(draft: Draft, secret: str | None) -> None:
    """See that it can prove who it is in the way it says, and in no other."""
    given = {
        "client_secret_basic": secret is not None,
        "private_key_jwt": draft.jwks is not None or draft.jwks_uri is not None,
        "tls_client_auth": bool(draft.certificates),
        "none": True,
    }
    others = [method for method, there in given.items() if there and method not in ("none", draft.method)]
    if draft.method == "none" and not draft.redirect_uris:
        raise invalid("method: only an app may be public; a system proves who it is", "method")
    if draft.method == "tls_client_auth" and not all(_THUMBPRINT.fullmatch(each) for each in draft.certificates):
        raise invalid("certificates: SHA-256 thumbprints in base64url, 43 characters each", "certificates", code="value")
    if not given[draft.method]:
        needed = {"private_key_jwt": "jwks or jwks_uri", "tls_client_auth": "a certificate", "client_secret_basic": "a secret"}
        raise invalid(f"method: {draft.method} needs {needed[draft.method]}", "method", code="required")
    if (others and not (draft.bound and others == ["tls_client_auth"])) or (draft.jwks is not None and draft.jwks_uri is not None):
        raise invalid("A client proves who it is in one way: a secret, jwks, jwks_uri or certificates", "method")


def _checked_scope(draft: Draft, grammar: ScopeGrammar, *, is_app: bool) -> Scopes:
    text = draft.scope
    if text is None:
        text = OF_APPS if is_app else OF_CLIENTS.get(draft.role, "") if draft.role is not None else ""
    try:
        scopes = grammar.parse(text, mixed=True)
    except ScopeError as error:
        raise invalid(f"scope: {error}", "scope", code="value") from None
    if is_app and "system" in scopes.contexts:
        raise invalid("scope: system/ scopes are for systems that ask for themselves, not for apps", "scope")
    if not is_app and (scopes.contexts - {"system"} or scopes.others):
        raise invalid("scope: a system that asks for itself has system/ scopes only", "scope")
    if not is_app and draft.role is None and scopes.resources:
        raise invalid("scope: a client without a role has no scopes", "scope")
    return scopes


def _grant_types(scope: Scopes, *, is_app: bool) -> tuple[str, ...]:
    if not is_app:
        return ("client_credentials",)
    return ("authorization_code", "refresh_token") if scope.others & _REFRESHING else ("authorization_code",)
