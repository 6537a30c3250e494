"""Reads the settings from the command line, the environment and a file, and refuses what cannot be.

A value comes from the command line, else from the environment (`TSUNAGI_PORT`), else from one TOML file (`port = 8080`
in the file that `TSUNAGI_CONFIG` names, else in `tsunagi.toml` of the working directory), else it is the default.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from fhir_server.settings.declared import Settings
from fhir_server.settings.documentation import allowed_values

_PREFIX = "TSUNAGI_"
_NOT_SETTINGS = ("TSUNAGI_CONFIG", "TSUNAGI_SHARED", "TSUNAGI_TEST_")
_LEAST_SECRET = 16
_DEFAULT_FILE = "tsunagi.toml"
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")


class SettingsError(Exception):
    """A setting cannot be used; the text is one line for the operator and never repeats a value."""


def load(environment: Mapping[str, str] | None = None, **chosen: object) -> Settings:
    """Read the settings; `chosen` is what the command line said (None: nothing). Raises SettingsError."""
    environment = os.environ if environment is None else environment
    values = _from_file(environment) | _from_environment(environment)
    values |= {name: ("command line", value) for name, value in chosen.items() if value is not None}
    types = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    return _checked(Settings(**{name: _converted(name, source, value, types[name]) for name, (source, value) in values.items()}))


def _from_file(environment: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
    named = environment.get("TSUNAGI_CONFIG")
    path = Path(named or _DEFAULT_FILE)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named:
            raise SettingsError(f"TSUNAGI_CONFIG names {path}, which does not exist") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    for name in content:
        _known(name, str(path), name)
    return {name: (f"{path}: {name}", value) for name, value in content.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
    values: dict[str, tuple[str, Any]] = {}
    for variable, value in environment.items():
        if not variable.startswith(_PREFIX) or variable.startswith(_NOT_SETTINGS):
            continue
        name = variable.removeprefix(_PREFIX).lower()
        _known(name, "the environment", variable)
        if value:  # an empty variable says nothing
            values[name] = (variable, value)
    return values


def _known(name: str, source: str, written: str) -> None:
    if name not in Settings.__struct_fields__:
        near = difflib.get_close_matches(name, Settings.__struct_fields__, 1)
        hint = (
            f"; did you mean {_PREFIX + near[0].upper() if written.startswith(_PREFIX) else near[0]}?" if near else "; see docs/settings.md"
        )
        raise SettingsError(f"unknown setting {written} in {source}{hint}")


def _converted(name: str, source: str, value: object, type: Any) -> Any:
    where = f"setting {name} ({source})"
    try:
        return msgspec.convert(value, type, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        metas = [argument for argument in get_args(type) if isinstance(argument, Meta)]
        allowed = allowed_values(get_args(type)[0], metas).replace("`", "")
        reason = str(error).partition(" - at ")[0] if allowed == "text" else f"expected {allowed}"
        raise SettingsError(f"{where}: {reason[:1].lower() + reason[1:]}") from None


def _path(type: Any, value: Any) -> Any:
    if type is Path and isinstance(value, str) and value:
        return Path(value)
    if isinstance(value, type):
        return value
    raise TypeError("expected a path")


def _checked(settings: Settings) -> Settings:
    try:
        _ = settings.zone
    except (ZoneInfoNotFoundError, ValueError):
        raise SettingsError("setting timezone: not a known time zone (an example is Asia/Tokyo)") from None
    if settings.base_url and not settings.base_url.startswith(("http://", "https://")):
        raise SettingsError("setting base_url: expected an address that starts with http:// or https://")
    if not all(each == "*" or _ORIGIN.fullmatch(each) for each in settings.origins):
        raise SettingsError("setting cors_origins: expected origins such as https://app.example.org (no path), or *")
    _check_access(settings)
    if 0 < settings.mongodb_cache < 256:
        raise SettingsError("setting mongodb_cache: expected 0 or at least 256")
    if settings.count_default > settings.count_limit:
        raise SettingsError("setting count_default: must not be more than count_limit")
    return settings


def _check_access(settings: Settings) -> None:
    """What guards the data must fit together; half of it would look like all of it."""
    if settings.admin_port == settings.port:
        raise SettingsError("setting admin_port: expected another port than that of everything else (port)")
    if settings.authentication == "off" and not _is_loopback(settings.host):
        raise SettingsError("setting authentication: off is possible at a loopback address only (host 127.0.0.1)")
    if settings.smtp_url is not None and not settings.smtp_url.startswith(("smtp://", "smtps://", "file:///")):
        raise SettingsError("setting smtp_url: expected smtps://host:465, smtp://host:587 or file:///directory")
    if settings.audit == "off" and not _is_loopback(settings.host):
        raise SettingsError("setting audit: off is possible at a loopback address only (host 127.0.0.1)")
    if settings.authentication == "off" and not _is_loopback(urlsplit(settings.base).hostname or ""):
        raise SettingsError("setting authentication: off is possible only where no proxy gives the server another address (base_url)")
    if any(key is not None and len(key) < _LEAST_SECRET for key in (settings.secret_key, settings.paging_key)):
        raise SettingsError(f"settings secret_key and paging_key: expected at least {_LEAST_SECRET} characters")
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise SettingsError("settings tls_certificate and tls_key: one is nothing without the other")
    try:
        if settings.tls_client_ca is not None:
            settings.tls_client_ca.read_bytes()
    except OSError as error:
        raise SettingsError(f"setting tls_client_ca: the file cannot be read ({error.strerror})") from None
    if settings.proxy_certificate_header and not settings.proxy_addresses:
        raise SettingsError("setting proxy_certificate_header: say with proxy_addresses whose headers are believed")
    for name, addresses in (("proxy_addresses", settings.proxies), ("metrics_addresses", settings.metrics_networks)):
        for each in addresses:
            try:
                ip_network(each)
            except ValueError:
                raise SettingsError(f"setting {name}: expected addresses or networks such as 10.0.0.2, 10.1.0.0/24") from None
    for address in (settings.outside_issuer, settings.outside_jwks):
        if address is not None and not address.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]")):
            raise SettingsError("settings outside_issuer and outside_jwks: expected an address that starts with https://")
    if any("=" not in each for each in settings.outside_names):
        raise SettingsError("setting outside_claims: expected names such as role=realm_role, facility=hospital")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
