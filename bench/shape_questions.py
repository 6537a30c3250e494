"""The questions asked of each variant of the store's shape; see store_shape.py."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from typing import Any

import shape_data as data
from pymongo.errors import OperationFailure

NEWEST = [("d", -1), ("n", -1)]
SHOWN = {"b": 1, "v": 1, "d": 1, "n": 1, "o": 1}
PATIENTS = [data.identity("patient", number) for number in range(20000)]
MEASURED = PATIENTS[:1200]
IDENTIFIER = "urn:oid:1.2.392.100495.20.3.51.13710000017"


async def crowd(make: Callable[[], Awaitable[object]], count: int, tasks: int = 16) -> None:
    async def one() -> None:
        for _ in range(count // tasks):
            await make()

    await asyncio.gather(*(one() for _ in range(tasks)))


async def ask(variant: Any, kind: str, condition: dict[str, Any], hint: str | None = None, limit: int = 20) -> list[Any]:
    if not variant.typed:
        condition = {"t": kind, **condition}
    cursor = variant.collection(kind).find(condition, SHOWN).sort(variant.newest).limit(limit)
    return await (cursor.hint(hint) if hint else cursor).to_list()


def plan(stage: dict[str, Any]) -> str:
    """The stages from the top down, with the index's name."""
    inner = stage.get("inputStages") or ([stage["inputStage"]] if "inputStage" in stage else [])
    name = stage["stage"] + (f"({stage['indexName']})" if "indexName" in stage else "")
    return name + (" < " + plan(inner[0]) if inner else "") + (f" x{len(inner)}" if len(inner) > 1 else "")


async def explained(variant: Any, kind: str, condition: dict[str, Any], hint: str | None = None) -> str:
    if not variant.typed:
        condition = {"t": kind, **condition}
    command = {
        "find": variant.collection(kind).name,
        "filter": condition,
        "sort": dict(variant.newest),
        "limit": 20,
        **({"hint": hint} if hint else {}),
    }
    told = await variant.database.command({"explain": command, "verbosity": "executionStats"})
    stats = told["executionStats"]
    winner = told["queryPlanner"]["winningPlan"]
    return f"{plan(winner.get('queryPlan', winner))}; keys {stats['totalKeysExamined']}, documents {stats['totalDocsExamined']}, found {stats['nReturned']}"


def questions(variant: Any, rng: random.Random) -> dict[str, Callable[[], tuple[str, dict[str, Any], str | None]]]:
    """Conditions of the workload, in the variant's own form."""

    def day() -> tuple[int, int]:
        low = data.moment(f"{rng.randrange(1935, 2015)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}T00:00:00")
        return low, low + 86399999

    def patient() -> str:
        return "Patient/" + rng.choice(MEASURED)

    def born() -> dict[str, Any]:
        low, high = day()
        span = {"$gte": f"<{low:012x}", "$lte": f"<{high:012x}"}
        if variant.name == "fields":
            return {"s.birthdate": {"$elemMatch": span}, "s.gender": "=male"}
        return {"e": {"$elemMatch": {edge: "birthdate" + value for edge, value in span.items()}}, "$and": [{"e": "gender=male"}]}

    if variant.name == "fields":
        return {
            "identifier": lambda: ("Patient", {"s.identifier": f"={IDENTIFIER}|{rng.randrange(20000):010d}"}, None),
            "name": lambda: (
                "Patient",
                {"s.name": {"$elemMatch": {"$gte": (n := ":" + rng.choice(data.FAMILY)[0]), "$lt": n + "\uffff"}}},
                None,
            ),
            "birthdate+gender": lambda: ("Patient", born(), None),
            "patient+code": lambda: ("Observation", {"p": patient(), "s.code": "=" + data.codes(rng.randrange(10))}, None),
        }
    many = "c" if variant.short else "e"
    return {
        "identifier": lambda: ("Patient", {"e": f"identifier={IDENTIFIER}|{rng.randrange(20000):010d}"}, "entries"),
        "name": lambda: ("Patient", {"e": "name:" + rng.choice(data.FAMILY)[0]}, "entries"),
        "name as range": lambda: (
            "Patient",
            {"e": {"$elemMatch": {"$gte": (n := "name:" + rng.choice(data.FAMILY)[0]), "$lt": n + "\uffff"}}},
            "entries",
        ),
        "birthdate+gender": lambda: ("Patient", born(), "entries"),
        "patient+code": lambda: ("Observation", {"p": patient(), many: "code=" + data.codes(rng.randrange(10))}, "led"),
        "patient+code, p in [x, *]": lambda: (
            "Observation",
            {"p": {"$in": [patient(), "*"]}, many: "code=" + data.codes(rng.randrange(10))},
            "led",
        ),
        "patient+two entries": lambda: (
            "Observation",
            {"p": patient(), "$and": [{many: "code=" + data.codes(rng.randrange(10))}, {"e": "status=final"}]},
            "led",
        ),
        "code, all patients": lambda: ("Observation", {"e": "code=" + data.codes(rng.randrange(10))}, "entries"),
    }


