"""Everything about people's accounts, put together: one `People` is what the login pages and the commands work with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fhir_server.auth.accounts.account import ACCOUNTS
from fhir_server.auth.accounts.attempts import TRIES, Attempts, Lockout
from fhir_server.auth.accounts.ceremonies import CEREMONIES, Ceremonies
from fhir_server.auth.accounts.login import Accounts
from fhir_server.auth.accounts.passkeys import Passkeys
from fhir_server.auth.accounts.passwords import Passwords
from fhir_server.auth.accounts.policy import Policy
from fhir_server.auth.accounts.second_factor import Sealer, SecondFactor
from fhir_server.auth.accounts.session import SESSIONS
from fhir_server.auth.accounts.sessions import Sessions
from fhir_server.auth.throttle import WINDOWS, Throttle
from fhir_server.store.records import Shelf, now

KINDS: Final = (ACCOUNTS, SESSIONS, TRIES, CEREMONIES, WINDOWS)
"""For Shelf.ensure."""


@dataclass(frozen=True, slots=True)
class Host:
    """Where the login pages are: the host's name, the origins of their URLs, the name that apps and keys show people."""

    rp_id: str = "localhost"
    origins: Sequence[str] = ("http://localhost:8000",)
    name: str = "Tsunagi"


@dataclass(frozen=True, slots=True)
class People:
    """Accounts, their sessions and second factors, and the limits of how often anything is tried."""

    accounts: Accounts
    sessions: Sessions
    second_factor: SecondFactor
    passkeys: Passkeys
    passwords: Passwords
    throttle: Throttle


def open_people(
    shelf: Shelf,
    policy: Policy,
    sealer: Sealer,
    secret: bytes,
    *,
    host: Host | None = None,
    passwords: Passwords | None = None,
    lockout: Lockout | None = None,
    idle: timedelta = timedelta(minutes=5),
    longest: timedelta = timedelta(hours=12),
    clock: Callable[[], datetime] = now,
) -> People:
    """Put everything together; with the `secret` addresses and IDs are hashed wherever they are counted."""
    place, hashing = host or Host(), passwords or Passwords()
    records = shelf.records(ACCOUNTS)
    attempts = Attempts(shelf.records(TRIES), lockout, clock, secret)
    ceremonies = Ceremonies(shelf.records(CEREMONIES), clock)
    sessions = Sessions(shelf.records(SESSIONS), policy, clock=clock, idle=idle, longest=longest)
    throttle = Throttle(shelf.records(WINDOWS), clock, secret)
    accounts = Accounts(
        records,
        passwords=hashing,
        policy=policy,
        attempts=attempts,
        sessions=sessions,
        throttle=throttle,
        clock=clock,
    )
    second_factor = SecondFactor(records, ceremonies, attempts, sealer, issuer=place.name, clock=clock)
    passkeys = Passkeys(
        records, ceremonies, attempts, rp_id=place.rp_id, origins=place.origins, rp_name=place.name, secret=secret, clock=clock
    )
    return People(accounts, sessions, second_factor, passkeys, hashing, throttle)
