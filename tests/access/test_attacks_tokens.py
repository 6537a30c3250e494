"""Tokens made to break what reads them, and tokens that would outlive a cut (S35, RFC 8725)."""

import base64
import logging

import pytest

from fhir_server.auth.roles import Role
from tests.access.records import EVERYTHING
from tests.access.secured import requester, store, token


def part(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


HEADERS = [
    "[" * 4000, '{"a":' * 1000 + "1" + "}" * 1000, '{"alg":' + "[" * 2000 + "]" * 2000 + "}", "[]", "1", '"x"', "null", "{}", "",
    '{"alg":"ES256","kid":{"$ne":null},"typ":"at+jwt"}', '{"alg":["ES256"],"kid":"x","typ":"at+jwt"}', '{"alg":"ES256","kid":"x","crit":["x"]}',
    '{"alg":"ES256","kid":"\\ud800","typ":"at+jwt"}', '{"alg":1e999,"kid":"x","typ":"at+jwt"}', '{"alg":"ES256","kid":' + "9" * 5000 + "}",
    '{"alg":"dir","enc":"A128GCM","kid":"x","typ":"at+jwt"}', '{"alg":"ES256","b64":false,"crit":["b64"],"kid":"x","typ":"at+jwt"}',
]  # fmt: skip


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
async def test_s35_no_header_of_a_token_makes_the_server_fail(secured, ask, stranger, caplog, header):
    await store(secured, *EVERYTHING)
    good = await token(secured, requester(Role.PHYSICIAN))
    for payload in (good.split(".")[1], part("[" * 2000), part("{}"), ""):
        text = f"{part(header)}.{payload}.{good.split('.')[2]}"
        answer = await stranger.get("/Patient/p1", headers={"Authorization": f"Bearer {text}"})
        assert answer.status_code == 401, (header[:60], payload[:20], answer.text)
        admin = await stranger.get("http://tsunagi.example/admin/users", headers={"Authorization": f"Bearer {text}"})
        assert admin.status_code == 401
        launch = await stranger.post("http://tsunagi.example/auth/launch", json={}, headers={"Authorization": f"Bearer {text}"})
        assert launch.status_code == 401
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
