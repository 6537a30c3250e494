"""Connecting, and what is made at the first connection."""

import asyncio
import subprocess
from collections.abc import Iterator

import pytest

from fhir_server.store.mongo import Mongo, Unsuitable
from fhir_server.store.mongod import find_binary, free_port


async def test_several_processes_may_connect_to_an_empty_database_at_once(mongodb_uri, fresh_database_name):
    opened = await asyncio.gather(*(Mongo.connect(mongodb_uri, fresh_database_name) for _ in range(6)))
    indexes = await opened[0].resource.index_information()
    assert set(indexes) == {"_id_", "by_entry", "by_patient", "by_time", "by_deletion", "by_subject"}
    assert set(await opened[0].history.index_information()) == {"_id_", "by_resource", "by_time"}
    for mongo in opened:
        await mongo.close()


async def test_documents_and_indexes_are_compressed_by_zstd(mongodb_uri, fresh_database_name):
    mongo = await Mongo.connect(mongodb_uri, fresh_database_name)
    for collection in (mongo.resource, mongo.history):
        stored = await mongo.database.command("collStats", collection.name, indexDetails=True)
        configured = [stored["wiredTiger"]["creationString"], *(index["creationString"] for index in stored["indexDetails"].values())]
        assert len(configured) > 2
        assert [text for text in configured if "block_compressor=zstd" not in text] == []
    await mongo.close()


async def test_writes_are_acknowledged_by_the_majority_and_the_journal(mongo):
    for collection in (mongo.resource, mongo.history):
        assert collection.write_concern.document["w"] == "majority"
        assert collection.write_concern.document["j"] is True


@pytest.mark.parametrize("uri", ["nonsense", "mongodb://", "mongodb://host:99999"])
async def test_a_bad_connection_string_is_told(uri):
    with pytest.raises(Unsuitable):
        await Mongo.connect(uri, "x")


async def test_a_mongodb_that_cannot_be_reached_is_told():
    with pytest.raises(Unsuitable, match="not reachable"):
        await Mongo.connect(f"mongodb://127.0.0.1:{free_port()}/?serverSelectionTimeoutMS=300", "x")


@pytest.fixture
def lonely(tmp_path) -> Iterator[str]:
    """The connection string of a mongod without a replica set."""
    port = free_port()
    command = [
        str(find_binary()),
        "--dbpath",
        str(tmp_path),
        "--port",
        str(port),
        "--bind_ip",
        "127.0.0.1",
        "--logpath",
        str(tmp_path / "log"),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as alone:
        yield f"mongodb://127.0.0.1:{port}/"
        alone.terminate()


async def test_a_mongodb_without_a_replica_set_is_told(lonely):
    with pytest.raises(Unsuitable, match="replica set"):
        await Mongo.connect(lonely, "x")
