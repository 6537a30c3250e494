"""The leak matrix: every gate against the ways that write, alone, by search and in bundles. Whoever does not see it writes as if it were not there."""

import asyncio

from tests.access.leaks.gates import GATES
from tests.access.leaks.matrix import answer
from tests.access.leaks.ways import MOST, TAKEN, WRITING
from tests.access.sharing import physician
from tests.rest.served import observation


async def test_s27_s28_s30_s31_s32_s56_no_write_tells_of_it(matrix):
    await matrix.nothing_told(WRITING, MOST)


async def test_what_is_written_to_is_there_for_whom_it_concerns(matrix):
    await matrix.told_to_whom_it_concerns(WRITING)


async def test_s33_an_id_that_is_taken_is_refused_and_nothing_else_is_told(matrix):
    """Ids that servers give cannot be guessed; what a client names itself is written or not."""
    for way in TAKEN.values():
        for name in ("no consent", "stopped", "stopped, pending", "label"):
            gate = GATES[name]
            assert (await answer(matrix.having, way, gate, gate.reader)).startswith(("403", "412"))
            method, address, sent = way.sent(gate.n)
            refused = (await matrix.having.ask(gate.reader, method, address, **sent)).text
            assert "ひみつ" not in refused
            assert "secret" not in refused


async def test_s29_of_two_that_create_at_once_unless_there_one_does(matrix):
    made = observation("Patient/own-7302", id=None, identifier=[{"system": "urn:race", "value": "1"}])
    body = {name: value for name, value in made.items() if value is not None}
    asked = [
        matrix.having.ask(physician("A"), "POST", "/Observation", json=body, headers={"If-None-Exist": "identifier=urn:race|1"})
        for _ in range(4)
    ]
    assert sorted([each.status_code for each in await asyncio.gather(*asked)]) == [200, 200, 200, 201]


async def test_s42_s43_s44_s55_what_is_not_offered_answers_nobody(matrix):
    subscription = {
        "resourceType": "Subscription", "status": "requested", "reason": "x", "criteria": "Observation?code=x",
        "channel": {"type": "rest-hook", "endpoint": "http://169.254.169.254/"},
    }  # fmt: skip
    for method, address, body in (
        ("POST", "/Subscription", subscription), ("PUT", "/Subscription/s", {**subscription, "id": "s"}), ("GET", "/$export", None),
        ("GET", "/Patient/$export", None), ("GET", "/Group/grp-7302/$export", None), ("POST", "/$graphql", {"query": "{Patient{id}}"}),
        ("GET", "/$graphql?query={Patient{id}}", None), ("GET", "/Patient/pat-7302/$graphql?query={id}", None),
    ):  # fmt: skip
        answered = await matrix.having.ask(physician("A"), method, address, **({"json": body} if body else {}))
        assert answered.status_code in (400, 403, 404, 405), (address, answered.text)
        assert "秘" not in answered.text
