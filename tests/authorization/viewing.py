"""A patient whose data come from two facilities, with everything that the viewer shows; and a browser to look with."""

import base64
import os
from contextlib import asynccontextmanager

from playwright.async_api import async_playwright

JLAC10 = "http://medis.or.jp/CodeSystem/master-JLAC10-17digits"
INSTITUTION = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"
REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
HOSPITAL, CLINIC = "3710000017", "3710000025"
SCRIPT = "<img src=x onerror=document.body.dataset.hacked=1>"
LETTER = "紹介状\n高松 次郎 様の経過をご報告します。"
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    b"/Contents 4 0 R>>endobj\n4 0 obj<</Length 44>>stream\nBT /F 24 Tf 40 100 Td (Discharge summary) Tj ET \nendstream endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
SUBJECT = {"reference": "Patient/jiro"}
GOLDEN = "golden-7d5c0000-0000-4000-8000-000000000001"
LINK = [{"other": {"reference": f"Patient/{GOLDEN}"}, "type": "seealso"}]


def source(code):
    return {"source": f"http://jpfhir.jp/ssmix2std/SS-MIX2_1.20_h/1{code}"}


def written(text, kind):
    return {"extension": [{"url": REPRESENTATION, "valueCode": kind}], "text": text, "family": text.split()[0], "given": text.split()[1:]}


def without(resource, element):
    return {name: value for name, value in resource.items() if name != element}


def organization(id, code, name):
    return {"resourceType": "Organization", "id": id, "identifier": [{"system": INSTITUTION, "value": code}], "active": True, "name": name}


PATIENT = {
    "resourceType": "Patient",
    "id": "jiro",
    "identifier": [{"system": f"urn:oid:1.2.392.100495.20.3.51.1{HOSPITAL}", "value": "0200000101"}],
    "link": LINK,
    "name": [written("高松 次郎", "IDE"), written("タカマツ ジロウ", "SYL")],
    "gender": "male",
    "birthDate": "1958-07-14",
}


AT_THE_CLINIC = {
    "resourceType": "Patient",
    "id": "jiro-clinic",
    "identifier": [{"system": f"urn:oid:1.2.392.100495.20.3.51.1{CLINIC}", "value": "A-77"}],
    "name": [written("高松 次郎", "IDE")],
    "birthDate": "1958-07-14",
    "link": LINK,
}
# As the golden Patient says nothing of where she goes, so she has no number but that of the region.
REGIONAL = {
    "resourceType": "Patient",
    "id": GOLDEN,
    "identifier": [{"system": "urn:tsunagi:regional-patient-id", "value": "3700026101"}],
    "name": [written("高松 次郎", "IDE")],
    "birthDate": "1958-07-14",
}
# Who is linked with nobody is another person, whatever she is called.
SOMEBODY = {**without(AT_THE_CLINIC, "link"), "id": "somebody", "identifier": [{"system": "urn:other", "value": "X-99"}]}


def coded(system, code, text):
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def quantity(value, unit):
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def result(id, facility, day, code, name, **elements):
    return {
        "resourceType": "Observation",
        "id": id,
        "meta": source(facility),
        "status": "final",
        "category": [
            {"coding": [{"system": "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS", "code": "laboratory"}]}
        ],
        "code": coded(JLAC10, code, name),
        "subject": SUBJECT,
        "effectiveDateTime": f"{day}T09:00:00+09:00",
        **elements,
    }


def a1c(id, facility, day, value, method="062", high=6.0):
    """HbA1c; `method` is JLAC10's, which differs between laboratories."""
    flagged = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "H"}]}]
    return result(
        id, facility, day, f"3D0460000019{method}02", "ＨｂＡ１ｃ(ＮＧＳＰ)",
        valueQuantity=quantity(value, "%"),
        referenceRange=[{"low": quantity(4.9, "%"), "high": quantity(high, "%")}],
        **({"interpretation": flagged} if value > high else {}),
    )  # fmt: skip


def problem(id, name, onset, status="active", doubt="confirmed"):
    return {
        "resourceType": "Condition",
        "id": id,
        "meta": source(HOSPITAL),
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": status}]},
        "verificationStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": doubt}]},
        "code": {"text": name},
        "subject": SUBJECT,
        "onsetDateTime": onset,
    }


