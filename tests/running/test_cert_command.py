"""`tsunagi cert`: from a root on a USB stick to a revoked certificate, as an operator goes."""

import argparse
import asyncio
import re
from datetime import UTC

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12
from pymongo import AsyncMongoClient

from fhir_server.auth.certificates.records import CERTIFICATES, KINDS
from fhir_server.command import CommandFailed, cert, facility
from fhir_server.store.records import Shelf

FACILITY = "3710000017"
PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def run(monkeypatch, mongodb_uri, database_name, tmp_path, capsys):
    """Run a command in this process; gives what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TSUNAGI_MONGODB_URI", mongodb_uri)
    monkeypatch.setenv("TSUNAGI_DATABASE", database_name)
    monkeypatch.setenv("TSUNAGI_NETWORK_NAME", "K-MIX R")
    monkeypatch.setenv("TSUNAGI_BASE_URL", "https://fhir.example.jp/fhir")
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")

    def run(*words, module=cert):
        parser = argparse.ArgumentParser("tsunagi")
        module.add_arguments(parser.add_subparsers())
        arguments = parser.parse_args(words)
        capsys.readouterr()
        assert arguments.run(arguments) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def network(run):
    run("cert", "root", "--out", "root", "--passphrase-file", "passphrase")
    run("cert", "intermediate", "--root", "root", "--passphrase-file", "passphrase")
    words = ("facility", "add", FACILITY, "--name", "病院Ｂ", "--kana", "ビョウインビー", "--type", "hospital", "--role", "providing")
    run(*words, module=facility)


def stored(uri, name):
    async def found():
        async with AsyncMongoClient(uri, tz_aware=True, tzinfo=UTC) as client:
            shelf = Shelf(client[name])
            await shelf.ensure(KINDS)
            return await shelf.records(CERTIFICATES).find()

    return asyncio.run(found())


def number_in(text):
    return re.search(r"Certificate (\d{11})", text)[1]


def test_an_operator_goes_from_a_root_to_a_revocation_and_is_told_each_next_step(run, network, tmp_path):
    told = run("cert", "invite", "--facility", FACILITY, "--device", "受付 PC 1")
    assert "https://fhir.example.jp/pki/enrol" in told
    assert re.search(r": [0-9A-Z]{5}(-[0-9A-Z]{5}){4}\n", told)
    told = run("cert", "pkcs12", "--facility", FACILITY, "--device", "PC-2", "--out", "pc.p12")
    assert "tsunagi cert list" in told
    password = re.search(r"Password / パスワード: (\S+)", told)[1]
    assert (tmp_path / "pc.p12").stat().st_mode & 0o777 == 0o600
    _, certificate, _ = pkcs12.load_key_and_certificates((tmp_path / "pc.p12").read_bytes(), password.encode())
    number = number_in(told)
    assert certificate.subject.rfc4514_string() == f"CN=K-MIX R {number},OU={FACILITY},O=K-MIX R"
    listed = run("cert", "list", "--facility", FACILITY)
    assert number in listed
    assert "good" in listed
    assert password not in listed
    assert "code" in run("cert", "renew", number).lower()
    assert number in run("cert", "revoke", f"{certificate.serial_number:X}", "--reason", "lost")
    assert "revoked lost" in run("cert", "list")
    run("cert", "crl", "--out", "network.crl")
    made = x509.load_der_x509_crl((tmp_path / "network.crl").read_bytes())
    assert made.get_revoked_certificate_by_serial_number(certificate.serial_number)
    run("cert", "ca", "--out", "ca.pem")
    authority, _ = x509.load_pem_x509_certificates((tmp_path / "ca.pem").read_bytes())
    assert made.is_signature_valid(authority.public_key())


def test_f102_all_certificates_of_a_facility_are_revoked_by_one_command(run, network, mongodb_uri, database_name):
    for name in ("PC-1", "PC-2"):
        run("cert", "pkcs12", "--facility", FACILITY, "--device", name, "--out", f"{name}.p12")
    run("cert", "pkcs12", "--facility", "network", "--device", "PC-3", "--out", "PC-3.p12")
    run("cert", "revoke", "--facility", FACILITY, "--device", "PC-2", "--reason", "disposed")
    assert [each.reason for each in stored(mongodb_uri, database_name)] == [None, "disposed", None]
    run("cert", "revoke", "--facility", FACILITY, "--reason", "compromised")
    assert [each.reason for each in stored(mongodb_uri, database_name)] == ["compromised", "disposed", None]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("invite --facility 3710000025 --device PC-1", "facility"),
        ("invite --facility 3710000017 --user nobody", "nobody"),
        ("invite --facility network --user nobody", "nobody"),
        ("invite --facility 3710000017 --client nobody", "nobody"),
        ("renew 20200101001", "no such certificate"),
        ("revoke 20200101001 --reason lost", "no such certificate"),
        ("revoke --reason lost", "name a certificate"),
        ("revoke 20200101001 --facility 3710000017 --reason lost", "name a certificate"),
        ("pkcs12 --facility 3710000017 --device PC --out passphrase", "passphrase cannot be made"),
        ("root --out root --passphrase-file passphrase", "not overwritten"),
        ("root --out other --passphrase-file absent", "absent cannot be read"),
        ("intermediate --root other --passphrase-file passphrase", "does not hold"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(run, network, words, text):
    with pytest.raises(CommandFailed) as failed:
        run("cert", *words.split())
    assert text in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_wrong_passphrase_opens_no_root(run, network, tmp_path):
    (tmp_path / "passphrase").write_text("another one of some length")
    with pytest.raises(CommandFailed, match="does not open"):
        run("cert", "intermediate", "--root", "root", "--passphrase-file", "passphrase")


def test_without_an_authority_the_command_says_what_is_missing(run, tmp_path):
    with pytest.raises(CommandFailed, match="tsunagi cert"):
        run("cert", "pkcs12", "--facility", "network", "--device", "PC", "--out", "pc.p12")
    assert not (tmp_path / "pc.p12").exists()


def test_without_a_terminal_the_passphrase_comes_from_a_file(run):
    with pytest.raises(CommandFailed, match="--passphrase-file"):
        run("cert", "root", "--out", "root")
