"""Accounts: who may log in, with which password; and what an administrator does to them."""

import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from fhir_server.auth.accounts.account import Account
from fhir_server.auth.accounts.attempts import Attempts, Secret
from fhir_server.auth.accounts.guessable import Personal
from fhir_server.auth.accounts.passwords import Passwords
from fhir_server.auth.accounts.policy import REUSED, Policy
from fhir_server.auth.accounts.recovery import hashed, new_codes, remaining
from fhir_server.auth.accounts.refusals import LoginFailed, PasswordRefused
from fhir_server.auth.accounts.session import Session
from fhir_server.auth.accounts.sessions import Sessions
from fhir_server.auth.throttle import Throttle
from fhir_server.outcome import FhirError, Issue, conflict, invalid
from fhir_server.store.records import Records, now

_LOGIN = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])?")
_PERSON = re.compile(r"(?:Practitioner|Patient)/[A-Za-z0-9.\-]{1,64}")
_INITIAL: Final = 16
_LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = "23456789"
_SYMBOLS = "#%+=?*"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many logins one address may try in a minute (a hospital may be one address), and how long an initial password is good."""

    a_minute: int = 100
    initial: timedelta = timedelta(days=30)


class Accounts:
    """The accounts. Whatever ends an account's trust ends its sessions too; its tokens are cut by who calls this."""

    def __init__(
        self,
        records: Records[Account],
        *,
        passwords: Passwords,
        policy: Policy,
        attempts: Attempts,
        sessions: Sessions,
        throttle: Throttle,
        clock: Callable[[], datetime] = now,
        limits: Limits | None = None,
    ) -> None:
        self.policy = policy
        self._records = records
        self._passwords = passwords
        self._attempts = attempts
        self._sessions = sessions
        self._throttle = throttle
        self._clock = clock
        self._limits = limits or Limits()

    async def verify(self, login: str, password: str, source: str | None = None) -> Account:
        """Give the account whose ID and password these are; `source` is the address they come from.

        Raises LoginFailed: the same one, after the same time, whether the ID is unknown, disabled or locked, or the password wrong.
        """
        if source is not None:
            await self._throttle.allow("login", source, self._limits.a_minute, 60)
        login = _normal(login)
        accepted = await self._attempts.begin("password", login)
        account = await self._known(login)
        right = await self._passwords.verify(password, account.password if account else None)
        if not right or not accepted or account is None or not self._may_log_in(account):
            raise await self._attempts.fail("password", login)
        await self._attempts.clear(login, "password")
        return await self._rehashed(account, password)

    async def get(self, account_id: str) -> Account | None:
        """Give the account, None where there is none."""
        return await self._known(_normal(account_id))

    async def of_person(self, fhir_user: str) -> Account | None:
        """Give the account of "Practitioner/1" or "Patient/1": there is one at most (L01)."""
        return next(iter(await self._records.find(1, fhir_user=fhir_user)), None)

    async def change_password(self, account_id: str, old: str, new: str, personal: Personal, keep: Session | None = None) -> Account:
        """Replace the password by one of the person's own choice; her sessions end, except the one to `keep`.

        Raises LoginFailed where the old one is wrong, PasswordRefused where the new one is not allowed.
        """
        account = await self.verify(account_id, old)
        changed = await self._set(account, new, personal, lambda each: each)
        await self._sessions.close_all(account=account.id, but=keep)
        return changed

    async def recover(self, login: str, code: str, new: str, personal: Personal, source: str | None = None) -> Account:
        """Replace a forgotten password by means of a recovery code, which is used up (F055). Raises LoginFailed, PasswordRefused.

        The second factor, where there is one, is asked for as ever.
        """
        account = await self.of_recovery_code(login, code, source)

        def used(each: Account) -> Account | None:
            rest = remaining(each.recovery, each.id, code)
            return replace(each, recovery=rest, recovered=True) if rest is not None else None

        changed = await self._set(account, new, personal, used)
        await self._attempts.clear(account.id, "password")
        await self._sessions.close_all(account=account.id)
        return changed

    async def of_recovery_code(self, login: str, code: str, source: str | None = None) -> Account:
        """Give the account that an unused recovery code belongs to, without using it up. Raises LoginFailed.

        For who must know whom a new password is for, before `recover` judges it.
        """
        if source is not None:
            await self._throttle.allow("login", source, self._limits.a_minute, 60)
        login = _normal(login)
        accepted = await self._attempts.begin("recovery", login)
        account = await self._known(login)
        fits = remaining(account.recovery if account else (hashed(login, ""),), login, code) is not None
        if not accepted or account is None or not account.active or not fits:
            raise await self._attempts.fail("recovery", login)
        await self._attempts.clear(login, "recovery")
        return account

    async def new_recovery_codes(self, account_id: str) -> tuple[str, ...]:
        """Make ten recovery codes, to be shown this once; those made before are void."""
        codes = new_codes()
        await self._change(account_id, lambda each: replace(each, recovery=tuple(hashed(each.id, code) for code in codes)))
        return codes

    async def create(self, login: str, fhir_user: str, language: str = "ja") -> Account:
        """Make an account without a password for a person who has none: nobody has two, no two have one (L01)."""
        login = _normal(login)
        if not _LOGIN.fullmatch(login):
            raise invalid("A login ID has up to 64 letters a-z, digits and any of . _ @ + - between them", code="value")
        if not _PERSON.fullmatch(fhir_user):
            raise invalid("An account belongs to one person: a Practitioner/id or a Patient/id", code="value")
        if language not in ("ja", "en"):
            raise invalid("The language of an account is ja or en", code="value")
        if await self.of_person(fhir_user) is not None:
            raise conflict("This person has an account already")
        account = Account(id=login, fhir_user=fhir_user, created=self._clock(), language=language)
        if not await self._records.add(account):
            raise conflict("This login ID is taken, or this person has an account already")
        return account

    async def set_initial_password(self, account_id: str) -> str:
        """Give a random password that opens nothing but the page where it is changed; all earlier ones and locks are void."""
        password = _random_password()
        stored = await self._passwords.hash(password)
        moment = self._clock()
        await self._change(
            account_id, lambda each: replace(each, password=stored, history=self._history(each), changed=moment, must_change=True)
        )
        await self.unlock(account_id)
        await self._sessions.close_all(account=_normal(account_id))
        return password

    async def disable(self, account_id: str) -> Account:
        """Let nobody log in by this account from now on, and end its sessions (F104)."""
        account = await self._change(account_id, lambda each: replace(each, active=False))
        await self._sessions.close_all(account=account.id)
        return account

    async def enable(self, account_id: str) -> Account:
        """Allow a disabled account again."""
        return await self._change(account_id, lambda each: replace(each, active=True))

    async def unlock(self, account_id: str) -> None:
        """Forget the wrong attempts of an account, before its lock ends by itself."""
        await self._attempts.clear(_normal(account_id))

    async def locked_until(self, account_id: str, what: Secret = "password") -> datetime | None:
        """Tell an administrator until when an account is locked, None where it is not."""
        return await self._attempts.locked_until(_normal(account_id), what)

    async def _known(self, login: str) -> Account | None:
        return await self._records.get(login) if _LOGIN.fullmatch(login) else None

    def _may_log_in(self, account: Account) -> bool:
        stale = account.must_change and account.changed is not None and self._clock() - account.changed >= self._limits.initial
        return account.active and not stale

    async def _rehashed(self, account: Account, password: str) -> Account:
        """Store a password at today's cost, unless it was changed meanwhile."""
        if account.password is None or not self._passwords.is_outdated(account.password):
            return account
        stored = await self._passwords.hash(password)
        changed = await self._records.change(
            account.id, lambda each: replace(each, password=stored) if each.password == account.password else None
        )
        return changed or account

    async def _set(self, account: Account, new: str, personal: Personal, besides: Callable[[Account], Account | None]) -> Account:
        """Set a password that its owner has chosen, unless another was set meanwhile."""
        refusals = await self.policy.refusals(new, account.id, personal)
        if refusals:
            raise PasswordRefused(*refusals)
        if await self._was_used(account, new):
            raise PasswordRefused(REUSED)
        stored, moment = await self._passwords.hash(new), self._clock()

        def changed(each: Account) -> Account | None:
            if not each.active or each.password != account.password:
                return None
            own = replace(each, password=stored, history=self._history(each), changed=moment, must_change=False)
            return besides(own)

        done = await self._records.change(account.id, changed)
        if done is None:
            raise LoginFailed
        return done

    async def _was_used(self, account: Account, new: str) -> bool:
        used = (account.password, *account.history[-self.policy.history :]) if self.policy.history else (account.password,)
        return any([await self._passwords.verify(new, each) for each in used if each])

    def _history(self, account: Account) -> tuple[str, ...]:
        """Give the passwords to be remembered once the present one is replaced."""
        passwords = (*account.history, account.password) if account.password else account.history
        return passwords[-self.policy.history :] if self.policy.history else ()

    async def _change(self, account_id: str, change: Callable[[Account], Account]) -> Account:
        changed = await self._records.change(_normal(account_id), change)
        if changed is None:
            raise FhirError(Issue("not-found", "There is no such account"))
        return changed


def _normal(login: str) -> str:
    """Write an ID the one way it is stored, whatever keyboard it was typed on."""
    return unicodedata.normalize("NFKC", login).strip().casefold() if len(login) <= 256 else ""


def _random_password() -> str:
    alphabet = _LETTERS + _DIGITS + _SYMBOLS
    while True:
        rest = "".join(secrets.choice(alphabet) for _ in range(_INITIAL - 1))
        password = secrets.choice(_LETTERS) + rest  # with = or + first, a spreadsheet would take it for a formula
        if all(any(letter in kind for letter in password) for kind in (_LETTERS, _DIGITS, _SYMBOLS)):
            return password
