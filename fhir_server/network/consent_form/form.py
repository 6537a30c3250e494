"""A filled consent form: its blocks as they stand on paper, and what makes it a form that nobody may act on.

NETWORK.md F067-F072, L16 (paper, electronic, oral with a record), L17 (silence is no consent), L19 (proxies).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from fhir_server.exchange import Resource
from fhir_server.network.consent_form.questionnaire import Group, Reading, questionnaire
from fhir_server.outcome import Issue
from fhir_server.search.types.string import squeeze

SIGNATURE: Final = "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-signature"
IMAGES: Final = frozenset({"application/pdf", "image/jpeg", "image/png", "image/tiff"})
_KANA: Final = re.compile(r"[ァ-ヶー・\s\u3041-\u309f\uff66-\uff9f]+")
_REPRESENTATION: Final = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of facilities: `organization` is "Organization/1", `number` the patient's at that facility."""

    organization: str
    number: str | None
    place: str


@dataclass(frozen=True, slots=True)
class Form:
    """The form's content. `subject` is the facility's own Patient; `relationship` a Coding or a text, of a proxy only.

    `agrees` is false where the patient said no (F072); `policy` is listed (リスト指定) or all (一括); `method` is paper, electronic or
    oral-recorded. `notes` are what the desk should look at.
    """

    subject: str
    group: Group
    written: date
    responsible: str
    explainer: str
    rows: tuple[Row, ...]
    agrees: bool
    policy: str
    decided: date
    signer: str
    relationship: Any
    incapacity: str | None
    method: str
    scan: Mapping[str, Any] | None
    notes: tuple[Issue, ...] = ()

    @property
    def by_proxy(self) -> bool:
        """Tell whether a proxy decided (代諾者)."""
        return self.signer == "proxy"

    def block(self, name: str) -> Group:
        """Give one block of the form."""
        return self.group.groups[name][0]

    def noted(self, *issues: Issue) -> "Form":
        """Give the form with more to look at."""
        return replace(self, notes=(*self.notes, *issues))


def read(response: Resource) -> tuple[Form | None, list[Issue]]:
    """Read a QuestionnaireResponse: the form, or None and everything that is wrong with it."""
    reading = Reading(questionnaire())
    group = reading.read(response)
    subject = (response.get("subject") or {}).get("reference")
    issues = reading.issues
    if not (isinstance(subject, str) and re.fullmatch(r"Patient/[A-Za-z0-9.\-]{1,64}", subject)):
        issues.append(Issue("required", "subject names the facility's own Patient: Patient/1", ("QuestionnaireResponse.subject",)))
    if issues:
        return None, issues
    form = _form(str(subject), group)
    issues += [*_evidence(form, response), *_rows(form), *_explained(form)]
    return (None, issues) if issues else (form, [])


def _form(subject: str, group: Group) -> Form:
    facility, agreement, method = (group.groups[name][0] for name in ("facility", "agreement", "method"))
    responsible = facility.text("responsible") or ""
    return Form(
        subject=subject,
        group=group,
        written=date.fromisoformat(facility.values["date"]),
        responsible=responsible,
        explainer=responsible if facility.values.get("same") else facility.text("explainer") or "",
        rows=tuple(_row(each) for each in group.groups["facilities"]),
        agrees=agreement.code("decision") == "agree",
        policy=agreement.code("scope") or "listed",
        decided=date.fromisoformat(agreement.values["date"]),
        signer=agreement.code("signer") or "",
        relationship=agreement.values.get("relationship"),
        incapacity=agreement.code("incapacity"),
        method=method.code("method") or "",
        scan=method.values.get("scan"),
    )


def _row(group: Group) -> Row:
    return Row(str(group.values["facility"].get("reference", "")), group.text("patient-number"), group.where("facility"))


def _rows(form: Form) -> Iterator[Issue]:
    seen: set[str] = set()
    for row in form.rows:
        if not re.fullmatch(r"Organization/[A-Za-z0-9.\-]{1,64}", row.organization):
            yield Issue("value", "Name the facility as Organization/1", (row.place,))
        elif row.organization in seen:
            yield Issue("business-rule", "The facility stands in the table twice / 同じ施設が重複しています", (row.place,))
        seen.add(row.organization)
    if form.agrees and len(form.rows) < 2:
        text = "Nothing is shared by one facility alone: name a second one / 共有先の施設を記入してください"
        yield Issue("business-rule", text, (form.rows[0].place,))


