"""Carries the outbox to the mail server, in the background of a serving process.

NETWORK.md F061, F064
"""

import asyncio
import logging
from contextlib import suppress
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from typing import Final

from fhir_server.network.desk import Desk
from fhir_server.network.notices.carriers import Carrier, Undelivered
from fhir_server.network.notices.kinds import Kind, plain
from fhir_server.network.notices.outbox import Mail, claim, collect, pending, settle

log = logging.getLogger(__name__)

_PAUSE: Final = 5.0
_ROUNDS: Final = 120
"""How many pauses pass from one look for what was never posted to the next: ten minutes."""


class Courier:
    """Sends what is in the outbox from the address `sender`, one mail after the other; several processes do no mail twice."""

    def __init__(self, desk: Desk, carrier: Carrier, sender: str) -> None:
        self._desk = desk
        self._carrier = carrier
        self._sender = sender

    async def run(self, over: asyncio.Event | None = None, pause: float = _PAUSE) -> None:
        """Deliver until it is `over`, with `pause` seconds in between; a database that is away is waited for.

        A mail that is on its way then is seen to its end: if it were forgotten, it would be sent again.
        """
        ended = over if over is not None else asyncio.Event()
        rounds = 0
        while not ended.is_set():
            try:
                if rounds % _ROUNDS == 0:
                    await collect(self._desk)
                await self.deliver(ended)
            except Exception as failure:  # noqa: BLE001 - the mails are late then, and none is lost
                log.warning("e-mails could not be delivered now; trying again: %s", type(failure).__name__)
            rounds += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), pause)

    async def deliver(self, over: asyncio.Event | None = None) -> int:
        """Send everything that is due, or as much until it is `over`; tells how many mails were sent."""
        sent = 0
        for mail in await pending(self._desk):
            if over is not None and over.is_set():
                break
            claimed = await claim(self._desk, mail)
            if claimed is not None:
                sent += await self._sent(claimed)
        return sent

    async def _sent(self, mail: Mail) -> bool:
        name = sha256(mail.id.encode()).hexdigest()[:40]
        try:
            await self._carrier.carry(name, self._message(mail, name))
        except Undelivered as problem:
            log.warning("an e-mail was not delivered (attempt %d): %s", mail.attempts, problem)
            await settle(self._desk, mail, "refused" if problem.forever else "pending")
            return False
        await settle(self._desk, mail, "sent")
        return True

    def _message(self, mail: Mail, name: str) -> EmailMessage:
        """The same Message-ID whenever it is sent: a mail server that got it twice after all can tell."""
        title, body = plain(Kind(mail.notice), self._desk.terms)
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = title, self._sender, mail.to
        message["Date"] = format_datetime(self._desk.now())
        message["Message-ID"] = f"<{name}@{self._sender.rpartition('@')[2].rstrip('>') or 'tsunagi'}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(body)
        return message
