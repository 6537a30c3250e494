"""Grammar of the SS-MIX2 standard storage: folders, file names, condition flag.

SS-MIX2 標準化ストレージ仕様書 Ver.1.2: `<患者ID先頭3桁>/<4-6桁>/<患者ID>/<診療日|->/<データ種別>/<file>`, and the file is called
`<患者ID>_<診療日>_<データ種別>_<オーダNo>_<発生日時>_<診療科コード>_<コンディションフラグ>`.

The name is read from both ends because senders vary in the middle: the order number has no fixed length, 発生日時 comes
with 14 to 18 digits, and the department may be missing.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Final
from zoneinfo import ZoneInfo

TOKYO: Final = ZoneInfo("Asia/Tokyo")

KNOWN_KINDS: Final[dict[str, str]] = {
    "ADT-00": "患者基本情報の更新",
    "ADT-01": "担当医の変更",
    "ADT-12": "外来診察の受付",
    "ADT-21": "入院予定",
    "ADT-22": "入院実施",
    "ADT-31": "外出泊実施",
    "ADT-32": "外出泊帰院実施",
    "ADT-41": "転科・転棟(転室・転床)予定",
    "ADT-42": "転科・転棟(転室・転床)実施",
    "ADT-51": "退院予定",
    "ADT-52": "退院実施",
    "ADT-61": "アレルギー情報の登録/更新",
    "PPR-01": "病名(歴)情報の登録/更新",
    "OMD": "食事オーダ",
    "OMP-01": "処方オーダ",
    "OMP-11": "処方実施通知",
    "OMP-02": "注射オーダ",
    "OMP-12": "注射実施通知",
    "OML-01": "検体検査オーダ",
    "OML-11": "検体検査結果通知",
    "OMG-01": "放射線検査オーダ",
    "OMG-11": "放射線検査の実施通知",
    "OMG-02": "内視鏡検査オーダ",
    "OMG-12": "内視鏡検査の実施通知",
    "OMG-03": "生理検査オーダ",
    "OMG-13": "生理検査結果通知",
}
"""データ種別 of the standard storage with their Japanese names.

