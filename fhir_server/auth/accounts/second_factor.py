"""The second factor of an authenticator app: codes of six digits, new every 30 seconds (TOTP).

https://www.rfc-editor.org/rfc/rfc6238 (SHA-1, 6 digits, 30 s: what the apps of every maker do)
The seed is stored sealed. A code is accepted one step early or late, and each only once (section 5.2).
"""

import base64
import hmac
import os
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from msgspec.structs import replace

from fhir_server.auth.accounts.account import Account
from fhir_server.auth.accounts.attempts import Attempts
from fhir_server.auth.accounts.ceremonies import Ceremonies
from fhir_server.auth.accounts.recovery import remaining
from fhir_server.auth.accounts.session import Session
from fhir_server.store.records import Records, now

STEP: Final = 30
_DIGITS = 6
_SEED = 20
_CODE = re.compile(r"[0-9]{6}")


class Sealer(Protocol):
    """Keeps a secret so that it can be read again, for one purpose only."""

    def seal(self, secret: bytes, context: bytes, /) -> bytes:
        """Seal it."""

    def open(self, sealed: bytes, context: bytes, /) -> bytes:
        """Give it again."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A seed to be put into an authenticator app: as a QR code (SVG for HTML), as a link, as letters to be typed."""

    uri: str
    letters: str
    svg: str


class SecondFactor:
    """Registers authenticator apps and checks their codes, and the recovery codes that may stand in for a second factor."""

    def __init__(
        self,
        accounts: Records[Account],
        ceremonies: Ceremonies,
        attempts: Attempts,
        sealer: Sealer,
        *,
        issuer: str = "Tsunagi",
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._accounts = accounts
        self._ceremonies = ceremonies
        self._attempts = attempts
        self._sealer = sealer
        self._issuer = issuer
        self._clock = clock

    async def offer(self, session: Session) -> Offer:
        """Make a seed for the person of this session, or give the one made a moment ago: the page may be loaded twice."""
        account = session.account
        sealed = await self._ceremonies.look("totp", session.id, account)
        if sealed is None:
            sealed = self._sealer.seal(os.urandom(_SEED), _context(account))
            await self._ceremonies.begin("totp", session.id, account, sealed)
        seed = self._sealer.open(sealed, _context(account))
        uri = _totp(seed).get_provisioning_uri(account, self._issuer)
        return Offer(uri, base64.b32encode(seed).decode(), segno.make(uri, error="m").svg_inline(scale=5))

    async def register(self, session: Session, code: str) -> Account:
        """Register the app that shows this code for the seed offered. Raises LoginFailed where it is not the code.

        In the place of a second factor that there is, only in a session that has proved it.
        """
        sealed = await self._ceremonies.look("totp", session.id, session.account)
        if sealed is None or not await self._attempts.begin("second-factor", session.account):
            raise await self._attempts.fail("second-factor", session.account)
        step = self._step(self._sealer.open(sealed, _context(session.account)), code)
        if step is None:
            raise await self._attempts.fail("second-factor", session.account)

        def registered(each: Account) -> Account | None:
            allowed = each.active and (session.is_two_factor or not each.has_second_factor)
            return replace(each, totp=sealed, totp_last=step, recovered=False) if allowed else None

        account = await self._accept(session.account, registered)
        await self._ceremonies.take("totp", session.id, session.account)  # the next app gets another seed
        return account

    async def check(self, account_id: str, code: str) -> Account:
        """Accept a code of the account's app, once. Raises LoginFailed."""
        account = await self._accounts.get(account_id)
        if not await self._attempts.begin("second-factor", account_id) or account is None or account.totp is None or not account.active:
            raise await self._attempts.fail("second-factor", account_id)
        step = self._step(self._sealer.open(account.totp, _context(account_id)), code)
        if step is None:
            raise await self._attempts.fail("second-factor", account_id)

        def later(each: Account) -> Account | None:
            fresh = each.totp == account.totp and each.totp_last < step
            return replace(each, totp_last=step, recovered=False) if fresh else None

        return await self._accept(account_id, later)

    async def check_recovery_code(self, account_id: str, code: str) -> Account:
        """Accept a recovery code in place of the second factor, once. Raises LoginFailed.

        Not where such a code has replaced the password as well: a list of codes alone would open the account.
        """
        if not await self._attempts.begin("second-factor", account_id):
            raise await self._attempts.fail("second-factor", account_id)

        def used(each: Account) -> Account | None:
            rest = remaining(each.recovery, account_id, code)
            return replace(each, recovery=rest) if rest is not None and each.active and not each.recovered else None

        return await self._accept(account_id, used)

    async def remove(self, account_id: str) -> Account | None:
        """Forget the app and the keys of an account whose owner has lost them: an administrator's act, after seeing her."""
        return await self._accounts.change(account_id, lambda each: replace(each, totp=None, totp_last=0, passkeys=()))

    async def _accept(self, account_id: str, change: Callable[[Account], Account | None]) -> Account:
        account = await self._accounts.change(account_id, change)
        if account is None:
            raise await self._attempts.fail("second-factor", account_id)
        await self._attempts.clear(account_id, "second-factor")
        return account

    def _step(self, seed: bytes, code: str) -> int | None:
        """Give the step of time whose code this is."""
        typed = re.sub(r"\s", "", unicodedata.normalize("NFKC", code[:20]))
        if not _CODE.fullmatch(typed):
            return None
        present = int(self._clock().timestamp()) // STEP
        steps = (present - 1, present, present + 1)
        return next((step for step in steps if hmac.compare_digest(_totp(seed).generate(step * STEP), typed.encode())), None)


def _totp(seed: bytes) -> TOTP:
    return TOTP(seed, _DIGITS, SHA1(), STEP)  # noqa: S303 - HMAC-SHA-1, which RFC 6238 asks for


def _context(account: str) -> bytes:
    return b"totp\0" + account.encode()
