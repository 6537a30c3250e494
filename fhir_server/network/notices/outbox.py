"""E-mails on their way: kept until they are sent, each sent by one process at a time.

NETWORK.md F064. A mail server that is away delays no publication and loses no mail: it is tried again, later and later, for a week. What is
kept names a facility's address and the kind of notice, nothing of the patient.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from fhir_server.exchange import Resource
from fhir_server.network.desk import Desk
from fhir_server.network.notices.letters import SYSTEM, kind_of
from fhir_server.search.expression import And, HasPrefix, Spans
from fhir_server.store.records import Kind

_KEPT: Final = timedelta(days=7)
_CLAIMED: Final = timedelta(minutes=5)
_FIRST, _LONGEST = timedelta(seconds=30), timedelta(hours=1)
_LOOKED_BACK: Final = timedelta(days=1)
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_AT_ONCE: Final = 200


class Mail(msgspec.Struct, frozen=True):
    """One e-mail: `id` is that of the notice and address, `state` pending, sent or refused; not before `due`, not by others before `claimed`."""

    id: str
    to: str
    notice: str
    state: str
    due: datetime
    expires: datetime
    attempts: int = 0
    claimed: datetime | None = None


MAILS: Final = Kind("mails", Mail, found_by=("state",))


async def post(desk: Desk, letters: Sequence[Resource]) -> int:
    """Put an e-mail into the outbox for each notice to a facility that has an address; tells how many are new."""
    added = 0
    for letter in letters:
        kind = kind_of(letter)
        for address in await _addresses(desk, letter) if kind is not None else ():
            mail = Mail(f"{letter['id']}|{address}", address, str(kind), "pending", desk.now(), desk.now() + _KEPT)
            added += await desk.shelf.records(MAILS).add(mail)
    return added


async def _addresses(desk: Desk, letter: Resource) -> list[str]:
    found: dict[str, None] = {}
    for each in letter.get("recipient", ()):
        reference = each.get("reference", "")
        organization = await desk.read(reference) if reference.startswith("Organization/") else None
        for point in (organization or {}).get("telecom", ()):
            value = point.get("value")
            if point.get("system") == "email" and point.get("use") != "old" and isinstance(value, str) and _ADDRESS.fullmatch(value):
                found[value] = None
    return list(found)


async def collect(desk: Desk) -> int:
    """Put into the outbox what a process that died had told but not posted yet; tells how many there were."""
    since = int((desk.now() - _LOOKED_BACK).timestamp() * 1000)
    recent = And((HasPrefix("category", f"{SYSTEM}|"), Spans("sent", "ge", since, since)))
    return await post(desk, await desk.find("Communication", recent))


async def pending(desk: Desk) -> list[Mail]:
    """Give the mails to be sent now that nobody is sending."""
    found = await desk.shelf.records(MAILS).find(_AT_ONCE, state="pending")
    return [mail for mail in found if _is_free(mail, desk.now())]


async def claim(desk: Desk, mail: Mail) -> Mail | None:
    """Take a mail to send it: of several that take it at once, one gets it. Whoever dies with it lets go of it after minutes."""
    now = desk.now()

    def claimed(current: Mail) -> Mail | None:
        if not _is_free(current, now):
            return None
        return msgspec.structs.replace(current, claimed=now + _CLAIMED, attempts=current.attempts + 1)

    return await desk.shelf.records(MAILS).change(mail.id, claimed)


async def settle(desk: Desk, mail: Mail, state: str) -> None:
    """Say what became of a claimed mail: sent, refused for good, or still pending; then it is tried again, later each time."""
    wait = min(_FIRST * 2 ** min(mail.attempts - 1, 10), _LONGEST)
    done = msgspec.structs.replace(mail, state=state, due=desk.now() + wait, claimed=None)
    await desk.shelf.records(MAILS).change(mail.id, lambda current: done if current.attempts == mail.attempts else None)


def _is_free(mail: Mail, now: datetime) -> bool:
    return mail.state == "pending" and mail.due <= now and (mail.claimed is None or mail.claimed <= now)
