"""Carries the outbox to the mail server, in the background of a serving process.

NETWORK.md F061, F064
"""

import asyncio
import logging
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from typing import Final

from fhir_server.network.desk import Desk
from fhir_server.network.notices.carriers import Carrier, Undelivered
from fhir_server.network.notices.kinds import Kind, plain
from fhir_server.network.notices.outbox import Mail, claim, collect, pending, settle
from fhir_server.outcome import FhirError

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

    async def run(self, pause: float = _PAUSE) -> None:
        """Deliver until cancelled, with `pause` seconds in between; a database that is away is waited for."""
        rounds = 0
        while True:
            try:
                if rounds % _ROUNDS == 0:
                    await collect(self._desk)
                await self.deliver()
            except FhirError:
                log.warning("the outbox cannot be read now; trying again")
            rounds += 1
            await asyncio.sleep(pause)

    async def deliver(self) -> int:
        """Send everything that is due; tells how many mails were sent."""
        sent = 0
        for mail in await pending(self._desk):
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
