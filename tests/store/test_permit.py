"""What the permit does not cover looks like what never was."""

import pytest

from fhir_server.outcome import FhirError
from fhir_server.search.expression import EVERYTHING, NOTHING, And, Entries, ForPatient, Has, OfType, Or, Related, RelatedBy, Within
from fhir_server.search.query import Query
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Create, Delete, Put, Repository, Span

MINE = ForPatient("Patient/a")
LIMITED = Permit(
    {(interaction, "Observation"): MINE for interaction in ("read", "search-type", "create", "update", "delete")}
    | {("search-type", "Patient"): Has("name", "a")}
)


def of(patient):
    return Entries((f"subject=Patient/{patient}", "code=x"), patient=f"Patient/{patient}")


@pytest.fixture
async def limited(repository, prepared, mongo, ticking):
    """A requester who may do everything with the observations of one patient."""
    for patient in ("a", "b"):
        await repository.commit([Create(prepared(patient, found=Entries((f"name={patient}",))))])
        await repository.commit([Create(prepared(f"of-{patient}", "Observation", of(patient)))])
    return Repository(mongo, LIMITED, ticking)


async def failing(wanted):
    with pytest.raises(FhirError) as failure:
        await wanted
    return failure.value


def test_a_permit_covers_nothing_unless_told_to():
    assert Permit().covers("read", "Patient") == NOTHING
    assert Permit({("read", "Patient"): EVERYTHING}).covers("read", "Observation") == NOTHING
    assert Permit.everything().covers("delete", "Patient") == EVERYTHING


async def test_without_a_permit_nothing_is_seen_and_nothing_is_written(limited, mongo, prepared):
    nobody = Repository(mongo, Permit())
    for id in ("of-a", "none"):  # it follows from the permit alone, so it tells nothing of what is stored
        assert (await failing(nobody.get("Observation", id))).status == 403
    for asked in (Has("code", "x"), Has("code", "none")):
        assert (await failing(nobody.find(Query("Observation", asked, count=9, total="accurate")))).status == 403
    for write in (Create(prepared("new")), Put(prepared("a")), Delete("Patient", "a")):
        assert (await failing(nobody.commit([write]))).status == 403


async def test_hidden_and_absent_look_the_same(limited):
    hidden = [
        limited.get("Observation", "of-b"),
        limited.get_version("Observation", "of-b", "1"),
        limited.history("Observation", "of-b", 9),
    ]
    absent = [
        limited.get("Observation", "none"),
        limited.get_version("Observation", "none", "1"),
        limited.history("Observation", "none", 9),
    ]
    for one, other in zip(hidden, absent, strict=True):
        first, second = await failing(one), await failing(other)
        assert first.status == second.status == 404
        assert str(first).replace("of-b", "none") == str(second)
    assert (await limited.get("Observation", "of-a")).version == 1
    assert [version.id for version in await limited.get_several(["Observation/of-b", "Observation/of-a", "Patient/b"])] == ["of-a"]


async def test_searches_totals_and_pages_are_limited_in_the_query(limited):
    for asked in (And(), Has("code", "x"), Or((Has("subject", "Patient/b"), Has("code", "x")))):
        page = await limited.find(Query("Observation", asked, count=9, total="accurate"))
        assert ([version.id for version in page.versions], page.total) == (["of-a"], 1)
    assert (await limited.find(Query("Observation", ForPatient("Patient/b"), count=9))).versions == ()


async def test_chains_lead_over_what_may_be_seen_only(limited):
    for patient, found in (("a", ["of-a"]), ("b", [])):
        chained = Related("subject", ("Patient",), Has("name", patient), leads=True)
        assert [version.id for version in (await limited.find(Query("Observation", chained, count=9))).versions] == found
    has = RelatedBy("Observation", "subject", Has("code", "x"))
    assert [version.id for version in (await limited.find(Query("Patient", has, count=9))).versions] == ["a"]


async def test_a_write_stays_within_the_permit_before_and_after(limited, prepared, repository):
    assert (await failing(limited.commit([Put(prepared("of-b", "Observation", of("a")))]))).status == 403
    assert (await failing(limited.commit([Put(prepared("of-a", "Observation", of("b")))]))).status == 403
    for id in ("of-b", "none"):  # what is hidden is deleted as what never was: nothing happens
        assert (await limited.commit([Delete("Observation", id)]))[0].version == 0
    assert (await repository.get("Observation", "of-b")).version == 1
    (changed,) = await limited.commit([Put(prepared("of-a", "Observation", of("a"), status="final"))])
    assert changed.version == 2
    both = [Put(prepared("of-a", "Observation", of("a"))), Put(prepared("of-b", "Observation", of("a")))]
    assert (await failing(limited.commit(both))).status == 403
    assert (await repository.get("Observation", "of-a")).version == 2


async def test_s10_a_chain_over_a_type_that_is_not_permitted_is_refused(mongo, ticking):
    limited = Repository(mongo, Permit({("search-type", "Observation"): MINE}), ticking)
    for chained in (Related("subject", ("Patient",), Has("name", "a"), leads=True), RelatedBy("Encounter", "x", Has("status", "y"))):
        assert (await failing(limited.find(Query("Observation", chained, count=9)))).status == 403


async def test_the_past_of_a_type_is_for_who_may_read_and_search_it(mongo, ticking):
    for interactions in (["read"], ["search-type"]):
        limited = Repository(mongo, Permit({(each, "Observation"): EVERYTHING for each in interactions}), ticking)
        assert (await failing(limited.past(["Observation"], Span(9)))).status == 403


async def test_s56_elements_that_are_fixed_stay_as_they_are(mongo, prepared, repository, ticking):
    limited = Repository(mongo, Permit(otherwise=EVERYTHING, fixed={"Patient": ("link",)}), ticking)
    link = [{"other": {"reference": "Patient/b"}, "type": "seealso"}]
    for write in (Create(prepared("new", link=link)), Put(prepared("new", link=link))):
        assert (await failing(limited.commit([write]))).status == 403
    await repository.commit([Create(prepared("old", link=link))])
    for changed in ({}, {"link": [{**link[0], "type": "replaced-by"}]}):
        assert (await failing(limited.commit([Put(prepared("old", **changed))]))).status == 403
        assert (await failing(limited.commit([Put(prepared("old", **changed)), Create(prepared("other"))]))).status == 403
    (kept,) = await limited.commit([Put(prepared("old", link=link, active=True))])
    assert kept.version == 2


async def test_each_type_has_its_own_limit():
    permit = Permit({("search-type", "A"): MINE, ("search-type", "B"): EVERYTHING})
    narrowed = permit.narrow("search-type", ("A", "B", "C"), Has("x", "y"))
    assert narrowed == And((Within(Or((And((OfType(("A",)), MINE)), And((OfType(("B",)), EVERYTHING))))), Has("x", "y")))
    assert permit.narrow("search-type", ("B",), Has("x", "y")) == Has("x", "y")
