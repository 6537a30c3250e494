"""Passwords as they are stored: argon2id in PHC form, from which nobody can tell them (F056, L04).

https://www.rfc-editor.org/rfc/rfc9106#section-4 (the second recommended option, in one lane)
https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver (NFKC: full-width letters are those of any other keyboard)

One lane only: OpenSSL computes several in threads of its own, and two such computations at once wait for each other for ever.
"""

import asyncio
import base64
import os
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from fhir_server.auth.throttle import TooMany

LONGEST: Final = 128
_SALT = 16
_KEY = 32
_PARAMETERS = re.compile(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cost:
    """What hashing a password costs: KiB of memory, rounds over it; of lanes there is one."""

    memory: int = 65536
    rounds: int = 3
    lanes: int = 1

    def __post_init__(self) -> None:
        if self.lanes != 1:
            raise ValueError("passwords are hashed in one lane: several could stop the server")


def normal(password: str) -> str:
    """Write a password the one way that is hashed, whatever keyboard it was typed on."""
    return unicodedata.normalize("NFKC", password) if len(password) <= LONGEST * 4 else password


class Passwords:
    """Hashes and verifies, in threads of its own: never more than `at_once`, of which each takes the memory of `cost`.

    More than `waiting` in line are told to come back (TooMany), so that a flood of logins cannot exhaust the server.
    """

    def __init__(self, cost: Cost | None = None, at_once: int = 2, waiting: int = 100) -> None:
        self._cost = cost or Cost()
        self._waiting = waiting
        self._present = 0
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="passwords")
        self._nobody = self._of_nobody()

    async def hash(self, password: str) -> str:
        """Give what is stored of a password."""
        return await self._aside(lambda: self._kdf().derive_phc_encoded(_bytes(password)))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Tell whether it is the password; against None, which no password is, it takes as long (L04)."""
        return await self._aside(lambda: _matches(password, stored or self._nobody)) and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Tell whether a password was hashed at a lower cost than is asked for today."""
        found = _PARAMETERS.match(stored)
        if found is None:
            return True
        memory, rounds = (int(each) for each in found.groups())
        return memory * rounds < self._cost.memory * self._cost.rounds

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()

    async def _aside(self, work: Callable[[], T]) -> T:
        if self._present >= self._waiting:
            raise TooMany(5)
        self._present += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._present -= 1

    def _kdf(self) -> Argon2id:
        cost = self._cost
        return Argon2id(salt=os.urandom(_SALT), length=_KEY, iterations=cost.rounds, lanes=1, memory_cost=cost.memory)

    def _of_nobody(self) -> str:
        salt, key = (base64.b64encode(os.urandom(size)).decode().rstrip("=") for size in (_SALT, _KEY))
        return f"$argon2id$v=19$m={self._cost.memory},t={self._cost.rounds},p=1${salt}${key}"


def _matches(password: str, stored: str) -> bool:
    if not _PARAMETERS.match(stored):
        return False
    try:
        Argon2id.verify_phc_encoded(_bytes(password), stored)
    except InvalidKey:
        return False
    return True


def _bytes(password: str) -> bytes:
    return normal(password).encode("utf-8", "surrogatepass")  # half a character is no password, and no failure of the server
