"""The keys that sign: two processes of one server, a key made or withdrawn in one of them, and strangers who ask meanwhile."""

import asyncio
from datetime import UTC, timedelta

import pytest
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.monitoring import CommandListener

from fhir_server.auth.authenticator import Authenticator
from fhir_server.auth.cuts import Cuts
from fhir_server.auth.keys import SIGNING_KEYS, Keys
from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from fhir_server.auth.sealing import Sealer
from fhir_server.auth.tokens import Tokens
from fhir_server.outcome import FhirError
from fhir_server.store.records import Shelf, now

ISSUER, BASE = "https://fhir.example.jp", "https://fhir.example.jp/fhir"
WHO = Requester("a1", "viewer", Role.PHYSICIAN, "user/*.rs")


class Questions(CommandListener):
    """Counts what is asked of the signing keys."""

    def __init__(self):
        self.number = 0

    def started(self, event):
        self.number += event.command_name == "find" and event.command["find"] == SIGNING_KEYS.name

    def succeeded(self, event):
        pass

    def failed(self, event):
        pass


class Process:
    """What one process of a server knows."""

    def __init__(self, shelf):
        self.keys = Keys(shelf, Sealer(b"a secret of the tests"), now)
        self.cuts = Cuts(shelf, now)
        self.tokens = Tokens(self.keys, self.cuts, ISSUER, BASE, now)
        self.authenticator = Authenticator(self.tokens, self.cuts, now)

    async def started(self):
        await self.keys.start()
        await self.cuts.start()
        return self

    async def token(self):
        return await self.tokens.issue(WHO, timedelta(minutes=5))

    async def lets_in(self, token):
        try:
            return await self.authenticator.requester(f"Bearer {token}", None) == WHO
        except FhirError as failure:
            assert failure.status == 401
            return False


@pytest.fixture
def questions():
    return Questions()


@pytest.fixture
async def listened(mongodb_uri, database_name, questions):
    async with AsyncMongoClient(mongodb_uri, event_listeners=[questions]) as client:
        yield Shelf(client.get_database(database_name, codec_options=CodecOptions(tz_aware=True, tzinfo=UTC)))


@pytest.fixture
async def processes(shelf, listened):
    """One process of the server, and another whose questions are counted."""
    return await Process(shelf).started(), await Process(listened).started()


async def strange(shelf, number):
    """Tokens that strangers signed with keys of their own, each of another kid."""
    made = []
    for _ in range(number):
        keys = Keys(shelf, Sealer(b"a secret of strangers"), now)
        await keys.rotate()
        made.append(await Tokens(keys, Cuts(shelf, now), ISSUER, BASE, now).issue(WHO, timedelta(minutes=5)))
    await shelf.records(SIGNING_KEYS).remove_all()
    return made


async def test_the_first_token_of_a_new_key_is_accepted_whoever_asked_just_before(shelf, listened):
    strangers = await strange(shelf, 3)
    one, other = await Process(shelf).started(), await Process(listened).started()
    before = await one.token()
    for _ in range(2):
        assert not await other.lets_in(strangers[0])
        await one.keys.rotate()
        assert await other.lets_in(await one.token())
        assert await other.lets_in(before)
    await one.keys.rotate()
    made = await one.token()
    told = await asyncio.gather(*(other.lets_in(each) for each in (strangers[1], made, strangers[2], made)))
    assert told == [False, True, False, True]


async def test_strangers_do_not_force_a_question_each(shelf, listened, questions):
    strangers = await strange(shelf, 40)
    other = await Process(listened).started()
    known = await other.token()
    began, questions.number = asyncio.get_running_loop().time(), 0
    for some in range(0, 40, 10):
        assert not any(await asyncio.gather(*(other.lets_in(each) for each in strangers[some : some + 10])))
        assert await other.lets_in(known)
    seconds = asyncio.get_running_loop().time() - began
    assert 1 <= questions.number <= 1 + seconds / 0.5


async def test_a_token_of_a_known_key_waits_for_no_strangers(shelf, listened, questions):
    strangers = await strange(shelf, 2)
    other = await Process(listened).started()
    known = await other.token()
    waiting = [asyncio.create_task(other.lets_in(each)) for each in strangers]
    questions.number = 0
    assert await other.lets_in(known)
    assert questions.number == 0
    assert not any(await asyncio.gather(*waiting))


async def test_a_new_key_signs_in_every_process_once_it_has_looked(processes):
    one, other = processes
    kid = await one.keys.rotate()
    assert str((await other.keys.signing()).kid) != kid
    await other.keys.keep_up()  # not yet time to look
    assert str((await other.keys.signing()).kid) != kid
    other.keys._looked -= 6
    await other.keys.keep_up()
    assert str((await other.keys.signing()).kid) == kid


async def test_what_a_withdrawn_key_signed_is_worthless_even_where_it_was_remembered(processes):
    one, other = processes
    leaked = (await one.keys.listed())[-1].id
    before = await one.token()
    assert await one.lets_in(before)
    assert await other.lets_in(before)
    assert await one.keys.withdraw(leaked)
    assert not await one.lets_in(before)
    await other.keys.refresh()
    assert not await other.lets_in(before)
    after = await one.token()
    assert await one.lets_in(after)
    assert await other.lets_in(after)
    assert [each.id for each in await one.keys.listed()] != [leaked]
    assert not await one.keys.withdraw(leaked)


async def test_of_two_keys_the_older_is_withdrawn_and_the_newer_goes_on(processes):
    one, _ = processes
    old = (await one.keys.listed())[-1].id
    before, new = await one.token(), await one.keys.rotate()
    after = await one.token()
    assert await one.keys.withdraw(old)
    assert not await one.lets_in(before)
    assert await one.lets_in(after)
    assert [each.id for each in await one.keys.listed()] == [new]
