"""The other ways in which a client proves itself: a shared secret, its certificate, or nothing but its name."""

import pytest

from tests.auth.oauth.world import asserting, basic, refusal

ITSELF = {"grant_type": "client_credentials", "scope": "system/*.rs"}


@pytest.fixture
async def secret(world):
    """The secret of the client `shared`."""
    await world.add_system("shared", method="client_secret_basic", jwks=None, secret=await world.passwords.hash("open sesame: %7E"))
    return "open sesame: %257E"  # as RFC 6749 wants it: form-encoded inside HTTP Basic


async def test_a_shared_secret_comes_by_http_basic(world, secret):
    assert await world.token(basic("shared", secret), **ITSELF)


async def test_an_unknown_client_and_a_wrong_secret_get_the_same_answer(world, secret):
    await world.add_system("off", method="client_secret_basic", secret=await world.passwords.hash("s"), active=False)
    await world.add_system("keyed")
    answers = set()
    for client, tried in (("shared", "wrong"), ("nobody", "wrong"), ("off", "s"), ("keyed", "s"), ("app", "s"), ("あ", "s")):
        error = await refusal(world.token(basic(client, tried), **ITSELF))
        answers.add((error.error, error.description, error.status_code))
    assert answers == {("invalid_client", "Client authentication failed", 401)}


@pytest.mark.parametrize(
    "header", ["Basic", "Basic ", "Basic !!!", "Basic //8=", "Basic YQ==", "Basic Og==", "Basic YTo=", "Digest x", "Bearer x", "\xff"]
)
async def test_what_is_no_http_basic_is_refused(world, header):
    error = await refusal(world.token(header, **ITSELF))
    assert (error.error, error.status_code) == ("invalid_client", 401)


async def test_a_secret_in_the_body_is_refused(world, secret):
    error = await refusal(world.token(client_id="shared", client_secret=secret, **ITSELF))
    assert error.error == "invalid_request"
    assert "client_secret" in error.description


async def test_a_client_proves_itself_in_one_way_only(world, secret):
    both = await refusal(world.token(basic("shared", secret), **asserting("x"), **ITSELF))
    assert both.error == "invalid_request"
    await world.add_system("keyed")
    by_name = await refusal(world.token(client_id="keyed", **ITSELF))
    assert by_name.error == "invalid_client"
    other = await refusal(world.token(basic("shared", secret), client_id="keyed", **ITSELF))
    assert other.error == "invalid_request"
    half = await refusal(world.token(client_assertion="x", **ITSELF))
    assert (half.error, "client_assertion_type" in half.description) == ("invalid_request", True)


async def test_nobody_at_all_is_told_what_is_missing(world):
    error = await refusal(world.token(**ITSELF))
    assert error.error == "invalid_client"
    assert "client_assertion" in error.description


async def test_a_client_may_prove_itself_by_certificate_and_its_tokens_are_bound_to_it(world):
    await world.add_system("mutual", method="tls_client_auth", jwks=None, certificates=("thumb",))
    tokens = await world.token(certificate="thumb", client_id="mutual", **ITSELF)
    assert (await world.tokens.verify(tokens["access_token"])).requester.certificate == "thumb"
    for certificate in ("other", "", None):
        error = await refusal(world.token(certificate=certificate, client_id="mutual", **ITSELF))
        assert (error.error, error.description) == ("invalid_client", "Client authentication failed")


async def test_a_client_by_certificate_without_any_registered_is_nobody(world):
    await world.add_system("mutual", method="tls_client_auth", jwks=None)
    for certificate in ("other", None):
        assert (await refusal(world.token(certificate=certificate, client_id="mutual", **ITSELF))).error == "invalid_client"


async def test_a_revoked_certificate_ends_the_tokens_that_are_bound_to_it(world):
    from fhir_server.auth.tokens import InvalidToken

    await world.add_system("mutual", method="tls_client_auth", jwks=None, certificates=("thumb",))
    tokens = await world.token(certificate="thumb", client_id="mutual", **ITSELF)
    await world.cuts.cut("certificate", "thumb")
    with pytest.raises(InvalidToken):
        await world.tokens.verify(tokens["access_token"])
