"""The network's own form: the facilities that it names share with each other (D2-D7, F012)."""

from fhir_server.consent.question import Reason
from tests.consent.judging import A, B, C, D, asks, form, judged, rule, sees


def test_d02_every_pair_of_facilities_in_the_form_shares_in_both_directions_f012():
    for reader in (A, B, C):
        for custodian in (A, B, C):
            if reader != custodian:
                assert sees([form(A, B, C)], asks(reader), custodian=custodian)


def test_d03_a_facility_that_is_not_in_the_form_neither_reads_nor_is_read():
    assert judged([form(A, B)], asks(D), custodian=A).reasons == (Reason.NOT_NAMED,)
    assert judged([form(A, B)], asks(A), custodian=D).reasons == (Reason.CUSTODIAN_NOT_NAMED,)


def test_d03_a_part_of_a_hospital_is_not_both_sides_of_a_pair():
    assert not sees([form(A, B)], asks("Organization/ward", A), custodian=A)
    assert sees([form(A, B)], asks("Organization/ward", A), custodian=B)


def test_d05_a_form_that_is_stopped_shares_nothing():
    assert judged([form(A, B, status="inactive")], asks(B)).reasons == (Reason.STOPPED,)


def test_d06_a_facility_taken_out_neither_reads_nor_is_read_and_the_others_go_on():
    partly = form(A, B, C, exceptions=(rule("deny", to=B),))
    assert judged([partly], asks(B), custodian=A).reasons == (Reason.PARTLY_STOPPED,)
    assert judged([partly], asks(A), custodian=B).reasons == (Reason.PARTLY_STOPPED,)
    assert sees([partly], asks(A), custodian=C)
    assert sees([partly], asks(C), custodian=A)


def test_d07_a_stop_for_some_time_ends_by_itself():
    for_april = form(A, B, exceptions=(rule("deny", period={"start": "2026-04-01", "end": "2026-04-30"}),))
    assert judged([for_april], asks(B)).reasons == (Reason.TEMPORARILY_STOPPED,)
    assert sees([for_april], asks(B, at="2026-03-31T23:59:59.999+09:00"))
    assert not sees([for_april], asks(B, at="2026-04-30T23:59:59.999+09:00"))
    assert sees([for_april], asks(B, at="2026-05-01T00:00:00.000+09:00"))
