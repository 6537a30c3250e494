"""Rules of Bundles that need to see their entries together.

https://hl7.org/fhir/R4/bundle.html: bdl-3, bdl-4, bdl-7, https://hl7.org/fhir/R4/bundle.html#references
"""

import re
from collections.abc import Iterator
from typing import Any

from profiles.reference import Literal, Urn, parse
from profiles.validator.issue import Place, Report

_WITH_REQUEST = frozenset(("batch", "transaction", "history"))
_WITH_RESPONSE = frozenset(("batch-response", "transaction-response", "history"))
_ADDRESSED = re.compile(r"https?://\S+/([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]{1,64})")
_WHOLE = frozenset(("collection", "document", "message"))
_ONLY_PART = frozenset(("OperationOutcome", "Parameters"))


def bundle(value: dict[str, Any], at: Place, report: Report) -> None:
    """Judge the entries of a Bundle in which nothing else is wrong."""
    if report.errors:
        return
    entries, type = value.get("entry", ()), value.get("type")
    _exchange(entries, type, at, report)
    _unique(entries, type, at, report)
    if type not in {"batch", "transaction"}:
        _identities(entries, type, at, report)
    if type == "document":
        _references(entries, at, report)
    if type in _WHOLE:
        _types(entries, at, report)


def _exchange(entries: list[dict[str, Any]], type: Any, at: Place, report: Report) -> None:
    """bdl-3, bdl-4: request and response stand where the Bundle's type asks for them, and nowhere else."""
    for key, name, types in (("bdl-3", "request", _WITH_REQUEST), ("bdl-4", "response", _WITH_RESPONSE)):
        expected = type in types
        for index, entry in enumerate(entries):
            if (name in entry) is not expected:
                needs = "needs" if expected else "cannot have"
                report.add("invariant", f"{key}: an entry of a Bundle of this type {needs} a {name}", at, "entry", index)


def _unique(entries: list[dict[str, Any]], type: Any, at: Place, report: Report) -> None:
    """bdl-7: a fullUrl stands once, or once for each version."""
    if type == "history":
        return
    seen: set[tuple[Any, Any]] = set()
    for index, entry in enumerate(entries):
        if "fullUrl" not in entry:
            continue
        key = (entry["fullUrl"], entry.get("resource", {}).get("meta", {}).get("versionId"))
        if key in seen:
            report.add(
                "invalid",
                "bdl-7: a fullUrl stands once in a Bundle, or once for each meta.versionId",
                (at, "entry", index),
                "fullUrl",
            )
        seen.add(key)


def _identities(entries: list[dict[str, Any]], type: Any, at: Place, report: Report) -> None:
    """What a fullUrl and a resource say of its type and id is the same. https://hl7.org/fhir/R4/bundle.html#bundle-unique."""
    for index, entry in enumerate(entries):
        resource = entry.get("resource")
        if resource is None:
            continue
        place = (at, "entry", index)
        if type == "searchset" and "id" not in resource and resource["resourceType"] not in _ONLY_PART:
            report.add("invalid", "A resource that a search has found needs its id", place, "resource")
        address = _ADDRESSED.fullmatch(entry.get("fullUrl") or "")
        if address is not None and (address[1], address[2]) != (resource["resourceType"], resource.get("id")):
            severity = "warning" if "id" in resource else "error"  # a warning: two official examples do it
            report.add("invalid", "fullUrl names another type or id than the resource has", place, "fullUrl", severity=severity)


def _references(entries: list[dict[str, Any]], at: Place, report: Report) -> None:
    """What the Composition of a document refers to is in it, once. https://hl7.org/fhir/R4/documents.html#content."""
    addresses: dict[str, list[Any]] = {}
    for entry in entries:
        if isinstance(address := entry.get("fullUrl"), str):
            addresses.setdefault(address, []).append(entry.get("resource", {}).get("meta", {}).get("versionId"))
    composition = entries[0].get("resource", {}) if entries else {}
    base = _base(entries[0].get("fullUrl")) if entries else None
    for reference in _literals(composition):
        parsed = parse(reference)
        if isinstance(parsed, Urn):
            versions = addresses.get(reference, [])
        elif isinstance(parsed, Literal) and not parsed.base:
            versions = addresses.get(f"{base}{parsed.relative}", []) if base is not None else []
            if parsed.version is not None:
                versions = [version for version in versions if version == parsed.version]
        else:
            continue
        if len(versions) != 1:
            what = "several resources" if versions else "a resource that is not in the document"
            report.add("invalid", f"The Composition refers to {what}", (at, "entry", 0), "resource")


def _types(entries: list[dict[str, Any]], at: Place, report: Report) -> None:
    """A reference by type and id does not take the UUID of an entry of another type."""
    types = {entry["fullUrl"][9:]: entry["resource"]["resourceType"] for entry in entries if _named_by_uuid(entry)}
    for index, entry in enumerate(entries if types else ()):
        for reference in _literals(entry.get("resource")):
            parsed = parse(reference)
            if isinstance(parsed, Literal) and types.get(parsed.id, parsed.type) != parsed.type:
                report.add("invalid", "A reference names another type than the entry with this UUID has", (at, "entry", index), "resource")


def _named_by_uuid(entry: dict[str, Any]) -> bool:
    address = entry.get("fullUrl")
    return "resource" in entry and isinstance(address, str) and address.startswith("urn:uuid:")


def _base(address: Any) -> str | None:
    found = _ADDRESSED.fullmatch(address) if isinstance(address, str) else None
    return address[: -len(found[1]) - len(found[2]) - 1] if found else None


def _literals(value: Any) -> Iterator[str]:
    """Give the literal references in a resource, but those of what it contains."""
    if isinstance(value, dict):
        if isinstance(reference := value.get("reference"), str):
            yield reference
        for name, each in value.items():
            if name != "contained":
                yield from _literals(each)
    elif isinstance(value, list):
        for each in value:
            yield from _literals(each)
