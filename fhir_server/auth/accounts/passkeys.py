"""Security keys and passkeys as second factor (WebAuthn), checked by the library `webauthn`.

https://www.w3.org/TR/webauthn-2/#sctn-registering-a-new-credential
https://www.w3.org/TR/webauthn-2/#sctn-verifying-assertion
"""

import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from msgspec.structs import replace
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from fhir_server.auth.accounts.account import Account, Passkey
from fhir_server.auth.accounts.attempts import Attempts
from fhir_server.auth.accounts.ceremonies import Ceremonies
from fhir_server.auth.accounts.refusals import LoginFailed
from fhir_server.auth.accounts.session import Session
from fhir_server.store.records import Records, now

MOST: Final = 10
"""Keys of one account."""
_CHALLENGE = 32
_LONGEST = 65536
_NAME = 60
_WAIT = 120_000

T = TypeVar("T")


class Passkeys:
    """Registers keys and lets them log in.

    `rp_id` is the host's name, `origins` where the pages are ("https://fhir.example.jp"); `secret` hides the login ID from the
    keys, which get a hash of it.
    """

    def __init__(
        self,
        accounts: Records[Account],
        ceremonies: Ceremonies,
        attempts: Attempts,
        *,
        rp_id: str,
        origins: Sequence[str],
        rp_name: str = "Tsunagi",
        secret: bytes = b"",
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._accounts = accounts
        self._ceremonies = ceremonies
        self._attempts = attempts
        self._rp_id = rp_id
        self._rp_name = rp_name
        self._origins = list(origins)
        self._secret = secret
        self._clock = clock

    async def registration_options(self, session: Session) -> str:
        """Give what navigator.credentials.create() is to be called with, as JSON."""
        account = await self._account(session)
        challenge = os.urandom(_CHALLENGE)
        await self._ceremonies.begin("passkey-registration", session.id, account.id, challenge)
        options = generate_registration_options(
            rp_id=self._rp_id,
            rp_name=self._rp_name,
            user_name=account.id,
            user_id=hmac.digest(self._secret, b"webauthn user\0" + account.id.encode(), hashlib.sha256),
            challenge=challenge,
            timeout=_WAIT,
            exclude_credentials=_descriptors(account),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=UserVerificationRequirement.PREFERRED
            ),
        )
        return options_to_json(options)

    async def register(self, session: Session, credential: str, name: str = "") -> Account:
        """Register the key whose answer this JSON is, by a name its owner gives it. Raises LoginFailed.

        Beside a second factor that there is, only in a session that has proved it.
        """
        challenge = await self._ceremonies.take("passkey-registration", session.id, session.account)
        if challenge is None:
            raise LoginFailed
        verified = _checked(
            lambda: verify_registration_response(
                credential=_short(credential),
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origins,
            )
        )
        key = Passkey(
            id=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            name=name.strip()[:_NAME] or "Passkey",
            added=self._clock(),
        )
        return await self._add(session, key)

    async def login_options(self, session: Session) -> str:
        """Give what navigator.credentials.get() is to be called with, as JSON."""
        account = await self._account(session)
        challenge = os.urandom(_CHALLENGE)
        await self._ceremonies.begin("passkey-login", session.id, account.id, challenge)
        options = generate_authentication_options(
            rp_id=self._rp_id,
            challenge=challenge,
            timeout=_WAIT,
            allow_credentials=_descriptors(account),
            user_verification=UserVerificationRequirement.PREFERRED,
        )
        return options_to_json(options)

    async def check(self, session: Session, credential: str) -> Account:
        """Accept the answer of a registered key to the challenge of this session, once. Raises LoginFailed."""
        account_id = session.account
        challenge = await self._ceremonies.take("passkey-login", session.id, account_id)
        account = await self._accounts.get(account_id)
        if challenge is None or account is None or not account.active:
            raise LoginFailed
        if not await self._attempts.begin("second-factor", account_id):
            raise await self._attempts.fail("second-factor", account_id)
        try:
            id, count = self._verified(account, challenge, credential)
        except LoginFailed:
            raise await self._attempts.fail("second-factor", account_id) from None
        changed = await self._accounts.change(account_id, lambda each: _counted(each, id, count))
        if changed is None:
            raise LoginFailed
        await self._attempts.clear(account_id, "second-factor")
        return changed

    async def remove(self, account_id: str, key: bytes) -> Account | None:
        """Forget a key."""
        return await self._accounts.change(
            account_id, lambda each: replace(each, passkeys=tuple(other for other in each.passkeys if other.id != key))
        )

    def _verified(self, account: Account, challenge: bytes, credential: str) -> tuple[bytes, int]:
        answer = _checked(lambda: parse_authentication_credential_json(_short(credential)))
        key = next((each for each in account.passkeys if each.id == answer.raw_id), None)
        if key is None:
            raise LoginFailed
        verified = _checked(
            lambda: verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origins,
                credential_public_key=key.public_key,
                credential_current_sign_count=key.sign_count,
            )
        )
        return key.id, verified.new_sign_count

    async def _add(self, session: Session, key: Passkey) -> Account:
        if await self._accounts.find(1, **{"passkeys.id": key.id}):
            raise LoginFailed  # a key that is somebody's already, whosever

        def added(each: Account) -> Account | None:
            allowed = each.active and (session.is_two_factor or not each.has_second_factor)
            if len(each.passkeys) >= MOST or not allowed:
                return None
            return replace(each, passkeys=(*each.passkeys, key), recovered=False)

        changed = await self._accounts.change(session.account, added)
        if changed is None:
            raise LoginFailed
        return changed

    async def _account(self, session: Session) -> Account:
        account = await self._accounts.get(session.account)
        if account is None or not account.active:
            raise LoginFailed
        return account


def _counted(account: Account, id: bytes, count: int) -> Account | None:
    """Note how often a key has signed; None where a copy of it has signed as often meanwhile."""
    key = next((each for each in account.passkeys if each.id == id), None)
    if key is None or not account.active or (count <= key.sign_count and (count or key.sign_count)):
        return None
    keys = tuple(replace(each, sign_count=count) if each.id == id else each for each in account.passkeys)
    return replace(account, passkeys=keys, recovered=False)


def _descriptors(account: Account) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=each.id) for each in account.passkeys]


def _short(credential: str) -> str:
    if len(credential) > _LONGEST:
        raise LoginFailed
    return credential


def _checked(verify: Callable[[], T]) -> T:
    try:
        return verify()
    except Exception:  # noqa: BLE001 - whatever strange JSON, CBOR or keys provoke in the libraries, nobody is let in
        raise LoginFailed from None
