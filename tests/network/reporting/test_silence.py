"""S34: whatever is asked, well or badly, no log line and no OperationOutcome tells who the patient is."""

import io
import json
import logging

import pytest

from fhir_server import observability
from fhir_server.auth.roles import Role
from tests.access.secured import requester
from tests.access.sharing import SECRETARY, consent, facility, network, patient_of, physician, result_of, write
from tests.network.reporting.test_finding import AUDITOR, TESTER

SECRETS = (
    "讃岐",
    "花子",
    "サヌキ",
    "%E8%AE%83",
    "1984-03-02",
    "0099887766",
    "A0001",
    "B0001",
    "C0001",
    "3700000001",
    "pa1",
    "pb1",
    "pc1",
    "golden-1",
)
"""Names, numbers, dates of birth and ids of the people in the test's data; a log and a failure tell of none."""
NUMBER = "urn:oid:1.2.392.100495.20.3.51.13710000017|0099887766"
REASONLESS = {"resourceType": "Parameters", "parameter": [{"name": "patient", "valueReference": {"reference": "Patient/pa1"}}]}
GOOD = (
    "/Patient/pa1", "/Patient?name=讃岐&given=花子", f"/Patient?identifier={NUMBER}", "/Observation?patient.name=讃岐", "/Observation/lab-a1",
    "/Observation?patient=Patient/golden-1", "/Patient/pa1/Observation", "/Patient/pa1/$everything", "/Patient/pa1/_history", "/Patient/pa1/$access-report",
    "/AuditEvent/$facility-log?patient=Patient/pa1", "/Consent/$explain?purpose=TREAT", "/Patient/golden-1",
)  # fmt: skip
BAD = (
    "/Patient/pc1", "/Patient/pc1/_history/1", "/Patient/pa1/_history/99", "/Patient/0099887766", "/Patient?name:unheard=讃岐", "/Patient?name:讃岐=花子", "/Patient?0099887766=1", "/Patient?_sort=-0099887766", "/Patient?patient.讃岐=花子", "/Patient?link.讃岐=花子", "/Patient?link:讃岐.name=花子", "/Patient?讃岐=花子",
    "/Patient?birthdate=讃岐", "/Patient?birthdate=gt1984-03-02x", "/Patient?_sort=讃岐", "/Patient?_count=花子", "/Patient?_filter=name eq 讃岐 花子",
    "/Patient?_filter=birthdate eq 0099887766", "/Patient?_has:讃岐:patient:code=x", "/Patient?_include=Patient:讃岐", "/Patient?_list=0099887766/x",
    "/Observation?patient=讃岐 花子", "/Observation?patient:Practitioner=Patient/pa1", "/Observation?code:in=0099887766", "/Observation?value-quantity=讃岐",
    "/讃岐/花子", "/Patient/讃岐 花子", "/Patient/pa1/讃岐", "/Patient/pa1/$讃岐", "/Patient/pa1/$access-report?讃岐=花子", "/Patient/pa1/$access-report?since=讃岐",
    "/Patient/pc1/$access-report", "/AuditEvent/$facility-log?patient=Patient/pc1", "/AuditEvent/$facility-log?patient=讃岐", "/Patient?_after=讃岐",
    "/AuditEvent/$facility-log?as=花子", "/AuditEvent/$billing-log?month=0099887766&side=provided", "/Patient/pc1/$everything", "/Patient/pa1?_format=讃岐",
    "/Patient?_elements=讃岐", "/Patient?_type=讃岐", "/?_type=讃岐", "/Patient/pa1/$meta?讃岐=1", "/Patient/$match?name=讃岐", "/AuditEvent?patient=Patient/pa1",
)  # fmt: skip


def wrong(**facts):
    """A Patient that cannot be: its person's data would be noticed in a message of what is wrong."""
    return {**patient_of("A"), **facts}


