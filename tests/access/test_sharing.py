"""Who sees what of a patient known to several facilities: the read-decision matrix of NETWORK.md §0.1, over HTTP."""

import pytest

from fhir_server.auth.roles import Role
from tests.access.secured import requester
from tests.access.sharing import SECRETARY, consent, denied, facility, network, organization, patient_of, physician, settle, write

LETTERS = "ABCDEF"


async def seen(ask, reader):
    """Which facilities' results the reader sees: by read, and by search; both must say the same."""
    read = {letter for letter in "ABC" if (await ask(reader, "GET", f"/Observation/lab-{letter.lower()}1")).status_code == 200}
    found = (await ask(reader, "GET", "/Observation?_total=accurate")).json()
    assert {each["resource"]["id"] for each in found.get("entry", ())} == {f"lab-{letter.lower()}1" for letter in read}
    assert found["total"] == len(read)
    return "".join(sorted(read))


async def everybody(ask):
    return {letter: await seen(ask, physician(letter)) for letter in LETTERS[:5]}


@pytest.fixture(params=[False, True], ids=["at once", "settled"])
async def later(secured, request):
    """What is allowed holds at once, and in the same way after the documents say so."""

    async def wait():
        if request.param:
            await settle(secured)

    return wait


async def test_d01_d04_without_a_consent_each_facility_sees_its_own_data_and_nothing_else(secured, ask, later):
    await network(secured)
    await later()
    assert await everybody(ask) == {"A": "A", "B": "B", "C": "C", "D": "", "E": ""}


async def test_d02_d03_the_facilities_named_see_each_others_data_in_both_directions(secured, ask, later):
    await network(secured)
    await write(secured, consent("AB"))
    await later()
    assert await everybody(ask) == {"A": "AB", "B": "AB", "C": "C", "D": "", "E": ""}


async def test_d04_what_is_not_published_holds_for_nobody(secured, ask, later):
    await network(secured)
    await write(secured, consent("AB", published=False))
    await later()
    assert await everybody(ask) == {"A": "A", "B": "B", "C": "C", "D": "", "E": ""}


async def test_d05_a_full_stop_leaves_each_facility_its_own(secured, ask, later):
    await network(secured)
    await write(secured, consent("ABC"))
    await later()
    assert (await everybody(ask))["A"] == "ABC"
    await write(secured, consent("ABC", status="inactive"))
    assert await everybody(ask) == {"A": "A", "B": "B", "C": "C", "D": "", "E": ""}
    await later()
    assert await everybody(ask) == {"A": "A", "B": "B", "C": "C", "D": "", "E": ""}


async def test_d06_a_partial_stop_takes_out_the_pairs_with_that_facility(secured, ask, later):
    await network(secured)
    partial = consent("ABC")
    partial["provision"]["provision"] = [denied("B")]
    await write(secured, partial)
    await later()
    assert await everybody(ask) == {"A": "AC", "B": "B", "C": "AC", "D": "", "E": ""}


async def test_d07_a_stop_for_a_time_ends_by_itself(secured, ask, later, clock):
    await network(secured)
    paused = consent("AB")
    paused["provision"]["provision"] = [{"type": "deny", "period": {"start": "2026-04-01", "end": "2026-04-30"}}]
    await write(secured, paused)
    await later()
    assert (await everybody(ask))["B"] == "B"
    clock.move_to("2026-04-30T23:59:59+09:00")
    assert (await everybody(ask))["B"] == "B"
    clock.move_to("2026-05-01T00:00:00+09:00")
    assert (await everybody(ask))["B"] == "AB"


async def test_d11_a_facility_that_leaves_reads_nothing_and_its_data_stay_with_it(secured, ask, later):
    await network(secured)
    await write(secured, consent("ABC"))
    await later()
    await write(secured, organization("B", active=False))
    assert (await ask(physician("B"), "GET", "/Observation")).status_code in (401, 403)
    assert await seen(ask, physician("A")) == "AC"


