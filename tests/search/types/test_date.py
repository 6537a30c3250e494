"""Dates: every precision, every prefix, and midnight in Japan."""

import pytest

from tests.search.judge import answers, refusal


def observed(at: str) -> dict:
    return {"resourceType": "Observation", "effectiveDateTime": at}


def during(**period: str) -> dict:
    return {"resourceType": "Observation", "effectivePeriod": period}


@pytest.mark.parametrize(
    ("stored", "found", "missed"),
    [
        (
            "2024-05-10",
            "2024 2024-05 2024-05-10 eq2024-05 ne2023 ge2024 le2024 gt2023 lt2025 sa2024-04 eb2024-06",
            "2023 2024-06 2024-05-11",
        ),
        ("2024-05", "2024 2024-05 gt2024-05-10 lt2024-05-10 ge2024-05 sa2024-04", "2024-05-10 sa2024-05-01 eb2024-05-31 ne2024"),
        ("2024", "2024 gt2024-05 lt2024-05 ge2024 le2024", "2024-05 gt2024 lt2024 sa2024 eb2024"),
        ("2024-05-10T09:30:00+09:00", "2024-05-10 2024-05-10T09:30+09:00 2024-05-10T00:30:00Z 2024-05-10T09:30", "2024-05-10T09:31+09:00"),
        ("2024-05-10T09:30:00.123+09:00", "2024-05-10T09:30:00 2024-05-10T09:30:00.1 2024-05-10T09:30:00.123", "2024-05-10T09:30:00.2"),
    ],
)
def test_a_date_is_as_wide_as_it_is_vague(stored, found, missed):
    for value in found.split():
        assert answers(f"Observation?date={value.replace('+', '%2B')}", observed(stored)), value
    for value in missed.split():
        assert not answers(f"Observation?date={value.replace('+', '%2B')}", observed(stored)), value


@pytest.mark.parametrize(
    ("stored", "search", "expected"),
    [
        ("2024-01-01T00:00:00+09:00", "2024", True),  # 2023-12-31T15:00Z
        ("2024-01-01T00:00:00+09:00", "2024-01-01", True),
        ("2024-01-01T00:00:00+09:00", "2023", False),
        ("2023-12-31T15:00:00Z", "2024-01-01", True),
        ("2023-12-31T14:59:59Z", "2024-01-01", False),
        ("2023-12-31T14:59:59.999Z", "2023-12-31", True),
        ("2023-12-31T23:59:59+09:00", "2023", True),
        ("2023-12-31", "lt2023-12-31T15:00:00Z", True),
        ("2024-01-01", "ge2023-12-31T15:00:00Z", True),
        ("2024-02-29", "2024-02", True),
    ],
)
def test_s59_a_day_begins_at_midnight_in_japan(stored, search, expected):
    assert answers(f"Observation?date={search}", observed(stored)) is expected


def test_a_plus_that_nobody_encoded_is_still_a_plus():
    assert answers("Observation?date=2024-05-10T09:30:00+09:00", observed("2024-05-10T09:30:00+09:00"))


@pytest.mark.parametrize(
    ("period", "found", "missed"),
    [
        (
            {"start": "2024-05-01", "end": "2024-05-31"},
            "2024-05 ge2024-05-30 le2024-05-02 gt2024-05-30",
            "2024-05-10 sa2024-05-15 eb2024-05-15",
        ),
        ({"start": "2024-05-01"}, "gt2050 ge2024 sa2024-04", "2024 lt2024-05-01 eb2050"),
        ({"end": "2024-05-31"}, "lt1900 le2024 eb2024-06", "2024 gt2024-05-31 sa1900"),
    ],
)
def test_a_period_without_an_end_goes_on(period, found, missed):
    for value in found.split():
        assert answers(f"Observation?date={value}", during(**period)), value
    for value in missed.split():
        assert not answers(f"Observation?date={value}", during(**period)), value


def test_the_outer_limits_of_a_timing_count():
    request = {"resourceType": "ServiceRequest", "occurrenceTiming": {"event": ["2024-05-01", "2024-05-20"]}}
    assert answers("ServiceRequest?occurrence=2024-05", request)
    assert answers("ServiceRequest?occurrence=gt2024-05-19", request)
    assert not answers("ServiceRequest?occurrence=2024-05-01", request)
    bounded = {
        "resourceType": "ServiceRequest",
        "occurrenceTiming": {"repeat": {"boundsPeriod": {"start": "2024-05-01", "end": "2024-05-03"}}},
    }
    assert answers("ServiceRequest?occurrence=2024-05", bounded)


