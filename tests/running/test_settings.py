"""Settings: where they come from, what is refused, and that the documentation says the same."""

from pathlib import Path

import msgspec
import pytest

from fhir_server.settings import Settings, SettingsError, load, markdown
from tests.shared import REPOSITORY


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refusal(environment, **chosen):
    with pytest.raises(SettingsError) as error:
        load(environment, **chosen)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_documentation_is_what_the_class_says():
    assert (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8") == markdown()


def test_every_setting_is_documented():
    text = markdown()
    assert all(f"`TSUNAGI_{name.upper()}`" in text for name in Settings.__struct_fields__)


def test_without_anything_the_server_is_reached_from_this_machine_only():
    settings = load({})
    assert settings.host == "127.0.0.1"
    assert settings.base == "http://127.0.0.1:8080/fhir"
    assert settings.mongodb_directory == Path("var/mongodb")
    assert settings.worker_processes >= 1


def test_the_command_line_precedes_the_environment_which_precedes_the_file(tmp_path):
    Path("tsunagi.toml").write_text('port = 1\nworkers = 1\nhost = "h"\n')
    settings = load({"TSUNAGI_PORT": "2", "TSUNAGI_WORKERS": "2"}, port="3", host=None)
    assert (settings.port, settings.workers, settings.host) == (3, 2, "h")


def test_a_file_can_be_named(tmp_path):
    (tmp_path / "other.toml").write_text("access_log = false\nmongodb_cache = 512\n")
    settings = load({"TSUNAGI_CONFIG": str(tmp_path / "other.toml")})
    assert not settings.access_log
    assert settings.mongodb_cache == 512


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"TSUNAGI_PROT": "1"}, "unknown setting TSUNAGI_PROT in the environment; did you mean TSUNAGI_PORT?"),
        ({"TSUNAGI_XYZZY": "1"}, "unknown setting TSUNAGI_XYZZY in the environment; see docs/settings.md"),
        ({"TSUNAGI_PORT": "x"}, "setting port (TSUNAGI_PORT): expected 1-65535"),
        ({"TSUNAGI_PORT": "65536"}, "setting port (TSUNAGI_PORT): expected 1-65535"),
        ({"TSUNAGI_ACCESS_LOG": "maybe"}, "setting access_log (TSUNAGI_ACCESS_LOG): expected true, false"),
        ({"TSUNAGI_HANDLING": "loose"}, "setting handling (TSUNAGI_HANDLING): expected strict, lenient"),
        ({"TSUNAGI_TIMEZONE": "Mars/Phobos"}, "setting timezone: not a known time zone (an example is Asia/Tokyo)"),
        ({"TSUNAGI_BASE_URL": "ftp://x"}, "setting base_url: expected an address that starts with http:// or https://"),
        ({"TSUNAGI_MONGODB_CACHE": "12"}, "setting mongodb_cache: expected 0 or at least 256"),
        ({"TSUNAGI_COUNT_DEFAULT": "2000"}, "setting count_default: must not be more than count_limit"),
        ({"TSUNAGI_CONFIG": "nowhere.toml"}, "TSUNAGI_CONFIG names nowhere.toml, which does not exist"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(environment, said):
    assert refusal(environment) == said


def test_a_broken_file_is_refused_in_one_line():
    Path("tsunagi.toml").write_text("port 80")
    assert refusal({}).startswith("tsunagi.toml cannot be read: ")


def test_an_unknown_key_of_the_file_is_refused():
    Path("tsunagi.toml").write_text("wrokers = 3")
    assert refusal({}) == "unknown setting wrokers in tsunagi.toml; did you mean workers?"


def test_an_empty_variable_says_nothing():
    assert load({"TSUNAGI_MONGODB_URI": ""}).mongodb_uri is None


def test_secrets_do_not_show():
    settings = load({"TSUNAGI_MONGODB_URI": "mongodb://me:secret@db/"})
    assert "secret" not in repr(settings)
    assert "secret" not in refusal({"TSUNAGI_DATABASE": "secret!"})


def test_secrets_are_read_and_must_be_long_enough():
    settings = load({"TSUNAGI_SECRET_KEY": "sixteen letters!", "TSUNAGI_PAGING_KEY": "also sixteen...."})
    assert (settings.secret_key, settings.paging_key) == ("sixteen letters!", "also sixteen....")
    assert "at least 16" in refusal({"TSUNAGI_SECRET_KEY": "short"})
    assert "short" not in refusal({"TSUNAGI_PAGING_KEY": "short"})


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"TSUNAGI_AUTHENTICATION": "off", "TSUNAGI_HOST": "0.0.0.0"}, "loopback"),
        ({"TSUNAGI_AUTHENTICATION": "off", "TSUNAGI_BASE_URL": "https://fhir.example.jp/fhir"}, "proxy"),
        ({"TSUNAGI_AUTHENTICATION": "maybe"}, "authentication"),
        ({"TSUNAGI_PORT": "8081", "TSUNAGI_ADMIN_PORT": "8081"}, "admin_port"),
        ({"TSUNAGI_TLS_KEY": "key.pem"}, "tls_certificate"),
        ({"TSUNAGI_TLS_CLIENT_CA": "/nowhere/ca.pem"}, "tls_client_ca"),
        ({"TSUNAGI_PROXY_CERTIFICATE_HEADER": "Client-Cert"}, "proxy_addresses"),
        ({"TSUNAGI_PROXY_ADDRESSES": "everybody"}, "proxy_addresses"),
        ({"TSUNAGI_OUTSIDE_ISSUER": "http://keycloak.example"}, "https"),
        ({"TSUNAGI_OUTSIDE_CLAIMS": "role"}, "outside_claims"),
    ],
)
def test_what_would_guard_only_by_half_is_refused(environment, said):
    assert said in refusal(environment)


def test_the_issuer_is_the_base_without_its_last_segment():
    assert load({}).issuer == "http://127.0.0.1:8080"
    assert load({"TSUNAGI_BASE_URL": "https://fhir.example.jp/network/fhir/"}).issuer == "https://fhir.example.jp/network"


def test_settings_cannot_be_changed():
    with pytest.raises(AttributeError):
        load({}).port = 1
    assert msgspec.structs.replace(load({}), port=1).port == 1


def test_a_public_address_is_taken_for_links():
    assert load({"TSUNAGI_BASE_URL": "https://fhir.example.jp/r4/"}).base == "https://fhir.example.jp/r4"
    assert load({"TSUNAGI_HOST": "::1"}).base == "http://[::1]:8080/fhir"
