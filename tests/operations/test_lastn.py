"""The newest results of each code. https://hl7.org/fhir/R4/observation-operation-lastn.html"""

import pytest

from tests.operations.records import link, put, references
from tests.rest.served import BASE, issue_of, observation, patient

LOINC, LOCAL = "http://loinc.org", "urn:oid:1.2.392.200119.4.504"


def coded(*codings: tuple[str, str], text: str | None = None) -> dict:
    code: dict = {"coding": [{"system": system, "code": code} for system, code in codings]} if codings else {}
    return code | ({"text": text} if text else {})


async def results(client, *given: tuple[str, str, dict], subject: str = "Patient/p") -> None:
    """Store results as (id, date, code)."""
    for id, date, code in given:
        await put(client, observation(subject, id=id, effectiveDateTime=date, code=code))


async def ids(client, query: str) -> list[str]:
    answer = await client.get(f"/Observation/$lastn?{query}")
    assert answer.status_code == 200, answer.text
    return [reference.removeprefix("Observation/") for reference in references(answer.json())]


async def test_the_newest_of_each_code_is_given_and_no_more(client):
    await put(client, patient(id="p"))
    glucose, sodium = coded((LOINC, "2345-7")), coded((LOINC, "2951-2"))
    await results(
        client, ("g1", "2026-01-01", glucose), ("g3", "2026-03-01", glucose), ("g2", "2026-02-01", glucose), ("s1", "2025-01-01", sodium)
    )
    assert await ids(client, "patient=p") == ["g3", "s1"]
    assert await ids(client, "patient=p&max=2") == ["g3", "g2", "s1"]
    assert await ids(client, "patient=Patient/p&max=9&code=2345-7") == ["g3", "g2", "g1"]
    assert await ids(client, "patient=p&date=lt2026-03-01") == ["g2", "s1"]
    assert await ids(client, "patient=nobody") == []


async def test_a_translation_makes_codes_one_over_any_number_of_steps(client):
    await results(
        client,
        ("a", "2026-01-01", coded((LOINC, "1"))),
        ("ab", "2026-01-02", coded((LOINC, "1"), (LOCAL, "x"))),
        ("b", "2026-01-03", coded((LOCAL, "x"))),
        ("bc", "2026-01-04", coded((LOCAL, "x"), (LOINC, "2"))),
        ("c", "2026-01-05", coded((LOINC, "2"))),
        ("other", "2026-01-06", coded((LOCAL, "1"))),  # the same code in another system
    )
    assert await ids(client, "subject=Patient/p") == ["c", "other"]
    assert await ids(client, "subject=Patient/p&max=4") == ["c", "bc", "b", "ab", "other"]


async def test_results_without_a_coding_are_grouped_by_their_text(client):
    await results(
        client, ("t1", "2026-01-01", coded(text="血糖")), ("t2", "2026-01-02", coded(text="血糖")), ("t3", "2026-01-01", coded(text="AST")),
        ("t4", "2025-01-01", coded(text="ast ")), ("c", "2026-01-01", coded((LOINC, "1"), text="血糖")),
    )  # fmt: skip
    assert await ids(client, "subject=Patient/p") == ["c", "t3", "t2"]


async def test_the_answer_says_what_was_asked(client):
    await results(client, ("g1", "2026-01-01", coded((LOINC, "1"))))
    bundle = (await client.get("/Observation/$lastn?patient=p&max=3")).json()
    assert (bundle["type"], bundle["total"]) == ("searchset", 1)
    assert link(bundle, "self") == f"{BASE}/Observation/$lastn?patient=p&max=3"


async def test_parameters_may_come_in_a_body(client):
    await results(client, ("g1", "2026-01-01", coded((LOINC, "1"))), ("g2", "2026-01-02", coded((LOINC, "1"))))
    body = {"resourceType": "Parameters", "parameter": [{"name": "max", "valuePositiveInt": 2}, {"name": "patient", "valueString": "p"}]}
    assert references((await client.post("/Observation/$lastn", json=body)).json()) == ["Observation/g2", "Observation/g1"]


@pytest.mark.parametrize(
    "query", ["max=0", "max=-1", "max=x", "nonsense=1", "patient=p&_sort=date", "patient=p&_include=Observation:subject"]
)
async def test_what_it_cannot_do_is_refused(client, query):
    answer = await client.get(f"/Observation/$lastn?{query}")
    assert answer.status_code == 400
    assert issue_of(answer)["expression"]


async def test_an_answer_beyond_a_page_names_its_limit(application, client):
    limits = application._endpoint.service.serving.limits
    object.__setattr__(limits, "most", 5)
    await results(client, *((f"o{n}", "2026-01-01", coded((LOINC, f"{n // 2}"))) for n in range(12)))
    refused = await client.get("/Observation/$lastn?patient=p")
    assert issue_of(refused)["code"] == "too-costly"
    assert "5" in issue_of(refused)["diagnostics"]
    assert len(await ids(client, "patient=p&code=0,1&max=2")) == 4
    refused = await client.get("/Observation/$lastn?patient=p&code=0,1,2&max=2")
    assert "5" in issue_of(refused)["diagnostics"]
