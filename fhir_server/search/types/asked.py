"""What a type module needs to know of the search around a value, and how it refuses one."""

from dataclasses import dataclass
from datetime import tzinfo

from fhir_server.outcome import name_shown


@dataclass(frozen=True, slots=True)
class Asked:
    """The circumstances of a search.

    `zone` is meant by dates that name none, `now` is milliseconds since 1970 (only `ap` on dates uses it), `base` is
    this server's own address without a trailing slash: references that start with it are local. `near` is the distance in metres of places that are asked without one.
    """

    zone: tzinfo
    now: int
    base: str = ""
    near: float = 10_000.0


class Refused(Exception):  # noqa: N818 - it is an outcome, not a defect
    """The value cannot be understood (`code` value), or the modifier is not supported (`code` not-supported).

    The text goes to the sender; it never repeats the value, which may be a patient's name.
    """

    def __init__(self, diagnostics: str, code: str = "value") -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics
        self.code = code


def unsupported_modifier(modifier: str, type: str) -> Refused:
    """The modifier is unknown, or not available for this type of search parameter."""
    return Refused(f"The modifier :{name_shown(modifier)} is not supported for search parameters of type {type}", "not-supported")
