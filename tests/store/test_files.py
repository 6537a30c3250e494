"""Files that belong to nobody are found and deleted; files that belong to a version never are."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from fhir_server.outcome import FhirError
from fhir_server.search.expression import Entries
from fhir_server.store.content import kept_by, referring
from fhir_server.store.files import CHUNK, Files
from fhir_server.store.repository import Create, Delete, Prepared, Put, Repository
from profiles import json

LARGE = bytes(range(256)) * 5000


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 70_001):
        yield content[start : start + 70_001]


async def all_of(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


def binary(id: str, resource: dict) -> Prepared:
    return Prepared("Binary", id, {"resourceType": "Binary", "id": id, "contentType": "a/b", **resource}, Entries())


async def age(files: Files) -> None:
    """Make every file two hours older."""
    await files._files.update_many({}, {"$set": {"uploadDate": datetime.now(UTC) - timedelta(hours=2)}})


async def test_every_part_of_a_file_can_be_read(repository: Repository):
    kept = await repository.keep(pieces(LARGE))
    assert kept.size == len(LARGE)
    assert await all_of(repository.content(kept)) == LARGE
    for start, end in ((0, 1), (CHUNK - 1, CHUNK + 1), (CHUNK, CHUNK + 5), (len(LARGE) - 1, len(LARGE)), (5, 5)):
        assert await all_of(repository.content(kept, start, end)) == LARGE[start:end]


async def test_a_file_that_a_crash_left_is_swept_after_an_hour_and_no_earlier(repository: Repository):
    files = repository.mongo.files
    kept = await repository.keep(pieces(LARGE))
    assert await files.sweep() == 0
    await age(files)
    assert await files.sweep() == 1
    assert await all_of(repository.content(kept)) == b""


async def test_a_file_whose_version_was_stored_before_a_crash_stays(repository: Repository):
    files = repository.mongo.files
    kept = await repository.keep(pieces(LARGE))
    await repository.commit([Create(binary("b", referring({}, kept)))])
    await files._files.update_one({"_id": kept.file}, {"$set": {"metadata.pending": True}})  # as if the process ended here
    await repository.commit([Delete("Binary", "b")])
    await age(files)
    assert await files.sweep() == 0
    assert await all_of(repository.content(kept)) == LARGE
    assert await files._files.count_documents({"metadata.pending": True}) == 0


async def test_what_breaks_while_it_arrives_leaves_nothing(repository: Repository):
    async def broken() -> AsyncIterator[bytes]:
        yield LARGE * 5
        raise RuntimeError("the client went away")

    with pytest.raises(RuntimeError):
        await repository.keep(broken())
    assert await repository.mongo.files._chunks.count_documents({}) == 0
    assert await repository.mongo.files._files.count_documents({}) == 0


async def test_a_resource_refers_only_to_files_of_its_own(repository: Repository):
    kept = await repository.keep(pieces(LARGE))
    await repository.commit([Create(binary("b", referring({}, kept)))])
    with pytest.raises(FhirError) as refused:
        await repository.commit([Create(binary("c", referring({}, kept)))])
    assert refused.value.status == 422
    with pytest.raises(FhirError):
        await repository.commit([Put(binary("b", {**referring({}, kept), "data": "AAAA"}))])


async def test_a_file_that_came_from_outside_survives_a_failed_write_until_its_sender_gives_up(repository: Repository):
    kept = await repository.keep(pieces(LARGE))
    with pytest.raises(FhirError):
        await repository.commit([Put(binary("b", referring({}, kept)), if_match=3)])
    (version,) = await repository.commit([Put(binary("b", referring({}, kept)))])
    await repository.discard(kept)  # too late: it belongs to a version now
    found = kept_by(json.decode(version.body))
    assert found == kept
    assert await all_of(repository.content(found)) == LARGE
