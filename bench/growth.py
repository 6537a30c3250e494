"""How searches behave as the store grows: the same questions at 20,000, 200,000 and 2,000,000 resources.

    python bench/growth.py                          about 10 minutes; writes var/growth.json and prints a table
    python bench/growth.py --sizes 20000,200000     a shorter one

The resources are loaded in bulk (growth_data.py), the questions are asked over HTTP of `tsunagi serve` with 16 connections.
Beside each question stands how MongoDB answered it: the index, and how many keys and documents it looked at.
"""

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

import growth_data as data
import pymongo
from credential import Credential
from hospital import FACILITY, TSUNAGI, get, loop, serving
from pymongo import MongoClient, WriteConcern
from rich import box
from rich.console import Console
from rich.table import Table

from fhir_server.store.embedded import attach
from fhir_server.store.mongod import default_cache_megabytes

_PER_PATIENT = data.RESULTS + 1
_AT_ONCE = 2000
_LOADING_CACHE = 8192


def main() -> None:
    arguments = _arguments()
    place = Path("var/growth").resolve()
    shutil.rmtree(place, ignore_errors=True)
    try:
        figures = grow(place, arguments)
    finally:
        if not arguments.keep:
            shutil.rmtree(place, ignore_errors=True)
    arguments.out.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    show(figures)


def grow(place: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Load up to each size and ask; give the figures by size and question."""
    figures: dict[str, Any] = {"load_at_start": os.getloadavg(), "sizes": {}}
    results, patients = data.Results(), 0
    with serving(place) as (base, _):
        Credential.obtain(TSUNAGI, place, base, FACILITY)
        guest = attach(place / "mongodb")
        assert guest is not None
        with MongoClient(guest.uri) as client:
            database = client["tsunagi"]
            for size in arguments.sizes:
                loaded = load(database, results, patients, size // _PER_PATIENT)
                patients = size // _PER_PATIENT
                check(database)
                figures["sizes"][str(size)] = {"load": loaded, "questions": ask(base, database, patients, arguments.seconds)}
                Console(stderr=True).print(f"{size:,} resources: asked")
    return figures


def load(database: Any, results: data.Results, first: int, last: int) -> dict[str, Any]:
    """Store the patients of these numbers with their results."""
    collection = database.get_collection("resource", write_concern=WriteConcern(w=1))
    cache(database, _LOADING_CACHE)  # a load of millions at random places of the index; the questions are asked with the usual one
    waiting: list[Any] = []
    for index in range(first, last):
        waiting += [data.stored(data.patient(index), index), *results.of(index)]
        if len(waiting) >= _AT_ONCE or index == last - 1:
            collection.insert_many(waiting, ordered=False)
            waiting = []
        if index % 2000 == 1999:
            Console(stderr=True).print(f"{index + 1:,} of {last:,} patients")
    cache(database, default_cache_megabytes())
    database.client.admin.command("fsync")
    stats = database.command("dbStats")
    return {"resources": last * _PER_PATIENT, "disk_mb": round(stats["totalSize"] / 1e6, 1)}


def cache(database: Any, megabytes: int) -> None:
    """Set the cache of the embedded mongod."""
    database.client.admin.command("setParameter", 1, wiredTigerEngineRuntimeConfig=f"cache_size={megabytes}M")


def check(database: Any) -> None:
    data.check(list(database["resource"].aggregate([{"$sample": {"size": 200}}])))


def questions(patients: int, rng: random.Random) -> dict[str, str]:
    """One address of each kind, about a patient chosen by chance."""
    index = rng.randrange(patients)
    one = data.patient(index)
    number = data.number(index)
    code = f"code={quote(data.LOINC)}|{rng.choice(data.LABS)[0]}"
    newest = f"Observation?subject=Patient/{number}&{code}&_sort=-date&_count=20"
    return {
        "read": f"Observation/{data.number(index * data.RESULTS + rng.randrange(data.RESULTS))}",
        "identifier": f"Patient?identifier={quote(data.IDENTIFIER)}|{number}",
        "name": f"Patient?name={quote(one['name'][0]['family'])}&_count=20",
        "birthdate + gender": f"Patient?birthdate={one['birthDate']}&gender={one['gender']}&_count=20",
        "Observation by patient + code": newest,
        "the same with _include": f"{newest}&_include=Observation:subject",
        "chain": f"Observation?patient.identifier={quote(data.IDENTIFIER)}|{number}&{code}&_count=20",
        "code, newest first": f"Observation?{code}&_sort=-date&_count=20",
        "$everything": f"Patient/{number}/$everything",
    }


def ask(base: str, database: Any, patients: int, seconds: float) -> dict[str, Any]:
    """Ask each question for some seconds, and once with MongoDB's profiler on."""
    rng = random.Random(patients)
    found = {}
    for kind in questions(patients, rng):
        figures = asyncio.run(loop(base, lambda kind=kind: get(f"/fhir/{questions(patients, rng)[kind]}"), seconds))
        found[kind] = figures | {"plan": plan(base, database, questions(patients, rng)[kind])}
    return found


def plan(base: str, database: Any, address: str) -> dict[str, Any]:
    """Say how MongoDB answers one request: the plans of its queries, keys and documents looked at, and whether it sorted."""
    database["system.profile"].drop()
    database.command("profile", 2)
    try:
        with urllib.request.urlopen(Credential.request(f"{base}/{address}")) as answer:
            assert answer.status == 200
    finally:
        database.command("profile", 0)
    asked = list(database["system.profile"].find({"ns": f"{database.name}.resource"}, sort=[("ts", pymongo.ASCENDING)]))
    return {
        "plans": [each.get("planSummary", "") for each in asked],
        "keys": sum(each.get("keysExamined", 0) for each in asked),
        "documents": sum(each.get("docsExamined", 0) for each in asked),
        "sorted": any(each.get("hasSortStage", False) for each in asked),
    }


def show(figures: dict[str, Any]) -> None:
    sizes = figures["sizes"]
    table = Table(title="The same questions as the store grows (p50 in ms, 16 connections)", box=box.SIMPLE)
    table.add_column("question")
    for size in sizes:
        table.add_column(f"{int(size):,}", justify="right")
    table.add_column("last : first", justify="right")
    table.add_column("index, keys, documents at the last")
    kinds = next(iter(sizes.values()))["questions"]
    for kind in kinds:
        p50 = [each["questions"][kind]["p50_ms"] for each in sizes.values()]
        last = list(sizes.values())[-1]["questions"][kind]["plan"]
        plans = ", ".join(dict.fromkeys(each for plan in last["plans"] for each in re.findall(r"[A-Z]+ \{[^}]*\}|[A-Z_]+", plan)))
        looked = f"{plans}; {last['keys']}, {last['documents']}{' SORT' if last['sorted'] else ''}"
        table.add_row(kind, *(f"{each:.1f}" for each in p50), f"{p50[-1] / p50[0]:.2f}", looked)
    table.add_row("disk MB", *(f"{each['load']['disk_mb']:,.0f}" for each in sizes.values()), "", "")
    Console(width=160).print(table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sizes = lambda text: [int(each) for each in text.split(",")]  # noqa: E731
    parser.add_argument("--sizes", type=sizes, default=[20_000, 200_000, 2_000_000], help="resources, ascending")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each loop")
    parser.add_argument("--keep", action="store_true", help="leave the database in var/growth")
    parser.add_argument("--out", type=Path, default=Path("var/growth.json"), help="where the figures go")
    return parser.parse_args()


if __name__ == "__main__":
    main()
