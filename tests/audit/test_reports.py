"""Reports out of the log: the facility's own (F092), the proofs for billing (F114), the patient's (F081)."""

import csv
import io
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fhir_server.audit.event import Seen
from fhir_server.audit.reports import billing, facility
from fhir_server.audit.reports.access import Period, Source
from fhir_server.audit.reports.patient import Share, as_csv, as_html, patient_report
from fhir_server.audit.reports.telling import harmless, kinds, moment, purpose, title

ZONE = ZoneInfo("Asia/Tokyo")
NAMES = {
    "Organization/a": "診療所Ａ",
    "Organization/b": "病院Ｂ",
    "Organization/c": "=薬局Ｃ",
    "Practitioner/b1": "讃岐 一郎",
    "Patient/p1": "高松 次郎",
}


async def names(references):
    assert len(references) == len(set(references))
    return {each: NAMES[each] for each in references if each in NAMES}


@pytest.fixture
async def told(log, happened, ticking):
    """A month: uploads of clinic A, looks of hospital B and pharmacy C, an emergency, a refusal, work of A with its own."""
    for said in (
        {"action": "C", "interaction": "transaction", "organization": "Organization/a", "person": "", "client": "ehr-a", "subject": "ehr-a", "role": "uploader",
         "seen": (Seen("Patient/p1", "Organization/a", "Observation", 5), Seen("Patient/p2", "Organization/a", "Condition", 1)), "written": ("Observation/o1/_history/1",)},
        {"action": "U", "interaction": "update", "organization": "Organization/a", "person": "", "client": "ehr-a", "subject": "ehr-a", "role": "uploader", "written": ("Observation/o1/_history/2",)},
        {"organization": "Organization/a", "person": "Practitioner/a1", "subject": "dr-a"},
        {"action": "E", "interaction": "search-type", "seen": (Seen("Patient/p1", "Organization/a", "Observation", 12), Seen("Patient/p1", "Organization/a", "MedicationRequest", 3), Seen("Patient/p1", "Organization/b", "Condition", 2))},
        {"organization": "Organization/c", "person": "Practitioner/c1", "subject": "=ph-c", "role": "pharmacist", "type": "MedicationRequest"},
        {"status": 404, "seen": ()},
        {"status": 403},
        {"purpose": "ETREAT", "emergency": "Task/e1", "reason": "<b>意識不明</b>"},
        {"patient": "Patient/p2"},
        {"organization": "", "person": "Patient/p1", "role": "patient", "subject": "q1"},
    ):  # fmt: skip
        await log.record(happened(**said))
        ticking.shift(minutes=10)
    return log


@pytest.fixture
def source(told):
    return Source(told, ZONE, names)


@pytest.fixture
def span(told, ticking):
    return Period(ticking.moment - timedelta(days=1), ticking.moment)


def month(number):
    return Period.month(2026, number, ZONE)


def table(content):
    assert content.startswith(b"\xef\xbb\xbf")
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    return [dict(zip(header, row, strict=True)) for row in rows]


async def test_f092_a_facility_sees_who_read_its_patients_data_and_what_it_read_elsewhere(source, span):
    rows = table(await facility.as_csv(await facility.facility_log(source, "Organization/a", span), names))
    assert {row["区分"] for row in rows} == {"公開"}
    assert [row["相手施設"] for row in rows] == ["病院Ｂ", "'=薬局Ｃ", "病院Ｂ", "病院Ｂ", "（施設なし）"]
    assert rows[0]["情報の種類"] == "処方 3件、検査結果 12件"
    assert rows[0]["日時"] == "2026/04/01 09:30:00+09:00"
    rows = table(await facility.as_csv(await facility.facility_log(source, "Organization/b", span), names))
    assert {(row["区分"], row["相手施設"], row["閲覧者"]) for row in rows} == {("閲覧", "診療所Ａ", "讃岐 一郎")}


async def test_f092_of_one_patient(source, span):
    rows = await facility.facility_log(source, "Organization/a", span, ("Patient/p2",))
    assert [row.access.patient for row in rows] == ["Patient/p2"]


async def test_f114_the_provider_proves_range_and_time_of_what_it_provided(source):
    rows = table(await billing.provided(source, "Organization/a", month(4)))
    uploaded = [row for row in rows if row["区分"] == "登録"]
    assert [(row["患者ID"], row["提供した情報の範囲"]) for row in uploaded] == [("p1", "検査結果 6件"), ("p2", "病名 1件")]
    assert (uploaded[0]["提供開始日時"], uploaded[0]["提供終了日時"]) == ("2026/04/01 09:00:00+09:00", "2026/04/01 09:10:00+09:00")
    viewed = [row for row in rows if row["区分"] != "登録"]
    assert len(viewed) == 5
    assert viewed[0]["閲覧者氏名"] == "讃岐 一郎"


async def test_f114_the_receiver_proves_each_access_with_the_viewers_name(source):
    rows = table(await billing.received(source, "Organization/b", month(4)))
    assert len(rows) == 3
    assert {row["閲覧者氏名"] for row in rows} == {"讃岐 一郎"}
    assert {row["提供元施設"] for row in rows} == {"診療所Ａ"}
    assert rows[0]["閲覧した情報"] == "処方 3件、検査結果 12件"
    assert table(await billing.received(source, "Organization/b", month(3))) == []


def test_f114_a_month_ends_where_the_next_begins():
    december = month(12)
    assert (december.since, december.until + timedelta(milliseconds=1)) == (
        datetime(2026, 12, 1, tzinfo=ZONE),
        datetime(2027, 1, 1, tzinfo=ZONE),
    )


async def test_f081_a_patient_learns_which_facilities_share_and_which_looked_and_why(source, span, ticking):
    shares = [Share("病院Ｂ", "2026/03/01", "共有中"), Share("<script>", "2026/03/02", "一時停止中")]
    report = await patient_report(source, ["Patient/p1", "Patient/golden-1"], shares, span, ticking.moment)
    assert [look.facility for look in report.looks] == ["ご自身による閲覧", "病院Ｂ", "=薬局Ｃ", "病院Ｂ"]
    assert [look.emergency for look in report.looks] == [False, True, False, False]
    assert "意識不明" in report.looks[1].why
    rows = table(as_csv(report))
    assert [row["区分"] for row in rows] == ["共有", "共有", "閲覧", "閲覧", "閲覧", "閲覧"]
    assert rows[4]["施設"] == "'=薬局Ｃ"
    page = as_html(report)
    assert "&lt;script&gt;" in page
    assert "<b>" not in page
    assert 'class="emergency"' in page


async def test_f081_what_the_facility_does_with_its_own_is_told_on_request(source, span, ticking):
    report = await patient_report(source, ["Patient/p1"], [], span, ticking.moment, own=True)
    assert "診療所Ａ" in [look.facility for look in report.looks]
    assert "共有している施設はありません" in as_html(report)


@pytest.mark.parametrize("field", ["=1+1", "+1", "-1", "@sum", "\t=1", " =1", "　＝1", "＋1"])
def test_no_field_is_a_formula_to_a_spreadsheet(field):
    assert harmless(field).startswith("'")


def test_what_has_no_words_is_told_by_its_code():
    assert kinds([("Basic", 2)]) == "その他（Basic） 2件"
    assert (purpose("XYZ"), title("unheard")) == ("XYZ", "unheard")
    assert moment(datetime(2026, 4, 1, 9, tzinfo=ZONE)) == "2026/04/01 09:00:00+09:00"
