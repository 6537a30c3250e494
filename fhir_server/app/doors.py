"""The doors beside the FHIR base: the authorization server, its pages, certificates, administration, launcher and viewer."""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import FastAPI, Request
from starlette.types import Scope

from fhir_server.app.definitions import version
from fhir_server.auth.accounts.account import Account
from fhir_server.auth.certificates.binding import networks
from fhir_server.auth.clients import CLIENTS
from fhir_server.auth.members import NETWORK
from fhir_server.auth.registrations import Rules
from fhir_server.auth.requester import Local
from fhir_server.authorization.administration.door import add_administration
from fhir_server.authorization.administration.registry import Administration, administration
from fhir_server.authorization.administration.registry import Registry as AdministrationParts
from fhir_server.authorization.endpoints import OAuth, add_oauth
from fhir_server.authorization.enrolment import Enrolling, add_enrolment
from fhir_server.authorization.launcher import Launcher, add_launcher
from fhir_server.authorization.pages import Appearance, Login, Patients, add_pages, refused_page
from fhir_server.authorization.pages.words import Text
from fhir_server.authorization.viewer import add_viewer
from fhir_server.outcome import FhirError, Issue
from fhir_server.settings import Settings
from fhir_server.ssmix2.facility import organization_id
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Repository

if TYPE_CHECKING:
    from fhir_server.app import Registry

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Doors:
    """What stands behind each door, made once the server is open."""

    oauth: OAuth
    login: Login
    enrolling: Enrolling
    administration: Administration
    launcher: Launcher


def add_doors(
    app: FastAPI, administered: FastAPI, settings: Settings, doors: Callable[[], Doors | None], identify: Callable[[Request], Any]
) -> None:
    """Add their routes, to `administered` those of the administration.

    `doors` gives None before the start, `identify` tells who sends a request.
    """

    def behind(choose: Callable[[Doors], T]) -> Callable[[], T | None]:
        def given() -> T | None:
            known = doors()
            return choose(known) if known is not None else None

        return given

    add_oauth(app, behind(lambda known: known.oauth))
    add_pages(app, behind(lambda known: known.login))
    add_enrolment(app, behind(lambda known: known.enrolling))
    add_administration(administered, behind(lambda known: known.administration), identify)
    if settings.sandbox:
        add_launcher(app, behind(lambda known: known.launcher))
    add_viewer(app)


def open_doors(settings: Settings, registry: "Registry") -> Doors:
    """Put together what stands behind the doors."""
    identity, source = registry.identity, _source(settings.proxies)
    managed = administration_of(settings, registry)
    login = Login(
        issuer=settings.issuer,
        secret=identity.secret,
        people=identity.people,
        requests=identity.authorization.requests,
        grants=identity.authorization.grants,
        endings=managed.endings,
        clients=identity.shelf.records(CLIENTS),
        scopes=identity.grammar,
        directory=identity.directory,
        patients=Patients(registry.service.perform),
        appearance=Appearance(network=Text(settings.network_name, settings.network_name), version=version()),
        idle=timedelta(minutes=settings.session_idle),
        clock=identity.shelf.clock,
        zone=settings.zone,
        source=lambda request: source(request.scope),
        admits=_admits(registry),
    )
    oauth = OAuth(
        identity.authorization,
        identity.people.throttle,
        sorted(registry.service.serving.served),
        certificate=_certificate(registry) if settings.shows_certificates else None,
        source=source,
        error_page=lambda request, description: refused_page(login, request, description),
    )
    enrolling = Enrolling(identity.pki, identity.people.throttle, settings.network_name, settings.zone, source=source)
    everything = Repository(registry.mongo, Permit.everything())
    launcher = Launcher(identity.shelf, everything, identity.directory, identity.authorization.launches, settings.base)
    return Doors(oauth, login, enrolling, managed, launcher)


def administration_of(settings: Settings, registry: "Registry") -> Administration:
    """Put the administration together, for the secretariat's interface and for commands."""
    identity = registry.identity
    return administration(
        AdministrationParts(
            perform=lambda request: registry.service.perform(request, Local("local", organization=NETWORK)),
            shelf=identity.shelf,
            accounts=identity.people.accounts,
            passwords=identity.people.passwords,
            sessions=identity.people.sessions,
            grants=identity.authorization.grants,
            cuts=identity.cuts,
            register=identity.pki.register,
            rules=Rules(identity.grammar, settings.issuer, sandbox=settings.sandbox),
            organization_id=organization_id,
            zone=settings.zone,
        )
    )


def _certificate(registry: "Registry") -> Callable[[Scope], str | None]:
    def thumbprint(scope: Scope) -> str | None:
        presented = registry.identity.pki.binding.presented(scope)
        return presented.thumbprint if presented is not None else None

    return thumbprint


def _admits(registry: "Registry") -> Callable[[Request, Account | None], Any]:
    """A certificate that is shown belongs to the person, or to a device of a facility where she works (F051, F105)."""

    async def admits(request: Request, account: Account | None) -> FhirError | None:
        try:
            presented = registry.identity.pki.binding.presented(request.scope)
        except FhirError as failure:
            return failure
        if presented is None or account is None:
            return None
        if presented.user is not None:
            belongs = presented.user == account.id
        else:
            assignments = await registry.identity.directory.assignments(account.fhir_user)
            belongs = any(each.facility == presented.facility for each in assignments)
        return None if belongs else FhirError(Issue("security", "The client certificate belongs to somebody else"))

    return admits


def _source(proxies: Sequence[str]) -> Callable[[Scope], str]:
    """Tell the address that a request comes from; only a proxy of ours is believed to have seen another one than itself (S53)."""
    known = networks(", ".join(proxies))

    def source(scope: Scope) -> str:
        address = scope["client"][0] if scope.get("client") else ""
        forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        if forwarded and _is_among(address, known):
            return forwarded[-1].decode("latin-1").rpartition(",")[2].strip()[:64] or address
        return str(address)

    return source


def comes_from(addresses: Sequence[str]) -> Callable[[Scope], bool]:
    """Tell whether a request comes from one of these addresses itself: what a proxy hands on does not."""
    known = networks(", ".join(addresses))

    def allowed(scope: Scope) -> bool:
        handed_on = any(name in (b"x-forwarded-for", b"forwarded") for name, _ in scope["headers"])
        return not handed_on and bool(scope.get("client")) and _is_among(scope["client"][0], known)

    return allowed


def _is_among(address: str, known: Sequence[Any]) -> bool:
    try:
        return any(ipaddress.ip_address(address) in network for network in known)
    except ValueError:
        return False