async def test_d11_membership_begins_and_ends_with_its_dates(secured, ask, clock):
    await network(secured)
    await write(secured, consent("AB"))
    affiliation = {
        "resourceType": "OrganizationAffiliation", "id": "member-b", "active": True, "organization": {"reference": "Organization/network"},
        "participatingOrganization": {"reference": facility("B")}, "period": {"start": "2026-03-01", "end": "2026-04-10"},
    }  # fmt: skip
    await write(secured, affiliation)
    assert await seen(ask, physician("B")) == "AB"
    clock.move_to("2026-04-11T00:00:00+09:00")
    assert (await ask(physician("B"), "GET", "/Observation/lab-a1")).status_code == 403
    assert await seen(ask, physician("A")) == "A"


async def test_c40_the_consent_itself_is_for_the_patient_and_for_those_it_names(secured, ask, later):
    await network(secured)
    await write(secured, consent("AB"))
    await later()
    statuses = {letter: (await ask(physician(letter), "GET", "/Consent/consent-1")).status_code for letter in "ABCD"}
    assert statuses == {"A": 200, "B": 200, "C": 404, "D": 404}
    mine = requester(Role.PATIENT, fhir_user="Patient/pa1", organization=None, facility=None, facility_roles=frozenset())
    assert (await ask(mine, "GET", "/Consent/consent-1")).status_code == 200
    assert (await ask(SECRETARY, "GET", "/Consent/consent-1")).status_code == 200


async def test_a_search_that_names_the_golden_patient_covers_the_linked_patients_whom_the_reader_may_see(secured, ask, later):
    await network(secured)
    await write(secured, consent("AB"))
    await later()
    for address in ("/Observation?patient=Patient/golden-1", "/Observation?subject=Patient/golden-1", "/Patient/golden-1/Observation",
                    "/Observation?patient.identifier=urn:tsunagi:regional-patient-id|3700000001"):  # fmt: skip
        found = (await ask(physician("B"), "GET", address)).json()
        assert {each["resource"]["id"] for each in found.get("entry", ())} == {"lab-a1", "lab-b1"}, address
    whole = (await ask(physician("B"), "GET", "/Patient/golden-1/$everything")).json()
    assert "entry" in whole, whole
    named = {f"{each['resource']['resourceType']}/{each['resource']['id']}" for each in whole["entry"]}
    assert named >= {"Patient/golden-1", "Patient/pa1", "Patient/pb1", "Observation/lab-a1", "Observation/lab-b1"}
    assert not {each for each in named if each.endswith("c1")}
    assert (await ask(physician("D"), "GET", "/Patient/golden-1")).status_code == 404
    assert "entry" not in (await ask(physician("D"), "GET", "/Observation?patient=Patient/golden-1")).json()


async def test_d02_d04_a_facility_whose_patient_is_not_linked_any_more_neither_reads_nor_is_read(secured, ask, later):
    await network(secured)
    await write(secured, consent("ABC"))
    await later()
    assert (await everybody(ask))["B"] == "ABC"
    await write(secured, patient_of("B", linked=False))
    assert await everybody(ask) == {"A": "AC", "B": "B", "C": "AC", "D": "", "E": ""}
    await later()
    assert await everybody(ask) == {"A": "AC", "B": "B", "C": "AC", "D": "", "E": ""}


async def test_f061_a_facility_reads_what_the_network_told_it_and_nobody_elses_notices(secured, ask):
    await network(secured)
    for letter in "AB":
        notice = {"resourceType": "Communication", "id": f"notice-{letter.lower()}", "status": "completed"}
        await write(secured, {**notice, "subject": {"reference": "Patient/golden-1"}, "recipient": [{"reference": facility(letter)}]})
    await write(secured, consent("AB"))
    for letter in "AB":
        found = (await ask(physician(letter), "GET", "/Communication")).json()
        assert [each["resource"]["id"] for each in found["entry"]] == [f"notice-{letter.lower()}"]
