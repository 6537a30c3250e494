"""What consents and the audit log cost: a reader limited by consent beside the custodian, a revocation, reads with and without audit.

    python bench/consent.py                        10,000 persons, about ten minutes; writes var/consent.json
    python bench/consent.py --persons 1000         a shorter one
    python bench/consent.py --place var/consent    keeps the data there, and takes what an earlier run has left

Custodian and reader ask for the same, in turn, in one process, through `Service.perform`, so that everything but HTTP is counted. Processor
time is that of this process and of mongod. docs/decisions/0022-custody.md has figures.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import consent_world as world
import httpx
import uvloop
from audit import mongod_of, processor_time
from consent_world import A, B, World
from rich import box
from rich.console import Console
from rich.table import Table

from fhir_server.app import Application, create_app
from fhir_server.consent.settling import Settler
from fhir_server.exchange import FhirRequest
from fhir_server.outcome import FhirError
from fhir_server.service import LOCAL
from fhir_server.settings import Settings
from fhir_server.store.embedded import Options, open_database

READERS = {"operator": LOCAL, "custodian": world.physician(A), "reader": world.physician(B)}
CONCURRENT = 16
BASE = "http://127.0.0.1/fhir"
Ask = Callable[[], FhirRequest]


class Bench:
    """One sitting: `app` is a started server on the data, `pid` its mongod."""

    def __init__(self, app: Application, pid: int, arguments: argparse.Namespace) -> None:
        assert app.registry is not None
        self.app, self.registry, self.pid, self.arguments = app, app.registry, pid, arguments
        self.world = World(app.registry, arguments.persons, arguments.results)
        self.rng = random.Random(1)
        desk = self.registry.network.desk
        self.settler = Settler(desk.everything, self.registry.network.register, world.now, timedelta(0))

    async def settle(self) -> dict[str, float]:
        """Bring every document up to date."""
        began, ours, theirs = time.perf_counter(), time.process_time(), processor_time(self.pid)
        settled = await self.settler.settle()
        wall = time.perf_counter() - began
        return {"persons": settled, "s": wall, "cpu_s": time.process_time() - ours, "mongod_s": processor_time(self.pid) - theirs}

    # -- questions --------------------------------------------------------------------------------------------------------

    def questions(self) -> dict[str, Ask]:
        """One request of each kind, about persons taken by chance."""
        anybody = lambda: self.rng.randrange(world.FEW + 1, self.arguments.persons)  # noqa: E731
        rich = lambda: self.rng.randrange(1, world.FEW + 1)  # noqa: E731

        def search(type: str, *parameters: tuple[str, str]) -> FhirRequest:
            return FhirRequest("search-type", type, parameters=parameters, base=BASE)

        def demographics() -> FhirRequest:
            one = world.golden(anybody())
            return search("Patient", ("birthdate", one["birthDate"]), ("gender", one["gender"]), ("_count", "20"))

        def newest() -> FhirRequest:
            code = f"{world.data.LOINC}|{self.rng.choice(world.data.LABS)[0]}"
            return search("Observation", ("subject", f"Patient/a{rich():011d}"), ("code", code), ("_sort", "-date"), ("_count", "20"))

        return {
            "c read": lambda: FhirRequest("read", "Observation", f"{anybody():06d}{0:06d}"),
            "d identifier": lambda: search("Patient", ("identifier", f"urn:hospital:a|{anybody():010d}")),
            "d name": lambda: search("Patient", ("name", world.golden(anybody())["name"][0]["family"]), ("_count", "20")),
            "d birthdate + gender": demographics,
            "e patient + code": newest,
            "j $everything": lambda: FhirRequest("operation", "Patient", f"a{rich():011d}", operation="everything", by_get=True, base=BASE),
        }

    async def compare(self, kinds: Iterable[str] | None = None) -> dict[str, Any]:
        """Ask each kind as each of them, in turn; medians of the turns."""
        made = self.questions()
        return {kind: await self._alternating(made[kind]) for kind in (kinds or made)}

    async def _alternating(self, make: Ask) -> dict[str, Any]:
        turns: dict[str, list[tuple[float, float, float]]] = {name: [] for name in READERS}
        for _ in range(self.arguments.turns + 1):
            for name, who in READERS.items():
                turns[name].append(await self.cost(lambda who=who: self.registry.service.perform(make(), who)))
        return {name: [round(statistics.median(column), 3) for column in zip(*each[1:], strict=True)] for name, each in turns.items()}

    async def cost(self, once: Callable[[], Awaitable[Any]], concurrent: int = CONCURRENT) -> tuple[float, float, float]:
        """Do it for a while; give milliseconds each of the clock, of this process and of mongod."""
        done, began = 0, time.perf_counter()
        ours, theirs = time.process_time(), processor_time(self.pid)

        async def worker() -> None:
            nonlocal done
            while time.perf_counter() < began + self.arguments.seconds:
                await once()
                done += 1

        await asyncio.gather(*(worker() for _ in range(concurrent)))
        wall = (time.perf_counter() - began) * 1000
        return wall / done, (time.process_time() - ours) * 1000 / done, (processor_time(self.pid) - theirs) * 1000 / done

    # -- plans ------------------------------------------------------------------------------------------------------------

    async def plans(self) -> dict[str, str]:
        """How MongoDB answers one request of each kind of the reader: indexes, keys and documents looked at."""
        database = self.registry.mongo.database
        found = {}
        for kind, make in self.questions().items():
            await database["system.profile"].drop()
            await database.command("profile", 2)
            await self.registry.service.perform(make(), READERS["reader"])
            await database.command("profile", 0)
            asked = await database["system.profile"].find({"ns": f"{database.name}.resource"}).to_list()
            plans = ", ".join(each.get("planSummary", "")[:60] for each in asked)
            keys, documents = (sum(each.get(name, 0) for each in asked) for name in ("keysExamined", "docsExamined"))
            found[kind] = f"{plans}; keys {keys}, documents {documents}, given {sum(each.get('nreturned', 0) for each in asked)}"
        return found

    # -- a revocation -----------------------------------------------------------------------------------------------------

    async def revocation(self) -> dict[str, Any]:
        """Stop the sharing of the patient with most data, over HTTP; what the reader is answered next, and how long documents take."""
        service, seen = self.registry.service, FhirRequest("read", "Observation", f"{0:06d}{1:06d}")
        puts, nexts, settled = [], [], []
        tokens = {who: await self.registry.identity.tokens.issue(who, timedelta(hours=1)) for who in (world.SECRETARY, READERS["reader"])}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=BASE) as client:
            for status in ("inactive", "active") * self.arguments.turns:
                assert (await service.perform(seen, READERS["custodian"])).status == 200
                body = world.consent(0, A, B, status=status)
                began = time.perf_counter()
                headers = {"Authorization": f"Bearer {tokens[world.SECRETARY]}"}
                answer = await client.put(f"/Consent/{body['id']}", json=body, headers=headers)
                puts.append((time.perf_counter() - began) * 1000)
                assert answer.status_code == 200, answer.text
                began = time.perf_counter()
                headers = {"Authorization": f"Bearer {tokens[READERS['reader']]}"}
                read = await client.get(f"/Observation/{seen.id}", headers=headers)
                nexts.append((time.perf_counter() - began) * 1000)
                assert read.status_code == (404 if status == "inactive" else 200), read.status_code
                settled.append((await self.settle())["s"])
        medians = {name: round(statistics.median(each), 1) for name, each in (("put_ms", puts), ("next_ms", nexts))}
        return {**medians, "put_max_ms": round(max(puts), 1), "settled_s": round(statistics.median(settled), 2)}


async def bulk(bench: Bench) -> dict[str, Any]:
    """Publish everybody's consents at once, look at what a request costs meanwhile, and settle."""
    began = time.perf_counter()
    await bench.world.publish(range(bench.arguments.persons), A, B)
    published = time.perf_counter() - began
    hidden = 0

    async def ask(make: Ask) -> None:
        """Whoever waits for the documents to say it is not seen yet."""
        nonlocal hidden
        try:
            await bench.registry.service.perform(make(), READERS["reader"])
        except FhirError:
            hidden += 1

    began = time.perf_counter()
    await ask(bench.questions()["j $everything"])
    first = time.perf_counter() - began
    asked = {name: await bench.cost(lambda make=make: ask(make), 4) for name, make in bench.questions().items()}
    return {
        "published_s": round(published, 1),
        "first_ms": round(first * 1000),
        "asked": asked,
        "hidden": hidden,
        "settled": await bench.settle(),
    }


