"""The embedded database as a replica set of one: MongoDB has transactions only in replica sets.

https://www.mongodb.com/docs/v6.0/reference/replica-configuration/
"""

import signal
import time
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from fhir_server.store.mongod import LOOPBACK, REPLICA_SET
from fhir_server.store.ownership import EmbeddedError

_NOT_YET_INITIALIZED = 94


def make_primary(port: int, seconds: float) -> None:
    """Let the member at the loopback port accept writes: found the set, or follow the member to its new port."""
    with _client(port, seconds) as client:
        _configure(client, f"{LOOPBACK}:{port}")
        deadline = time.monotonic() + seconds
        while not client.admin.command("hello")["isWritablePrimary"]:
            if time.monotonic() > deadline:
                raise EmbeddedError(f"mongod at port {port} did not become the primary of its replica set within {seconds:.0f} s")
            time.sleep(0.02)


def _client(port: int, seconds: float) -> MongoClient[dict[str, Any]]:
    """Connect; the client's threads, which outlive it for a moment, are never handed a signal of this process.

    Who waits for signals (`command/supervisor.py`) blocks them in its own thread only: one that arrives in another would
    end the process there and then.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        return MongoClient(LOOPBACK, port, directConnection=True, serverSelectionTimeoutMS=int(seconds * 1000))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _configure(client: MongoClient[dict[str, Any]], address: str) -> None:
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as failure:
        if failure.code != _NOT_YET_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": address}]})
        return
    if config["members"][0]["host"] != address:
        config["members"][0]["host"] = address
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)
