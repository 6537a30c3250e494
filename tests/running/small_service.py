"""A service of a few lines on the real supervisor, workers and MongoDB; tests start it as a process of its own.

`/pid` names the worker, `/write` and `/count` use MongoDB, `/slow` takes a second, `/crash` ends the worker.
"""

import asyncio
import os
import sys
from pathlib import Path

from pymongo import AsyncMongoClient

from fhir_server import observability
from fhir_server.command import CommandFailed
from fhir_server.command.database import open_for
from fhir_server.command.serve import serve
from fhir_server.settings import load


def create_app(settings, uri):
    client = None

    async def app(scope, receive, send):
        nonlocal client
        if scope["type"] == "lifespan":
            await receive()
            client = AsyncMongoClient(uri, serverSelectionTimeoutMS=20_000)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await client.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = await answer(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    async def answer(path):
        collection = client[settings.database]["thing"]
        match path:
            case "/crash":
                os._exit(9)
            case "/slow":
                await asyncio.sleep(1)
            case "/write":
                await collection.insert_one({})
            case "/count":
                return str(await collection.count_documents({})).encode()
            case "/metrics":
                return observability.exposition()[0]
        observability.record("read", "Patient", 200, 0.01)
        return str(os.getpid()).encode()

    return app


if __name__ == "__main__":
    port, data, workers, *admin_port = sys.argv[1:]
    chosen = {"admin_port": admin_port[0]} if admin_port else {}
    settings = load({}, port=port, data=Path(data), workers=workers, mongodb_cache=256, mongodb_oplog=16, **chosen)
    observability.configure("info")
    try:
        serve(settings, lambda: open_for(settings, "a small service"), lambda: print("ready", flush=True), lambda: create_app)
    except CommandFailed as failure:
        print(failure, file=sys.stderr)
        sys.exit(failure.status)
