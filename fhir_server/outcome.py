"""Failures as FHIR issues, and the only table of HTTP statuses.

https://hl7.org/fhir/R4/operationoutcome.html
https://hl7.org/fhir/R4/valueset-issue-type.html
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

STATUS = {
    "invalid": 400,
    "structure": 400,
    "required": 400,
    "value": 400,
    "not-supported": 400,
    "too-long": 413,
    "too-costly": 400,
    "security": 403,
    "forbidden": 403,
    "login": 401,
    "processing": 422,
    "business-rule": 422,
    "invariant": 422,
    "code-invalid": 422,
    "not-found": 404,
    "deleted": 410,
    "conflict": 409,
    "duplicate": 409,
    "multiple-matches": 412,
    "exception": 500,
    "transient": 503,
    "timeout": 503,
    "throttled": 429,
}

_NO_NAME = re.compile(r"[0-9]{4,}|[^A-Za-z0-9_.:$*|-]")


@dataclass(frozen=True, slots=True)
class Issue:
    """One OperationOutcome.issue.

    `code` is a code of the value set issue-type; `expression` holds FHIRPaths into what was sent. `diagnostics` is
    read by the sender and by logs' readers: it never repeats values of patient data.
    """

    code: str
    diagnostics: str
    expression: tuple[str, ...] = ()
    severity: str = "error"

    def as_resource(self) -> dict[str, object]:
        """Give the issue as an element of OperationOutcome."""
        element: dict[str, object] = {"severity": self.severity, "code": self.code, "diagnostics": self.diagnostics}
        if self.expression:
            element["expression"] = list(self.expression)
        return element


class FhirError(Exception):
    """An interaction failed; the issues say why, the first one decides the HTTP status unless `status` is given.

    `position` tells which of several writes it was, where one of them failed.
    """

    def __init__(self, *issues: Issue, status: int | None = None, headers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__("; ".join(issue.diagnostics for issue in issues))
        self.issues = issues
        self.status = status if status is not None else STATUS.get(issues[0].code, 400)
        self.headers = tuple(headers)
        self.position: int | None = None


def name_shown(name: str, most: int = 64) -> str:
    """Give what was sent in the place of a name, as far as a text may repeat it.

    No name in FHIR has other characters than these, or a long number: somebody may have put a person's there (S34).
    """
    return _NO_NAME.sub("\N{REPLACEMENT CHARACTER}", name[:most])


def operation_outcome(issues: Sequence[Issue]) -> dict[str, object]:
    """Give the issues as an OperationOutcome resource."""
    return {"resourceType": "OperationOutcome", "issue": [issue.as_resource() for issue in issues]}


def invalid(diagnostics: str, *expression: str, code: str = "invalid", status: int | None = None) -> FhirError:
    """What was sent cannot be understood: 400 unless `status` says otherwise."""
    return FhirError(Issue(code, diagnostics, expression), status=status)


def not_found(type: str, id: str) -> FhirError:  # noqa: ARG001 - never told: some give a patient's number as the id (S34)
    """No such resource, or none that this requester may know of: both look the same (404)."""
    return FhirError(Issue("not-found", f"No {type} of this id is known here", (type,)))


def deleted(type: str, id: str) -> FhirError:  # noqa: ARG001 - as above
    """The resource was deleted (410)."""
    return FhirError(Issue("deleted", f"The {type} of this id has been deleted", (type,)))


def conflict(diagnostics: str, *expression: str, status: int = 409) -> FhirError:
    """The state of the server does not allow it: 409, or 412 for a failed precondition."""
    return FhirError(Issue("conflict", diagnostics, expression), status=status)
