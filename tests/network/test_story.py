"""The whole story, as its people live it: uploads, a consent, its publication, a pause, an emergency, a disaster, and what is told of it all.

NETWORK.md §0.1, §0.2
"""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhir_server.audit.reports.access import Period, Source
from fhir_server.audit.reports.patient import Share, as_csv, as_html, patient_report
from fhir_server.network.consent_form.provisions import published_at
from tests.network.people_at_work import JIRO, Q1, S1, S2, Network, at, jiro, opened, organization, signed, upload

TOKYO = ZoneInfo("Asia/Tokyo")
MONTH = timedelta(days=30)
WHY = {"reasonCode": ("valueCode", "life-and-body"), "reason": ("valueString", "意識がなく、同意を確認できない")}


@pytest.fixture
async def network(mongodb_uri: str, fresh_database_name: str, tmp_path: Path, clock: Any) -> AsyncIterator[Network]:
    """The network on the first of April; its clock stands still."""
    async for each in opened(mongodb_uri, fresh_database_name, tmp_path):
        yield each


async def uploaded(network: Network, directory: Path) -> None:
    """Two hospitals and clinics and a pharmacy send their storages; each is alone with its patient (D1, D4)."""
    for letter, files in (("A", 16), ("B", 20), ("C", 8)):
        assert await upload(network, letter, directory / letter, files) > 5
    for letter in "AB":
        assert await network.results(at(letter), jiro(letter)) == {letter}
    await network.get(at("B"), f"/{jiro('A')}", 404)


async def agreed(network: Network) -> str:
    """The patient signs at the hospital, the secretariat checks the form: still nobody sees anything of others; gives the Consent."""
    received = await network.ask(at("B"), "/QuestionnaireResponse/$submit-consent", form=("resource", signed("BAC")))
    consent = str(received["consent"]["reference"])
    await network.ask(at("A"), f"/{consent}/$check-form", 403)
    await network.ask(S1, f"/{consent}/$check-form")
    assert await network.results(at("B"), jiro("B")) == {"B"}
    return consent


async def matched(network: Network) -> str:
    """The secretariat sees them side by side and links two; gives the golden Patient."""
    shown = await network.asked(S1, "POST", f"/{jiro('B')}/$match-candidates", 200, json={"resourceType": "Parameters"})
    found = [each["part"] for each in shown["parameter"] if each["name"] == "candidate"]
    ids = {part["resource"]["id"] for parts in found for part in parts if part["name"] == "patient"}
    assert {jiro("A"), jiro("C")} <= {f"Patient/{id}" for id in ids}
    target, reason = ("valueReference", {"reference": jiro("A")}), ("valueString", "氏名・生年月日・住所が一致")
    await network.ask(at("B"), f"/{jiro('B')}/$link", 403, target=target, reason=reason)
    linked = await network.ask(S1, f"/{jiro('B')}/$link", target=target, reason=reason)
    return str(linked["golden"]["reference"])


async def published(network: Network, consent: str, golden: str) -> None:
    """It is published, both ways and at once (D2, F012); those who are named are told, by e-mails that name nobody (F061-F065)."""
    told = await network.ask(S1, f"/{consent}/$publish")
    assert told["state"]["coding"][0]["code"] == "published"
    assert set(published_at(await network.get(S1, f"/{consent}"))) == {organization(letter) for letter in "ABC"}
    for letter in "ABC":
        assert await network.results(at(letter), golden) == set("ABC"), letter
        medicines = await network.get(at(letter), f"/MedicationRequest?patient={golden}&_count=500")
        assert {network.letter(each["resource"]) for each in medicines["entry"]} == set("ABC"), letter
    assert await network.results(at("D"), golden) == set()  # D3
    await network.get(at("D"), f"/{jiro('B')}", 404)
    letters = (await network.get(S1, "/Communication?_count=50"))["entry"]
    assert {each["resource"]["recipient"][0]["reference"] for each in letters} == {organization(letter) for letter in "ABC"}
    mails = await network.posted()
    assert len(mails) == 3
    private = (JIRO.person.name.family, JIRO.person.name.family_kana, *JIRO.numbers.values(), "1958")
    assert not [text for _, text in mails if any(each in text for each in private)]


async def paused(network: Network, consent: str, golden: str, until: datetime) -> None:
    """The patient stops one facility for a month (D6, D7); the others go on."""
    named, end = ("valueReference", {"reference": organization("A")}), ("valueDateTime", until.astimezone(TOKYO).date().isoformat())
    stopped = await network.ask(Q1, f"/{consent}/$stop", what=("valueCode", "facilities"), organization=named, end=end)
    assert stopped["state"]["coding"][0]["code"] == "paused"
    assert await network.results(at("B"), golden) == set("BC")
    assert await network.results(at("A"), golden) == {"A"}
    assert await network.results(at("C"), golden) == set("BC")


