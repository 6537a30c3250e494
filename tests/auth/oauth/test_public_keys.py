"""Keys fetched from a client's own address: a real server on this machine plays the client."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from joserfc import jwk

from fhir_server.auth.clients import Client
from fhir_server.auth.fetching import Unavailable, is_fetchable
from fhir_server.auth.oauth.public_keys import PublicKeys
from tests.auth.oauth.world import Clock, ec_key, public, refusal


class Site:
    """A web server that answers as it is told and counts who asks."""

    def __init__(self):
        self.status, self.headers, self.body, self.asked, self.pause = 200, [], b"", 0, 0.0

    async def answer(self, reader, writer):
        self.asked += 1
        try:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(self.pause)
            head = [f"HTTP/1.1 {self.status} X", f"Content-Length: {len(self.body)}", "Connection: close", *self.headers]
            writer.write("\r\n".join([*head, "", ""]).encode() + self.body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def opened():
    site = Site()
    server = await asyncio.start_server(site.answer, "127.0.0.1", 0)
    site.uri = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks"
    site.body = json.dumps(public(ec_key())).encode()
    async with server:
        yield site


@pytest.fixture
async def site():
    """The client's web server, with its keys."""
    async with opened() as site:
        yield site


class Pulse:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def pulse():
    """A clock that only goes forward when told."""
    return Pulse()


@pytest.fixture
def keys(pulse):
    """What is under test."""
    return PublicKeys(pulse)


def client(uri):
    return Client(id="c", name="c", method="private_key_jwt", scope="", created=Clock()(), jwks_uri=uri)


async def test_keys_are_fetched_once_and_kept(site, keys, pulse):
    for _ in range(3):
        assert await keys.find(client(site.uri), "ec-1", "ES384") is not None
    assert site.asked == 1
    pulse.seconds = 601
    await keys.find(client(site.uri), "ec-1", "ES384")
    assert site.asked == 2


async def test_many_at_once_fetch_once(site, keys):
    site.pause = 0.05
    found = await asyncio.gather(*(keys.find(client(site.uri), "ec-1", "ES384") for _ in range(10)))
    assert all(found)
    assert site.asked == 1


async def test_an_unknown_kid_has_the_keys_fetched_again_at_most_once_a_minute(site, keys, pulse):
    for seconds in (0, 30, 59, 60):
        pulse.seconds = seconds
        assert await keys.find(client(site.uri), "new", "ES384") is None
    assert site.asked == 1
    site.body = json.dumps(public(jwk.ECKey.generate_key("P-384", {"kid": "new"}))).encode()
    pulse.seconds = 61
    assert await keys.find(client(site.uri), "new", "ES384") is not None
    assert site.asked == 2
    assert await keys.find(client(site.uri), "ec-1", "ES384") is None, "it was withdrawn"


async def test_a_redirect_is_not_followed(site, keys):
    async with opened() as elsewhere:
        site.status, site.headers = 302, [f"Location: {elsewhere.uri}"]
        with pytest.raises(Unavailable, match="302"):
            await keys.find(client(site.uri), "ec-1", "ES384")
        assert elsewhere.asked == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff\xfe", b'{"keys": 1}', b"x" * 300_000, b'{"a":' * 5000])
async def test_what_is_no_jwk_set_gives_no_key(site, keys, body):
    site.body = body
    try:
        assert await keys.find(client(site.uri), "ec-1", "ES384") is None
    except Unavailable as problem:
        assert "jwks_uri" in str(problem)


async def test_a_packed_answer_is_not_unpacked(site, keys):
    site.headers = ["Content-Encoding: gzip"]
    assert await keys.find(client(site.uri), "ec-1", "ES384") is not None, "it was not packed, whatever it says"


async def test_nobody_there_is_told_and_not_asked_all_the_time(keys, pulse):
    async with opened() as site:
        gone = client(site.uri)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await keys.find(gone, "ec-1", "ES384")


@pytest.mark.parametrize(
    ("uri", "may"),
    [
        ("https://ehr.example.org/jwks", True),
        ("http://127.0.0.1:8000/jwks", True),
        ("http://[::1]/jwks", True),
        ("http://localhost/jwks", True),
        ("http://ehr.example.org/jwks", False),
        ("http://169.254.169.254/latest", False),
        ("http://127.0.0.1.evil.example/jwks", False),
        ("https://user:pw@ehr.example.org/jwks", False),
        ("file:///etc/passwd", False),
        ("https:///jwks", False),
        ("https://a:99999/", False),
        ("http://[::1/", False),
        ("ftp://127.0.0.1/", False),
    ],
)
def test_keys_are_fetched_over_https_or_from_this_machine(uri, may):
    assert is_fetchable(uri) is may


async def test_a_system_proves_itself_with_the_keys_at_its_address(world, site):
    await world.add_system(jwks=None, jwks_uri=site.uri)
    assert await world.for_itself(world.assertion())
    assert await world.for_itself(world.assertion(header={"jku": site.uri}))
    assert (await refusal(world.for_itself(world.assertion(header={"jku": f"{site.uri}2"})))).error == "invalid_client"
    assert site.asked == 1