@asynccontextmanager
async def serving(uri: str, **settings: Any) -> AsyncIterator[Application]:
    """A started server in this process."""
    app = create_app(Settings(database="bench", base_url=BASE, settle_time=3600, **settings), uri)
    async with app.outer.router.lifespan_context(app.outer):
        yield app


async def audited(uri: str, pid: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Reads by id with and without the audit log, in turn; and what it costs to know the register's revision."""
    found: dict[str, list[tuple[float, float, float]]] = {"on": [], "off": [], "revision": []}
    async with serving(uri, audit="on") as on, serving(uri, audit="off", authentication="off") as off:
        for _ in range(arguments.turns + 1):
            for name, app in (("on", on), ("off", off)):
                bench = Bench(app, pid, arguments)
                make = bench.questions()["c read"]
                found[name].append(await bench.cost(lambda b=bench, m=make: b.registry.service.perform(m(), READERS["custodian"])))
            found["revision"].append(await bench.cost(bench.registry.network.register.current))
    return {name: [round(statistics.median(column), 3) for column in zip(*each[1:], strict=True)] for name, each in found.items()}


async def measure(uri: str, pid: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything, on the data there is or on new data."""
    figures: dict[str, Any] = {"load_at_start": os.getloadavg()}
    async with serving(uri) as app:
        bench = Bench(app, pid, arguments)
        if await bench.registry.mongo.resource.find_one({"_id": "Patient/golden-000000000000"}) is None:
            began = time.perf_counter()
            await bench.world.load()
            figures["loaded_s"] = round(time.perf_counter() - began)
            show("loaded", figures["loaded_s"])
            show("bulk", await bulk(bench), figures)
        show("settled before", await bench.settle())
        show("plans", await bench.plans(), figures)
        for special in arguments.special:
            await bench.world.publish(range(100, 100 + special), A, B, special=True)
            show(f"settled with {special} special", await bench.settle())
            for pending in arguments.pending if special == 0 else [0]:
                await bench.world.pending(range(1000, 1000 + pending))
                show(f"{special} special, {pending} pending", await bench.compare(arguments.kinds), figures)
            await bench.world.publish(range(100, 100 + special), A, B)
            await bench.settle()
        show("revocation", await bench.revocation(), figures)
    show("audit", await audited(uri, pid, arguments), figures)
    return {**figures, "load_at_end": os.getloadavg()}


def show(title: str, found: Any, figures: dict[str, Any] | None = None) -> None:
    """Print figures, and keep them."""
    if figures is not None:
        figures[title] = found
    console = Console(width=150)
    if not (isinstance(found, dict) and any(isinstance(each, dict) and "reader" in each for each in found.values())):
        console.print(title, found)
        return
    table = Table("", *(f"{name}: ms, cpu, mongod" for name in READERS), "reader : custodian (ms, cpu)", title=title, box=box.SIMPLE)
    for kind, row in found.items():
        table.add_row(kind, *(" ".join(f"{each:.2f}" for each in row[name]) for name in READERS), ratios(row["reader"], row["custodian"]))
    console.print(table)


def ratios(reader: Sequence[float], custodian: Sequence[float]) -> str:
    """Clock and processor time as ratios."""
    return f"{reader[0] / custodian[0]:.2f} {sum(reader[1:]) / sum(custodian[1:]):.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = lambda text: [int(each) for each in text.split(",")]  # noqa: E731
    parser.add_argument("--persons", type=int, default=10_000)
    parser.add_argument("--results", type=int, default=12, help="of most persons")
    parser.add_argument("--pending", type=numbers, default=[0, 1, 5, 50])
    parser.add_argument("--special", type=numbers, default=[0, 10, 100])
    parser.add_argument("--kinds", type=lambda text: text.split(","), help="only these questions")
    parser.add_argument("--seconds", type=float, default=0.5, help="length of each turn")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--place", type=Path, help="where the data is kept")
    parser.add_argument("--out", type=Path, default=Path("var/consent.json"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = (arguments.place or Path(temporary)).resolve() / "mongodb"
        with open_database(None, place, "bench", Options(2048, 256)) as database:
            figures = uvloop.run(measure(database.uri, mongod_of(place), arguments))
    arguments.out.parent.mkdir(exist_ok=True)
    arguments.out.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
