"""The settings of the network itself: consents, identities, emergencies, notices and the audit log."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the network has agreed on; the descriptions are the documentation."""

    audit: Annotated[
        Literal["on", "off"],
        Meta(description="Whether what is done is recorded; `off` only at a loopback address, for measuring. 監査記録"),
    ] = "on"
    audit_journal: Annotated[
        bool,
        Meta(
            description="Whether what is done is first written to a journal in the directory of all data, and to the database moments later: "
            "cheaper, and as safe as this machine's disk. 監査記録をこのマシンのディスクに先に書くか"
        ),
    ] = False
    settle_time: Annotated[
        int,
        Meta(
            ge=60, le=3600, description="Seconds until documents say what a changed consent allows; queries know it at once. 同意の反映待ち"
        ),
    ] = 120
    network_name: Annotated[
        str, Meta(min_length=1, max_length=40, description="Name of the network, in certificates and on pages. ネットワークの名称")
    ] = "Tsunagi"
    automatic_linking: Annotated[
        bool,
        Meta(
            description="Whether certain matches of patients link by themselves; else they wait for the secretariat. 確実な名寄せの自動実行"
        ),
    ] = False
    regional_id_prefix: Annotated[
        str, Meta(pattern=r"^[0-9]{1,4}$", description="What new 10-digit 地域患者ID begin with. 地域患者IDの先頭の数字")
    ] = "37"
    smtp_url: Annotated[
        str | None,
        Meta(
            description="Mail server for notices to facilities, `smtps://user:password@host:465`, `smtp://host:587` (STARTTLS) or, for trials, "
            "`file:///directory`; unset: no e-mail is sent. お知らせメールの送信サーバー"
        ),
    ] = None
    mail_from: Annotated[
        str, Meta(pattern=r"^[^\r\n<>]+@[A-Za-z0-9.-]+$", description="Sender of these e-mails. お知らせメールの差出人")
    ] = "noreply@localhost"
    portal_url: Annotated[
        str | None, Meta(description="Address of the portal on the internet, in these e-mails. ポータルサイトのアドレス (インターネット)")
    ] = None
    portal_inside_url: Annotated[
        str | None, Meta(description="Its address on the closed EHR network, where that is another. 同 (EHR ネットワーク)")
    ] = None
    audit_years: Annotated[
        int, Meta(ge=1, le=100, description="Years that `tsunagi audit prune` leaves of the audit log, one at least. 監査記録の保存年数")
    ] = 5
    emergency_minutes: Annotated[
        int, Meta(ge=1, le=1440, description="Minutes that an emergency access lasts at most. 緊急時閲覧の最長時間 (分)")
    ] = 60
    review_days: Annotated[
        int, Meta(ge=1, le=90, description="Days in which an emergency access has to be reviewed. 緊急時閲覧の点検期限 (日)")
    ] = 7
    disaster_days: Annotated[
        int, Meta(ge=1, le=90, description="Days that a disaster lasts at most, before it is proposed again. 災害モードの最長期間 (日)")
    ] = 14