async def searches(variants: dict[str, Any], meter: Any, rng: random.Random) -> None:
    for variant in variants.values():
        for name, make in questions(variant, rng).items():
            print(f"{variant.name:10} {name:26} {await explained(variant, *make())}")
    for _ in range(5):
        for variant in variants.values():
            for name, make in questions(variant, rng).items():
                count = 16 if name == "name as range" else 320
                await meter.run(f"{name} · {variant.name}", crowd(lambda make=make, v=variant: ask(v, *make()), count), count)
    meter.rows = dict(sorted(meter.rows.items()))


async def coalescing(variants: dict[str, Any], meter: Any, rng: random.Random) -> None:
    one = variants["one"].collection("Patient")
    made = itertools.count()

    def fresh() -> dict[str, Any]:
        resource = data.patient(rng, 10**6 + next(made))
        return {
            "_id": "Patient/" + resource["id"],
            "t": "Patient",
            "v": 1,
            "n": next(made),
            "d": 0,
            "e": ["", "gender=male"],
            "b": b"x" * 1000,
        }

    async def reads() -> None:
        wanted = ["Patient/" + rng.choice(PATIENTS) for _ in range(16)]
        assert await one.find({"_id": {"$in": wanted}}, SHOWN).to_list()

    async def single() -> None:
        assert await one.find_one({"_id": "Patient/" + rng.choice(PATIENTS)}, SHOWN)

    for _ in range(5):
        await meter.run("read: find_one, 16 at once", crowd(single, 3200), 3200)
        await meter.run("read: $in of 16, one at a time", crowd(reads, 200, 1), 3200)
        await meter.run("create: insert_one, 16 at once", crowd(lambda: one.insert_one(fresh()), 800), 800)
        await meter.run(
            "create: insert_many of 16, one at a time", crowd(lambda: one.insert_many([fresh() for _ in range(16)]), 50, 1), 800
        )
        await meter.run(
            "create: insert_many of 16, two at a time", crowd(lambda: one.insert_many([fresh() for _ in range(16)]), 50, 2), 800
        )


