"""The floor: what MongoDB and its driver give on this machine, before any FHIR.

    make bench                                     starts a private MongoDB in a temporary directory
    python bench/floor.py --mongo mongodb://...    measures another one (database `tsunagi_floor`, dropped afterwards)

One process with uvloop and PyMongo's async API, 16 tasks at once, documents in the stored form of a laboratory result.
Writes are acknowledged by the majority with the journal. Every figure is the median of --repeat runs. The server's own
figures are given as ratios to these: a slow machine or a busy neighbour lowers both.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop
from bson import Binary
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError
from rich import box
from rich.console import Console
from rich.table import Table

Document = dict[str, Any]
Work = Callable[[], Awaitable[object]]

DATABASE = "tsunagi_floor"
DOCUMENTS = 20_000
PATIENTS = 200
BODY = 1_000
BUNDLE = 21


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table. `documents` is how many one operation moves; processor time is this process's, not mongod's."""

    name: str
    tasks: int
    documents: int
    per_second: float
    p50_ms: float
    p99_ms: float
    processor_us: float


class Floor:
    """The operations to measure, over one database."""

    def __init__(self, client: AsyncMongoClient[Document]) -> None:
        self.client = client
        database = client.get_database(DATABASE)
        self.resource: AsyncCollection[Document] = database.get_collection("resource")
        self.history: AsyncCollection[Document] = database.get_collection("history")
        self.random = random.Random(1)
        self.made = 0

    def document(self) -> Document:
        """Make a laboratory result as the store keeps it: exact bytes, packed index entries, a patient, a date."""
        self.made += 1
        patient = f"Patient/{self.made % PATIENTS}"
        return {
            "_id": f"Observation/{self.made:012d}",
            "v": 1,
            "t": "Observation",
            "p": patient,
            "e": ["", f"subject={patient}", *(f"code=urn:oid:1.2.392.200119.4.504|{self.made % 10:03d}-{n}" for n in range(6))],
            "d": self.made,
            "n": self.made,
            "b": Binary(self.random.randbytes(BODY // 2).hex().encode()),
        }

    async def fill(self) -> None:
        """Store the documents that are read, with the two indexes that a search by patient and by type needs."""
        await self.client.drop_database(DATABASE)
        await self.history.create_index([("v", 1)])  # a collection that a transaction makes refuses its neighbours for a moment
        await self.resource.create_index([("p", 1), ("t", 1), ("e", 1), ("d", 1), ("n", 1)])
        await self.resource.create_index([("t", 1), ("e", 1), ("d", 1), ("n", 1)])
        for _ in range(0, DOCUMENTS, 1_000):
            await self.resource.insert_many([self.document() for _ in range(1_000)])

    def some_id(self) -> str:
        """Choose one of the stored documents."""
        return f"Observation/{self.random.randrange(1, DOCUMENTS):012d}"

    async def find_one(self) -> None:
        """Read one document by its id."""
        assert await self.resource.find_one({"_id": self.some_id()}, {"b": 1})

    async def find_many(self) -> None:
        """Read 16 documents by their ids at once."""
        await self.resource.find({"_id": {"$in": [self.some_id() for _ in range(16)]}}, {"b": 1}).to_list()

    async def find_sorted(self) -> None:
        """Find the newest 20 results of one patient and code."""
        number = self.random.randrange(PATIENTS)
        entry = f"code=urn:oid:1.2.392.200119.4.504|{number % 10:03d}-0"
        query = {"p": f"Patient/{number}", "t": "Observation", "e": entry}
        assert await self.resource.find(query, {"b": 1}).sort([("d", -1), ("n", -1)]).limit(20).to_list()

    async def insert_one(self) -> None:
        """Store one document."""
        await self.resource.insert_one(self.document())

    async def insert_many(self) -> None:
        """Store 16 documents at once."""
        await self.resource.insert_many([self.document() for _ in range(16)], ordered=False)

    async def transaction(self) -> None:
        """Store 21 documents and 21 of their history in one transaction."""
        async with self.client.start_session() as session, await session.start_transaction():
            documents = [self.document() for _ in range(BUNDLE)]
            await self.resource.insert_many(documents, session=session)
            await self.history.insert_many([{"_id": f"{each['_id']}/1", "v": 1, "b": each["b"]} for each in documents], session=session)

    def plan(self) -> Iterator[tuple[str, Work, int, int]]:
        """List what is measured: name, operation, tasks at once, documents of one operation."""
        yield "find_one by id", self.find_one, 16, 1
        yield "find 16 ids in one $in", self.find_many, 16, 16
        yield "find 20 by patient and code", self.find_sorted, 16, 20
        yield "insert_one", self.insert_one, 16, 1
        yield "insert_many of 16", self.insert_many, 16, 16
        yield "transaction of 21 + 21", self.transaction, 1, 2 * BUNDLE
        yield "transaction of 21 + 21", self.transaction, 16, 2 * BUNDLE


async def measure(name: str, work: Work, tasks: int, documents: int, seconds: float) -> Figure:
    """Run the operation in so many tasks for so many seconds."""
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def one_task() -> None:
        while (started := time.perf_counter()) < end:
            await work()
            took.append(time.perf_counter() - started)

    started, processor = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one_task() for _ in range(tasks)))
    spent, processor = time.perf_counter() - started, time.process_time() - processor
    took.sort()
    count = len(took)
    return Figure(
        name,
        tasks,
        documents,
        count / spent,
        took[count // 2] * 1e3,
        took[count * 99 // 100] * 1e3,
        processor / count * 1e6,
    )


async def floor(uri: str, seconds: float, repeat: int, console: Console) -> list[Figure]:
    """Measure everything `repeat` times, in turn, and give the median run of each."""
    client: AsyncMongoClient[Document] = AsyncMongoClient(uri, w="majority", journal=True, serverSelectionTimeoutMS=10_000)
    async with client:
        operations = Floor(client)
        runs: dict[tuple[str, int], list[Figure]] = {}
        try:
            with console.status("Storing 20,000 documents"):
                await operations.fill()
            for turn in range(repeat):
                for name, work, tasks, documents in operations.plan():
                    with console.status(f"Run {turn + 1} of {repeat}: {name}"):
                        await measure(name, work, tasks, documents, seconds / 10)  # warm up
                        runs.setdefault((name, tasks), []).append(await measure(name, work, tasks, documents, seconds))
        finally:
            await client.drop_database(DATABASE)
    rate = statistics.median_low
    return [next(run for run in each if run.per_second == rate(r.per_second for r in each)) for each in runs.values()]


@contextmanager
def database(uri: str | None) -> Iterator[str]:
    """Give the MongoDB to measure: the one named, else a private one that ends with this program."""
    if uri:
        yield uri
        return
    from fhir_server.store.embedded import Embedded  # noqa: PLC0415 - with --mongo no embedded database is needed

    with tempfile.TemporaryDirectory(prefix="tsunagi-floor-") as directory, Embedded(Path(directory), "bench/floor.py") as embedded:
        yield embedded.uri


def table(figures: list[Figure]) -> Table:
    """Lay the figures out for the terminal."""
    result = Table(
        pad_edge=False,
        box=box.SIMPLE,
        title="The floor: MongoDB and its driver alone",
        caption="one client process; µs/op is its processor time",
    )
    result.add_column("operation", no_wrap=True)
    for heading in ("tasks", "op/s", "doc/s", "p50 ms", "p99 ms", "µs/op"):
        result.add_column(heading, justify="right", no_wrap=True)
    for each in figures:
        result.add_row(
            each.name,
            str(each.tasks),
            f"{each.per_second:,.0f}",
            f"{each.per_second * each.documents:,.0f}",
            f"{each.p50_ms:.2f}",
            f"{each.p99_ms:.2f}",
            f"{each.processor_us:,.0f}",
        )
    return result


def surroundings(load: tuple[float, float, float]) -> Document:
    """Say where and when this was measured, and how busy the machine was before it began."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "load_before": [round(each, 2) for each in load],
    }


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mongo", default=os.environ.get("TSUNAGI_MONGODB_URI"), metavar="URI", help="default: a private one")
    parser.add_argument("--seconds", type=float, default=3, help="length of one run (default: 3)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each operation (default: 3)")
    parser.add_argument("--json", type=Path, default=Path("var/floor.json"), metavar="FILE", help="default: var/floor.json")
    options = parser.parse_args()
    console = Console()
    load = os.getloadavg()
    try:
        with database(options.mongo) as uri:
            figures = uvloop.run(floor(uri, options.seconds, options.repeat, console))
    except PyMongoError as failure:
        parser.exit(1, f"floor.py: MongoDB does not answer as it should: {failure}\n")
    console.print(table(figures))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({**surroundings(load), "figures": [asdict(each) for each in figures]}, indent=1) + "\n")
    console.print(f"Written to {options.json}")


if __name__ == "__main__":
    main()
