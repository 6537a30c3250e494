"""What the shape of the store costs: the figures behind docs/decisions 0004 to 0007.

    python bench/store_shape.py --mongod PATH [--synthea FOLDER] [--total 200000] [--parts ingest,reads,...]

Starts a private mongod (single-node replica set) in a temporary directory. The variants take turns inside one sitting, so
that ratios mean something on a machine that others use too; processor time is that of mongod plus this process.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import shape_data as data
import shape_questions
import uvloop
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

TICKS = os.sysconf("SC_CLK_TCK")
DURABLE = "w=majority&journal=true&directConnection=true&uuidRepresentation=standard"


class Meter:
    """Elapsed and processor time of named things that take turns."""

    def __init__(self, server: int) -> None:
        self.server = server
        self.rows: dict[str, list[float]] = {}

    def processor(self) -> tuple[float, float]:
        fields = Path(f"/proc/{self.server}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS, time.process_time()

    async def run(self, name: str, work: Awaitable[object], count: int) -> None:
        server, client, start = *self.processor(), time.perf_counter()
        await work
        spent = time.perf_counter() - start
        server2, client2 = self.processor()
        row = self.rows.setdefault(name, [0.0, 0.0, 0.0, 0.0])
        for index, value in enumerate((count, spent, server2 - server, client2 - client)):
            row[index] += value

    def report(self) -> None:
        for name, (count, spent, server, client) in self.rows.items():
            each = 1000 / count
            print(f"{name:44} {count / spent:9.0f}/s  cpu ms: mongod {server * each:7.3f}  client {client * each:7.3f}", flush=True)
        self.rows.clear()


# -- variants ---------------------------------------------------------------------------------------------------------


def packed(resource: dict[str, Any], body: bytes, sequence: int) -> dict[str, Any]:
    found = data.values(resource)
    entries = ["", *(parameter + form for parameter, forms in found.items() for form in forms)]
    kind = resource["resourceType"]
    document = {"_id": f"{kind}/{resource['id']}", "t": kind, "v": 1, "b": body, "n": sequence, "d": data.date(resource), "e": entries}
    if patient := data.lead(resource):
        document["p"] = patient
        document["c"] = ["", *(entry for entry in entries if entry.startswith(("code=", "category=", "status=")))]
    return document


def ordered(resource: dict[str, Any], body: bytes, sequence: int) -> dict[str, Any]:
    document = packed(resource, body, sequence)
    return {**document, "o": struct.pack(">QQ", document.pop("d") + 2**63, document.pop("n"))}


def fields(resource: dict[str, Any], body: bytes, sequence: int) -> dict[str, Any]:
    document = {"_id": resource["id"], "v": 1, "b": body, "n": sequence, "d": data.date(resource), "s": data.values(resource)}
    if patient := data.lead(resource):
        document["p"] = patient
    return document


LED = {"partialFilterExpression": {"p": {"$exists": True}}}


class Variant:
    def __init__(
        self, name: str, database: AsyncDatabase[dict[str, Any]], *, typed: bool, make: Callable[..., dict[str, Any]], short: bool
    ) -> None:
        self.name, self.database, self.typed, self.make, self.short = name, database, typed, make, short
        self.known: set[str] = set()
        self.order = [("o", 1)] if make is ordered else [("d", 1), ("n", 1)]
        self.newest = [(field, -1) for field, _ in self.order]

    def collection(self, kind: str) -> Any:
        return self.database[kind if self.typed else "resource"]

    async def prepare(self, kind: str, parameters: set[str], compressor: str) -> None:
        name = kind if self.typed else "resource"
        if name not in self.known:
            await self.database.create_collection(name, storageEngine={"wiredTiger": {"configString": f"block_compressor={compressor}"}})
        first: list[Any] = [] if self.typed else [("t", 1)]
        if self.make is fields:
            for parameter in sorted(parameters - {p for p in self.known if p.startswith(kind + ".")}):
                if f"{kind}.{parameter}" not in self.known:
                    some = {"partialFilterExpression": {f"s.{parameter}": {"$exists": True}}}
                    await self.collection(kind).create_index([(f"s.{parameter}", 1), *self.order], **some)
                    self.known.add(f"{kind}.{parameter}")
            if name not in self.known:
                await self.collection(kind).create_index([("p", 1), ("s.code", 1), *self.order], name="led", **LED)
        elif name not in self.known:
            await self.collection(kind).create_index([*first, ("e", 1), *self.order], name="entries")
            await self.collection(kind).create_index([("p", 1), *first, ("c" if self.short else "e", 1), *self.order], name="led", **LED)
        self.known.add(name)

    async def insert(self, batch: list[tuple[str, dict[str, Any]]]) -> None:
        if not self.typed:
            await self.database["resource"].insert_many([document for _, document in batch], ordered=False)
            return
        by_kind: dict[str, list[dict[str, Any]]] = {}
        for kind, document in batch:
            by_kind.setdefault(kind, []).append(document)
        await asyncio.gather(*(self.collection(kind).insert_many(some, ordered=False) for kind, some in by_kind.items()))

    async def size(self) -> str:
        await self.database.client.admin.command("fsync")
        stored = await self.database.command("dbStats")
        count = stored["objects"]
        return (
            f"{self.name:12} {count} documents, data {stored['storageSize'] / 1e6:.0f} MB, indexes {stored['indexSize'] / 1e6:.0f} MB "
            f"({stored['indexes']}), {(stored['storageSize'] + stored['indexSize']) / count:.0f} B each, unpacked {stored['avgObjSize']:.0f} B"
        )


def batches(resources: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    while batch := list(itertools.islice(resources, size)):
        yield batch


async def ingest(variants: list[Variant], meter: Meter, options: argparse.Namespace) -> None:
    source = itertools.chain(data.synthea(options.synthea), data.generated(options.total - 29388 * bool(options.synthea), 20000))
    sequence = itertools.count(1)
    for turn, batch in enumerate(batches(source, 2000)):
        shapes: dict[str, set[str]] = {}
        for resource in batch:
            shapes.setdefault(resource["resourceType"], set()).update(data.values(resource))
        coded = [(r["resourceType"], r, json.dumps(r, ensure_ascii=False, separators=(",", ":")).encode(), next(sequence)) for r in batch]
        for offset in range(len(variants)):
            variant = variants[(turn + offset) % len(variants)]
            for kind, parameters in shapes.items():
                await variant.prepare(kind, parameters, "snappy" if variant.name.endswith("snappy") else "zstd")
            made = [(kind, variant.make(resource, body, n)) for kind, resource, body, n in coded]
            parts = [made[start : start + 250] for start in range(0, len(made), 250)]
            await meter.run(f"ingest {variant.name}", asyncio.gather(*map(variant.insert, parts)), len(made))
    meter.report()
    for variant in variants:
        print(await variant.size(), flush=True)


# -- the server of its own ------------------------------------------------------------------------------------------


def start(mongod: Path, folder: str) -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as probe:
        for port in range(28600, 28700):
            if probe.connect_ex(("127.0.0.1", port)):
                break
    log = Path(folder, "log")
    arguments = ["--dbpath", folder, "--port", str(port), "--bind_ip", "127.0.0.1", "--replSet", "rs", "--wiredTigerCacheSizeGB", "1.5"]
    extra = ["--networkMessageCompressors", "disabled", "--setParameter", "diagnosticDataCollectionEnabled=false", "--oplogSize", "990"]
    return subprocess.Popen([str(mongod), *arguments, *extra, "--logpath", str(log)], stdout=subprocess.DEVNULL), port


async def ready(uri: str) -> AsyncMongoClient[dict[str, Any]]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri, maxPoolSize=64, serverSelectionTimeoutMS=30000)
    await client.admin.command("replSetInitiate", {"_id": "rs", "members": [{"_id": 0, "host": uri.split("/")[2]}]})
    while not (await client.admin.command("hello")).get("isWritablePrimary"):  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.2)
    return client


async def main(options: argparse.Namespace) -> None:
    folder = tempfile.mkdtemp(prefix="store-shape-")
    server, port = start(options.mongod, folder)
    try:
        client = await ready(f"mongodb://127.0.0.1:{port}/?{DURABLE}")
        variants = [
            Variant("one", client["one"], typed=False, make=packed, short=False),
            Variant("one-short", client["short"], typed=False, make=packed, short=True),
            Variant("one-order", client["order"], typed=False, make=ordered, short=True),
            Variant("typed", client["typed"], typed=True, make=packed, short=False),
            Variant("fields", client["fields"], typed=True, make=fields, short=False),
            Variant("one-snappy", client["snappy"], typed=False, make=packed, short=False),
        ]
        variants = [variant for variant in variants if variant.name in options.variants.split(",")]
        meter = Meter(server.pid)
        await ingest(variants, meter, options)
        named = {variant.name: variant for variant in variants}
        for part in options.parts.split(","):
            print(f"-- {part}", flush=True)
            await getattr(shape_questions, part)(named, meter, random.Random(7))
            meter.report()
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mongod", type=Path, required=True)
    parser.add_argument("--synthea", type=Path)
    parser.add_argument("--total", type=int, default=200_000)
    parser.add_argument("--variants", default="one,one-short,one-order,typed,fields,one-snappy")
    parser.add_argument("--parts", default="searches,coalescing,history,chains,permits")
    uvloop.run(main(parser.parse_args()))
