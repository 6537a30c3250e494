"""Coding systems: the name HL7 v2 gives (CWE.3) and the URI FHIR gives, in its URL form and its older OID form.

JP Core 1.2.0 "urlmap" (http://jpfhir.jp/fhir/core/1.2.0/) and the notes of its profiles; JAMI SS-MIX2 to FHIR.

JP Core 1.2.0 went over from OIDs to URLs, and validators do not know that both mean the same. Mapped resources carry the
URL; `OLD_OID` lets a search accept the other. One v2 name can mean several systems (MDCDX2, JAMISDP01, MR9P): there the
form of the code or the field decides.

Systems without an official URI get a URN of ours: `urn:tsunagi:hl7v2:<name>` for a national table, `urn:tsunagi:<facility
code>:code:<name>` for a local one (99...), since two hospitals' local codes never mean the same.
"""

from typing import Final

JLAC10: Final = "http://medis.or.jp/CodeSystem/master-JLAC10-17digits"
HOT7: Final = "http://medis.or.jp/CodeSystem/master-HOT7"
HOT9: Final = "http://medis.or.jp/CodeSystem/master-HOT9"
HOT13: Final = "http://medis.or.jp/CodeSystem/master-HOT13"
YJ: Final = "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code"
MEDICATION_UNIT: Final = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUnitMERIT9Code"
MEDICATION_FORM: Final = "http://jpfhir.jp/fhir/core/CodeSystem/JP_MedicationFormMERIT9_CS"
MEDICATION_CATEGORY: Final = "http://jpfhir.jp/fhir/core/CodeSystem/JP_MedicationCategoryMERIT9_CS"
USAGE: Final = "http://jami.jp/CodeSystem/MedicationUsage"
USAGE_ADDITIONAL: Final = "http://jami.jp/CodeSystem/MedicationUsageAdditional"
USAGE_BASIC: Final = "http://jami.jp/CodeSystem/MedicationMethodBasicUsage"
USAGE_DETAIL: Final = "http://jami.jp/CodeSystem/MedicationMethodDetailUsage"
BODY_SITE: Final = "http://jami.jp/CodeSystem/MedicationBodySiteExternal"
DISEASE_KEY: Final = "http://medis.or.jp/CodeSystem/master-disease-keyNumber"
DISEASE_EXCHANGE: Final = "http://medis.or.jp/CodeSystem/master-disease-exCode"
MODIFIER_KEY: Final = "http://medis.or.jp/CodeSystem/master-disease-modKeyNumber"
MODIFIER_EXCHANGE: Final = "http://medis.or.jp/CodeSystem/master-disease-modExCode"
ICD10_2013: Final = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full"
ICD10: Final = "http://hl7.org/fhir/sid/icd-10"
DEPARTMENT: Final = "http://jami.jp/SS-MIX2/CodeSystem/ClinicalDepartment"
ROUTE: Final = "http://jpfhir.jp/fhir/core/CodeSystem/route-codes"
UCUM: Final = "http://unitsofmeasure.org"

OLD_OID: Final[dict[str, str]] = {
    JLAC10: "urn:oid:1.2.392.200119.4.504",
    HOT7: "urn:oid:1.2.392.200119.4.403.2",
    HOT9: "urn:oid:1.2.392.200119.4.403.1",
    HOT13: "urn:oid:1.2.392.200119.4.402.1",
    YJ: "urn:oid:1.2.392.100495.20.2.73",
    MEDICATION_UNIT: "urn:oid:1.2.392.100495.20.2.101",
    USAGE: "urn:oid:1.2.392.200250.2.2.20.20",
    USAGE_ADDITIONAL: "urn:oid:1.2.392.200250.2.2.20.22",
    USAGE_BASIC: "urn:oid:1.2.392.200250.2.2.20.30",
    USAGE_DETAIL: "urn:oid:1.2.392.200250.2.2.20.40",
    BODY_SITE: "urn:oid:1.2.392.200250.2.2.20.32",
    DISEASE_KEY: "urn:oid:1.2.392.200119.4.101.2",
    DISEASE_EXCHANGE: "urn:oid:1.2.392.200119.4.101.6",
    MODIFIER_KEY: "urn:oid:1.2.392.200119.4.201.2",
    MODIFIER_EXCHANGE: "urn:oid:1.2.392.200119.4.201.5",
    DEPARTMENT: "urn:oid:1.2.392.200250.2.2.2",
    ROUTE: "urn:oid:1.2.392.100495.20.2.34",
}
"""The OID that data before JP Core 1.2.0 uses for the same system."""

_BY_NAME: Final[dict[str, str]] = {
    "HOT7": HOT7,
    "HOT9": HOT9,
    "HOT13": HOT13,
    "YJ": YJ,
    "MR9P": MEDICATION_UNIT,
    "HL70069": DEPARTMENT,
    "HL70162": ROUTE,
    "HL70241": "http://jpfhir.jp/fhir/core/CodeSystem/HL70241",
    "JHSD0006": "http://jpfhir.jp/fhir/core/CodeSystem/JHSD0006",
    "JHSP0002": "http://jpfhir.jp/fhir/core/CodeSystem/JHSP0002",
    "JHSP0007": "http://jpfhir.jp/fhir/core/CodeSystem/JHSP0007",
    "JHSI0001": "http://jpfhir.jp/fhir/core/CodeSystem/JHSI0001",
    "JHSI0003": "http://jpfhir.jp/fhir/core/CodeSystem/JHSI0003",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "LN": "http://loinc.org",
    "I10": ICD10,
}

_ALLERGEN_PREFIXES: Final = (
    ("J9F", "http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyFoodAllergen_CS"),
    ("J9N", "http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyNonFoodNonMedicationAllergen_CS"),
    ("YCM", "http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyMedicationAllergen_CS"),
)


def uri(name: str, code: str, facility: str) -> str:
    """Give the URI of the system that `name` means for this code at the facility with this code."""
    return _BY_NAME.get(name) or _by_code(name, code) or _generated(name, facility)


def _by_code(name: str, code: str) -> str | None:
    """Resolve the names whose meaning depends on the form of the code."""
    match name:
        case "JC10":
            return JLAC10 if len(code) == 17 else None
        case "HOT":
            return {7: HOT7, 9: HOT9, 13: HOT13}.get(len(code))
        case "JAMISDP01":
            return {16: USAGE, 8: USAGE_ADDITIONAL, 3: BODY_SITE}.get(len(code))
        case "MDCDX2":
            return DISEASE_EXCHANGE if len(code) == 4 else DISEASE_KEY
        case "J-FAGY":
            return next((system for prefix, system in _ALLERGEN_PREFIXES if code.startswith(prefix)), None)
        case _:
            return None


def _generated(name: str, facility: str) -> str:
    """Give HL7's own tables their THO address, local ones a URN of the facility, national ones a URN of ours."""
    if name.startswith("HL7") and name[3:].isdigit() and len(name) == 7:
        return f"http://terminology.hl7.org/CodeSystem/v2-{name[3:]}"
    if name.startswith(("99", "L")) or not name:
        return f"urn:tsunagi:{facility}:code:{_safe(name) or 'local'}"
    return f"urn:tsunagi:hl7v2:{_safe(name)}"


def _safe(name: str) -> str:
    """Keep what a URN allows; a coding system's name that holds anything else is not one."""
    return "".join(character for character in name if character.isascii() and (character.isalnum() or character in "+-._"))
