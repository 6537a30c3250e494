"""Whose what is written is: the custodian, the patients, the facilities that may read it.

The custodian of what is new follows from the permit, of what exists from what is stored; neither from the body. What is written about a
patient must be about one that the writer may attach it to, and stays with that patient (S31, S32, S56).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fhir_server.outcome import FhirError, Issue
from fhir_server.search.entries import SEVERAL
from fhir_server.search.expression import EVERYTHING
from fhir_server.store.custody import NETWORK, NOBODYS, SHARED_BY_NETWORK, Custody, subjects, whose
from fhir_server.store.failures import told
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.sharing import Shared
from fhir_server.store.writing import Delete, Put, Stored, Write
from profiles.json import decode


async def custodies(mongo: Mongo, permit: Permit, writes: Sequence[Write], current: Mapping[str, Stored]) -> list[Custody]:
    """Give for each write whose its result is."""
    each = [_about(write, current.get(write.key)) for write in writes]
    contexts = await _contexts(mongo, writes)
    patients = {patient for about in (*each, *contexts.values()) for patient in about}
    known = await _shared(mongo, patients)
    found = []
    for write, about in zip(writes, each, strict=True):
        stored = current.get(write.key)
        custodian = (stored.get("f") if stored is not None else None) or permit.custodian
        context = contexts.get(write.key, ())
        found.append(_custody(custodian, context or about, context, known, write.key))
    return found


async def custody_of(mongo: Mongo, custodian: str | None, patients: Sequence[str], key: str) -> Custody:
    """Give the custody of what tells of these patients; `key` is its "Type/id"."""
    return _custody(custodian, patients, (), await _shared(mongo, set(patients)), key)


def _custody(
    custodian: str | None, about: Sequence[str], context: tuple[str, ...], known: Mapping[str, Shared | None], key: str
) -> Custody:
    """Who may read what tells of several patients, may read what tells of each of them (C39)."""
    if custodian is None and not context:
        return NOBODYS
    if custodian == NETWORK and key.partition("/")[0] not in SHARED_BY_NETWORK:
        return Custody(custodian, about=context)
    readers: set[str] | None = None
    barred: set[str] = set()
    for patient in about:
        shared = known.get(patient)
        theirs = set(shared.readers.get(custodian or "", ())) if shared is not None else set()
        readers = theirs if readers is None else readers & theirs
        barred |= set(shared.barred) if shared is not None else set()
    return Custody(custodian, tuple(sorted(readers or ())), tuple(sorted(barred)), context)


def _about(write: Write, current: Stored | None) -> tuple[str, ...]:
    if isinstance(write, Delete):
        return whose(current) if current is not None else ()
    return subjects(write.prepared.entries, write.key)


async def _shared(mongo: Mongo, patients: set[str]) -> dict[str, Shared | None]:
    ordered = sorted(patients)
    return dict(zip(ordered, await asyncio.gather(*(mongo.sharing.of(each) for each in ordered)), strict=True))


async def _contexts(mongo: Mongo, writes: Sequence[Write]) -> dict[str, tuple[str, ...]]:
    """A Binary belongs to the patients of its securityContext: https://hl7.org/fhir/R4/binary.html#security."""
    contexts = {write.key: reference for write in writes if (reference := _context(write)) is not None}
    if not contexts:
        return {}
    together = {write.key: _about(write, None) for write in writes if not isinstance(write, Delete)}
    wanted = sorted({reference for reference in contexts.values() if reference not in together})
    with told():
        cursor = mongo.resource.find({"_id": {"$in": wanted}}, {"p": 1, "w": 1}, max_time_ms=mongo.limits.milliseconds)
        stored = {each["_id"]: whose(each) for each in await cursor.to_list()}
    return {key: together.get(reference) or stored.get(reference, ()) for key, reference in contexts.items()}


def _context(write: Write) -> str | None:
    if isinstance(write, Delete) or write.prepared.type != "Binary":
        return None
    reference = (write.prepared.resource.get("securityContext") or {}).get("reference")
    return reference if isinstance(reference, str) and not reference.startswith("Patient/") else None


# -- what may be written -------------------------------------------------------------------------------------------------


async def check_patients(mongo: Mongo, permit: Permit, writes: Sequence[Write], current: Mapping[str, Stored]) -> None:
    """Check that what is written is about patients to whom the writer may attach it, and does not leave its patient.

    Raises FhirError: 422 for a patient who is not there or not to be seen, which look the same, and for another patient than before.
    """
    if permit.custodian not in (None, NETWORK):
        for write in writes:
            if not isinstance(write, Delete) and not (isinstance(write, Put) and write.only_create):
                _check_same(write, current.get(write.key))
    if permit.attaches == EVERYTHING:
        return
    together = {write.key for write in writes}
    wanted: dict[str, Write] = {}
    for write in writes:
        stored = current.get(write.key)
        if isinstance(write, Delete) or (isinstance(write, Put) and write.only_create and stored is not None):
            continue
        wanted |= {each: write for each in subjects(write.prepared.entries, write.key) if each not in together}
    known = await mongo.reads.several(sorted(wanted), permit.attaches) if wanted else {}
    for patient, write in wanted.items():
        if "b" not in known.get(patient, {}):
            text = "It is about a patient who is not known here / この患者は登録されていません"
            raise FhirError(Issue("not-found", text, (write.key.partition("/")[0],)), status=422)


def _check_same(write: Any, stored: Stored | None) -> None:
    before = stored.get("p") if stored is not None else None
    if before in (None, SEVERAL) or write.prepared.entries.patient == before:
        return
    text = "What is recorded of one patient does not become another one's; delete it and record it anew / 患者の付け替えはできません"
    raise FhirError(Issue("business-rule", text, (write.prepared.type,)))


def carried(write: Write, stored: Stored | None, permit: Permit, mongo: Mongo) -> Write:
    """Give the write with the elements that only the network changes as they are stored, where its body leaves them out."""
    if isinstance(write, Delete) or stored is None or stored.get("b") is None:
        return write
    elements = [each for each in permit.fixed.get(write.prepared.type, ()) if each not in write.prepared.resource]
    before = decode(stored["b"]) if elements else {}
    kept = {each: before[each] for each in elements if each in before}
    if not kept or mongo.index is None:
        return write
    resource = {**write.prepared.resource, **kept}
    return replace(write, prepared=replace(write.prepared, resource=resource, entries=mongo.index(resource)))
