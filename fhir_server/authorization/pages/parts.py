"""What the pages work with, put together where the application is."""

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final, Protocol
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import Request

from fhir_server.auth.accounts.account import Account
from fhir_server.auth.accounts.login import Accounts
from fhir_server.auth.accounts.passkeys import Passkeys
from fhir_server.auth.accounts.second_factor import SecondFactor
from fhir_server.auth.accounts.sessions import Sessions
from fhir_server.auth.clients import Client
from fhir_server.auth.directory import Directory
from fhir_server.auth.oauth.grants import Grants
from fhir_server.auth.oauth.requests import Requests
from fhir_server.auth.scopes import ScopeGrammar
from fhir_server.auth.throttle import Throttle
from fhir_server.authorization.administration.endings import Endings
from fhir_server.authorization.pages.patients import Patients
from fhir_server.authorization.pages.words import Text
from fhir_server.outcome import FhirError
from fhir_server.store.records import Records, now

_ZONE: Final = ZoneInfo("Asia/Tokyo")
_NETWORK: Final = Text("地域医療連携ネットワーク", "Regional medical network")


class People(Protocol):
    """Accounts, their sessions and second factors, and the limits of how often anything is tried."""

    @property
    def accounts(self) -> Accounts:
        """The accounts."""

    @property
    def sessions(self) -> Sessions:
        """Their sessions."""

    @property
    def second_factor(self) -> SecondFactor:
        """Authenticator apps and recovery codes."""

    @property
    def passkeys(self) -> Passkeys:
        """Security keys and passkeys."""

    @property
    def throttle(self) -> Throttle:
        """The limits."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """What the network says on its pages: its name, news, and where manual and help are (F052, F085)."""

    network: Text = _NETWORK
    notices: tuple[Text, ...] = ()
    manual: str | None = None
    contact: Text | None = None
    version: str = ""


def peer(request: Request) -> str | None:
    """Give the address at the other end of the connection."""
    return request.client.host if request.client else None


async def anybody(_: Request, __: Account | None) -> FhirError | None:
    """Let everybody come to the pages, whatever the connection proves."""
    return None


@dataclass(frozen=True, slots=True)
class Login:
    """Everything the pages need.

    `issuer` is this server's name as an authorization server ("https://fhir.example.jp"), `secret` a secret that all its
    processes share. `source` tells the address a request comes from, for the limits of how often logins are tried. `admits` is
    asked at every page, with the account where somebody is logged in or has just given the right password: a FhirError refuses,
    one of 403 by a page that speaks of client certificates (F051, F105).
    """

    issuer: str
    secret: bytes
    people: People
    requests: Requests
    grants: Grants
    endings: Endings
    clients: Records[Client]
    scopes: ScopeGrammar
    directory: Directory
    patients: Patients
    appearance: Appearance = Appearance()
    idle: timedelta = timedelta(minutes=5)
    clock: Callable[[], datetime] = now
    zone: tzinfo = _ZONE
    source: Callable[[Request], str | None] = peer
    admits: Callable[[Request, Account | None], Awaitable[FhirError | None]] = anybody

    @property
    def secure(self) -> bool:
        """Tell whether browsers reach it over https."""
        return self.issuer.startswith("https:")

    @property
    def root(self) -> str:
        """The path below which everything is, empty where the server has its host for itself."""
        return urlsplit(self.issuer).path.rstrip("/")

    @property
    def has_passkeys(self) -> bool:
        """Tell whether keys can be used: they belong to the name of a host, never to an address."""
        try:
            ipaddress.ip_address(urlsplit(self.issuer).hostname or "")
        except ValueError:
            return True
        return False
