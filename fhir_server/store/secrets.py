"""Secrets that the server makes for itself, kept where all its processes find the same one."""

import os
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase

from fhir_server.store.failures import told

_BYTES = 32
_COLLECTION = "secret"


async def kept_secret(database: AsyncDatabase[dict[str, Any]], name: str) -> bytes:
    """Give the secret of this name, 32 random bytes; whichever process asks first makes it."""
    with told():
        found = await database[_COLLECTION].find_one_and_update(
            {"_id": name}, {"$setOnInsert": {"b": os.urandom(_BYTES)}}, upsert=True, return_document=ReturnDocument.AFTER
        )
    assert found is not None
    return bytes(found["b"])
