"""The register: who has which certificate, and which are good no more."""

import asyncio
from datetime import timedelta

import pytest
from cryptography import x509

from fhir_server.auth.certificates.binding import Refused
from tests.auth.certificates.network import CLERK, EHR, FACILITY, PC, enrolled, process, request_for, tls_scope


async def test_f103_the_certificates_of_a_facility_are_listed(pki):
    for each in (CLERK, EHR, PC):
        await enrolled(pki, each)
    assert [each.owner for each in await pki.register.listed(FACILITY)] == [CLERK, PC]
    assert len(await pki.register.listed()) == 3


async def test_a_certificate_is_found_by_number_serial_and_thumbprint(pki):
    record = (await enrolled(pki)).record
    shown = ":".join(f"{record.serial:0>40}"[n : n + 2].upper() for n in range(0, 40, 2))
    for name in (record.id, record.serial, shown, record.thumbprint):
        assert await pki.register.find(name) == record
    for name in ("", "0", "20260401999", "$ne", "x" * 10_000):
        assert await pki.register.find(name) is None


async def test_f101_a_revoked_certificate_is_refused_by_every_process_at_its_next_look(pki, shelf, hands, cuts):
    issued = await enrolled(pki)
    other = await process(shelf, hands)
    assert other.binding.presented(tls_scope(issued.certificate)).holder == CLERK
    assert [each.id for each in await pki.register.revoke(issued.record.id, "lost")] == [issued.record.id]
    assert cuts == [issued.record.thumbprint]
    with pytest.raises(Refused, match="revoked"):
        pki.binding.presented(tls_scope(issued.certificate))
    hands.shift(timedelta(seconds=0.5))
    await other.refresh()
    with pytest.raises(Refused, match="revoked"):
        other.binding.presented(tls_scope(issued.certificate))


async def test_f101_a_revocation_that_was_interrupted_halfway_is_seen_within_half_a_minute_all_the_same(pki, shelf, hands):
    issued = await enrolled(pki)
    await shelf._database["auth_certificate"].update_one({"_id": issued.record.id}, {"$set": {"revoked": hands.moment}})
    hands.shift(timedelta(seconds=21))
    await pki.refresh()
    assert pki.register.state(issued.record.thumbprint) == "revoked"


async def test_revoking_again_cuts_again_but_changes_nothing(pki, hands, cuts):
    record = (await enrolled(pki)).record
    await pki.register.revoke(record.id, "lost")
    hands.shift(timedelta(hours=1))
    assert await pki.register.revoke(record.id, "mistake") == []
    assert (await pki.register.find(record.id)).reason == "lost"
    assert len(cuts) == 2
    assert await pki.register.revoke("20260401999", "lost") == []


async def test_revoking_a_certificate_revokes_what_was_renewed_from_it(pki, cuts):
    first = (await enrolled(pki)).record
    second = (await pki.enrolment.renew(first, request_for())).record
    third = (await pki.enrolment.renew(second, request_for())).record
    untouched = (await enrolled(pki, PC)).record
    assert {each.id for each in await pki.register.revoke(first.id, "stolen")} == {first.id, second.id, third.id}
    assert set(cuts) == {first.thumbprint, second.thumbprint, third.thumbprint}
    assert pki.register.state(untouched.thumbprint) == "good"


async def test_a_certificate_renewed_while_it_is_revoked_leaves_nothing_good(pki):
    record = (await enrolled(pki)).record
    renewals = [pki.enrolment.renew(record, request_for()) for _ in range(5)]
    await asyncio.gather(*renewals, pki.register.revoke(record.id, "stolen"), return_exceptions=True)
    await pki.register.refresh()
    assert {each.revoked is not None for each in await pki.register.listed()} == {True}


async def test_f102_all_certificates_of_a_facility_are_revoked_in_one_go(pki):
    records = [(await enrolled(pki, each)).record for each in (CLERK, PC, EHR)]
    assert len(await pki.register.revoke_all("compromised", facility=FACILITY)) == 2
    assert [pki.register.state(each.thumbprint) for each in records] == ["revoked", "revoked", "good"]


async def test_f104_all_certificates_of_one_person_are_revoked(pki):
    records = [(await enrolled(pki, each)).record for each in (CLERK, CLERK, PC)]
    await pki.register.revoke_all("retired", facility=FACILITY, owner=CLERK)
    assert [pki.register.state(each.thumbprint) for each in records] == ["revoked", "revoked", "good"]


async def test_a_certificate_of_another_process_is_known_at_the_next_look(pki, shelf, hands):
    other = await process(shelf, hands)
    issued = await enrolled(pki)
    assert other.register.state(issued.record.thumbprint) == "unknown"
    await other.refresh()
    assert other.register.state(issued.record.thumbprint) == "good"


async def test_a_process_that_cannot_ask_for_half_a_minute_refuses_all(pki, hands):
    issued = await enrolled(pki)
    hands.shift(timedelta(seconds=31))
    with pytest.raises(Refused) as refused:
        pki.binding.presented(tls_scope(issued.certificate))
    assert refused.value.status == 503
    assert pki.register.state(issued.record.thumbprint) != "good"


async def test_the_revocation_list_is_signed_short_lived_and_complete(pki, hands):
    records = [(await enrolled(pki)).record for _ in range(4)]
    await pki.register.revoke(records[0].id, "stolen")
    await pki.register.revoke(records[1].id, "transferred")
    renewed = await pki.enrolment.renew(records[2], request_for())
    hands.shift(timedelta(days=15))
    await pki.refresh()
    made = x509.load_der_x509_crl(await pki.lists.of())
    authority = (await pki.authorities.current()).issuer.certificate
    assert made.is_signature_valid(authority.public_key())
    assert made.issuer == authority.subject
    assert made.next_update_utc - hands.moment == timedelta(hours=1)
    reasons = {f"{each.serial_number:x}": each.extensions.get_extension_for_class(x509.CRLReason).value.reason.value for each in made}
    wanted = {records[0].serial: "keyCompromise", records[1].serial: "affiliationChanged", records[2].serial: "superseded"}
    assert reasons == wanted
    assert renewed.record.serial not in reasons


async def test_the_revocation_list_is_that_of_the_certificates_own_authority(pki):
    issued = await enrolled(pki)
    points = issued.certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert points[0].full_name[0].value == f"https://fhir.example.jp/pki/crl/{issued.record.authority}"
    assert await pki.lists.of(issued.record.authority) == await pki.lists.of()
    assert await pki.lists.of("00") is None


async def test_the_revocation_list_is_made_anew_only_when_something_changed_or_a_minute_passed(pki, hands):
    issued = await enrolled(pki)
    first = await pki.lists.of()
    assert await pki.lists.of() == first
    await pki.register.revoke(issued.record.id, "lost")
    second = await pki.lists.of()
    assert second != first
    hands.shift(timedelta(seconds=61))
    assert await pki.lists.of() != second
