"""A certificate is given for an invitation only, once, to a key that the sender has."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fhir_server.auth.certificates.holder import Holder, holder_of
from fhir_server.auth.certificates.root import make_root, read_root
from fhir_server.outcome import FhirError
from tests.auth.certificates.network import CLERK, EHR, FACILITY, PC, enrolled, process, request_for, tls_scope


def value(name, oid):
    return name.get_attributes_for_oid(oid)[0].value


async def test_f010_a_certificate_names_the_network_its_number_and_its_holder(pki):
    first, second = await enrolled(pki, CLERK), await enrolled(pki, PC)
    subject = first.certificate.subject
    assert value(subject, NameOID.ORGANIZATION_NAME) == "K-MIX R"
    assert value(subject, NameOID.ORGANIZATIONAL_UNIT_NAME) == FACILITY
    assert value(subject, NameOID.COMMON_NAME) == "K-MIX R 20260401001"
    assert value(second.certificate.subject, NameOID.COMMON_NAME) == "K-MIX R 20260401002"
    assert holder_of(first.certificate) == CLERK
    assert holder_of(second.certificate) == PC
    assert first.certificate.issuer == first.above[0].subject
    usage = first.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert first.certificate.not_valid_after_utc - datetime(2026, 4, 1, tzinfo=UTC) < timedelta(days=366)


async def test_the_number_of_a_certificate_has_the_day_of_the_networks_zone(pki, hands):
    hands.moment = datetime(2026, 4, 1, 15, 0, tzinfo=UTC)  # midnight in Tokyo
    assert (await enrolled(pki)).record.id == "20260402001"


async def test_f049_the_id_of_a_facility_alone_gives_nothing(pki):
    await pki.enrolment.invite(CLERK)
    for token in (FACILITY, "", "clerk.sato", "00000-00000-00000-00000-00000", "\ud800", "A" * 100_000):
        with pytest.raises(FhirError) as refused:
            await pki.enrolment.enrol(token, request_for())
        assert refused.value.status == 403


async def test_an_invitation_is_good_once(pki):
    token = await pki.enrolment.invite(CLERK)
    results = await asyncio.gather(*(pki.enrolment.enrol(token, request_for()) for _ in range(5)), return_exceptions=True)
    assert sorted(isinstance(each, FhirError) for each in results) == [False, True, True, True, True]
    assert len(await pki.register.listed(FACILITY)) == 1


async def test_an_invitation_is_good_for_seven_days(pki, hands):
    token = await pki.enrolment.invite(CLERK)
    hands.shift(timedelta(days=7))
    with pytest.raises(FhirError, match="7 days"):
        await pki.enrolment.enrol(token, request_for())


async def test_an_invitation_may_be_typed_without_care_and_is_stored_hashed(pki, shelf):
    token = await pki.enrolment.invite(CLERK)
    stored = [each async for each in shelf._database["auth_invitation"].find()]
    assert token not in str(stored)
    assert token.replace("-", "") not in str(stored)
    typed = token.lower().replace("-", "\u3000").replace("0", "o").translate({n: n + 0xFEE0 for n in range(ord("1"), ord("z"))})
    assert (await pki.enrolment.enrol(typed, request_for())).record.owner == CLERK


async def test_withdrawn_invitations_are_worthless(pki):
    token = await pki.enrolment.invite(CLERK)
    assert await pki.enrolment.withdraw(FACILITY) == 1
    with pytest.raises(FhirError):
        await pki.enrolment.enrol(token, request_for())


def tampered():
    der = bytearray(x509.load_pem_x509_csr(request_for()).public_bytes(Encoding.DER))
    der[-5] ^= 1
    return x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM)


def borrowed():
    """The request of a thief: the public key of somebody else, signed with a key of his own."""
    mine, other = (x509.load_pem_x509_csr(request_for()).public_bytes(Encoding.DER) for _ in range(2))
    point = ec.SECP256R1().key_size // 8 * 2 + 1
    at, instead = mine.index(b"\x04", mine.index(b"\x03\x42\x00")), other.index(b"\x04", other.index(b"\x03\x42\x00"))
    der = mine[:at] + other[instead : instead + point] + mine[at + point :]
    return x509.load_der_x509_csr(der).public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"\xff\x00",
        b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        b"A" * 20_000,
        tampered(),
        borrowed(),
        request_for(rsa.generate_private_key(65537, 2048)),
        request_for(ec.generate_private_key(ec.SECP192R1())),
        request_for(ec.generate_private_key(ec.BrainpoolP256R1())),
        x509.CertificateSigningRequestBuilder(x509.Name([])).sign(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(Encoding.PEM),
    ],
    ids=["empty", "binary", "damaged", "long", "unproven", "borrowed", "rsa-2048", "p-192", "brainpool", "ed25519"],
)
async def test_a_request_that_is_weak_or_proves_nothing_is_refused_and_the_invitation_stays_good(pki, request_):
    token = await pki.enrolment.invite(CLERK)
    with pytest.raises(FhirError) as refused:
        await pki.enrolment.enrol(token, request_)
    assert refused.value.status == 400
    assert await pki.enrolment.enrol(token, request_for())


async def test_what_a_request_says_of_its_subject_is_ignored(pki):
    token = await pki.enrolment.invite(CLERK)
    issued = await pki.enrolment.enrol(token, request_for(name="K-MIX R Root CA"))
    assert "Root CA" not in issued.certificate.subject.rfc4514_string()


async def test_f050_a_pkcs12_opens_with_its_own_password_only_and_no_private_key_is_stored(pki, shelf):
    made = [await pki.enrolment.enrol_bundle(await pki.enrolment.invite(each)) for each in (CLERK, PC)]
    (bundle, issued), (other, _) = made
    assert bundle.password != other.password
    key, certificate, above = pkcs12.load_key_and_certificates(bundle.content, bundle.password.encode())
    assert certificate == issued.certificate
    assert key.public_key() == certificate.public_key()
    assert len(above) == 2
    with pytest.raises(ValueError, match="password"):
        pkcs12.load_key_and_certificates(bundle.content, other.password.encode())
    assert bundle.password not in repr(bundle)
    numbers = key.private_numbers().private_value.to_bytes(32, "big")
    for name in await shelf._database.list_collection_names():
        async for document in shelf._database[name].find():
            assert numbers not in b"".join(each for each in document.values() if isinstance(each, bytes))


async def test_a_certificate_renews_itself_and_the_old_one_stays_good_for_two_weeks(pki, hands):
    first = await enrolled(pki)
    following = await pki.enrolment.renew(first.record, request_for())
    assert following.record.owner == CLERK
    assert following.record.renews == first.record.id
    assert pki.binding.presented(tls_scope(first.certificate)).holder == CLERK
    hands.shift(timedelta(days=14, seconds=1))
    await pki.refresh()
    assert pki.register.state(first.record.thumbprint) == "ended"
    assert pki.register.state(following.record.thumbprint) == "good"


async def test_an_invitation_to_renew_limits_the_old_certificate(pki):
    first = await enrolled(pki)
    token = await pki.enrolment.invite(CLERK, renews=first.record.id)
    following = await pki.enrolment.enrol(token, request_for())
    assert following.record.renews == first.record.id
    assert (await pki.register.find(first.record.id)).until is not None


async def test_a_revoked_certificate_renews_nothing(pki):
    first = await enrolled(pki)
    await pki.register.revoke(first.record.id, "stolen")
    with pytest.raises(FhirError, match="not good any more"):
        await pki.enrolment.renew(first.record, request_for())
    assert len(await pki.register.listed()) == 1


@pytest.mark.parametrize(
    "holder",
    [
        Holder("37100000", "user", "a"),
        Holder("３７１０００００１７", "user", "a"),
        Holder(FACILITY, "root", "a"),
        Holder(FACILITY, "user", ""),
        Holder(FACILITY, "user", " a"),
        Holder(FACILITY, "user", "a\nb"),
        Holder(FACILITY, "user", "a" * 65),
    ],
)
async def test_an_invitation_for_nobody_is_refused(pki, holder):
    with pytest.raises(FhirError) as refused:
        await pki.enrolment.invite(holder)
    assert refused.value.status == 400


def test_a_name_cannot_pass_for_another_uri():
    assert Holder(FACILITY, "device", "urn:tsunagi:user:x/１").uris[1] == "urn:tsunagi:device:urn%3Atsunagi%3Auser%3Ax%2F%EF%BC%91"


async def test_without_an_authority_nobody_is_invited(shelf, hands):
    pki = await process(shelf, hands)
    with pytest.raises(FhirError) as refused:
        await pki.enrolment.invite(CLERK)
    assert refused.value.status == 503


async def test_the_roots_key_lies_encrypted_in_its_folder_and_nowhere_else(pki, shelf, hands, tmp_path):
    passphrase = "correct horse battery staple"
    root = make_root(tmp_path / "root", "K-MIX R", passphrase, hands.moment)
    assert b"ENCRYPTED" in (tmp_path / "root" / "root-key.pem").read_bytes()
    assert (tmp_path / "root" / "root-key.pem").stat().st_mode & 0o777 == 0o600
    await pki.authorities.install("K-MIX R", read_root(tmp_path / "root", passphrase))
    secret = root.key.private_numbers().private_value.to_bytes(48, "big")
    for record in [each async for each in shelf._database["auth_authority"].find()]:
        assert not any(secret in each for each in record.values() if isinstance(each, bytes))


@pytest.mark.parametrize("passphrase", ["", "short", "another passphrase than this"])
def test_the_root_does_not_open_with_a_wrong_passphrase(hands, tmp_path, passphrase):
    make_root(tmp_path, "K-MIX R", "correct horse battery staple", hands.moment)
    with pytest.raises(FhirError):
        read_root(tmp_path, passphrase)


def test_a_root_is_never_overwritten_and_needs_a_long_passphrase(hands, tmp_path):
    with pytest.raises(FhirError, match="16 characters"):
        make_root(tmp_path, "K-MIX R", "short", hands.moment)
    make_root(tmp_path, "K-MIX R", "correct horse battery staple", hands.moment)
    with pytest.raises(FhirError, match="not overwritten"):
        make_root(tmp_path, "K-MIX R", "correct horse battery staple", hands.moment)


async def test_after_a_new_authority_the_certificates_of_the_old_one_stay_good(pki, hands, tmp_path):
    old = await enrolled(pki, EHR)
    hands.shift(timedelta(days=1))
    await pki.authorities.install("K-MIX R", make_root(tmp_path, "K-MIX R", "correct horse battery staple", hands.moment))
    await pki.refresh()
    new = await enrolled(pki, CLERK)
    assert new.record.authority != old.record.authority
    for each in (old, new):
        assert pki.binding.presented(tls_scope(each.certificate))
