"""The whole server in the test's process, on the run's MongoDB: fixtures for every folder that speaks HTTP."""

from collections.abc import AsyncIterator

import httpx
import pytest

from fhir_server.app import Application, create_app
from fhir_server.settings import Settings

BASE = "http://tsunagi.example/fhir"


@pytest.fixture
async def application(mongodb_uri: str, database_name: str) -> AsyncIterator[Application]:
    """The application of one worker, started, on an empty database; who asks does not matter here, so authentication is off."""
    app = create_app(Settings(authentication="off", database=database_name, body_limit=2, bundle_limit=200), mongodb_uri)
    assert isinstance(app, Application)
    async with app.outer.router.lifespan_context(app.outer):
        yield app


@pytest.fixture
async def client(application: Application) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose addresses start at the FHIR base."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url=BASE) as client:
        yield client


def patient(**elements: object) -> dict[str, object]:
    """A Patient whose personal data would be noticed anywhere."""
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:oid:1.2.392.100495.20.3.51.13710000017", "value": "0099887766"}],
        "name": [{"family": "讃岐", "given": ["花子"], "text": "讃岐 花子"}],
        "gender": "female",
        "birthDate": "1984-03-02",
        **elements,
    }


def observation(subject: str, **elements: object) -> dict[str, object]:
    """A laboratory result."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2345-7"}]},
        "subject": {"reference": subject},
        "effectiveDateTime": "2026-03-31T08:30:00+09:00",
        **elements,
    }


def issue_of(response: httpx.Response) -> dict[str, object]:
    """The first issue of an OperationOutcome; every issue is checked to be complete."""
    outcome = response.json()
    assert outcome["resourceType"] == "OperationOutcome", outcome
    for issue in outcome["issue"]:
        assert issue["severity"] in {"error", "fatal"}
        assert issue["code"]
        assert issue["diagnostics"]
        assert issue["expression"]
    first: dict[str, object] = outcome["issue"][0]
    return first
