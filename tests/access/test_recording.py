"""What is done, and what is refused, is in the audit log when its answer arrives: each interaction once (S50, L09)."""

import httpx

from fhir_server.app import create_app, open_registry
from fhir_server.audit.found_by import Filter
from fhir_server.settings import Settings
from tests.access.secured import BASE, token
from tests.access.sharing import consent, network, physician, write


async def recorded(app, subject="somebody"):
    return [each.event async for each in app.registry.network.log.stream(Filter(subject=subject), newest=False)]


async def test_s50_every_entry_of_a_batch_is_an_event_of_its_own_the_refused_ones_too(secured, ask):
    await network(secured)
    await write(secured, consent("AB"))
    urls = ("Observation/lab-a1", "Observation/lab-c1", "AuditEvent/x", "Observation?patient=Patient/pb1")
    entries = [{"request": {"method": "GET", "url": url}} for url in urls]
    answer = await ask(physician("B"), "POST", "", json={"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert [each["response"]["status"][:3] for each in answer.json()["entry"]] == ["200", "404", "403", "200"]
    events = await recorded(secured)
    assert sorted((each.interaction, each.id, each.status) for each in events) == [
        ("batch", "", 200), ("read", "lab-a1", 200), ("read", "lab-c1", 404), ("read", "x", 403), ("search-type", "", 200),
    ]  # fmt: skip
    assert len({each.request for each in events}) == 1
    (relied,) = [each for each in events if each.consents]
    assert (relied.id, relied.consents) == ("lab-a1", ("Consent/consent-1",))
    assert [(seen.patient, seen.custodian) for seen in relied.seen] == [("Patient/pa1", "Organization/facility-a")]


async def test_l09_with_the_journal_first_an_event_is_on_the_disk_before_the_answer_and_in_the_log_after_it(
    mongodb_uri, database_name, tmp_path
):
    app = create_app(Settings(database=database_name, base_url=BASE, data=tmp_path, audit_journal=True), mongodb_uri)
    async with app.outer.router.lifespan_context(app.outer):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
            headers = {"Authorization": f"Bearer {await token(app, physician('A'))}"}
            assert (await client.get("/Observation/none", headers=headers)).status_code == 404
        assert [path.stat().st_size > 0 for path in (tmp_path / "audit").iterdir() if path.suffix == ".journal"] == [True]
    async with open_registry(Settings(database=database_name), mongodb_uri) as registry:
        (event,) = [each.event async for each in registry.network.log.stream(Filter(subject="somebody"), newest=False)]
        assert (event.interaction, event.id, event.status) == ("read", "none", 404)


async def test_s50_without_a_record_there_is_no_answer(secured, ask):
    await network(secured)
    log = secured.registry.network.log

    async def away(_):
        raise RuntimeError("the audit store is gone")

    secured.registry.service._record = away
    answer = await ask(physician("A"), "GET", "/Observation/lab-a1")
    assert answer.status_code == 500
    assert "lab-a1" not in answer.text
    secured.registry.service._record = log.record
    assert (await ask(physician("A"), "GET", "/Observation/lab-a1")).status_code == 200
