"""`tsunagi key` beside a running server: a new key at once, a withdrawn one nowhere."""

import asyncio
import time
from datetime import timedelta

import httpx
import pytest

from fhir_server.app import open_registry
from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from fhir_server.settings import Settings
from tests.clients.running import serving

SECRETARIAT = Requester("s1", "admin", Role.SECRETARIAT, "user/*.cruds", "Organization/network", fhir_user="Practitioner/s1")


@pytest.fixture
def server(tsunagi, mongodb_uri, database_name, tmp_path):
    chosen = {"mongodb_uri": mongodb_uri, "database": database_name, "access_log": "false"}
    with serving(tmp_path, "-m", "fhir_server", "serve", until="Tsunagi serves", **chosen) as base, httpx.Client(timeout=20) as client:

        def status(token):
            return client.get(f"{base.removesuffix('/fhir')}/admin/users", headers={"Authorization": f"Bearer {token}"}).status_code

        def token():
            return asyncio.run(issued(mongodb_uri, Settings(database=database_name, base_url=base)))

        yield status, token


async def issued(uri, settings):
    async with open_registry(settings, uri) as registry:
        return await registry.identity.tokens.issue(SECRETARIAT, timedelta(minutes=5))


def kids(printed):
    return {line.split()[0]: line.split()[-1] for line in printed.splitlines() if line.rstrip().endswith(("signs", "verifies"))}


def test_a_rotated_key_is_honoured_at_once_and_a_withdrawn_one_within_seconds_no_more(server, tsunagi):
    status, token = server
    before = token()
    assert status(before) == 200
    (old,) = kids(tsunagi("key", "list"))
    assert "signs from now on" in tsunagi("key", "rotate")
    listed = kids(tsunagi("key", "list"))
    assert listed.pop(old) == "verifies"
    ((new, state),) = listed.items()
    assert state == "signs"
    after = token()
    assert [status(each) for each in (after, before)] == [200, 200]  # the first request with a kid that the server has never seen
    assert "Nothing that it signed is honoured any more" in tsunagi("key", "withdraw", old)
    began = time.monotonic()
    while status(before) != 401:
        assert time.monotonic() - began < 15
        time.sleep(0.2)
    assert status(after) == 200
    assert kids(tsunagi("key", "list")) == {new: "signs"}


def test_a_key_that_is_not_there_is_one_clear_line(tsunagi):
    assert tsunagi.fails("key", "withdraw", "nonsense") == (1, "tsunagi: there is no such key: tsunagi key list")
    assert tsunagi.fails("key")[0] == 2
