"""A server of a few lines over TLS, with the real worker and register; tests start it as a process of its own.

`/` tells what the connection proves. Its arguments: port, MongoDB's address, database, and the options of Tls as JSON.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from pymongo import AsyncMongoClient

from fhir_server.auth.certificates.authority import stored_authorities
from fhir_server.auth.certificates.binding import Refused
from fhir_server.auth.certificates.enrolment import Policy
from fhir_server.auth.certificates.pki import Pki
from fhir_server.auth.sealing import Sealer
from fhir_server.command import worker
from fhir_server.command.listening import listen
from fhir_server.command.tls import Tls
from fhir_server.store.records import Shelf


def opened(client, name):
    return Shelf(client.get_database(name), clock=lambda: datetime.now(UTC))


def application(uri, name):
    client = pki = poll = None

    async def polling():
        while True:
            await asyncio.sleep(0.2)
            await pki.refresh()

    async def app(scope, receive, send):
        nonlocal client, pki, poll
        if scope["type"] == "lifespan":
            await receive()
            client = AsyncMongoClient(uri, tz_aware=True, tzinfo=UTC)
            pki = Pki(opened(client, name), Sealer(b"a secret of these tests"), Policy(), address="https://127.0.0.1")
            await pki.start()
            poll = asyncio.create_task(polling())
            await send({"type": "lifespan.startup.complete"})
            await receive()
            poll.cancel()
            await client.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        status, text = 200, scope["scheme"]
        try:
            found = pki.binding.presented(scope)
            text += f" {found.holder.id}" if found else " nobody"
        except Refused as refused:
            status, text = refused.status, refused.reason
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", str(len(text)).encode())]})
        await send({"type": "http.response.body", "body": text.encode()})

    return app


async def authorities(uri, name):
    async with AsyncMongoClient(uri, tz_aware=True, tzinfo=UTC) as client:
        return await stored_authorities(opened(client, name))


if __name__ == "__main__":
    port, uri, name, options = sys.argv[1:]
    chosen = json.loads(options)
    tls = Tls(Path(chosen.pop("certificate")), Path(chosen.pop("key")), **chosen, authorities=asyncio.run(authorities(uri, name)))
    worker.serve(application(uri, name), listen("127.0.0.1", int(port), 1), lambda: print("ready", flush=True), 5, tls)
