"""`tsunagi client` and `tsunagi session`."""

import json
import re

import pytest
from joserfc.jwk import ECKey

from tests.running.test_facility_command import ADD_B, B

SYSTEM = ("client", "add", "ehr-b", "--name", "電子カルテ", "--system", "--facility", B, "--role", "system")


def test_a_system_with_a_secret_is_told_how_to_get_a_token(tsunagi):
    tsunagi(*ADD_B)
    printed = tsunagi(*SYSTEM, "--secret")
    secret = re.search(r"^secret: (\S+)", printed, re.MULTILINE)[1]
    assert "curl -u ehr-b:SECRET -d grant_type=client_credentials" in printed
    shown = json.loads(tsunagi("client", "show", "ehr-b"))
    assert (shown["role"], shown["facility"], shown["scope"]) == ("system", B, "system/*.cruds")
    assert secret not in json.dumps(shown)
    assert secret not in tsunagi("client", "secret", "ehr-b")
    assert "disabled" in tsunagi("client", "disable", "ehr-b")
    tsunagi("client", "enable", "ehr-b")
    tsunagi("client", "remove", "ehr-b")
    assert "ehr-b" not in tsunagi("client", "list")


def test_a_system_with_keys_shows_the_public_ones_only(tsunagi, tmp_path):
    tsunagi(*ADD_B)
    key = ECKey.generate_key("P-384")
    public = tmp_path / "public.json"
    public.write_text(json.dumps({"keys": [{**key.as_dict(private=False), "kid": "1"}]}))
    assert "private_key_jwt" in tsunagi(*SYSTEM, "--jwks", str(public))
    private = tmp_path / "private.json"
    private.write_text(json.dumps({"keys": [{**key.as_dict(private=True), "kid": "1"}]}))
    status, said = tsunagi.fails("client", "add", "other", *SYSTEM[3:], "--jwks", str(private))
    assert status == 1
    assert "private" in said
    assert key.as_dict(private=True)["d"] not in said


def test_an_ehr_that_launches_and_a_tester_outside_a_sandbox(tsunagi, monkeypatch):
    tsunagi("client", "add", "launcher", "--name", "EHR", "--launches", "--secret")
    tester = ("client", "add", "tester", "--name", "試験", "--system", "--role", "tester", "--secret")
    assert "sandbox only" in tsunagi.fails(*tester)[1]
    monkeypatch.setenv("TSUNAGI_SANDBOX", "true")
    assert "system/*.cruds" in tsunagi(*tester)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("client", "add", "x", "--name", "x"), "tsunagi: a client is an --app or a --system"),
        (("client", "add", "x", "--name", "x", "--app"), "tsunagi: --app needs --redirect URI"),
        (
            ("client", "add", "x", "--name", "x", "--app", "--redirect", "http://a.example/"),
            "tsunagi: redirect_uris: an address begins with",
        ),
        (("client", "add", "x", "--name", "x", "--system", "--secret"), "tsunagi: --system needs --role"),
        ((*SYSTEM, "--launch", "https://a.example/"), "tsunagi: --redirect, --launch and --confidential are for an --app"),
        (SYSTEM, "tsunagi: say how the system proves who it is"),
        ((*SYSTEM, "--secret", "--jwks-uri", "https://a.example/"), "tsunagi: a client proves who it is in one way"),
        ((*SYSTEM, "--certificate", "none.pem"), "tsunagi: none.pem cannot be read"),
        ((*SYSTEM, "--jwks", "none.json"), "tsunagi: none.json cannot be read"),
        ((*SYSTEM, "--secret"), f"tsunagi: Facility {B} is not known"),
        (("client", "show", "none"), "tsunagi: Client none is not known"),
        (("session", "end"), "tsunagi session end: error: one of the arguments"),
        (("session", "end", "--user", "none"), "tsunagi: User none is not known"),
        (("session", "end", "--facility", B), f"tsunagi: Facility {B} is not known"),
    ],
)
def test_what_goes_wrong_is_one_line(tsunagi, words, line):
    status, said = tsunagi.fails(*words)
    assert status in (1, 2)
    assert said.startswith(line), said


def test_f101_sessions_are_listed_and_ended(tsunagi):
    tsunagi(*ADD_B)
    tsunagi("user", "add", "hanako", "--name", "高松 花子", "--facility", B, "--role", "physician")
    assert "last used" in tsunagi("session", "list", "--user", "hanako", "--facility", B)
    for whose in (("--user", "hanako"), ("--facility", B), ("--all",)):
        assert "0 sessions ended" in tsunagi("session", "end", *whose)
