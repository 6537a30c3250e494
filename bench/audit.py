"""What the audit log costs: events a second, and processor time per event, of recorders at once, with and without reads beside.

    .venv/bin/python bench/audit.py [--seconds 4] [--journal]

Recorders do nothing but record; readers read a resource by its id and record that before they go on, as the server does. Processor
time is that of this process and of mongod together. docs/decisions/0021-audit.md has figures.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from fhir_server.audit.event import Event, Seen
from fhir_server.audit.keys import open_pens
from fhir_server.audit.log import Log
from fhir_server.auth.sealing import Sealer
from fhir_server.search.expression import Entries
from fhir_server.store.audit_log import AuditStore
from fhir_server.store.embedded import Options, open_database
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.records import Shelf
from fhir_server.store.repository import Prepared, Put, Repository

RESOURCES = 2_000
PATIENTS = 200


def event_of(number: int) -> Event:
    """A read by id, as the server records it."""
    patient = f"Patient/0f1e2d3c-0000-4000-8000-{number % PATIENTS:012d}"
    id = f"7b3a1c52-0000-4000-8000-{number % RESOURCES:012d}"
    return Event(
        at=int(time.time() * 1000),
        action="R",
        interaction="read",
        status=200,
        subject=f"doctor-{number % 40}",
        client="viewer",
        person=f"Practitioner/5c1d-{number % 40}",
        organization="Organization/hospital-b",
        role="physician",
        purpose="TREAT",
        request=f"3f1c9a72-5555-4444-8888-{number:012d}",
        type="Observation",
        id=id,
        seen=(Seen(patient, "Organization/clinic-a", "Observation", 1),),
        consents=("Consent/9a8b7c6d-1111-4222-8333-444455556666",),
    )


def processor_time(pid: int) -> float:
    """Seconds of processor time of another process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def mongod_of(directory: Path) -> int:
    """The process that serves this directory."""
    for each in Path("/proc").iterdir():
        if (
            each.name.isdigit()
            and str(directory) in (each / "cmdline").read_text().replace("\0", " ")
            and "mongod" in (each / "comm").read_text()
        ):
            return int(each.name)
    raise SystemExit("mongod is not to be found")


class Course:
    """One course: so many workers do the same for some seconds."""

    def __init__(self, pid: int, seconds: float) -> None:
        self._pid, self._seconds = pid, seconds

    async def run(self, name: str, workers: int, work: Callable[[int], Awaitable[None]]) -> float:
        """Run it, print what it cost, give operations a second."""
        done, waits = 0, list[float]()
        end = time.perf_counter() + self._seconds

        async def worker() -> None:
            nonlocal done
            while time.perf_counter() < end:
                done += 1
                began = time.perf_counter()
                await work(done)
                waits.append(time.perf_counter() - began)

        began, ours, theirs = time.perf_counter(), time.process_time(), processor_time(self._pid)
        await asyncio.gather(*(worker() for _ in range(workers)))
        wall = time.perf_counter() - began
        ours, theirs = (time.process_time() - ours) * 1000 / done, (processor_time(self._pid) - theirs) * 1000 / done
        print(
            f"{name:28} {workers:3} at once {done / wall:8,.0f}/s   ms each: client {ours:.3f} mongod {theirs:.3f} together {ours + theirs:.3f}"
            f"   median wait {statistics.median(waits) * 1000:.1f} ms"
        )
        return done / wall


async def measure(uri: str, pid: int, seconds: float, journal: Path | None) -> None:
    """Measure on an empty database."""
    mongo = await Mongo.connect(uri, "bench")
    repository = Repository(mongo, Permit.everything())
    for start in range(0, RESOURCES, 200):
        ids = [f"7b3a1c52-0000-4000-8000-{number:012d}" for number in range(start, start + 200)]
        text = {"text": "x" * 1200}
        await repository.commit(
            [Put(Prepared("Observation", id, {"resourceType": "Observation", "id": id, "note": [text]}, Entries())) for id in ids]
        )
    pens = await open_pens(Shelf(mongo.database), Sealer(os.urandom(32)), lambda: datetime.now(UTC))
    log = Log(AuditStore(mongo.database), pens, lambda: datetime.now(UTC), journal)
    course = Course(pid, seconds)

    async def read(number: int) -> None:
        await repository.get("Observation", f"7b3a1c52-0000-4000-8000-{number % RESOURCES:012d}")

    async def record(number: int) -> None:
        await log.record(event_of(number))

    async def both(number: int) -> None:
        await read(number)
        await record(number)

    async with log.kept():
        for workers in (8, 16, 64):
            await course.run("record", workers, record)
            await course.run("read", workers, read)
            await course.run("read and record", workers, both)
    batches = await log.store.count()
    size = await mongo.database.command("collStats", "audit")
    print(
        f"{batches:,} batches, {size['size'] / size['count']:,.0f} bytes each; stored {size['storageSize'] / 1e6:.1f} MB, indexes {size['totalIndexSize'] / 1e6:.1f} MB"
    )
    await mongo.close()


def main() -> None:
    """Measure with a MongoDB of our own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each course takes")
    parser.add_argument("--journal", action="store_true", help="write to the journal of this machine first")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory) / "mongodb"
        with open_database(None, place, "bench", Options(512, 256)) as database:
            uvloop.run(measure(database.uri, mongod_of(place), arguments.seconds, Path(directory) / "audit" if arguments.journal else None))


if __name__ == "__main__":
    main()
