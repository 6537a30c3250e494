"""CWE (例外付コード化値) to CodeableConcept and Coding.

HL7 v2.5 2.A.13; SS-MIX2 allows six layouts: a local code alone, a standard code alone, each in components 1-3 or 4-6, or
both in either order. All codings are kept; a reader who looks for a system finds it wherever the sender put it.
"""

from functools import lru_cache
from typing import Any

from mappers.datatypes import coding_systems
from mappers.hl7v2.message import Repetition

Systems = tuple[tuple[str, str], ...]


def codings(cwe: Repetition, facility: str, *, systems: Systems = (), table: str = "") -> list[dict[str, Any]]:
    """Give the codings of both halves.

    `systems` overrides what a system's name means in this field, as pairs of name and URI; `table` is the system of a code
    sent without one.
    """
    return [dict(coding) for coding in _codings(cwe, facility, systems, table)]


@lru_cache(maxsize=8192)
def _codings(cwe: Repetition, facility: str, systems: Systems, table: str) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Read a field once: a hospital's messages repeat the same codes."""
    found = []
    for start in (1, 4):
        code, display, name = cwe[start], cwe[start + 1], cwe[start + 2]
        if not code:
            continue
        system = (dict(systems).get(name) or coding_systems.uri(name, code, facility)) if name else table
        parts = (("system", system), ("code", as_code(code)), ("display", display))
        found.append(tuple(part for part in parts if part[1]))
    return tuple(found)


def as_code(text: str) -> str:
    """Give the text as FHIR allows a code: single blanks only."""
    return " ".join(text.split())


def concept(cwe: Repetition, facility: str, *, systems: Systems = (), table: str = "") -> dict[str, Any] | None:
    """Give a CodeableConcept, or None where the field is empty. CWE.9, else the first name, is its text."""
    found = codings(cwe, facility, systems=systems, table=table)
    words = text(cwe)
    if not found and not words:
        return None
    result: dict[str, Any] = {}
    if found:
        result["coding"] = found
    if words:
        result["text"] = words
    return result


def text(cwe: Repetition) -> str:
    """Give the words for the concept: CWE.9 as the sender wrote it, else the name of either half."""
    return cwe[9] or cwe[2] or cwe[5]


def code_in(cwe: Repetition, *names: str) -> str:
    """Give the code of the half whose system has one of these names, "" where there is none."""
    for start in (1, 4):
        if cwe[start + 2] in names:
            return as_code(cwe[start])
    return ""
