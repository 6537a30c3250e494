"""What the driver's errors mean to the one who asked.

https://www.mongodb.com/docs/manual/reference/error-codes/
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import (
    ConnectionFailure,
    DocumentTooLarge,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
    WTimeoutError,
)

from fhir_server.outcome import FhirError, Issue

_TOO_LARGE = {10334, 17419, 17420}  # BSONObjectTooLarge, and what an update says of it
_BAD_VALUE = 2
_PASSING = {91, 112, 189, 11600, 11602, 10107, 13435, 13436}  # shutting down, write conflict, stepping down, not primary


@contextmanager
def told() -> Iterator[None]:
    """Turn the driver's errors into FhirErrors; what is a defect of ours stays what it is."""
    try:
        yield
    except PyMongoError as problem:
        failure = failure_of(problem)
        if failure is None:
            raise
        raise failure from problem


def failure_of(problem: PyMongoError) -> FhirError | None:
    """Give the failure that this error of the driver is, None where it is a defect."""
    if isinstance(problem, ExecutionTimeout):
        return FhirError(Issue("timeout", "The database was not done in the time of one query (setting query_time); ask for less"))
    code = problem.code if isinstance(problem, OperationFailure) else None
    if code == _BAD_VALUE and "hint" in str(problem):
        return FhirError(
            Issue("transient", "An index that this search needs is being built; try again later"), headers=(("Retry-After", "60"),)
        )
    if isinstance(problem, DocumentTooLarge) or code in _TOO_LARGE:
        return too_long()
    lasting = isinstance(problem, ConnectionFailure | WTimeoutError | WriteConcernError) or code in _PASSING
    if lasting or problem.has_error_label("TransientTransactionError") or problem.has_error_label("RetryableWriteError"):
        return FhirError(Issue("transient", "The database is not reachable now; try again"), headers=(("Retry-After", "2"),))
    return None


def too_long() -> FhirError:
    """The resource and what it is found by are more than MongoDB stores in one document (16 MB)."""
    diagnostics = (
        "The resource is larger than can be stored (16 MB with what it is searched by); "
        "send what it has attached as a Binary, and refer to that by the attachment's url"
    )
    return FhirError(Issue("too-long", diagnostics))
