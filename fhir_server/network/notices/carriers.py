"""Ways out for e-mails: a mail server (SMTP), or a directory in which each mail is a file, for the sandbox.

https://www.rfc-editor.org/rfc/rfc5321, https://www.rfc-editor.org/rfc/rfc8314
"""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

_TIMEOUT: Final = 30.0
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Undelivered(Exception):  # noqa: N818 - a state of a mail
    """The mail could not be handed over: for good where `forever`, else it is tried again. The text names no address."""

    def __init__(self, text: str, *, forever: bool = False) -> None:
        super().__init__(text)
        self.forever = forever


class Carrier(Protocol):
    """Hands over one mail; raises Undelivered."""

    async def carry(self, name: str, message: EmailMessage) -> None:
        """Hand over the mail; `name` is the same whenever this mail is handed over again."""


def carrier(url: str) -> Carrier:
    """Make the way out that a URL names: smtps://user:password@host:465, smtp://host:587 (STARTTLS), file:///directory.

    Raises ValueError for any other; its text does not repeat the URL, which may hold a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("The mail server's address is no URL") from None
    if parts.scheme == "file" and parts.path and not parts.netloc:
        return Directory(Path(unquote(parts.path)))
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("The mail server's address is smtps://user:password@host:465, smtp://host:587 or file:///directory")
    secure = parts.scheme == "smtps"
    user = unquote(parts.username) if parts.username else None
    return Smtp(parts.hostname, port or (465 if secure else 587), user, unquote(parts.password or ""), secure=secure)


class Directory:
    """Writes each mail as a file; again in the same place if it is handed over again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def carry(self, name: str, message: EmailMessage) -> None:
        """Write the file under another name first: whoever looks sees whole mails only."""
        await asyncio.to_thread(self._write, name, bytes(message))

    def _write(self, name: str, content: bytes) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            partly = self._directory / f".{name}.part"
            partly.write_bytes(content)
            partly.replace(self._directory / f"{name}.eml")
        except OSError as problem:
            raise Undelivered(f"The directory for mails cannot be written: {type(problem).__name__}") from problem


class Smtp:
    """Hands mails to a mail server, over TLS; without it only at this machine."""

    def __init__(self, host: str, port: int, user: str | None, password: str, *, secure: bool) -> None:
        self._host, self._port = host, port
        self._user, self._password = user, password
        self._secure = secure

    def __repr__(self) -> str:
        return "Smtp(...)"  # the password is nobody's to read

    async def carry(self, name: str, message: EmailMessage) -> None:  # noqa: ARG002 - the Message-ID says the same
        """Hand the mail over in a thread of its own: smtplib waits."""
        await asyncio.to_thread(self._send, message)

    def _send(self, message: EmailMessage) -> None:
        try:
            with self._connected() as server:
                if self._user is not None:
                    server.login(self._user, self._password)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as problem:
            codes = [code for code, _ in problem.recipients.values()]
            raise Undelivered("The mail server refuses the address", forever=all(500 <= code < 600 for code in codes)) from None
        except smtplib.SMTPResponseException as problem:
            raise Undelivered(f"The mail server answers {problem.smtp_code}") from None
        except (OSError, smtplib.SMTPException) as problem:
            raise Undelivered(f"The mail server cannot be reached: {type(problem).__name__}") from None

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._secure:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=_TIMEOUT, context=context)
        server = smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT)
        try:
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            elif self._host not in _LOOPBACK:
                raise Undelivered("The mail server offers no TLS")
        except BaseException:
            server.close()
            raise
        return server
