"""An import inside the test's process, through the service's door, on the run's MongoDB."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from pymongo import MongoClient

from fhir_server.app import open_service
from fhir_server.service import LOCAL, Service
from fhir_server.settings import Settings
from fhir_server.ssmix2.aside import Aside
from fhir_server.ssmix2.pipeline import open_pipeline
from fhir_server.ssmix2.report import Report
from fhir_server.ssmix2.tree import patient_folders
from tests.ssmix2.imports import FACILITY


@pytest.fixture
async def service(mongodb_uri: str, database_name: str) -> AsyncIterator[Service]:
    """The one door to an empty database."""
    async with open_service(Settings(database=database_name), mongodb_uri) as opened:
        yield opened


@pytest.fixture
def stored(worker_database: tuple[MongoClient, str], database_name: str):
    """The database that the service writes into."""
    return worker_database[0][database_name]


@pytest.fixture
def bring_in(service: Service, tmp_path: Path) -> Callable:
    """Import a whole storage with one pipeline and report, as the worker processes do."""

    async def import_all(root: Path, facility: str = FACILITY, *, strict: bool = False) -> Report:
        report = Report()
        aside = Aside(tmp_path / "data", facility)
        pipeline = open_pipeline(lambda request: service.perform(request, LOCAL), root, facility, aside, strict=strict)
        for folder in patient_folders(root):
            async for results in pipeline.import_folder(folder):
                for result in results:
                    report.add(result)
        return report

    return import_all
