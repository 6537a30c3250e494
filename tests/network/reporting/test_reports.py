"""Reports over HTTP: what the facility, the biller, the patient, the bureau and the auditor are told, and nobody else."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from fhir_server.auth.roles import Role
from tests.access.secured import requester, store
from tests.access.sharing import NETWORK, ROLES, SECRETARY, consent, denied, facility, network, organization, patient_of, physician, write
from tests.network.reporting.test_finding import AUDITOR, found

ZONE = ZoneInfo("Asia/Tokyo")
WHY = "意識がなく、同意を得られない"
BTG = {"Purpose-Of-Use": "BTG"}
FACILITY_LOG, BILLING_LOG = "/AuditEvent/$facility-log", "/AuditEvent/$billing-log"
VIEWER = {"resourceType": "Practitioner", "id": "d-b", "name": [{"family": "=cmd", "given": ["一郎"]}]}


def staff(role, letter="A", **facts):
    return replace(physician(letter), role=role, subject=f"{role}-{letter}", **facts)


def patient(id="pa1", **facts):
    return requester(Role.PATIENT, organization=None, facility=None, facility_roles=frozenset(), fhir_user=f"Patient/{id}", **facts)


def this_month():
    return datetime.now(ZONE).strftime("%Y-%m")


@pytest.fixture
async def looked(secured, ask):
    """B reads what A shares with it, then opens an emergency and reads C's; A reads its own."""
    await network(secured)
    await write(secured, consent("AB"), VIEWER)
    assert (await ask(physician("A"), "GET", "/Observation/lab-a1")).status_code == 200
    assert (await ask(physician("B"), "GET", "/Observation/lab-a1")).status_code == 200
    assert (await ask(physician("D"), "GET", "/Observation/lab-a1")).status_code == 404
    opening = {"purpose": ("valueCode", "BTG"), "reasonCode": ("valueCode", "life-and-body"), "reason": ("valueString", WHY)}
    body = {"resourceType": "Parameters", "parameter": [{"name": name, kind: value} for name, (kind, value) in opening.items()]}
    assert (await ask(physician("B"), "POST", "/$emergency-access", json=body)).status_code == 200
    assert (await ask(physician("B"), "GET", "/Observation/lab-c1", headers=BTG)).status_code == 200
    return secured


