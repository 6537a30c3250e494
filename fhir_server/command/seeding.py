"""Makes a sandbox of a database: the fixture's facilities and people, who is whom, consents, accounts with known passwords, clients.

It may be done again at any time, and is at every start of the demo: what is there stays, and the addresses of the clients
follow the server's. It is done in a process of its own, for the one that forks the server's workers must have no threads.
"""

import asyncio
import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fhir_server.command import CommandFailed
from fhir_server.settings import Settings

if TYPE_CHECKING:
    from fhir_server.app import Registry
    from fhir_server.auth.registrations import Draft
    from fhir_server.authorization.administration.resources import Resources
    from fhir_server.store.embedded import Database

KEY_FILE: Final = "ehr-b-key.private.json"
"""The private key of a client that proves who it is by a key, for whoever wants to try that."""


def seed(settings: Settings, database: "Database") -> None:
    """See that the sandbox is in the database. Raises CommandFailed."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(settings, database, os.getpid(), theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        failure = ours.recv()
    except EOFError:
        failure = "its process ended"
    finally:
        process.terminate()
        process.join()
    if failure is not None:
        raise CommandFailed(f"the sandbox's people and clients could not be made: {failure}", status=3)


def _work(settings: Settings, database: "Database", parent: int, pipe: Connection) -> None:
    from fhir_server.store.tether import tether  # noqa: PLC0415 - not needed by the parent

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    database.leave()
    tether(parent)
    try:
        asyncio.run(_seeded(settings, database.uri))
    except Exception as failure:  # noqa: BLE001 - told to the parent, which ends with one line
        pipe.send(str(failure) or type(failure).__name__)
    else:
        pipe.send(None)


async def _seeded(settings: Settings, uri: str) -> None:
    from fhir_server.app import open_registry  # noqa: PLC0415
    from fhir_server.auth.requester import LOCAL  # noqa: PLC0415
    from fhir_server.authorization.administration.resources import Resources  # noqa: PLC0415
    from fhir_server.sandbox import people  # noqa: PLC0415
    from fhir_server.ssmix2.facility import organization_id  # noqa: PLC0415

    async with open_registry(settings, uri) as registry:
        resources = Resources(lambda request: registry.service.perform(request, LOCAL))
        for resource in people.resources(organization_id):
            await _put(resources, resource)
        await _agree(registry)
        await _open_accounts(registry)
        await _register(settings, registry)


async def _put(resources: "Resources", resource: dict[str, Any]) -> None:
    """Write what is not there, or is there only as an import made it, of the facility's code alone."""
    stored = await resources.read(f"{resource['resourceType']}/{resource['id']}")
    if stored is None:
        await resources.put(resource)
    elif resource["resourceType"] == "Organization" and "type" not in stored:
        await resources.put({**resource, "meta": {**resource["meta"], "versionId": stored["meta"]["versionId"]}})


async def _agree(registry: "Registry") -> None:
    """Link who is one person (名寄せ), and take the patients' consents to where the fixture has them."""
    from fhir_server.sandbox.agreeing import Agreeing  # noqa: PLC0415
    from fhir_server.sandbox.linked import Identities  # noqa: PLC0415
    from fhir_server.ssmix2.facility import organization_id, patient_id  # noqa: PLC0415

    identities = Identities(registry.network.desk, patient_id)
    await identities.link()
    await Agreeing(registry.service, identities, organization_id).agree()


async def _open_accounts(registry: "Registry") -> None:
    """Give everybody an account and the sandbox's password; where there is one it stays, and its password does not grow old."""
    from msgspec.structs import replace  # noqa: PLC0415

    from fhir_server.auth.accounts.account import ACCOUNTS, Account  # noqa: PLC0415
    from fhir_server.sandbox import people  # noqa: PLC0415
    from fhir_server.ssmix2.facility import patient_id  # noqa: PLC0415

    shelf, moment = registry.identity.shelf, registry.identity.shelf.clock()
    accounts = shelf.records(ACCOUNTS)
    for login in people.logins():
        if await accounts.change(login.id, lambda found: replace(found, changed=moment)) is None:
            hashed, user = await registry.identity.people.passwords.hash(people.PASSWORD), people.fhir_user(login, patient_id)
            await accounts.add(Account(id=login.id, fhir_user=user, created=moment, password=hashed, changed=moment, must_change=False))


async def _register(settings: Settings, registry: "Registry") -> None:
    """Register the clients, where they are not registered so."""
    from msgspec.structs import replace  # noqa: PLC0415

    from fhir_server.auth.clients import CLIENTS  # noqa: PLC0415
    from fhir_server.auth.registrations import Rules, register  # noqa: PLC0415
    from fhir_server.sandbox import people  # noqa: PLC0415
    from fhir_server.ssmix2.facility import organization_id  # noqa: PLC0415

    identity = registry.identity
    records, rules = identity.shelf.records(CLIENTS), Rules(identity.grammar, settings.issuer, sandbox=True)
    for draft in people.clients(settings.issuer):
        known = await records.get(draft.id)
        organization = f"Organization/{organization_id(draft.facility)}" if draft.facility is not None else None
        secret = known.secret if known is not None else await _hashed(registry, draft)
        draft = replace(draft, jwks=_public_keys(settings.data)) if draft.method == "private_key_jwt" else draft
        client = register(draft, rules, organization, secret, known.created if known is not None else identity.shelf.clock())
        if client != known:
            await records.put(client)


async def _hashed(registry: "Registry", draft: "Draft") -> str | None:
    from fhir_server.sandbox.people import secret_of  # noqa: PLC0415

    return await registry.identity.people.passwords.hash(secret_of(draft.id)) if draft.method == "client_secret_basic" else None


def _public_keys(directory: Path) -> dict[str, Any]:
    """Give the public part of the sandbox's own key, which is made once and lies beside its data."""
    import msgspec  # noqa: PLC0415
    from joserfc.jwk import ECKey  # noqa: PLC0415

    path = directory / KEY_FILE
    if not path.exists():
        key = ECKey.generate_key("P-384", {"kid": "sandbox", "alg": "ES384", "use": "sig"}, private=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(key.as_dict(private=True)))
    key = ECKey.import_key(msgspec.json.decode(path.read_bytes()))
    return {"keys": [key.as_dict(private=False)]}
