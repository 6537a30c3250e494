"""One person's account: what is stored of it."""

from datetime import datetime
from typing import Final

import msgspec

from fhir_server.store.records import Kind


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A registered WebAuthn credential: security key or passkey."""

    id: bytes
    public_key: bytes
    sign_count: int
    name: str
    added: datetime


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account of exactly one person (L01).

    `id` is the login ID. `fhir_user` is "Practitioner/1" or "Patient/1"; where a practitioner works, and as what, is told by the
    PractitionerRoles. `password` and `history` are argon2id in PHC form, `changed` the day the password was set; with `must_change`
    nothing but changing it is possible (F054). `totp` is the sealed seed of the authenticator app, `totp_last` the last of its
    codes that was accepted, `recovery` the hashes of recovery codes not used yet. With `recovered` the password was replaced by
    means of such a code, and no second one may stand in for the second factor. `language` is "ja" or "en". Wrong attempts are counted elsewhere
    (attempts.py), for IDs that exist and that do not.
    """

    id: str
    fhir_user: str
    created: datetime
    password: str | None = None
    history: tuple[str, ...] = ()
    changed: datetime | None = None
    must_change: bool = True
    totp: bytes | None = None
    totp_last: int = 0
    passkeys: tuple[Passkey, ...] = ()
    recovery: tuple[str, ...] = ()
    recovered: bool = False
    language: str = "ja"
    active: bool = True

    @property
    def has_second_factor(self) -> bool:
        """Tell whether a second factor is registered."""
        return self.totp is not None or bool(self.passkeys)


ACCOUNTS: Final = Kind("auth_account", Account, found_by=("fhir_user",), unique=("fhir_user",))
