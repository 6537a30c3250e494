"""_filter, _list and nested _has, asked over HTTP; the grammar of _filter is tested in tests/search."""

import pytest

from tests.interactions.searching import references, store
from tests.rest.served import issue_of, observation, patient


@pytest.fixture
async def filled(client):
    await store(
        client,
        patient(id="p1", name=[{"family": "Sato", "given": ["Hanako"]}], birthDate="1984-03-02", active=True),
        patient(id="p2", name=[{"family": "Suzuki", "given": ["Taro"]}], birthDate="2001-05-06", gender="male"),
        patient(id="p3", name=[{"family": "Takahashi"}], birthDate="1950", active=False, generalPractitioner=[{"reference": "Practitioner/d1"}]),
        {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "Kotohira"}], "gender": "female"},
        observation("Patient/p1", id="o1", valueQuantity={"value": 5.4, "system": "http://unitsofmeasure.org", "code": "mg"}),
        {"resourceType": "Observation", "id": "o2", "status": "final", "code": {"text": "x"}, "subject": {"reference": "Patient/p2"},
         "effectivePeriod": {"start": "2026-01-01", "end": "2026-01-31"}},
        {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p2"}, "code": {"coding": [{"system": "urn:i", "code": "E11"}]}},
        {"resourceType": "List", "id": "l1", "status": "current", "mode": "working",
         "entry": [{"item": {"reference": "Patient/p1"}}, {"item": {"reference": "Patient/p3"}}, {"item": {"reference": "Observation/o1"}}]},
    )  # fmt: skip
    return client


async def found(client, address, **parameters):
    return sorted(reference.partition("/")[2] for reference in references(await client.get(address, params=parameters or None)))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ('family eq "Sato"', ["p1"]),
        ('family eq "sato"', []),
        ('family ne "Sato"', ["p2", "p3"]),
        ("family co uk", ["p2"]),
        ("name sw ta", ["p2", "p3"]),
        ("family ew hashi", ["p3"]),
        ("gender eq male or birthdate lt 1960", ["p2", "p3"]),
        ("(gender eq female and birthdate ge 1984) or family eq Suzuki", ["p1", "p2"]),
        ("gender eq female and birthdate ge 1984 or family eq Suzuki", ["p1", "p2"]),
        ("family eq Suzuki or gender eq female and birthdate lt 1960", ["p3"]),  # from left to right
        ("not (active eq true)", ["p2", "p3"]),
        ("not (active pr true)", ["p2"]),
        ("active pr false", ["p2"]),
        ("active ne true", ["p3"]),
        ("birthdate sa 1984-03-02", ["p2"]),
        ("birthdate eb 1984", ["p3"]),
        ("birthdate po 1984-03", ["p1"]),
        ("_id eq p1 or _id eq p3", ["p1", "p3"]),
        ("_id ne p1", ["p2", "p3"]),
        ("_lastUpdated gt 2020-01-01", ["p1", "p2", "p3"]),
        ("general-practitioner re Practitioner/d1", ["p3"]),
        ("general-practitioner.name co hira", ["p3"]),
        ("general-practitioner:Practitioner.name co hira", ["p3"]),
        ("general-practitioner[gender eq female].name sw koto", ["p3"]),
        ("general-practitioner[gender eq male].name sw koto", []),
        ("identifier eq urn:oid:1.2.392.100495.20.3.51.13710000017|0099887766", ["p1", "p2", "p3"]),
        ("identifier sw urn:oid:1.2.392.100495.20.3.51.13710000017|009", ["p1", "p2", "p3"]),
        ("identifier eq other|0099887766", []),
    ],
)
async def test_a_filter_finds_what_it_says(filled, asked, expected):
    assert await found(filled, "/Patient", _filter=asked) == expected


async def test_a_filter_goes_together_with_everything_else(filled):
    assert await found(filled, "/Patient", _filter="birthdate lt 2000", gender="female", _sort="-birthdate") == ["p1", "p3"]
    assert await found(filled, "/Observation", _filter="value-quantity gt 5 and patient.family eq Sato") == ["o1"]
    assert await found(filled, "/Observation", _filter="date po 2026-01-15") == ["o2"]
    assert await found(filled, "", _type="Patient,Practitioner", _filter="gender eq female") == ["d1", "p1", "p3"]
    assert await found(filled, "/Patient", _filter="birthdate lt 2000", _count="0") == []


async def test_s14_a_filter_sees_only_what_may_be_seen_and_is_refused_by_name(filled):
    for asked in (
        "nothing eq x",
        "family",
        "family eq",
        "(family eq x",
        "family eq x)",
        "family xx y",
        "family eq x family eq y",
        'family eq "x',
    ):
        response = await filled.get("/Patient", params={"_filter": asked})
        assert response.status_code == 400
        assert issue_of(response)["expression"] == ["Patient?_filter"]


async def test_a_list_limits_a_search_to_its_items(filled):
    assert await found(filled, "/Patient", _list="l1") == ["p1", "p3"]
    assert await found(filled, "/Patient", _list="l1", gender="female", birthdate="lt1960") == ["p3"]
    assert await found(filled, "/Observation", _list="l1") == ["o1"]
    assert await found(filled, "", _type="Patient,Observation", _list="l1") == ["o1", "p1", "p3"]
    assert await found(filled, "/Patient/p1/Observation", _list="l1") == ["o1"]
    assert await found(filled, "/Patient", _list="nobody") == []


async def test_functional_lists_are_refused_by_name(filled):
    issue = issue_of(await filled.get("/Patient/p1/Condition?_list=$current-problems"))
    assert issue["code"] == "not-supported"
    assert "$current-problems" in issue["diagnostics"]


async def test_has_and_chains_lead_through_each_other(filled):
    assert await found(filled, "/Practitioner?_has:Patient:general-practitioner:_has:List:item:_id=l1") == ["d1"]
    assert await found(filled, "/Observation?patient._has:Condition:patient:code=E11") == ["o2"]
    assert await found(filled, "/Patient?_has:Observation:patient:subject:Patient.family=Suzuki") == ["p2"]
    assert await found(filled, "/Patient?_has:Observation:patient:_id=o1&_has:List:item:_id=l1") == ["p1"]
    response = await filled.get("/Patient?" + "_has:Observation:patient:subject:Patient." * 3 + "_id=x")
    assert issue_of(response)["code"] == "too-costly"