async def rows(ask, who, address):
    answer = await ask(who, "GET", address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.content.startswith(b"\xef\xbb\xbf")
    header, *lines = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    return [dict(zip(header, line, strict=True)) for line in lines]


def parts(answer, name):
    assert answer.status_code == 200, answer.text
    return [
        {part["name"]: next(value for key, value in part.items() if key != "name") for part in each["part"]}
        for each in answer.json()["parameter"]
        if each["name"] == name
    ]


# -- 公開・閲覧履歴 (F092) -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.PHYSICIAN, Role.NURSE, Role.CLERK, Role.PHARMACIST])
async def test_f092_the_people_of_a_facility_see_who_read_its_data(looked, ask, role):
    (line,) = await rows(ask, staff(role), f"{FACILITY_LOG}?as=csv")
    assert (line["区分"], line["患者ID"], line["相手施設"], line["情報の種類"]) == ("公開", "pa1", "施設B", "検査結果 1件")
    assert line["閲覧者"] == "'=cmd 一郎"  # no spreadsheet calculates it
    (access,) = parts(await ask(staff(role), "GET", FACILITY_LOG), "access")
    assert (access["kind"], access["facilityName"], access["person"], access["emergency"]) == ("disclosed", "施設B", "=cmd 一郎", False)
    event = (await ask(AUDITOR, "GET", f"/{access['event']['reference']}")).json()
    assert "Consent/consent-1" in json.dumps(event)


async def test_f092_and_what_it_read_elsewhere_with_the_reason_of_an_emergency(looked, ask):
    lines = await rows(ask, physician("B"), f"{FACILITY_LOG}?as=csv")
    assert [(each["区分"], each["相手施設"]) for each in lines] == [("閲覧", "施設A"), ("閲覧", "施設C")]
    assert WHY in lines[1]["目的"]
    emergency = parts(await ask(physician("B"), "GET", FACILITY_LOG), "access")[1]
    assert (emergency["emergency"], emergency["purpose"], emergency["reason"]) == (True, "BTG", WHY)
    assert await rows(ask, physician("D"), f"{FACILITY_LOG}?as=csv") == []


async def test_f092_of_one_patient_of_ones_own_and_of_a_time(looked, ask):
    b = physician("B")
    assert len(await rows(ask, b, f"{FACILITY_LOG}?as=csv&patient=Patient/pb1")) == 2
    assert await rows(ask, b, f"{FACILITY_LOG}?as=csv&since=2020-01-01&until=2020-12-31") == []
    hidden, absent = [await ask(b, "GET", f"{FACILITY_LOG}?patient=Patient/{id}") for id in ("pa1", "none")]
    assert hidden.status_code == absent.status_code == 404
    assert hidden.content == absent.content
    for bad in ("patient=pb1", "since=yesterday", "since=2026-02-30", "since=2026-02-01&until=2026-01-01", "as=html", "organization=x"):
        assert (await ask(b, "GET", f"{FACILITY_LOG}?{bad}")).status_code == 400, bad


@pytest.mark.parametrize("who", [SECRETARY, AUDITOR], ids=["secretariat", "auditor"])
async def test_f092_the_bureau_and_the_auditor_name_the_facility(looked, ask, who):
    assert len(await rows(ask, who, f"{FACILITY_LOG}?as=csv&organization={facility('B')}")) == 2
    assert (await ask(who, "GET", FACILITY_LOG)).status_code == 400
    assert (await ask(who, "GET", f"{FACILITY_LOG}?organization=Organization/none")).status_code == 404


@pytest.mark.parametrize("address", [FACILITY_LOG, f"{BILLING_LOG}?month=2026-04&side=provided"])
async def test_f092_f114_nobody_else_is_told(looked, ask, address):
    for who in (
        patient(), staff(Role.PHYSICIAN, scope="patient/*.rs", patient="Patient/pa1"), staff(Role.PHYSICIAN, scope="user/Observation.rs"),
        staff(Role.PHYSICIAN, scope="user/Patient.rs?gender=male"), requester(Role.SYSTEM), requester(Role.UPLOADER), physician("F"), requester(None),
    ):  # fmt: skip
        assert (await ask(who, "GET", address)).status_code in (401, 403), who
    named = address + ("&" if "?" in address else "?") + f"organization={facility('B')}"
    assert (await ask(physician("A"), "GET", named)).status_code == 403


# -- 加算 (F114) --------------------------------------------------------------------------------------------------------


async def test_f114_the_receiver_proves_what_was_viewed_and_the_viewers_name(looked, ask):
    lines = await rows(ask, staff(Role.CLERK, "B"), f"{BILLING_LOG}?month={this_month()}&side=received")
    assert [(each["提供元施設"], each["閲覧した情報"], each["閲覧者氏名"]) for each in lines] == [
        ("施設A", "検査結果 1件", "'=cmd 一郎"),
        ("施設C", "検査結果 1件", "'=cmd 一郎"),
    ]
    assert await rows(ask, staff(Role.CLERK, "A"), f"{BILLING_LOG}?month={this_month()}&side=received") == []


async def test_f114_the_provider_proves_range_and_time(looked, ask):
    lines = await rows(ask, staff(Role.CLERK), f"{BILLING_LOG}?month={this_month()}&side=provided")
    assert {each["区分"] for each in lines} == {"登録", "他施設による閲覧"}
    (viewed,) = [each for each in lines if each["区分"] != "登録"]
    assert (viewed["提供先施設"], viewed["閲覧者氏名"], viewed["患者ID"]) == ("施設B", "'=cmd 一郎", "pa1")
    for bad in ("month=2026-13&side=provided", "month=202604&side=provided", "month=2026-04&side=both", "side=provided", "month=2026-04"):
        assert (await ask(staff(Role.CLERK), "GET", f"{BILLING_LOG}?{bad}")).status_code == 400, bad


async def test_f114_l13_what_was_viewed_is_still_told_after_more_than_a_year(secured, ask, clock):
    await network(secured)
    await write(secured, consent("AB"), VIEWER)
    assert (await ask(physician("B"), "GET", "/Observation/lab-a1")).status_code == 200
    clock.move_to("2027-06-01T09:00:00+09:00")
    (line,) = await rows(ask, physician("B"), f"{BILLING_LOG}?month=2026-04&side=received")
    assert line["閲覧日時"].startswith("2026/04/01 09:00")
    assert await rows(ask, physician("B"), f"{BILLING_LOG}?month=2027-06&side=received") == []


# -- the patient (F081) -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "who", [patient("pa1"), patient("pc1"), patient("golden-1"), SECRETARY], ids=["at A", "at C", "golden", "secretariat"]
)
async def test_f081_l21_the_patient_learns_who_shares_and_who_looked_and_why(looked, ask, who):
    id = "pa1" if who is SECRETARY else who.fhir_user.partition("/")[2]
    lines = await rows(ask, who, f"/Patient/{id}/$access-report?as=csv")
    shares = {each["施設"]: each["状況・閲覧した人"] for each in lines if each["区分"] == "共有"}
    assert shares == {"施設A": "共有中", "施設B": "共有中"}
    looks = [each for each in lines if each["区分"] == "閲覧" and each["施設"] == "施設B" and each["情報の種類"] == "検査結果 1件"]
    assert [each["情報を登録した施設"] for each in looks] == ["施設C", "施設A"]
    assert WHY in looks[0]["理由"]
    told = parts(await ask(who, "GET", f"/Patient/{id}/$access-report"), "look")
    assert [each["emergency"] for each in told if each["kinds"] == "検査結果 1件"] == [True, False]