async def history(variants: dict[str, Any], meter: Any, _: random.Random) -> None:
    database = variants["one"].database
    sample = await database["resource"].find({"t": "Observation", "p": {"$exists": True}}).limit(20000).to_list()
    for name in ("superseded", "every"):
        for collection in ("now", "then"):
            await database.create_collection(
                f"{name}_{collection}", storageEngine={"wiredTiger": {"configString": "block_compressor=zstd"}}
            )
        await database[f"{name}_now"].create_index([("t", 1), ("e", 1), ("d", 1), ("n", 1)])
        await database[f"{name}_then"].create_index([("r", 1), ("v", -1)])

    def version(document: dict[str, Any]) -> dict[str, Any]:
        return {
            "_id": f"{document['_id']}/{document['v']}",
            "r": document["_id"],
            "t": document["t"],
            "v": document["v"],
            "b": document["b"],
        }

    async def create(name: str, batch: list[dict[str, Any]]) -> None:
        await database[f"{name}_now"].insert_many(batch)
        if name == "every":
            await database[f"{name}_then"].insert_many([version(document) for document in batch])

    async def update(name: str, old: dict[str, Any]) -> None:
        new = {**old, "v": old["v"] + 1}
        await database[f"{name}_then"].insert_one(version(old if name == "superseded" else new))
        await database[f"{name}_now"].replace_one({"_id": old["_id"], "v": old["v"]}, new)

    for start in range(0, len(sample), 2000):
        for name in ("superseded", "every"):
            batch = sample[start : start + 2000]
            await meter.run(
                f"create · {name}", asyncio.gather(*(create(name, batch[at : at + 250]) for at in range(0, 2000, 250))), len(batch)
            )
    for start in range(0, min(3200, len(sample) // 800 * 800), 800):
        for name in ("superseded", "every"):
            turn = iter(sample[start : start + 800])
            await meter.run(f"update · {name}", crowd(lambda turn=turn, name=name: update(name, next(turn)), 800), 800)
    await database.client.admin.command("fsync")
    for name in ("superseded", "every"):
        sizes = [await database.command("collStats", f"{name}_{part}") for part in ("now", "then")]
        print(name, "bytes on disk:", [size["storageSize"] + size["totalIndexSize"] for size in sizes])


async def chains(variants: dict[str, Any], meter: Any, rng: random.Random) -> None:
    one = variants["one"].collection("Patient")
    bound = 1000

    def lookup(first: dict[str, Any], local: Any, foreign: Any, then: dict[str, Any]) -> list[dict[str, Any]]:
        joined = {
            "from": "resource",
            "localField": local,
            "foreignField": foreign,
            "as": "j",
            "pipeline": [{"$match": then}, {"$limit": 1}],
        }
        return [
            {"$match": first},
            {"$sort": dict(NEWEST)},
            {"$lookup": joined},
            {"$match": {"j": {"$ne": []}}},
            {"$limit": 20},
            {"$project": SHOWN},
        ]

    async def by_identifier() -> None:
        wanted = f"identifier={IDENTIFIER}|{rng.randrange(1200):010d}"
        found = await one.find({"t": "Patient", "e": wanted}, {"_id": 1}).limit(bound + 1).to_list()
        entries = ["subject=" + row["_id"] for row in found]
        rows = (
            await one.find({"t": "Observation", "e": {"$in": entries}, "$and": [{"e": "code=" + data.codes(1)}]}, SHOWN)
            .sort(NEWEST)
            .limit(20)
            .to_list()
        )
        assert rows

    async def by_identifier_led() -> None:
        wanted = f"identifier={IDENTIFIER}|{rng.randrange(1200):010d}"
        found = await one.find({"t": "Patient", "e": wanted}, {"_id": 1}).limit(bound + 1).to_list()
        led = {"p": {"$in": [row["_id"] for row in found]}, "t": "Observation", "e": "code=" + data.codes(1)}
        assert await one.find(led, SHOWN).sort(NEWEST).hint("led").limit(20).to_list()

    async def by_name(name: str, limit: int) -> int:
        found = await one.find({"t": "Patient", "e": f"name:{name}"}, {"_id": 1}).limit(limit).to_list()
        led = {"p": {"$in": [row["_id"] for row in found]}, "t": "Observation", "e": "code=" + data.codes(1)}
        return len(await one.find(led, SHOWN).sort(NEWEST).limit(20).to_list())

    async def joined() -> None:
        wanted = {"t": "Patient", "e": f"identifier={IDENTIFIER}|{rng.randrange(1200):010d}"}
        steps = lookup({"t": "Observation", "e": "code=" + data.codes(1)}, "p", "_id", wanted)
        try:
            cursor = await one.aggregate(steps, maxTimeMS=20000, hint="entries")
            await cursor.to_list()
        except OperationFailure as problem:
            print("$lookup:", problem.details and problem.details.get("codeName"))

    async def has_in_steps() -> None:
        found = await one.distinct("p", {"t": "Observation", "e": "code=" + data.codes(1), "d": {"$gte": 1609000000000}})
        await one.find({"t": "Patient", "_id": {"$in": found[:bound]}}, SHOWN).sort(NEWEST).limit(20).to_list()

    for _ in range(3):
        await meter.run("chain to one patient: two steps, entries $in", crowd(by_identifier, 32), 32)
        await meter.run("chain to one patient: two steps, p $in", crowd(by_identifier_led, 320), 320)
        await meter.run("chain to <= 1000 patients: two steps", crowd(lambda: by_name("三木", 1000), 16), 16)
        await meter.run("chain to one patient: $lookup", crowd(joined, 2, 2), 2)
        await meter.run("_has: distinct p, then $in", crowd(has_in_steps, 16), 16)


async def permits(variants: dict[str, Any], meter: Any, _: random.Random) -> None:
    one = variants["one"].collection("Patient")
    groups = {name: [PATIENTS[n] for n in range(0, 1600, step)] for name, step in (("all", 1), ("tenth", 10), ("few", 160))}
    for name, members in groups.items():
        extra = PATIENTS[2000 : 7000 - len(members)]
        allowed = ["Patient/" + member for member in (*members, *extra)]
        entry = f"grant={name}"

        async def rewrite(allowed: list[str] = allowed, entry: str = entry) -> None:
            await one.update_many({"p": {"$in": allowed}, "t": {"$in": ["Observation", "Patient"]}}, {"$addToSet": {"e": entry}})

        count = await one.count_documents({"p": {"$in": allowed}, "t": {"$in": ["Observation", "Patient"]}}, hint="led")
        await meter.run(f"write the grant {name} ({count} documents)", rewrite(), count)
        by_list = {"e": "code=" + data.codes(2), "p": {"$in": allowed}}
        by_entry = {"$and": [{"e": "code=" + data.codes(2)}, {"e": entry}]}
        for title, condition, hint in (
            ("nobody limited", {"e": "code=" + data.codes(2)}, "entries"),
            ("p $in, hint entries", by_list, "entries"),
            ("p $in, hint led", by_list, "led"),
            ("entry, hint entries", by_entry, "entries"),
        ):
            print(f"{name:6} {title:22} {await explained(variants['one'], 'Observation', condition, hint)}")
        for _ in range(3):
            for title, condition, hint, times in (
                ("nobody limited", {"e": "code=" + data.codes(2)}, "entries", 64),
                ("p $in 5000, hint entries", by_list, "entries", 32),
                ("p $in 5000, hint led", by_list, "led", 16),
                ("grant entry", by_entry, "entries", 64),
            ):
                await meter.run(
                    f"{name}: {title}", crowd(lambda c=condition, h=hint: ask(variants["one"], "Observation", c, h), times), times
                )
