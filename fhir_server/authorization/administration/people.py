"""People of the network and their accounts: they come, change their work, and leave (NETWORK.md F053, F085, F100, F104, L01).

A person is a Practitioner with a PractitionerRole for each work, or a Patient; an account belongs to exactly one person. First
passwords are made here, shown once, and open nothing but the page where they are changed (F054).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from msgspec.structs import replace

from fhir_server.auth.accounts.account import ACCOUNTS, Account
from fhir_server.auth.accounts.login import Accounts
from fhir_server.auth.members import NETWORK, Post, is_marked, marked, network, post_of, practitioner, practitioner_role
from fhir_server.auth.registrations import checked_user_id
from fhir_server.auth.roles import Role
from fhir_server.authorization.administration.endings import Endings
from fhir_server.authorization.administration.facilities import Facilities
from fhir_server.authorization.administration.resources import Resource, Resources
from fhir_server.outcome import FhirError, Issue, conflict, invalid
from fhir_server.store.records import Records, Shelf


@dataclass(frozen=True, slots=True)
class Work:
    """As what somebody works, and at which facility (its code); the network's own people at none."""

    role: Role
    facility: str | None = None


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody to be given an account: one who works in the network, or (`patient`, "Patient/1") a patient."""

    login: str
    name: str = ""
    kana: str | None = None
    birth: date | None = None
    works: tuple[Work, ...] = ()
    patient: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """An account, the posts of its person, and until when it is locked."""

    account: Account
    posts: tuple[Post, ...]
    locked_until: datetime | None = None


class People:
    """Adds people, changes what they do, and takes their access away."""

    def __init__(  # noqa: PLR0917
        self,
        shelf: Shelf,
        resources: Resources,
        facilities: Facilities,
        accounts: Accounts,
        endings: Endings,
        zone: tzinfo,
    ) -> None:
        self._records: Records[Account] = shelf.records(ACCOUNTS)
        self._accounts = accounts
        self._clock = shelf.clock
        self._resources = resources
        self._facilities = facilities
        self._endings = endings
        self._zone = zone

    async def exists(self, login: str) -> bool:
        """Tell whether there is an account of this ID."""
        return await self._accounts.get(login) is not None

    async def check(self, newcomer: Newcomer) -> None:
        """See that somebody can be added; raises FhirError where not."""
        login = checked_user_id(newcomer.login)
        if await self._accounts.get(login) is not None:
            raise conflict(f"A user with the ID {login} exists already", "id")
        if newcomer.patient is not None:
            await self._check_patient(newcomer.patient)
        else:
            await self._resources_of(newcomer)

    async def add(self, newcomer: Newcomer) -> tuple[Account, str]:
        """Add somebody; give the account and its first password, which nobody can be told again."""
        await self.check(newcomer)
        fhir_user = newcomer.patient
        if fhir_user is None:
            resources = await self._resources_of(newcomer)
            fhir_user = f"Practitioner/{resources[0]['id']}"
            await self._resources.put(*[await self._over_what_is_there(each) for each in resources])
        return await self.open_account(newcomer.login, fhir_user)

    async def open_account(self, login: str, fhir_user: str) -> tuple[Account, str]:
        """Give a person whose resource exists an account; give it and its first password, which nobody can be told again."""
        checked_user_id(login)
        person = await self._resources.read(fhir_user) if fhir_user.startswith(("Practitioner/", "Patient/")) else None
        if person is None:
            raise invalid("fhirUser: no such Practitioner or Patient", "fhirUser", code="not-found", status=422)
        account = await self._accounts.create(login, fhir_user)
        if fhir_user.startswith("Practitioner/") and not is_marked(person):
            await self._resources.put(marked(person, account.id))
        return account, await self._accounts.set_initial_password(account.id)

    async def find(self, login: str) -> Known:
        """Give what is known of an account; raises FhirError where there is none."""
        account = await self._account(login)
        return Known(account, tuple(await self._posts(account.fhir_user)), await self._accounts.locked_until(account.id))

    async def all(self, facility: str | None = None) -> list[Known]:
        """Give the accounts of those who work at a facility (its code), or of everybody, in the order of their IDs."""
        equal = [("organization", (await self._facilities.find(facility)).organization)] if facility is not None else []
        posts: dict[str, list[Post]] = {}
        for resource in await self._resources.search("PractitionerRole", *equal):
            if (post := post_of(resource)) is not None:
                posts.setdefault(resource.get("practitioner", {}).get("reference", ""), []).append(post)
        accounts = await self._records.find(100_000)
        return [Known(each, tuple(posts.get(each.fhir_user, ()))) for each in accounts if facility is None or each.fhir_user in posts]

    async def assign(self, login: str, work: Work) -> None:
        """Let somebody work as something more, at the same facility or another (F085)."""
        account = await self._account(login)
        if not account.fhir_user.startswith("Practitioner/"):
            raise invalid(f"User {login} is a patient: who works in the network has another ID", "id")
        post, more = await self._post(work)
        role = practitioner_role(account.id, account.fhir_user, post, self._today())
        await self._resources.put(*more, await self._over_what_is_there(role))

    async def unassign(self, login: str, work: Work) -> None:
        """End somebody's work at a facility from now on (F104); she is logged out, and in again for what is left."""
        account = await self._account(login)
        organization = NETWORK if work.facility is None else (await self._facilities.find(work.facility)).organization
        found = await self._resources.search("PractitionerRole", ("practitioner", account.fhir_user), ("organization", organization))
        ended = [self._ended(each) for each in found if post_of(each) == Post(work.role, organization)]
        if not ended:
            raise invalid(f"User {login} is no {work.role} there", "role", code="not-found", status=404)
        await self._resources.put(*ended)
        await self._endings.user(account.id)

    async def disable(self, login: str) -> int:
        """Let an account open nothing any more (F104); gives how many sessions were cut."""
        account = await self._account(login)
        sessions = len(await self._endings.open_sessions(account=account.id))
        await self._accounts.disable(account.id)
        await self._endings.user(account.id)
        return sessions

    async def enable(self, login: str) -> None:
        """Let an account be used again."""
        await self._accounts.enable((await self._account(login)).id)

    async def unlock(self, login: str) -> None:
        """End the lock that wrong attempts have brought."""
        await self._accounts.unlock((await self._account(login)).id)

    async def new_password(self, login: str) -> str:
        """Give somebody a new first password, which nobody can be told again; sessions and tokens are cut, a lock ends."""
        account = await self._account(login)
        password = await self._accounts.set_initial_password(account.id)
        await self._endings.user(account.id)
        return password

    async def reset_factors(self, login: str) -> int:
        """Forget somebody's second factors and recovery codes, because a device is lost; gives how many sessions were cut."""
        account = await self._account(login)
        await self._records.change(
            account.id, lambda found: replace(found, totp=None, totp_last=0, passkeys=(), recovery=(), recovered=False)
        )
        return await self._endings.user(account.id)

    async def _account(self, login: str) -> Account:
        account = await self._accounts.get(login)
        if account is None:
            raise FhirError(Issue("not-found", f"User {login[:64]} is not known"))
        return account

    async def _check_patient(self, reference: str) -> None:
        if not reference.startswith("Patient/") or await self._resources.read(reference) is None:
            raise invalid(f"There is no {reference[:80]}", "patient", code="not-found")
        if await self._accounts.of_person(reference) is not None:
            raise conflict(f"{reference} has an account already: one person has one (L01)", "patient")

    async def _resources_of(self, newcomer: Newcomer) -> list[Resource]:
        if not newcomer.works:
            raise invalid("Who works in the network has a role, and a facility where she works", "role", code="required")
        login = checked_user_id(newcomer.login)
        person = practitioner(login, newcomer.name, newcomer.kana, newcomer.birth)
        resources = [person]
        for work in newcomer.works:
            post, more = await self._post(work)
            resources += [*more, practitioner_role(login, f"Practitioner/{person['id']}", post, self._today())]
        return _once(resources)

    async def _post(self, work: Work) -> tuple[Post, list[Resource]]:
        """Give the post of a work, and what must be written for it to exist."""
        if work.facility is not None:
            return Post(work.role, (await self._facilities.active(work.facility)).organization), []
        if work.role not in (Role.SECRETARIAT, Role.AUDITOR):
            raise invalid(f"facility: a {work.role} works at a facility", "facility", code="required")
        return Post(work.role, NETWORK), [] if await self._resources.read(NETWORK) is not None else [network()]

    async def _posts(self, fhir_user: str) -> Iterable[Post]:
        if not fhir_user.startswith("Practitioner/"):
            return []
        found = await self._resources.search("PractitionerRole", ("practitioner", fhir_user))
        return [post for each in found if (post := post_of(each)) is not None]

    async def _over_what_is_there(self, resource: Resource) -> Resource:
        """Give the resource as the next version of the one stored, so that a change by somebody else meanwhile is noticed."""
        stored = await self._resources.read(f"{resource['resourceType']}/{resource['id']}")
        if stored is None:
            return resource
        return {**resource, "meta": {**resource.get("meta", {}), "versionId": stored["meta"]["versionId"]}}

    def _ended(self, role: Resource) -> Resource:
        return {**role, "active": False, "period": {**role.get("period", {}), "end": self._today().isoformat()}}

    def _today(self) -> date:
        return self._clock().astimezone(self._zone).date()


def _once(resources: list[Resource]) -> list[Resource]:
    return list({f"{each['resourceType']}/{each['id']}": each for each in resources}.values())
