"""A mail server as small as RFC 5321 allows, on this machine: it keeps every mail, and can be told to refuse."""

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self


class MailServer:
    """Keeps mails in `mails`; `answer` is what it says to a recipient."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answer = "250 fine"
        self.greeting = "220 here"
        self.port = 0
        self.kept = asyncio.Event()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(text: str) -> None:
            writer.write(f"{text}\r\n".encode())

        say(self.greeting)
        while line := await reader.readline():
            verb = line.strip().partition(b" ")[0].upper()
            if verb == b"DATA":
                say("354 go on")
                self._keep(await reader.readuntil(b"\r\n.\r\n"))
                say("250 kept")
            elif verb == b"RCPT":
                say(self.answer)
            elif verb == b"QUIT":
                say("221 bye")
                break
            else:
                say("250 fine")
        writer.close()

    def _keep(self, content: bytes) -> None:
        mail = message_from_bytes(content.removesuffix(b".\r\n"), policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.kept.set()
