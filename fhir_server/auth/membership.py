"""What changes in the directory ends what was granted on the strength of it (F104, D11, D12).

Who leaves, loses a role or whose facility leaves is cut off at once, whoever wrote the change and by whichever way: the store
tells of every write. At the next login, or refresh of a token, the directory is asked anew.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from fhir_server.auth.accounts.account import ACCOUNTS, Account
from fhir_server.auth.cuts import Cuts
from fhir_server.auth.roles import FACILITY_ROLE_SYSTEM
from fhir_server.exchange import Resource, Version
from fhir_server.outcome import FhirError
from fhir_server.store.records import Records, Shelf
from fhir_server.store.repository import Repository
from profiles import json

_WATCHED: Final = frozenset({"Organization", "Practitioner", "PractitionerRole"})
_CHANGES: Final = frozenset({"updated", "deleted"})
"""What is new grants more, never less."""


class Membership:
    """Cuts those whom a change of the directory concerns; `repository` sees everything."""

    def __init__(self, repository: Repository, shelf: Shelf, cuts: Cuts) -> None:
        self._repository = repository
        self._accounts: Records[Account] = shelf.records(ACCOUNTS)
        self._cuts = cuts

    async def noticed(self, versions: Sequence[Version]) -> None:
        """Learn what a commit has done."""
        for version in versions:
            if version.type in _WATCHED and version.change in _CHANGES:
                await self._concerned(version)

    async def _concerned(self, version: Version) -> None:
        bodies = [body async for body in self._now_and_before(version)]
        if version.type == "Organization":
            if any(_is_member(body) for body in bodies):
                await self._cuts.cut("facility", version.reference)
            return
        references = (
            [version.reference]
            if version.type == "Practitioner"
            else [(body.get("practitioner") or {}).get("reference") for body in bodies]
        )
        await self._cut_people(reference for reference in references if isinstance(reference, str))

    async def _cut_people(self, references: Iterable[str]) -> None:
        for reference in dict.fromkeys(references):
            for account in await self._accounts.find(fhir_user=reference):
                await self._cuts.cut("user", account.id)

    async def _now_and_before(self, version: Version) -> AsyncIterator[Resource]:
        """What the resource says now, and what it said before: a role may have been taken from one and given to another."""
        if version.body is not None:
            yield json.decode(version.body)
        if version.version > 1:
            try:
                before = await self._repository.get_version(version.type, version.id, str(version.version - 1))
            except FhirError:
                return  # the version before was a deletion
            if before.body is not None:
                yield json.decode(before.body)


def _is_member(organization: Resource) -> bool:
    codings = [coding for concept in organization.get("type", ()) for coding in concept.get("coding", ())]
    return any(coding.get("system") == FACILITY_ROLE_SYSTEM for coding in codings)
