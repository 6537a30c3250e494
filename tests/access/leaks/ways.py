"""The ways out that ask and change nothing: every request that might tell of a hidden patient, by what it does."""

from typing import Any, Final

from tests.access.leaks.matrix import Way

_FHIR = {"Content-Type": "application/fhir+json"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def gets(*addresses: str, told: str = "facility", **facts: Any) -> dict[str, Way]:
    """Plain requests by their addresses."""
    return {each: Way(each, told=told, **facts) for each in addresses}


def parameters(**parts: tuple[str, Any]) -> dict[str, Any]:
    """A Parameters: each name with its element and value."""
    return {"resourceType": "Parameters", "parameter": [{"name": name, element: value} for name, (element, value) in parts.items()]}


def named(reference: str) -> tuple[str, dict[str, str]]:
    """A parameter that is a reference."""
    return "valueReference", {"reference": reference}


def bundle(type: str, *entries: tuple[str, str] | dict[str, Any]) -> dict[str, Any]:
    """A Bundle of requests, or of whole entries."""
    each = [entry if isinstance(entry, dict) else {"request": {"method": entry[0], "url": entry[1]}} for entry in entries]
    return {"resourceType": "Bundle", "type": type, "entry": each}


READ: Final = {
    **gets(
        "/Observation/lab-{n}", "/Patient/pat-{n}", "/Encounter/enc-{n}", "/Condition/con-{n}", "/MedicationRequest/med-{n}",
        "/Device/dev-{n}", "/List/list-{n}", "/Group/grp-{n}", "/Communication/com-{n}", "/Observation/focus-{n}",
        "/Observation/lab-{n}?_elements=status", "/Observation/lab-{n}?_summary=true",
    ),
    **gets("/Patient/golden-{n}", "/Provenance/prov-{n}", "/Task/task-{n}", "/Linkage/link-{n}", "/Communication/told-{n}",
           told="secretariat"),
    **gets("/Consent/consent-{n}", "/AuditEvent?patient=Patient/pat-{n}", told="nobody"),
    "head": Way("/Observation/lab-{n}", "HEAD"),
    "if-none-match": Way("/Observation/lab-{n}", headers={"If-None-Match": 'W/"2"'}),
    "if-modified-since": Way("/Observation/lab-{n}", headers={"If-Modified-Since": "Wed, 01 Apr 2026 00:00:00 GMT"}),
}  # fmt: skip

HISTORY: Final = gets(
    "/Observation/lab-{n}/_history/1", "/Observation/lab-{n}/_history/2", "/Observation/lab-{n}/_history", "/Patient/pat-{n}/_history",
    "/Observation/gone-{n}", "/Observation/gone-{n}/_history", "/Observation/gone-{n}/_history/1", "/Observation/_history",
    "/Patient/_history?_count=3", "/Observation/_history?_since=2026-03-01T00:00:00Z&_count=50",
)  # fmt: skip

COUNTS: Final = {
    **gets(
        "/Observation?_id=lab-{n}&_total=accurate", "/Observation?_id=lab-{n}&_summary=count", "/Observation?_total=accurate",
        "/Observation?_total=estimate", "/Observation?_summary=count", "/Observation?_count=0", "/Observation?_count=2",
        "/Observation?_count=2&_sort=-code", "/Observation?_sort=-date,_id&_count=50", "/?_type=Observation,Patient,Encounter&_total=accurate",
        "/Patient?_total=accurate", "/DocumentReference?_total=accurate", "/Device?_total=accurate", "/Group?_total=accurate",
        "/Binary?_total=accurate", "/Observation?_elements=status&_id=lab-{n}", "/Observation?_summary=text&_id=lab-{n}",
        "/Observation?_lastUpdated=gt2020-01-01&_total=accurate", "/Observation?_tag=urn:tsunagi:custodian|facility-a&_summary=count",
        "/Observation?_security=R&_summary=count", "/Consent?_total=accurate", "/Communication?_total=accurate",
    ),
    **gets("/Provenance?_total=accurate", "/Task?_total=accurate", "/Linkage?_total=accurate", told="secretariat"),
    "_search": Way("/Observation/_search", "POST", "_id=lab-{n}&_total=accurate", _FORM),
    "compartment _search": Way("/Patient/pat-{n}/Observation/_search", "POST", "_total=accurate", _FORM),
}  # fmt: skip
COUNTS["/Consent?_total=accurate"] = Way("/Consent?_total=accurate", told="nobody")
COUNTS["/Observation?_count=0"] = Way("/Observation?_count=0&_total=accurate")

ORACLES: Final = {
    **gets(
        "/Observation?code:not=x&_total=accurate", "/Observation?value-quantity:missing=false&_total=accurate",
        "/Observation?patient=Patient/pat-{n}", "/Observation?subject=pat-{n}&_total=accurate", "/Patient/pat-{n}/Observation",
        "/Encounter/enc-{n}/Observation", "/Observation?code=urn:secret|secret-{n}", "/Patient?name=秘pat{n}",
        "/Patient?birthdate=1931-12-24&_total=accurate", "/Patient?identifier=urn:pat|pat-{n}", "/Patient?phonetic=秘pat{n}",
        "/Observation?value-quantity=gt{n}&_total=accurate", "/Condition?_content=ひみつ", "/Condition?_text=ひみつ",
        "/Observation?_content=ひみつ", "/Observation?_list=list-{n}", "/Observation?_list=own-list-{n}",
        "/Observation?_filter=code eq secret-{n}", "/Patient?_filter=not (birthdate gt 1940-01-01)", "/Observation?_query=secret",
        "/Observation?_sort=patient.name", "/Observation?_sort=subject:Patient.birthdate", "/Patient?_sort=birthdate&_count=1",
        "/Medication?code=secret-{n}&_contained=true", "/Medication?code=secret-{n}&_contained=both&_containedType=contained",
        "/Device?identifier=urn:dev|dev-{n}", "/Group?member=Patient/pat-{n}", "/Binary?_id=bin-{n}", "/DocumentReference?_id=doc-{n}",
        "/List?item=Observation/lab-{n}&_total=accurate",
    ),
    **gets("/Patient?identifier=urn:tsunagi:regional-patient-id|370000{n}", "/Task?patient=Patient/pat-{n}", "/Linkage?item=Patient/pat-{n}",
           "/Provenance?target=Patient/pat-{n}", "/Patient?link=Patient/golden-{n}", told="secretariat"),
    **gets("/Observation?patient=Patient/golden-{n}&_total=accurate", "/Patient/golden-{n}/Observation",
           "/Consent?patient=Patient/golden-{n}", told="nobody"),
}  # fmt: skip
for _each in ("/Observation?_query=secret", "/Observation?_sort=patient.name", "/Observation?_sort=subject:Patient.birthdate",
              "/Patient?phonetic=秘pat{n}", "/Condition?_text=ひみつ"):  # fmt: skip
    ORACLES[_each] = Way(_each, told="nobody")

INCLUDES: Final = {
    **gets(
        "/Observation?_id=bridge-{n}&_include=Observation:focus&_include=Observation:has-member&_include=Observation:encounter",
        "/Observation?_id=bridge-{n}&_include=Observation:*",
        "/Observation?_id=bridge-{n}&_include=Observation:has-member&_include:iterate=Observation:subject&_include:iterate=Patient:link",
        "/Patient?_id=own-{n}&_revinclude=Observation:focus",
        "/Observation?_id=own-{n}-1&_revinclude=Observation:has-member&_revinclude=List:item",
        "/Practitioner?_id=shared&_revinclude=Patient:general-practitioner&_revinclude=Observation:performer",
        "/Observation?_sort=-date&_include=Observation:has-member&_count=50", "/List?_id=own-list-{n}&_include=List:item&_include=List:*",
        "/Observation?_id=bridge-{n}&_elements=status&_include=Observation:has-member",
    ),
}  # fmt: skip

WIDE: Final = gets(
    "/Observation?_id=bridge-{n}&_include=*", "/Patient?_id=own-{n}&_revinclude=*",
    "/Patient?_id=own-{n}&_include=*&_revinclude=*&_revinclude:iterate=*&_include:iterate=*", "/Patient/pat-{n}/*", "/?_id=lab-{n}",
    "/_history?_count=5",
)  # fmt: skip
"""Those that ask of all types at once, which takes long: at `SOME` gates only."""
MOST: Final = ("scope", "compartment", "patient", "no consent", "not named, pending", "stopped, pending", "conditions", "label")
"""Where permits differ in kind: the gates of the ways that are many."""
SOME: Final = ("compartment", "stopped, pending")

CHAINS: Final = gets(
    "/Observation?patient.name=秘pat{n}", "/Observation?patient.birthdate=1931-12-24&_total=accurate",
    "/Observation?patient.identifier=urn:pat|pat-{n}&_summary=count", "/Observation?focus:Patient.name=秘pat{n}",
    "/Observation?has-member.code=secret-{n}", "/Observation?has-member.value-quantity=gt7000", "/Observation?encounter.status=finished",
    "/Patient?_has:Observation:patient:code=secret-{n}", "/Patient?_has:Observation:focus:code=secret-{n}",
    "/Observation?_has:Observation:has-member:value-quantity=gt7000", "/Observation?_has:List:item:_id=list-{n}",
    "/Practitioner?_has:Patient:general-practitioner:name=秘pat{n}", "/Practitioner?_has:Observation:performer:code=secret-{n}",
    "/Practitioner?_has:Patient:general-practitioner:_has:Condition:patient:code:text=ひみつ",
    "/Observation?patient:Patient._has:Condition:patient:_id=con-{n}&_total=accurate",
)  # fmt: skip

_HERSELF = {
    "resourceType": "Patient", "identifier": [{"system": "urn:pat", "value": "pat-{n}"}], "name": [{"family": "秘pat{n}", "text": "秘pat{n}"}],
    "birthDate": "1931-12-24", "gender": "female",
}  # fmt: skip
_ABOUT_HER = {
    "resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": "Patient/pat-{n}"},
    "hasMember": [{"reference": "Observation/lab-{n}"}],
}  # fmt: skip


