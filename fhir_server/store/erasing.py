"""Everything about patients removed for good: resources, their past, deletions, Binaries with their files.

NETWORK.md D8, F080. Nothing is marked here, it is gone: afterwards a read finds what it finds of an id that never was. Where that is
interrupted it begins again; what was about to go is told before it goes, so that whoever keeps count of it counts nothing twice.

What tells of several patients goes too: what is left of a document without one of those it tells of, nobody has written or signed. Audit
events stay, as the law wants them to.
"""

import hashlib
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from fhir_server.search.entries import ABOUT
from fhir_server.search.expression import EQUALS
from fhir_server.store.content import EXTENSION, kept_by
from fhir_server.store.custody import whose
from fhir_server.store.documents import SEVERAL
from fhir_server.store.failures import told
from fhir_server.store.files import BINARY
from fhir_server.store.mongo import Mongo
from fhir_server.store.sharing import PERSONS
from profiles.json import decode

Document: TypeAlias = Mapping[str, Any]

_AT_ONCE: Final = 100
_HEAVIEST: Final = 32 * 1024 * 1024  # bytes of the bodies looked at in one go
_KEPT: Final = "AuditEvent/"
_NAMED_BINARY: Final = re.compile(rb"Binary/[A-Za-z0-9\-.]{1,64}")
_WHOLE_PAST_MILLISECONDS: Final = 600_000


@dataclass(frozen=True, slots=True)
class Removal:
    """What is about to be removed.

    `keys` are "Type/id", all versions of which go, and "Type/id/2", a past version of what stays. `resources` and `versions` count by
    type; `digest` is SHA-256 over a line for each version, "Type/id/version sha256-of-its-JSON", in their order. `consents` are the lines
    of Consents.
    """

    keys: tuple[str, ...]
    resources: Mapping[str, int] = field(default_factory=dict)
    versions: int = 0
    digest: bytes = b""
    consents: tuple[str, ...] = ()


async def erase(mongo: Mongo, patients: Sequence[str]) -> AsyncIterator[Removal]:
    """Remove everything about these patients ("Patient/1"), step by step: a step is taken when the next one is asked for.

    Raises FhirError (503, timeout) where the database is away.
    """
    while keys := await _next(mongo, patients):
        yield await _removal(mongo, keys)
        await remove(mongo, keys)
    while past := await _next_past(mongo, patients):
        yield _counted(past, ())
        await remove(mongo, [each["_id"] for each in past])
    with told():
        await mongo.database[PERSONS].delete_many({"_id": {"$in": list(patients)}})


async def remove(mongo: Mongo, keys: Sequence[str]) -> None:
    """Remove these keys of a Removal: files first, what they are found by last, so that it can be asked again at any point."""
    whole = [key for key in keys if key.count("/") == 1]
    past = [key for key in keys if key.count("/") == 2]
    files = await _files(mongo, [key for key in whole if key.startswith(BINARY)])
    with told():
        await mongo.database["binary.chunks"].delete_many({"files_id": {"$in": files}})
        await mongo.database["binary.files"].delete_many({"_id": {"$in": files}})
        await mongo.history.delete_many({"$or": [{"r": {"$in": whole}}, {"_id": {"$in": past}}]})
        await mongo.resource.delete_many({"_id": {"$in": whole}})


async def _next(mongo: Mongo, patients: Sequence[str]) -> list[str]:
    """A few resources about the patients, with what goes along: empty when there are none left."""
    with told():
        types = [*await mongo.resource.distinct("t"), None]  # None: deletions
        asked = {"$or": list(_ways(patients, types)), "_id": {"$not": re.compile(f"^{_KEPT}")}}
        found: dict[str, None] = {}
        octets = 0
        async with mongo.resource.find(asked, {"b": 1}, limit=_AT_ONCE, max_time_ms=_WHOLE_PAST_MILLISECONDS) as cursor:
            async for document in cursor:
                found[document["_id"]] = None
                octets += len(document.get("b", b""))
                if octets > _HEAVIEST:
                    break
    return list(found | dict.fromkeys(await _along(mongo, list(found), patients)))


