"""What the administration works with, put together once: for a command, and for the secretariat's interface."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from fhir_server.auth.accounts.login import Accounts
from fhir_server.auth.accounts.passwords import Passwords
from fhir_server.auth.accounts.sessions import Sessions
from fhir_server.auth.certificates.register import Register
from fhir_server.auth.clients import CLIENTS
from fhir_server.auth.cuts import Cuts
from fhir_server.auth.oauth.grants import Grants
from fhir_server.auth.registrations import Rules
from fhir_server.authorization.administration.clients import Clients
from fhir_server.authorization.administration.endings import Endings
from fhir_server.authorization.administration.facilities import Facilities
from fhir_server.authorization.administration.people import People
from fhir_server.authorization.administration.resources import Perform, Resources
from fhir_server.store.records import Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The parts of the server that the administration needs.

    `perform` performs an interaction as the operator. `organization_id` gives the id of the Organization of a 医療機関コード,
    as an import would.
    """

    perform: Perform
    shelf: Shelf
    accounts: Accounts
    passwords: Passwords
    sessions: Sessions
    grants: Grants
    cuts: Cuts
    register: Register
    rules: Rules
    organization_id: Callable[[str], str]
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Administration:
    """Everything that is administered."""

    facilities: Facilities
    people: People
    clients: Clients
    endings: Endings
    register: Register
    rules: Rules


def administration(registry: Registry) -> Administration:
    """Put the administration together."""
    shelf = registry.shelf
    resources = Resources(registry.perform)
    endings = Endings(shelf, registry.sessions, registry.grants, registry.cuts)
    facilities = Facilities(resources, shelf.records(CLIENTS), endings, registry.organization_id)
    people = People(shelf, resources, facilities, registry.accounts, endings, registry.zone)
    clients = Clients(shelf, registry.passwords, facilities, endings, registry.rules)
    return Administration(facilities, people, clients, endings, registry.register, registry.rules)
