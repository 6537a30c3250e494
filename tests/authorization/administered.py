"""A network to administer: the whole service on a database of the test, with cheap password hashes."""

from contextlib import asynccontextmanager

from fhir_server.app import open_registry
from fhir_server.app.doors import administration_of
from fhir_server.auth.accounts.passwords import Cost
from fhir_server.auth.members import FacilityType
from fhir_server.auth.roles import FacilityRole
from fhir_server.settings import load

B, A = "3710000017", "3710000025"


def settings_of(mongodb_uri, database_name, **chosen):
    return load({}, mongodb_uri=mongodb_uri, database=database_name, **chosen)


@asynccontextmanager
async def administered(mongodb_uri, database_name, **chosen):
    """Give the administration, and everything beneath it."""
    settings = settings_of(mongodb_uri, database_name, **chosen)
    async with open_registry(settings, mongodb_uri) as registry:
        registry.identity.people.passwords._cost = Cost(memory=64, rounds=1, lanes=1)
        yield administration_of(settings, registry), registry


async def add_facility(administration, code=B, name="病院Ｂ"):
    return await administration.facilities.add(
        code, name=name, kana="ビョウインビー", type=FacilityType.HOSPITAL, roles=[FacilityRole.CORE, FacilityRole.PROVIDING]
    )


__all__ = ["A", "B", "add_facility", "administered", "settings_of"]
