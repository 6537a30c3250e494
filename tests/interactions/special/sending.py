"""Content to send, and what is stored of it."""

import os

import pytest

JSON = {"Accept": "application/fhir+json"}
LARGE = os.urandom(700_000)  # beyond what stays in the document
SMALL = b"\x00\xff small \r\n"
EVERY_SIZE = pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])


def files(worker_database, database_name) -> tuple[int, int]:
    """How many files there are, and how many of them are pending."""
    client, _ = worker_database
    found = client[database_name]["binary.files"]
    return found.count_documents({}), found.count_documents({"metadata.pending": True})


def chunks(worker_database, database_name) -> int:
    return worker_database[0][database_name]["binary.chunks"].count_documents({})


async def put_raw(client, content: bytes, id: str = "b", type: str = "application/pdf", **headers: str):
    return await client.put(f"/Binary/{id}", content=content, headers={"Content-Type": type, **headers})
