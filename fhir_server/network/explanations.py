"""What $explain can say: the code of each reason, and its text for people in Japanese and English."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

SYSTEM: Final = "urn:tsunagi:explanation"


class Text(NamedTuple):
    """A reason for people; `permits` tells that data are seen by it."""

    japanese: str
    english: str
    permits: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """One reason: `custodian` ("Organization/1") whose data it is about, `until` when the clock changes it, `consents` those relied on."""

    code: str
    custodian: str | None = None
    until: datetime | None = None
    consents: tuple[str, ...] = ()


TEXTS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "own-data": Text("自施設が登録した診療情報は常に閲覧できます", "The facility's own data are always seen", permits=True),
        "consented": Text("同意に基づき閲覧できます", "Seen by consent", permits=True),
        "emergency": Text("緊急時または災害時の閲覧が許可されています", "Seen by virtue of an emergency or disaster", permits=True),
        "not-a-member": Text("閲覧施設は現在ネットワークに参加していません", "The facility does not take part in the network now"),
        "custodian-left": Text("登録施設は現在ネットワークに参加していません", "The facility that has the data does not take part now"),
        "not-linked": Text("名寄せが済んでいません", "The patients are not linked as one person yet"),
        "no-consent": Text("この施設についての同意がありません", "There is no consent that concerns this facility"),
        "no-data": Text("同意はありますが、閲覧できる他施設がありません", "There is a consent, and no other facility to read from"),
        "not-published": Text("同意書は公開設定前です", "The consent is not published yet"),
        "stopped": Text("患者の申し出により利用が停止されています", "Sharing is stopped at the patient's wish"),
        "partly-stopped": Text(
            "患者の申し出により一部の施設で利用が停止されています", "Sharing with some facilities is stopped at the patient's wish"
        ),
        "temporarily-stopped": Text("患者の申し出により一時的に停止されています", "Sharing is stopped for a time at the patient's wish"),
        "expired": Text("同意の期間が終わっています", "The consent has expired"),
        "not-yet": Text("同意の期間がまだ始まっていません", "The consent's period has not begun yet"),
        "purpose": Text("この利用目的は同意に含まれていません", "The consent is not for this purpose"),
        "action": Text("閲覧は同意に含まれていません", "The consent is not for reading"),
        "not-named": Text("閲覧施設は同意書に記載されていません", "The consent does not name the facility that reads"),
        "custodian-not-named": Text("登録施設は同意書に記載されていません", "The consent does not name the facility that has the data"),
        "data-excluded": Text(
            "同意に条件があり、条件に合う診療情報だけが対象です", "The consent has conditions on data: only what fits them is shared"
        ),
        "dissent": Text("患者が不同意を示しています", "The patient dissents"),
        "superseded": Text("より新しい同意が優先されています", "A newer consent takes its place"),
        "unclear": Text("同意の内容を解釈できないため、閲覧を許可していません", "The consent cannot be understood, so nothing is shared"),
    }
)