def prescription(id, day, name, dosage, order):
    return {
        "resourceType": "MedicationRequest",
        "id": id,
        "meta": source(HOSPITAL),
        "identifier": [{"system": f"urn:tsunagi:{HOSPITAL}:order-number", "value": order}],
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": name},
        "subject": SUBJECT,
        "authoredOn": f"{day}T10:00:00+09:00",
        "requester": {"display": "医師 一子"},
        "dosageInstruction": [{"text": dosage, "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "錠"}}]}],
        "dispenseRequest": {"expectedSupplyDuration": {"value": 28, "unit": "日"}, "quantity": {"value": 84, "unit": "錠"}},
    }


def binary(id, type, content):
    return {"resourceType": "Binary", "id": id, "contentType": type, "data": base64.b64encode(content).decode()}


def document(id, description, day, **attachment):
    return {
        "resourceType": "DocumentReference",
        "id": id,
        "status": "current",
        "description": description,
        "subject": SUBJECT,
        "date": f"{day}T12:00:00+09:00",
        "custodian": {"reference": "Organization/clinic"},
        "content": [{"attachment": attachment}],
    }


def resources():
    """Everything, as resources with ids of their own."""
    return [
        organization("hospital", HOSPITAL, "讃岐中央病院"),
        organization("clinic", CLINIC, "高松内科クリニック"),
        REGIONAL,
        PATIENT,
        AT_THE_CLINIC,
        SOMEBODY,
        {
            "resourceType": "AllergyIntolerance", "id": "mites", "meta": source(HOSPITAL), "patient": SUBJECT, "category": ["medication"],
            "criticality": "high", "code": {"text": "ペニシリン系抗生物質"}, "reaction": [{"manifestation": [{"text": SCRIPT}]}],
            "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]},
        },
        problem("diabetes", "２型糖尿病", "2021-01-04"),
        problem("cancer", "胃癌", "2026-02-01", doubt="provisional"),
        problem("cold", "急性上気道炎", "2024-01-04", status="resolved"),
        {
            "resourceType": "Encounter", "id": "visit", "meta": source(CLINIC), "status": "finished", "subject": SUBJECT,
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "serviceType": {"coding": [{"system": "http://jami.jp/SS-MIX2/CodeSystem/ClinicalDepartment", "code": "01"}]},
            "period": {"start": "2026-03-10T08:30:00+09:00"}, "participant": [{"individual": {"display": "医師 一子"}}],
        },
        a1c("a1", HOSPITAL, "2025-06-10", 7.4),
        a1c("a2", CLINIC, "2025-09-02", 7.0, method="213", high=6.2),
        a1c("a3", HOSPITAL, "2025-12-08", 6.6),
        a1c("a4", CLINIC, "2026-03-10", 5.8, method="213", high=6.2),
        result("protein", HOSPITAL, "2025-12-08", "1A010000000190111", "尿蛋白定性", valueString="(2+)"),
        result("sugar", CLINIC, "2026-03-10", "1A020000000190111", "尿糖定性", valueString="(-)", subject={"reference": "Patient/jiro-clinic"}),
        result("strange", CLINIC, "2026-03-10", "1A100000000190111", "尿潜血反応", valueString="(3+)", subject={"reference": "Patient/somebody"}),
        prescription("metformin", "2026-03-10", "メトホルミン塩酸塩錠２５０ｍｇ", "内服・経口・１日３回朝昼夕食後", "100"),
        prescription("amlodipine", "2026-03-10", "アムロジピン錠５ｍｇ", "内服・経口・１日１回朝食後", "100"),
        prescription("older", "2025-12-08", "ロキソプロフェンナトリウム錠６０ｍｇ", "内服・経口・疼痛時", "99"),
        binary("letter", "text/plain; charset=utf-8", LETTER.encode()),
        binary("scan", "application/pdf", PDF),
        binary("page", "text/html", b"<script>document.body.dataset.hacked=1</script>"),
        document("d1", "紹介状", "2026-03-11", contentType="text/plain; charset=utf-8", url="Binary/letter", title="紹介状.txt"),
        document("d2", "退院時サマリー", "2026-03-12", contentType="application/pdf", url="Binary/scan", title="サマリー.pdf"),
        document("d3", "お知らせ", "2026-03-13", contentType="text/html", url="Binary/page", title="お知らせ.html"),
        document("d4", "よその文書", "2026-03-14", contentType="text/plain", url="http://127.0.0.1:9/letter", title="よそ.txt"),
        {
            "resourceType": "DiagnosticReport", "id": "r1", "meta": source(HOSPITAL), "status": "final", "code": {"text": "生化学的検査"},
            "subject": SUBJECT, "effectiveDateTime": "2025-12-08T09:00:00+09:00", "result": [{"reference": "Observation/a3"}],
        },
    ]  # fmt: skip


def transaction():
    """All of it as one Bundle."""
    entries = [{"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}} for each in resources()]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@asynccontextmanager
async def started():
    """A Chromium without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"])
        yield browser
        await browser.close()


@asynccontextmanager
async def looking(browser, width=1180, height=820):
    """A page of a person with a fresh profile; what goes wrong in it is collected in `page.wrong`."""
    context = await browser.new_context(viewport={"width": width, "height": height}, locale="ja-JP")
    page = await context.new_page()
    page.set_default_timeout(10_000)
    page.wrong = []
    page.on("console", lambda message: page.wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    yield page
    await context.close()