The guideline's table counts 36 rows because a cancellation (取消, 削除) is a row of its own there; it shares the kind
and differs in the event (MSH-9.2).
"""

CARE_DAY: Final[dict[str, str]] = {
    "ADT-12": "PV1-44",
    "ADT-21": "PV2-8",
    "ADT-22": "PV1-44",
    "ADT-31": "EVN-6",
    "ADT-32": "EVN-6",
    "ADT-41": "PV2-8",
    "ADT-42": "EVN-6",
    "ADT-51": "PV2-9",
    "ADT-52": "PV1-45",
    "OMD": "ORC-9",
    "OMP-01": "ORC-9",
    "OMP-02": "ORC-9",
    "OML-01": "ORC-9",
    "OMG-01": "ORC-9",
    "OMG-02": "ORC-9",
    "OMG-03": "ORC-9",
    "OMP-11": "RXA-3",
    "OMP-12": "RXA-3",
    "OML-11": "SPM-17",
    "OMG-11": "OBR-7",
    "OMG-12": "OBR-7",
    "OMG-13": "OBR-7",
}
"""The field whose day 診療日 repeats; kinds that are not here are stored under `-`."""

_NAME = re.compile(
    r"(?P<patient>[^_]+)_(?P<day>[^_]*)_(?P<kind>[^_]+)_(?P<order>[^_]+)_(?P<time>\d{14,18})(?:_(?P<department>[^_]*))?_(?P<flag>[012])"
)
_KIND = re.compile(r"[A-Z]{2,3}(?:-\d{2})?")


class FileNameError(ValueError):
    """A path that is no standard storage path, or that contradicts itself; the text holds no patient number."""


@dataclass(frozen=True, slots=True)
class FileName:
    """What path and name of one file say.

    `time` is 発生日時 as 17 digits, `occurred` the same instant. `flag` is "1" current, "2" superseded, "0" deleted.
    `warnings` are departures from the grammar that do not change the meaning.
    """

    patient_id: str
    day: str | None
    kind: str
    order: str
    time: str
    occurred: datetime
    department: str | None
    flag: str
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @property
    def current(self) -> bool:
        """Whether the flag says that this version is in force."""
        return self.flag == "1"

    @property
    def text(self) -> str:
        """The file name in its regular form."""
        parts = (self.patient_id, self.day or "-", self.kind, self.order, self.time, self.department or "-", self.flag)
        return "_".join(parts)

    @property
    def storage_path(self) -> str:
        """The regular path below the root folder."""
        folders = (self.patient_id[:3], self.patient_id[3:6], self.patient_id, self.day or "-", self.kind)
        return "/".join((*folders, self.text))


def document_key(name: FileName) -> str:
    """Give the key of the logical document that all versions of one file share."""
    return "_".join((name.patient_id, name.day or "-", name.kind, name.order))


def parse(relative_path: str | PurePath) -> FileName:
    """Read the path of a standard storage file; raise FileNameError where it can't be trusted.

    Folders that are given must agree with the name: a file below another patient, day or kind was put there by
    mistake, and nobody can say which of the two is right. A bare name is judged alone.
    """
    path = PurePath(str(relative_path).replace("\\", "/"))
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise FileNameError("not a file name of the standard storage (患者ID_診療日_データ種別_オーダNo_発生日時_診療科_フラグ)")
    parts = match.groupdict()
    kind = parts["kind"]
    if _KIND.fullmatch(kind) is None:
        raise FileNameError("the file name's データ種別 is none of the standard storage")
    warnings: list[str] = []
    time, occurred = _time(parts["time"], warnings)
    department = parts["department"]
    if department is None:
        warnings.append("the file name has no 診療科コード")
    name = FileName(
        patient_id=parts["patient"],
        day=_day(parts["day"]),
        kind=kind,
        order=parts["order"],
        time=time,
        occurred=occurred,
        department=None if department in (None, "", "-") else department,
        flag=parts["flag"],
    )
    warnings.extend(_judge_folders(name, path.parts[:-1]))
    return _with_warnings(name, tuple(warnings))


def _with_warnings(name: FileName, warnings: tuple[str, ...]) -> FileName:
    if not warnings:
        return name
    return FileName(name.patient_id, name.day, name.kind, name.order, name.time, name.occurred, name.department, name.flag, warnings)


def _day(text: str) -> str | None:
    if text == "-":
        return None
    if not re.fullmatch(r"\d{8}", text):
        raise FileNameError("the file name's 診療日 is neither YYYYMMDD nor -")
    try:
        datetime(int(text[:4]), int(text[4:6]), int(text[6:]), tzinfo=TOKYO)
    except ValueError:
        raise FileNameError("the file name's 診療日 is no day of the calendar") from None
    return text


def _time(digits: str, warnings: list[str]) -> tuple[str, datetime]:
    """Bring 発生日時 to 17 digits. 15 digits are YYYYMMDDHHMM + FFF: the seconds were left out."""
    if len(digits) != 17:
        warnings.append(f"the file name's 発生日時 has {len(digits)} digits instead of 17")
    text = digits[:12] + "00" + digits[12:] if len(digits) == 15 else digits[:17].ljust(17, "0")
    try:
        day = datetime(int(text[:4]), int(text[4:6]), int(text[6:8]), tzinfo=TOKYO)
    except ValueError:
        raise FileNameError("the file name's 発生日時 is no time") from None
    hours, minutes, seconds = int(text[8:10]), int(text[10:12]), int(text[12:14])
    if hours > 47 or minutes > 59 or seconds > 60:
        raise FileNameError("the file name's 発生日時 is no time")
    return text, day + timedelta(hours=hours, minutes=minutes, seconds=seconds, milliseconds=int(text[14:]))


def _judge_folders(name: FileName, folders: tuple[str, ...]) -> list[str]:
    """Compare the folders that are there with the name, from the innermost outwards."""
    expected = (
        ("データ種別", name.kind),
        ("診療日", name.day or "-"),
        ("患者ID", name.patient_id),
    )
    for (what, value), folder in zip(expected, reversed(folders), strict=False):
        if folder != value:
            raise FileNameError(f"misplaced file: the folder's {what} is not that of the file name")
    given = tuple(folders[-5:-3])
    if len(given) == 2 and given != (name.patient_id[:3], name.patient_id[3:6]):
        return ["the first two folders are not the first six characters of the patient number"]
    return []
