"""What was erased does not come back by the next upload (D8, F080)."""

from collections.abc import Sequence

from fhir_server.network.erasure.records import is_erased
from fhir_server.outcome import FhirError, Issue
from fhir_server.store.records import Shelf
from fhir_server.store.writing import Delete, Write


class ErasureGuard:
    """Refuses to store a Patient whose data were erased on her request."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def check(self, writes: Sequence[Write]) -> None:
        """Raise FhirError (422) where one of the writes is of an erased Patient."""
        patients = [write.key for write in writes if write.key.startswith("Patient/") and not isinstance(write, Delete)]
        if patients and await is_erased(self._shelf, patients):
            text = "The data of this patient were erased on request and are not taken again / 削除の申し出により登録できません"
            raise FhirError(Issue("business-rule", text, ("Patient",)))