def validating(resource: dict[str, Any]) -> dict[str, Any]:
    """What $validate takes."""
    return {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": resource}]}


OPERATIONS: Final = {
    **gets(
        "/Patient/pat-{n}/$everything", "/Encounter/enc-{n}/$everything", "/Observation/lab-{n}/$meta",
        "/Observation/$meta", "/Observation/$lastn?patient=Patient/pat-{n}&category=laboratory", "/Observation/$lastn?code=secret-{n}",
        "/Observation/$stats?subject=Patient/pat-{n}&code=secret-{n}&system=urn:secret&statistic=count",
        "/Patient/$ihe-pix?sourceIdentifier=urn:oid:1.2.392.100495.20.3.51.13710000017|pat-{n}",
    ),
    **gets("/Patient/own-{n}/$everything", "/Patient/golden-{n}/$everything", "/Consent/$explain?patient=Patient/pat-{n}&organization=Organization/facility-b",
           told="nobody"),
    "$match": Way("/Patient/$match", "POST", parameters(resource=("resource", _HERSELF))),
    "$validate about her": Way("/Observation/$validate", "POST", validating(_ABOUT_HER), told="nobody"),
    "$validate as her result": Way("/Observation/lab-{n}/$validate", "POST", validating({**_ABOUT_HER, "id": "lab-{n}"}), told="nobody"),
    "$validate what is stored": Way("/Observation/lab-{n}/$validate", "POST", parameters(mode=("valueCode", "profile"))),
    "$meta-add": Way("/Observation/lab-{n}/$meta-add", "POST", parameters(meta=("valueMeta", {"tag": [{"code": "x"}]}))),
    "batch": Way("", "POST", bundle("batch", ("GET", "Observation/lab-{n}"), ("GET", "Patient/pat-{n}"), ("GET", "Patient?_id=pat-{n}"),
                                    ("GET", "Observation/lab-{n}/_history"), ("GET", "Patient/pat-{n}/$everything"))),
    "transaction": Way("", "POST", bundle("transaction", ("GET", "Observation/lab-{n}"))),
    "transaction search": Way("", "POST", bundle("transaction", ("GET", "Observation?patient=Patient/pat-{n}&_total=accurate"))),
}  # fmt: skip

_RAW = {"Accept": "text/plain"}
BINARIES: Final = {
    **gets("/Binary/bin-{n}", "/Binary/raw-{n}", "/Binary/free-{n}", "/DocumentReference/doc-{n}", "/Binary/raw-{n}/_history/1"),
    **{f"{name} of {id}": Way(f"/Binary/{id}-{{n}}", headers=headers) for id in ("bin", "raw", "free") for name, headers in (
        ("as it is", _RAW), ("a range", {**_RAW, "Range": "bytes=0-3"}), ("beyond", {**_RAW, "Range": "bytes=999999-"}))},
}  # fmt: skip

_JSON_PATCH = {"Content-Type": "application/json-patch+json"}
_MADE = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": "Patient/own-{n}"}}


def _entry(method: str, url: str, resource: Any = None, **request: str) -> dict[str, Any]:
    return {"request": {"method": method, "url": url, **request}, **({"resource": resource} if resource is not None else {})}


WRITING: Final = {
    "delete": Way("/Observation/lab-{n}", "DELETE", told="nobody"),
    "patch": Way("/Observation/lab-{n}", "PATCH", [{"op": "replace", "path": "/status", "value": "final"}], _JSON_PATCH),
    "patch of what it has": Way("/Observation/lab-{n}", "PATCH", [{"op": "test", "path": "/status", "value": "x"}], _JSON_PATCH),
    "conditional create": Way("/Observation", "POST", _MADE, {"If-None-Exist": "code=urn:secret|secret-{n}"}),
    "conditional update": Way("/Observation?code=urn:secret|secret-{n}", "PUT", _MADE),
    "conditional delete": Way("/Observation?code=urn:secret|secret-{n}&status=final", "DELETE", told="nobody"),
    "conditional patch": Way("/Observation?_id=lab-{n}", "PATCH", [{"op": "replace", "path": "/status", "value": "final"}], _JSON_PATCH),
    "about her": Way("/Observation", "POST", _ABOUT_HER),
    "reference by search": Way("", "POST", bundle("transaction", _entry(
        "POST", "Observation", {**_MADE, "performer": [{"reference": "Patient?identifier=urn:pat|pat-{n}"}]}))),
    "subject by search": Way("", "POST", bundle("transaction", _entry(
        "POST", "Observation", {**_MADE, "subject": {"reference": "Patient?identifier=urn:pat|pat-{n}"}}))),
    "transaction, unless there": Way("", "POST", bundle("transaction", _entry("POST", "Observation", _MADE, ifNoneExist="_id=lab-{n}"))),
    "transaction, by search": Way("", "POST", bundle("transaction", _entry("PUT", "Observation?_id=focus-{n}", _MADE))),
    "batch of writes": Way("", "POST", bundle("batch", _entry("PATCH", "Observation/focus-{n}"),
                                             _entry("DELETE", "Encounter?_id=enc-{n}"), _entry("POST", "Observation", _ABOUT_HER))),
    "consent for herself": Way("/Consent", "POST", {
        "resourceType": "Consent", "status": "active", "scope": {"text": "x"}, "category": [{"text": "x"}], "policyRule": {"text": "x"},
        "patient": {"reference": "Patient/pat-{n}"}}, told="nobody"),
    "link": Way("/Patient/own-{n}/$link", "POST", parameters(target=named("Patient/pat-{n}"), reason=("valueString", "x")), told="nobody"),
}  # fmt: skip

TAKEN: Final = {
    "update": Way("/Observation/lab-{n}", "PUT", {**_MADE, "id": "lab-{n}"}),
    "update as of its version": Way("/Observation/lab-{n}", "PUT", {**_MADE, "id": "lab-{n}"}, {"If-Match": 'W/"2"'}),
    "create unless there": Way("/Observation/lab-{n}", "PUT", {**_MADE, "id": "lab-{n}"}, {"If-None-Match": "*"}),
}  # fmt: skip
"""What a client gives an id of its own to: that it is taken cannot be hidden where it would be created else, and nothing but that is told."""
