"""What the repository itself gives, without HTTP and validation: operations per second and processor time.

    python bench/store_operations.py --mongod PATH

Starts a private mongod (single-node replica set) in a temporary directory; 16 tasks, every write `w: majority, j: true`.
"""

import argparse
import itertools
import random
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import shape_data as data
import uvloop
from shape_questions import crowd
from store_shape import Meter, ready, start

from fhir_server.search.entries import entries
from fhir_server.search.expression import And, ForPatient, Has, OfType
from fhir_server.search.parameters import Parameters
from fhir_server.search.query import Query
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Create, Prepared, Put, Repository
from profiles.definitions import r4

ZONE, PARAMETERS = ZoneInfo("Asia/Tokyo"), Parameters(r4())
PATIENTS, PER_PATIENT = 2000, 100


def prepared(resource: dict[str, Any]) -> Prepared:
    return Prepared(resource["resourceType"], resource["id"], resource, entries(resource, PARAMETERS, ZONE))


def operations(repository: Repository, rng: random.Random) -> dict[str, tuple[Callable[[], Awaitable[object]], int]]:
    patients = [data.patient(rng, number) for number in range(PATIENTS)]
    observed = (prepared(data.observation(rng, patients[n // PER_PATIENT]["id"], n % PER_PATIENT)) for n in itertools.count())
    new = (prepared(patient) for patient in patients)

    def chosen() -> dict[str, Any]:
        return rng.choice(patients)

    def update() -> Awaitable[object]:
        return repository.commit([Put(prepared({**chosen(), "multipleBirthInteger": rng.randrange(9)}))])

    def find(type: str, *parts: Any) -> Awaitable[object]:
        return repository.find(Query(type, And((OfType((type,)), *parts)), count=20))

    def course() -> Awaitable[object]:
        patient = ForPatient("Patient/" + rng.choice(patients[:100])["id"])
        return find("Observation", patient, Has("code", f"{data.LOINC}|{rng.choice(data.TESTS)[0]}"))

    return {
        "create Patient": (lambda: repository.commit([Create(next(new))]), PATIENTS),
        "create Observation": (lambda: repository.commit([Create(next(observed))]), 4000),
        "transaction of 21": (lambda: repository.commit([Create(each) for each in itertools.islice(observed, 21)]), 320),
        "read": (lambda: repository.get("Patient", chosen()["id"]), 16000),
        "update": (update, 1600),
        "search identifier": (lambda: find("Patient", Has("identifier", f"{rng.randrange(PATIENTS):010d}")), 3200),
        "search patient and code": (course, 3200),
    }


async def main(options: argparse.Namespace) -> None:
    folder = tempfile.mkdtemp(prefix="store-operations-")
    server, port = start(options.mongod, folder)
    try:
        uri = f"mongodb://127.0.0.1:{port}/?directConnection=true"
        await (await ready(uri)).close()
        mongo = await Mongo.connect(uri, "bench")
        meter = Meter(server.pid)
        for name, (make, count) in operations(Repository(mongo, Permit.everything()), random.Random(1)).items():
            await meter.run(name, crowd(make, count), count)
        meter.report()
        await mongo.close()
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mongod", type=Path, required=True)
    uvloop.run(main(parser.parse_args()))