async def test_f081_as_a_page_that_runs_nothing(looked, ask):
    await write(looked, organization("B", name="<script>alert(1)</script>"))
    answer = await ask(patient(), "GET", "/Patient/pa1/$access-report?as=html")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert 'class="emergency"' in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


async def test_f081_through_the_facility_attended_its_own_patient_and_not_where_else_she_goes(looked, ask):
    for role in (Role.CLERK, Role.PHYSICIAN):
        lines = await rows(ask, staff(role, "C"), "/Patient/pc1/$access-report?as=csv")
        assert [(each["区分"], each["施設"]) for each in lines] == [("閲覧", "施設B")]
    lines = await rows(ask, physician("A"), "/Patient/pa1/$access-report?as=csv")
    assert {each["施設"] for each in lines if each["区分"] == "共有"} == {"施設A", "施設B"}
    assert all(each["情報を登録した施設"] == "施設A" for each in lines if each["区分"] == "閲覧")
    own = await rows(ask, physician("A"), "/Patient/pa1/$access-report?as=csv&own=true")
    assert "施設A" in {each["施設"] for each in own if each["区分"] == "閲覧"}


async def test_f081_hidden_looks_like_absent(looked, ask):
    await store(looked, patient_of("A", 2, linked=False), custodian=facility("A"))
    for who, hidden in (
        (patient(), "pa2"), (physician("D"), "pa1"), (physician("B"), "pa1"), (physician("B"), "golden-1"), (staff(Role.NURSE, "C"), "pa1"),
    ):  # fmt: skip
        answers = [await ask(who, "GET", f"/Patient/{id}/$access-report") for id in (hidden, "none")]
        assert [each.status_code for each in answers] == [404, 404], (who.role, hidden)
        assert answers[0].content == answers[1].content
    for who in (
        AUDITOR,
        requester(Role.SYSTEM),
        requester(Role.UPLOADER),
        requester(Role.TESTER),
        replace(patient(), scope="user/Observation.rs"),
    ):
        assert (await ask(who, "GET", "/Patient/pa1/$access-report")).status_code == 403
    for bad in ("as=pdf", "since=x", "own=maybe", "until=2020-01-01&since=2021-01-01"):
        assert (await ask(patient(), "GET", f"/Patient/pa1/$access-report?{bad}")).status_code == 400


@pytest.mark.parametrize(
    ("facts", "exception", "states"),
    [
        ({"status": "inactive"}, None, {"全停止"}),
        ({"published": False}, None, {"公開準備中"}),
        ({}, denied("B"), {"共有中", "一部停止"}),
        ({}, {"type": "deny", "period": {"start": "2026-01-01", "end": "2099-12-31"}}, {"一時停止"}),
        ({}, {"type": "deny", "period": {"start": "2020-01-01", "end": "2020-12-31"}}, {"共有中"}),
        ({}, denied("B", dataPeriod={"start": "2020-01-01"}), {"共有中", "一部の情報を除いて共有中"}),
        ({"policy": [{"uri": "https://example.org/policy"}]}, None, {"条件付きで共有中"}),
    ],
)
async def test_f081_d05_d06_d07_it_says_how_each_facilitys_sharing_stands(secured, ask, facts, exception, states):
    await network(secured, "AB")
    made = consent("AB", **facts)
    if exception is not None:
        made["provision"]["provision"] = [exception]
    await write(secured, made)
    told = parts(await ask(patient(), "GET", "/Patient/pa1/$access-report"), "share")
    assert {each["state"] for each in told} == states
    assert len(told) == 2


async def test_f015_a_facility_whose_patient_is_not_linked_does_not_share_yet(secured, ask):
    await network(secured, "AB")
    await write(secured, consent("ABD"))
    told = {each["facility"]: each["state"] for each in parts(await ask(patient(), "GET", "/Patient/pa1/$access-report"), "share")}
    assert told == {"施設A": "共有中", "施設B": "共有中", "施設D": "同意済・未連携"}
    assert set(ROLES) >= {"D"}


async def test_l09_each_report_is_itself_an_event(looked, ask):
    await rows(ask, physician("A"), f"{FACILITY_LOG}?as=csv")
    await rows(ask, patient(), "/Patient/pa1/$access-report?as=csv")
    told = str(await found(ask, f"?date=ge{datetime.now(UTC):%Y-%m-%d}&outcome=0"))
    assert "'facility-log'" in told
    assert "'access-report'" in told
    assert NETWORK not in str(parts(await ask(physician("A"), "GET", FACILITY_LOG), "access"))