def test_about_is_a_tenth_of_the_distance_from_now():
    # now is 2026-04-01: 2016-04-01 is ten years ago, about means a year more or less
    assert answers("Observation?date=ap2016-04-01", observed("2015-05-01"))
    assert answers("Observation?date=ap2016-04-01", observed("2017-03-01"))
    assert not answers("Observation?date=ap2016-04-01", observed("2015-02-01"))
    assert answers("Observation?date=ap2026-04-01", observed("2026-04-01"))
    assert answers("Observation?date=ap2024-05", during(start="2020", end="2030")), "an overlap is enough"


def test_last_updated_is_a_date():
    midnight = 1_704_034_800_000  # 2024-01-01T00:00+09:00
    resource = {"resourceType": "Patient"}
    assert answers("Patient?_lastUpdated=2024-01-01", resource, updated=midnight)
    assert answers("Patient?_lastUpdated=lt2024-01-01", resource, updated=midnight - 1)
    assert not answers("Patient?_lastUpdated=gt2024", resource, updated=midnight)


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "2024-13",
        "2024-02-30",
        "2024-5",
        "20240510",
        "eq",
        "xx2024",
        "2024-05-10T25:00",
        "gt",
        "2024-05-10T09",
        "平成31年",
        "２０２４",
    ],
)
def test_what_is_no_date_is_refused(value):
    failure = refusal(f"Observation?date={value}")
    assert (failure.status, failure.issues[0].code, failure.issues[0].expression) == (400, "value", ("Observation?date",))
    assert value not in failure.issues[0].diagnostics or value in ("eq", "gt")


def test_a_birth_date_to_the_day_is_one_entry_of_the_index_and_still_no_year():
    assert answers("Patient?birthdate=1980-01-01", {"resourceType": "Patient", "birthDate": "1980-01-01"})
    assert not answers("Patient?birthdate=1980-01-01", {"resourceType": "Patient", "birthDate": "1980"})
    assert not answers("Patient?birthdate=1980-01-01", {"resourceType": "Patient", "birthDate": "1980-01"})
    assert answers("Patient?birthdate=1980-01", {"resourceType": "Patient", "birthDate": "1980-01-31"})


@pytest.mark.parametrize(
    ("stored", "found", "missed"),
    [
        (
            "2016-12-31T23:59:60Z",
            "2016-12-31T23:59:60Z 2016-12-31T23:59:59Z 2016-12-31T23:59Z 2017-01-01",
            "2016 2017-01-02 2017-01-01T00:00:00Z",
        ),
        ("0001", "0001 lt0001-06 le0002 ge0001", "0002 gt0001-12-31T23:59:59.999"),
        ("0001-01-01", "0001-01-01 0001-01 0001 eb1900 lt0001-01-02", "gt0001-01-01 lt0001"),
        ("9999-12-31", "9999-12-31 9999 gt9999-12-30 sa2024 ge9999", "gt9999 lt9999-12-31 9998"),
        ("9999", "9999 gt9999-06 lt9999-06 sa2024", "9999-12-31 eb9999"),
        ("2024-01-01T00:00:00+14:00", "2023-12-31 2023-12-31T10:00:00Z", "2024"),
        ("2023-12-31T23:00:00-12:00", "2024-01-01 2024 2024-01-01T20:00", "2023"),
    ],
)
def test_s59_the_ends_of_time_and_of_the_zones_have_their_place(stored, found, missed):
    for value in found.split():
        assert answers(f"Observation?date={value.replace('+', '%2B')}", observed(stored)), value
    for value in missed.split():
        assert not answers(f"Observation?date={value.replace('+', '%2B')}", observed(stored)), value


@pytest.mark.parametrize("prefix", ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"])
@pytest.mark.parametrize("value", ["0001", "9999", "0001-01-01", "9999-12-31T23:59:60+00:00"])
def test_every_prefix_takes_the_first_and_the_last_year(prefix, value):
    for stored in ("0001", "2024-05-10", "9999-12-31"):
        answers(f"Observation?date={prefix}{value.replace('+', '%2B')}", observed(stored))


@pytest.mark.parametrize("modifier", ["exact", "contains", "not", "text", "above", "in", "Patient"])
def test_a_date_has_no_modifier_but_missing(modifier):
    assert refusal(f"Observation?date:{modifier}=2024").issues[0].code == "not-supported"
    assert answers("Observation?date:missing=true", {"resourceType": "Observation"})