async def in_an_emergency(network: Network, golden: str) -> None:
    """Refused to D, which is no core hospital (D10); opened by B with a reason, for that purpose alone (D9), and reviewed."""
    purpose, patient = {"purpose": ("valueCode", "BTG")}, {"patient": ("valueReference", {"reference": golden})}
    await network.ask(at("D"), "/$emergency-access", 403, **purpose, **WHY, **patient)
    assert await network.results(at("D", "BTG"), golden) == set()
    opened = await network.ask(at("B"), "/$emergency-access", **purpose, **WHY, **patient)
    assert await network.results(at("B", "BTG"), golden) == set("ABC")
    assert await network.results(at("B"), golden) == set("BC")
    await network.ask(at("B"), "/$end-emergency-access")
    assert await network.results(at("B", "BTG"), golden) == set("BC")
    signed_off = {"finding": ("valueString", "記録と照合し、救急搬送を確認した"), "justified": ("valueBoolean", True)}
    review = opened["emergency"]["reference"]
    await network.ask(at("B"), f"/{review}/$sign-off", 403, **signed_off)
    assert (await network.ask(S2, f"/{review}/$sign-off", **signed_off))["outcome"] == "justified"


async def in_a_disaster(network: Network, golden: str) -> None:
    """Proposed by one, approved by another person of the secretariat, read in by a core hospital, and closed (D9, D10)."""
    end = ("valueDateTime", (datetime.now(UTC) + timedelta(days=3)).date().isoformat())
    proposed = await network.ask(
        S1, "/$propose-disaster", area=("valueString", "高松市"), end=end, reason=("valueString", "南海トラフ地震のため")
    )
    named = {"disaster": ("valueString", proposed["disaster"])}
    await network.ask(S1, "/$approve-disaster", 403, **named)
    assert await network.results(at("B", "ETREAT"), golden) == set("BC")
    await network.ask(S2, "/$approve-disaster", **named)
    assert await network.results(at("B", "ETREAT"), golden) == set("ABC")
    assert await network.results(at("D", "ETREAT"), golden) == set()
    await network.ask(S1, "/$close-disaster", **named)
    assert await network.results(at("B", "ETREAT"), golden) == set("BC")


async def told(network: Network, consent: str, golden: str, since: datetime) -> list[list[str]]:
    """The patient's report (F081): who shares, who looked, and why; gives the lines of the looks."""
    registry = network.app.registry
    assert registry is not None

    async def names(references: Any) -> dict[str, str]:
        found = {each: await registry.network.desk.read(each) for each in references}
        return {each: str(known["name"]) for each, known in found.items() if known and each.startswith("Organization/")}

    published = published_at(await network.get(S1, f"/{consent}"))
    known = await names(published)
    shares = [Share(known[each], time, "共有中") for each, time in published.items()]
    now = datetime.now(UTC)
    source = Source(registry.network.log, TOKYO, names)
    report = await patient_report(source, (golden, *map(jiro, "ABC")), shares, Period(since, now), now)
    assert "病院Ｂ" in as_html(report)
    rows = list(csv.reader(io.StringIO(as_csv(report).decode("utf-8-sig"))))
    assert {row[2] for row in rows if row[0] == "共有"} == {"診療所Ａ", "病院Ｂ", "薬局Ｃ"}
    return [row for row in rows if row[0] == "閲覧"]


async def test_d1_d2_d3_d4_d6_d7_d9_d10_f012_f061_f066_f081_l10_the_whole_story(network: Network, tmp_path: Path, clock: Any) -> None:
    began = datetime.now(UTC)
    await uploaded(network, tmp_path)
    consent = await agreed(network)
    golden = await matched(network)
    await published(network, consent, golden)
    clock.shift(3600)
    await paused(network, consent, golden, datetime.now(UTC) + MONTH)
    await in_an_emergency(network, golden)
    await in_a_disaster(network, golden)
    clock.shift((MONTH + timedelta(days=1)).total_seconds())  # nobody does anything: it is over (D7)
    assert await network.results(at("B"), golden) == set("ABC")
    assert await network.results(at("A"), golden) == set("ABC")
    looks = await told(network, consent, golden, began)
    readers = {row[2] for row in looks}
    assert {"診療所Ａ", "病院Ｂ", "薬局Ｃ"} <= readers
    assert "病院Ｄ" not in readers  # whoever saw nothing of hers did not look
    reasons = "\n".join(row[-1] for row in looks)
    assert "意識がなく" in reasons
    assert "南海トラフ地震" in reasons
    registry = network.app.registry
    assert registry is not None
    await registry.network.log.anchor()
    verified = await registry.network.log.verify()
    assert verified.ok, verified.findings
    assert verified.events > 50