def _ways(patients: Sequence[str], types: Sequence[str | None]) -> Iterable[dict[str, Any]]:
    """Every way in which a document says that it is about one of the patients; an index answers each."""
    yield {"_id": {"$in": list(patients)}}
    yield {"p": {"$in": list(patients)}}
    yield {"p": SEVERAL, "t": {"$in": types}, "c": {"$in": [f"{SEVERAL}{EQUALS}{patient}" for patient in patients]}}
    yield {"t": {"$in": types}, "e": {"$in": [f"{ABOUT}{EQUALS}{patient}" for patient in patients]}}


async def _along(mongo: Mongo, keys: Sequence[str], patients: Sequence[str]) -> list[str]:
    """Binaries that these refer to, unless they are somebody else's, and Provenances of these."""
    with told():
        named = {found.decode() for body in await _bodies(mongo, keys) for found in _NAMED_BINARY.findall(body)}
        binaries = mongo.resource.find({"_id": {"$in": sorted(named)}}, {"p": 1, "w": 1})
        found = [each["_id"] async for each in binaries if set(whose(each)) <= set(patients)]
        targets = [f"target{EQUALS}{key}" for key in keys]
        provenances = mongo.resource.find({"t": "Provenance", "e": {"$in": targets}}, {"_id": 1})
        return [*found, *[each["_id"] async for each in provenances]]


async def _bodies(mongo: Mongo, keys: Sequence[str]) -> list[bytes]:
    current = mongo.resource.find({"_id": {"$in": list(keys)}}, {"b": 1})
    past = mongo.history.find({"r": {"$in": list(keys)}}, {"b": 1})
    return [each["b"] for each in (*await current.to_list(), *await past.to_list()) if each.get("b") is not None]


async def _removal(mongo: Mongo, keys: Sequence[str]) -> Removal:
    with told():
        current = await mongo.resource.find({"_id": {"$in": list(keys)}}, {"v": 1, "b": 1}).to_list()
        past = await mongo.history.find({"r": {"$in": list(keys)}}, {"b": 1}).to_list()
    whole = [{"_id": f"{each['_id']}/{each['v']}", "b": each.get("b")} for each in current]
    return _counted([*whole, *past], keys)


def _counted(versions: Sequence[Document], keys: Sequence[str]) -> Removal:
    """Count versions, "Type/id/2"; a deletion has no content but is a version too."""
    lines = sorted(f"{each['_id']} {hashlib.sha256(each.get('b') or b'').hexdigest()}" for each in versions)
    resources = Counter(key.partition("/")[0] for key in keys)
    consents = tuple(line for line in lines if line.startswith("Consent/"))
    digest = hashlib.sha256("\n".join(lines).encode()).digest()
    return Removal(tuple(keys) or tuple(each["_id"] for each in versions), dict(resources), len(lines), digest, consents)


async def _next_past(mongo: Mongo, patients: Sequence[str]) -> list[dict[str, Any]]:
    """Past versions that told of the patients, of resources that do not any more. No index finds them: it is looked through once."""
    asked = {"$or": [{"p": {"$in": list(patients)}}, {"w": {"$in": list(patients)}}], "t": {"$ne": _KEPT.rstrip("/")}}
    with told():
        return await mongo.history.find(asked, {"b": 1}, limit=_AT_ONCE, max_time_ms=_WHOLE_PAST_MILLISECONDS).to_list()


async def _files(mongo: Mongo, binaries: Sequence[str]) -> list[str]:
    """The files in which the content of these Binaries lies, that of their past versions too."""
    if not binaries:
        return []
    with told():
        bodies = await _bodies(mongo, binaries)
    kept = [kept_by(decode(body)) for body in bodies if EXTENSION.encode() in body]
    return [each.file for each in kept if each is not None]
