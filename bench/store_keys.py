"""What the keys of the store's indexes cost, with the entries that the search parameters really make.

    python bench/store_keys.py --mongod PATH [--synthea FOLDER] [--total 200000]

The figures behind docs/decisions/0005-indexes.md; see store_shape.py for how they are taken.
"""

import argparse
import asyncio
import itertools
import random
import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import shape_data as data
import uvloop
from shape_questions import IDENTIFIER, MEASURED, codes, crowd
from store_shape import DURABLE, Meter, batches, ready, start

from fhir_server.search.entries import entries
from fhir_server.search.parameters import Parameters
from fhir_server.store.documents import Prepared, document, place, stamped
from profiles.definitions import r4

NOW = datetime(2026, 4, 1, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Tokyo")
LED = {"partialFilterExpression": {"p": {"$exists": True}}}
ZSTD = {"storageEngine": {"wiredTiger": {"configString": "block_compressor=zstd"}}}
PAIR, ONE = (("d", 1), ("n", 1)), (("o", 1),)

VARIANTS: dict[str, tuple[tuple[tuple[str, int], ...], str, dict[str, Any]]] = {
    "pair": (PAIR, "e", {}),
    "pair, c": (PAIR, "c", {}),
    "place, c": (ONE, "c", {}),
    "place, c, zstd": (ONE, "c", ZSTD),
}


def made(resource: dict[str, Any], parameters: Parameters, number: int) -> dict[str, Any]:
    prepared = Prepared(resource["resourceType"], resource["id"], resource, entries(resource, parameters, ZONE))
    where = place(prepared.entries.date, number & 0x3FFFF)
    return document(prepared, stamped(resource, 1, NOW), version=1, updated=NOW, method="PUT", place=where)


def shaped(made: dict[str, Any], order: tuple[tuple[str, int], ...], number: int) -> dict[str, Any]:
    if order == ONE:
        return made
    return {**made, "d": (made["o"] >> 18) - (1 << 43), "n": 1775001600000 + number // 10 << 22 | 77 << 10 | number % 10}


async def prepare(database: Any, order: tuple[tuple[str, int], ...], array: str, options: dict[str, Any]) -> None:
    await database.create_collection("resource", **ZSTD)
    await database["resource"].create_index([("t", 1), ("e", 1), *order], name="by_entry", **options)
    await database["resource"].create_index([("p", 1), ("t", 1), (array, 1), *order], name="by_patient", **LED, **options)


async def ask(database: Any, variant: str, condition: dict[str, Any], hint: str) -> None:
    newest = [(field, -1) for field, _ in VARIANTS[variant][0]]
    await database["resource"].find(condition, {"b": 1, "v": 1}).sort(newest).limit(20).hint(hint).to_list()


async def main(options: argparse.Namespace) -> None:
    folder = tempfile.mkdtemp(prefix="store-keys-")
    server, port = start(options.mongod, folder)
    try:
        client = await ready(f"mongodb://127.0.0.1:{port}/?{DURABLE}")
        meter, parameters, rng = Meter(server.pid), Parameters(r4()), random.Random(7)
        opened = {name: client[f"keys{number}"] for number, name in enumerate(VARIANTS)}
        for name, shape in VARIANTS.items():
            await prepare(opened[name], *shape)
        await load(opened, meter, parameters, options)
        meter.report()
        await client.admin.command("fsync")
        for name, database in opened.items():
            stored = await database.command("collStats", "resource")
            print(
                f"{name:16} data {stored['storageSize'] / 1e6:6.1f} MB",
                {index: round(size / 1e6, 1) for index, size in stored["indexSizes"].items()},
            )
        for _ in range(5):
            for name, database in opened.items():
                array = VARIANTS[name][1]

                def patient(database: Any = database, name: str = name, array: str = array) -> Any:
                    wanted = {"p": "Patient/" + rng.choice(MEASURED), "t": "Observation", array: "code=" + codes(rng.randrange(10))}
                    return ask(database, name, wanted, "by_patient")

                def identifier(database: Any = database, name: str = name) -> Any:
                    return ask(database, name, {"t": "Patient", "e": f"identifier={IDENTIFIER}|{rng.randrange(20000):010d}"}, "by_entry")

                await meter.run(f"patient+code · {name}", crowd(patient, 480), 480)
                await meter.run(f"identifier · {name}", crowd(identifier, 480), 480)
        meter.rows = dict(sorted(meter.rows.items()))
        meter.report()
    finally:
        server.terminate()
        server.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


async def load(opened: dict[str, Any], meter: Meter, parameters: Parameters, options: argparse.Namespace) -> None:
    source = itertools.chain(data.synthea(options.synthea), data.generated(options.total - 29000 * bool(options.synthea), 20000))
    numbers, keys = itertools.count(1), Counter[str]()
    for turn, batch in enumerate(batches(source, 2000)):
        numbered = [(made(resource, parameters, number := next(numbers)), number) for resource in batch]
        keys.update(
            {"documents": len(numbered), "e": sum(len(d["e"]) for d, _ in numbered), "c": sum(len(d.get("c", ())) for d, _ in numbered)}
        )
        names = list(opened)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            documents = [shaped(document, VARIANTS[name][0], number) for document, number in numbered]
            parts = [documents[at : at + 250] for at in range(0, len(documents), 250)]
            work = asyncio.gather(*(opened[name]["resource"].insert_many(part, ordered=False) for part in parts))
            await meter.run(f"ingest · {name}", work, len(documents))
    print({name: round(count / keys["documents"], 1) for name, count in keys.items()}, keys["documents"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mongod", type=Path, required=True)
    parser.add_argument("--synthea", type=Path)
    parser.add_argument("--total", type=int, default=200_000)
    uvloop.run(main(parser.parse_args()))