SENT = (
    ("PUT", "/Patient/pa1", wrong(gender="讃岐")), ("PUT", "/Patient/pa1", wrong(birthDate="1984-03-02T讃岐")), ("POST", "/Patient", wrong(讃岐="花子")),
    ("PUT", "/Patient/pb1", patient_of("B")), ("PUT", "/Patient/pa1", wrong(id="pc1")), ("PUT", "/Patient/pa1", wrong(name="讃岐 花子")),
    ("POST", "/Observation", result_of("C")), ("POST", "/Observation", {**result_of("A"), "subject": {"reference": "Patient/0099887766"}}),
    ("PUT", "/Observation/lab-a1", result_of("A", status="讃岐")), ("PATCH", "/Patient/pa1", [{"op": "replace", "path": "/讃岐", "value": "花子"}]),
    ("PATCH", "/Patient/pa1", [{"op": "test", "path": "/birthDate", "value": "讃岐"}]), ("POST", "/Patient/$validate", wrong(gender="讃岐")),
    ("POST", "/$emergency-access", REASONLESS), ("POST", "/Consent/$explain", REASONLESS), ("DELETE", "/Patient/pc1", None), ("DELETE", "/Patient?name=讃岐", None),
    ("POST", "/Patient/pa1/$request-erasure", REASONLESS), ("POST", "/QuestionnaireResponse/$submit-consent", {"resourceType": "Patient", "id": "pa1"}),
    ("POST", "/", {"resourceType": "Bundle", "type": "transaction", "entry": [{"fullUrl": "讃岐", "resource": wrong(gender="讃岐"), "request": {"method": "PUT", "url": "Patient/pa1"}}]}),
    ("POST", "/", {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "Patient/pc1"}}, {"request": {"method": "GET", "url": "Patient?讃岐=花子"}}]}),
    ("PUT", "/Patient?name=讃岐&identifier=0099887766", wrong()), ("POST", "/Patient/_search?name=讃岐&birthdate=花子", None),
)  # fmt: skip
QUIETER, CLIENT = ("pymongo", "asyncio", "uvicorn.error"), "httpx"
"""Whose level `configure` sets; and what the test asks with, which tells each address it asks."""
WHO = (physician("A"), physician("D"), SECRETARY, AUDITOR, TESTER, requester(Role.PATIENT, fhir_user="Patient/pa1"))


@pytest.fixture
def logged():
    """Everything that this process logs at DEBUG, as its operator gets it; and the records of its own loggers before they are written."""
    root, stream, own = logging.getLogger(), io.StringIO(), []
    before = root.handlers[:], root.level, {name: logging.getLogger(name).level for name in (*QUIETER, CLIENT)}
    observability.configure("debug", stream)
    logging.getLogger(CLIENT).setLevel(logging.WARNING)

    class Own(logging.Handler):
        def emit(self, record):
            own.append(record.getMessage())

    ours, keeping = logging.getLogger("fhir_server"), Own(logging.DEBUG)
    ours.addHandler(keeping)
    yield stream, own
    ours.removeHandler(keeping)
    root.handlers[:], level, levels = before
    root.setLevel(level)
    for name, each in levels.items():
        logging.getLogger(name).setLevel(each)
    logging.captureWarnings(capture=False)


def outcomes(answer):
    """The OperationOutcomes in an answer, wherever they are."""
    found = []

    def look(value):
        if isinstance(value, dict):
            if value.get("resourceType") == "OperationOutcome":
                found.append(json.dumps(value, ensure_ascii=False))
            for each in value.values():
                look(each)
        elif isinstance(value, list):
            for each in value:
                look(each)

    if answer.content and "json" in answer.headers["content-type"]:
        look(answer.json())
    return found


async def test_s34_no_log_line_and_no_failure_tells_a_name_a_number_or_an_id(secured, ask, logged, monkeypatch):
    stream, own = logged
    await network(secured)
    await write(secured, consent("AB"))
    told, statuses = [], set()
    for who in WHO:
        for method, address, sent in (*(("GET", each, None) for each in (*GOOD, *BAD)), *SENT):
            headers = {"Content-Type": "application/json-patch+json"} if method == "PATCH" else {}
            content = {"content": json.dumps(sent, ensure_ascii=False).encode()} if sent is not None else {}
            if content and not headers:
                headers = {"Content-Type": "application/fhir+json"}
            answer = await ask(who, method, address, headers=headers, **content)
            statuses.add(answer.status_code)
            told += [(who.role, method, address, each) for each in outcomes(answer)]
    assert statuses >= {200, 400, 403, 404, 405, 422}
    assert 500 not in statuses

    async def failing(*_):
        raise RuntimeError("讃岐 花子 0099887766")

    monkeypatch.setattr(secured.registry.service, "_handlers", {"read": failing})
    answer = await ask(physician("A"), "GET", "/Patient/pa1")
    assert answer.status_code == 500
    told.append(("", "", "", answer.text))
    assert len(told) > 100
    lines = stream.getvalue()
    assert lines.count('"answered"') > 300
    assert "unexpected failure" in lines
    assert not [(secret, line) for line in (*lines.splitlines(), *own) for secret in SECRETS if secret in line]
    assert not [(secret, *each) for each in told for secret in SECRETS if secret in each[-1]]
    assert facility("A") not in lines
