"""S35: what is not an access token of this server, or not any more, opens nothing."""

import base64
import json
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from fhir_server.auth.cuts import Cuts
from fhir_server.auth.keys import Keys
from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from fhir_server.auth.sealing import Sealer, Unreadable
from fhir_server.auth.tokens import InvalidToken, Tokens
from fhir_server.store.records import now

ISSUER, BASE = "https://fhir.example.jp", "https://fhir.example.jp/fhir"
WHO = Requester(
    "a1", "viewer", Role.PHYSICIAN, "user/*.rs openid", "Organization/1", "3710000025", frozenset({"core", "providing"}),
    "Practitioner/1", "Patient/9", "grant-1", "TREAT", "thumb",
)  # fmt: skip
MINUTES = timedelta(minutes=5)


@pytest.fixture
async def keys(shelf, clock):
    keys = Keys(shelf, Sealer(b"a secret of the tests"), now)
    await keys.start()
    return keys


@pytest.fixture
async def tokens(shelf, keys):
    cuts = Cuts(shelf, now)
    await cuts.start()
    return Tokens(keys, cuts, ISSUER, BASE, now)


async def claims(tokens, text):
    body = text.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=="))


async def forged(keys, change=None, *, header=None, key=None, drop=()):
    """A token signed with the server's own key (unless another is given), with some claims changed."""
    own = await keys.signing()
    said = {
        "iss": ISSUER, "aud": BASE, "sub": "a1", "client_id": "viewer", "iat": int(now().timestamp()),
        "exp": int(now().timestamp()) + 300, "jti": "j", "seq": 0, "scope": "user/*.rs", "role": "physician",
    }  # fmt: skip
    said = {name: value for name, value in {**said, **(change or {})}.items() if name not in drop}
    head = {"alg": "ES256", "kid": own.kid, "typ": "at+jwt", **(header or {})}
    return jwt.encode(head, said, key or own, algorithms=[head["alg"]])


async def test_a_token_says_who_asks(tokens):
    text = await tokens.issue(WHO, MINUTES)
    verified = await tokens.verify(text)
    assert verified.requester == WHO
    assert verified.expires - verified.issued == MINUTES
    bare = Requester("system", "system", Role.SYSTEM, "system/*.rs")
    assert (await tokens.verify(await tokens.issue(bare, MINUTES))).requester == bare


async def test_a_token_says_no_more_than_it_must(tokens):
    said = await claims(tokens, await tokens.issue(Requester("s", "s", Role.SYSTEM, "system/*.rs"), MINUTES))
    assert said.keys() == {"iss", "aud", "sub", "client_id", "iat", "exp", "jti", "seq", "scope", "role", "purpose"}


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil.example"}, {"iss": f"{ISSUER}/"}, {"aud": "viewer"}, {"aud": f"{BASE}/"}, {"aud": [BASE, "x"]}, {"aud": None},
        {"exp": 1}, {"exp": "soon"}, {"exp": None}, {"exp": 1e30}, {"iat": None}, {"sub": None}, {"sub": 5}, {"sub": ""}, {"jti": None, "seq": None},
        {"seq": "x"}, {"role": "king"}, {"scope": ["user/*.rs"]}, {"organization": 5}, {"patient": {"$ne": 1}}, {"cnf": "x"},
    ],
)  # fmt: skip
async def test_s35_claims_that_are_not_ours_are_refused(tokens, keys, change):
    with pytest.raises(InvalidToken):
        await tokens.verify(await forged(keys, change, drop=[name for name, value in change.items() if value is None]))


async def test_s35_another_key_another_algorithm_or_none_is_refused(tokens, keys):
    own = await keys.signing()
    public = OctKey.import_key(base64.urlsafe_b64encode(own.as_pem(private=False)).decode())
    stranger = ECKey.generate_key("P-256")
    rsa = RSAKey.generate_key(2048)
    attempts = [
        await forged(keys, key=stranger),
        await forged(keys, key=stranger, header={"kid": "unknown"}),
        await forged(keys, key=public, header={"alg": "HS256"}),
        await forged(keys, key=rsa, header={"alg": "RS256"}),
        await forged(keys, key=stranger, header={"jwk": stranger.as_dict(private=False)}),
    ]
    good = await forged(keys)
    header, body, signature = good.split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "at+jwt", "kid": own.kid}).encode()).decode().rstrip("=")
    attempts += [f"{none}.{body}.", f"{header}.{body}.", f"{header}.{body}", f"{header}..{signature}", f"{header}.{body}.{signature}x"]
    attempts += ["", ".", "..", "...", "a.b.c", "x" * 9000, f"{good}.{good}", "é.é.é"]
    for text in attempts:
        with pytest.raises(InvalidToken):
            await tokens.verify(text)
    assert (await tokens.verify(good)).requester.subject == "a1"


