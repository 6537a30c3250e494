"""How reports tell what was recorded, in plain Japanese, and as CSV that spreadsheets open without harm.

https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fhir_server.audit.reports.access import Access, Names
from fhir_server.auth.roles import TITLES, Role

BOM: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_TYPES: Final[Mapping[str, str]] = {
    "AllergyIntolerance": "アレルギー・不耐性",
    "Binary": "添付ファイル",
    "CarePlan": "ケアプラン",
    "Composition": "診療文書",
    "Condition": "病名",
    "Consent": "同意",
    "Coverage": "保険",
    "DiagnosticReport": "検査報告書",
    "DocumentReference": "診療文書",
    "Encounter": "受診・入院",
    "FamilyMemberHistory": "家族歴",
    "ImagingStudy": "画像検査",
    "Immunization": "予防接種",
    "MedicationAdministration": "投薬・注射の実施",
    "MedicationDispense": "調剤",
    "MedicationRequest": "処方",
    "MedicationStatement": "服薬状況",
    "Observation": "検査結果",
    "Patient": "患者基本情報",
    "Procedure": "手術・処置",
    "ServiceRequest": "検査・処置の指示",
    "Specimen": "検体",
}
_PURPOSES: Final[Mapping[str, str]] = {
    "TREAT": "診療",
    "ETREAT": "救急診療",
    "BTG": "緊急閲覧",
    "HPAYMT": "診療報酬の請求",
    "HOPERAT": "医療機関の運営",
    "HRESCH": "研究",
    "PATRQT": "ご本人の請求",
    "PUBHLTH": "公衆衛生",
}


@dataclass(frozen=True, slots=True)
class Named:
    """Names that have been looked up."""

    known: Mapping[str, str]

    @classmethod
    async def of(cls, rows: Iterable[Access], names: Names) -> "Named":
        """Look up the names in these accesses, all at once."""
        return cls(await names(tuple(dict.fromkeys(each for row in rows for each in row.names))))

    def of_facility(self, reference: str) -> str:
        """Give a facility's name."""
        return self.known.get(reference) or ("ネットワーク" if reference == "Organization/network" else reference or "（施設なし）")

    def of_person(self, row: Access) -> str:
        """Give the name of who looked: a person's, or what the system is called."""
        return self.known.get(row.person) or (row.subject if row.person else f"システム（{row.client or row.subject}）")

    def of_patient(self, reference: str) -> str:
        """Give a patient's name, or the reference."""
        return self.known.get(reference) or reference or "（患者なし）"


def kinds(types: Iterable[tuple[str, int]], *, counted: bool = True) -> str:
    """Tell which kinds of data: 検査結果 12件、処方 3件."""
    together: dict[str, int] = {}
    for type, count in types:
        name = _TYPES.get(type, f"その他（{type}）")
        together[name] = together.get(name, 0) + count
    return "、".join(f"{name} {count}件" if counted else name for name, count in together.items())


def purpose(code: str) -> str:
    """Tell a purpose."""
    return _PURPOSES.get(code, code)


def why(row: Access) -> str:
    """Tell why somebody looked, with the reason of an emergency."""
    text = purpose(row.purpose)
    if row.emergency or row.reason:
        text += f"（同意によらない緊急・災害時の閲覧。理由: {row.reason or '記載なし'}）"
    return text


def title(role: str) -> str:
    """Tell a role."""
    return TITLES[Role(role)][0] if role in set(Role) else role


def moment(at: datetime) -> str:
    """Write a time with its offset (L11)."""
    return f"{at:%Y/%m/%d %H:%M:%S}{at.strftime('%z')[:3]}:{at.strftime('%z')[3:5]}"


def written(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Write CSV in UTF-8 with a mark that spreadsheets know it by; no field is taken for a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([[harmless(field) for field in row] for row in rows])
    return (BOM + text.getvalue()).encode()


def harmless(field: str) -> str:
    """Give a field that no spreadsheet calculates: an apostrophe stands before what would be a formula."""
    return f"'{field}" if field.lstrip(" \u3000").startswith(_FORMULA) else field