def _explained(form: Form) -> Iterator[Issue]:
    kana = form.block("patient").text("kana") or ""
    if not _KANA.fullmatch(kana):
        yield Issue("value", "Write the name in kana / フリガナはカナで記入してください", (form.block("patient").where("kana"),))


def _evidence(form: Form, response: Resource) -> Iterator[Issue]:
    """F072: without a signature, its image or a record there is no consent (L16, L17)."""
    method = form.block("method")
    if form.scan is not None and form.scan.get("contentType") not in IMAGES:
        yield Issue("value", f"The image is one of {', '.join(sorted(IMAGES))}", (method.where("scan"),))
    elif form.scan is not None and not (form.scan.get("data") or form.scan.get("url")):
        yield Issue("required", "The image has neither data nor url", (method.where("scan"),))
    elif form.method == "paper" and form.scan is None:
        yield Issue(
            "required", "A form on paper comes with the image of the signed form / 署名済み様式の画像が必要です", (method.where("scan"),)
        )
    elif form.method == "electronic" and form.scan is None and not _signed(response):
        text = f"An electronic form is signed (extension {SIGNATURE}) or comes with the signed document / 電子署名が必要です"
        yield Issue("required", text, ("QuestionnaireResponse.extension",))


def _signed(response: Resource) -> bool:
    signatures = [each.get("valueSignature") or {} for each in response.get("extension", ()) if each.get("url") == SIGNATURE]
    return any(each.get("data") and each.get("when") for each in signatures)


def as_patient(form: Form) -> Resource:
    """Give the patient's block as a Patient, without an id: for comparison with the facility's own (F068)."""
    block = form.block("patient")
    phones = [("phone", "home", block.text("phone")), ("phone", "mobile", block.text("mobile"))]
    return {
        "resourceType": "Patient",
        "name": [_name(block.text("name"), "IDE"), _name(block.text("kana"), "SYL")],
        "telecom": [{"system": system, "use": use, "value": value} for system, use, value in phones if value],
        "gender": block.code("sex"),
        "birthDate": block.values["birth-date"],
        "address": [{"text": block.text("address"), "postalCode": block.text("postal-code"), "country": "JP"}],
    }


def _name(text: str | None, representation: str) -> Resource:
    parts = (text or "").split()
    name: Resource = {"extension": [{"url": _REPRESENTATION, "valueCode": representation}], "text": " ".join(parts), "family": parts[0]}
    return {**name, "given": parts[1:]} if parts[1:] else name


def compared(form: Form, patient: Resource) -> tuple[list[Issue], list[Issue]]:
    """Compare the patient's block with the facility's own Patient: what makes it another person, and what is to be looked at."""
    block, stated = form.block("patient"), as_patient(form)
    errors, notes = [], []
    if patient.get("birthDate") != stated["birthDate"]:
        text = "The date of birth is not that of the facility's patient / 生年月日が自施設の患者と異なります"
        errors.append(Issue("business-rule", text, (block.where("birth-date"),)))
    if patient.get("gender") not in (None, "unknown", stated["gender"]):
        text = "The sex is not that of the facility's patient / 性別が自施設の患者と異なります"
        errors.append(Issue("business-rule", text, (block.where("sex"),)))
    known = {squeeze(_written(name)) for name in patient.get("name", ())}
    for item, name in zip(("name", "kana"), stated["name"], strict=True):
        if squeeze(name["text"]) not in known:
            text = "The name is not written as the facility's patient has it / 氏名の表記が自施設の患者と異なります"
            notes.append(Issue("business-rule", text, (block.where(item),), "warning"))
    return errors, notes


def _written(name: Mapping[str, Any]) -> str:
    parts = [name.get("family"), *name.get("given", ())]
    return " ".join(part for part in parts if isinstance(part, str)) or str(name.get("text", ""))