async def test_s35_an_id_token_is_no_access_token(tokens, keys):
    identity = await tokens.identity("viewer", "a1", {"fhirUser": f"{BASE}/Practitioner/1"}, MINUTES)
    for text in (identity, await forged(keys, header={"typ": "JWT"}), await forged(keys, header={"typ": "at+JWT"})):
        with pytest.raises(InvalidToken) as refused:
            await tokens.verify(text)
        assert "no access token" in str(refused.value)
    said = await claims(tokens, identity)
    assert (said["aud"], said["sub"]) == ("viewer", "a1")


async def test_a_token_ends_with_its_time(tokens, clock):
    text = await tokens.issue(WHO, MINUTES)
    clock.shift(299)
    await tokens.verify(text)
    clock.shift(1)
    with pytest.raises(InvalidToken):
        await tokens.verify(text)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("network", "*"), ("facility", "Organization/1"), ("user", "a1"), ("client", "viewer"), ("grant", "grant-1"),
        ("certificate", "thumb"),
    ],
)  # fmt: skip
async def test_a_token_dies_with_whatever_it_hangs_on(tokens, kind, value):
    text = await tokens.issue(WHO, MINUTES)
    await tokens._cuts.cut(kind, "somebody else" if kind != "network" else "nothing")
    await tokens.verify(text)
    await tokens._cuts.cut(kind, value)
    with pytest.raises(InvalidToken):
        await tokens.verify(text)
    await tokens.verify(await tokens.issue(WHO, MINUTES))


async def test_one_token_can_be_cut_alone(tokens):
    first, second = await tokens.issue(WHO, MINUTES), await tokens.issue(WHO, MINUTES)
    await tokens._cuts.cut("token", (await tokens.verify(first)).jti)
    with pytest.raises(InvalidToken):
        await tokens.verify(first)
    await tokens.verify(second)


# -- keys ---------------------------------------------------------------------------------------------------------------


async def test_keys_are_rotated_and_the_old_one_stays_published(tokens, keys, shelf):
    before = await tokens.issue(WHO, MINUTES)
    old = {each["kid"] for each in (await keys.jwks())["keys"]}
    await keys.rotate()
    after = await tokens.issue(WHO, MINUTES)
    published = (await keys.jwks())["keys"]
    assert old < {each["kid"] for each in published}
    assert all("d" not in each and each["use"] == "sig" and each["alg"] == "ES256" for each in published)
    for text in (before, after):
        await tokens.verify(text)
    other = Keys(shelf, Sealer(b"a secret of the tests"), now)
    await other.start()
    assert await other.jwks() == await keys.jwks()


async def test_a_key_is_renewed_before_it_is_a_quarter_old_and_withdrawn_when_nothing_of_it_lives(keys, clock):
    (first,) = (await keys.jwks())["keys"]
    clock.shift(timedelta(days=90))
    second = next(each for each in (await keys.jwks())["keys"] if each["kid"] != first["kid"])
    clock.shift(timedelta(days=3))
    await keys.refresh()
    assert [each["kid"] for each in (await keys.jwks())["keys"]] == [second["kid"]]


async def test_a_process_that_did_not_make_the_key_finds_it(keys, shelf, tokens):
    other = Keys(shelf, Sealer(b"a secret of the tests"), now)
    await other.start()
    await keys.rotate()
    verifying = Tokens(other, tokens._cuts, ISSUER, BASE, now)
    assert (await verifying.verify(await tokens.issue(WHO, MINUTES))).requester == WHO


async def test_private_keys_lie_sealed_in_the_database(keys, mongodb_uri, database_name):
    from pymongo import MongoClient

    with MongoClient(mongodb_uri) as client:
        stored = client[database_name]["auth_signing_key"].find_one()
    assert b"PRIVATE" not in stored["sealed"]
    with pytest.raises(Unreadable):
        Sealer(b"another secret, of somebody").open(stored["sealed"], stored["_id"].encode())
    with pytest.raises(Unreadable):
        Sealer(b"a secret of the tests").open(stored["sealed"], b"another context")
