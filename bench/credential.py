"""A credential for benches: a facility and its system, registered by command as an operator does it, and a token of theirs.

The server must be started with TSUNAGI_ACCESS_TIME=60, so that the token outlives the bench.
"""

import base64
import json
import re
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

MINUTES = "60"
_CLIENT = "bench"


class Credential:
    """The access token of a run, empty until `obtain`; its header goes with every request."""

    token = ""

    @classmethod
    def obtain(cls, tsunagi: Path, data: Path, base: str, facility: str) -> None:
        """Register what is needed beside the running server, and get the token."""
        _run(
            tsunagi, data, "facility", "add", facility, "--name", "Bench", "--type", "hospital", "--role", "providing", "--role", "viewing"
        )
        said = _run(
            tsunagi, data, "client", "add", _CLIENT, "--name", "Bench", "--system", "--facility", facility, "--role", "system", "--secret"
        )
        secret = re.search(r"secret: (\S+)", said)
        if secret is None:
            raise SystemExit("the client for the bench could not be registered")
        cls.token = _token(base.removesuffix("/fhir") + "/auth/token", secret[1])

    @classmethod
    def line(cls) -> str:
        """The header as a line of a request, empty without a token."""
        return f"Authorization: Bearer {cls.token}\r\n" if cls.token else ""

    @classmethod
    def request(cls, address: str) -> urllib.request.Request:
        """A GET with the header."""
        return urllib.request.Request(address, headers={"Authorization": f"Bearer {cls.token}"} if cls.token else {})


def _run(tsunagi: Path, data: Path, *words: str) -> str:
    done = subprocess.run([tsunagi, *words, "--data", data], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise SystemExit(f"tsunagi {words[0]} {words[1]}: {done.stderr.strip()}")
    return done.stdout


def _token(address: str, secret: str) -> str:
    form = urllib.parse.urlencode({"grant_type": "client_credentials", "scope": "system/*.cruds"}).encode()
    basic = base64.b64encode(f"{_CLIENT}:{secret}".encode()).decode()
    with urllib.request.urlopen(urllib.request.Request(address, form, {"Authorization": f"Basic {basic}"})) as answer:
        return str(json.load(answer)["access_token"])
