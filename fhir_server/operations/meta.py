"""The operations Resource-meta, Resource-meta-add and Resource-meta-delete: profiles, tags and security labels.

https://hl7.org/fhir/R4/resource-operation-meta.html

FHIR lets labels change "without changing the stated version of the resource". Here they make a new version: a security
label decides who may see the resource, so it must be told who could see it when, and an ETag must never stand for two
contents. What adds or takes away nothing makes none.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from fhir_server.exchange import FhirRequest, FhirResponse, Version
from fhir_server.interactions.headers import required_version
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.writing import prepare
from fhir_server.operations.arguments import Arguments
from fhir_server.outcome import FhirError, Issue, conflict, invalid
from fhir_server.store.labels import Labels
from fhir_server.store.repository import Put, Repository
from profiles import json

Meta: TypeAlias = dict[str, Any]
Change: TypeAlias = Callable[[Mapping[Any, Any], Mapping[Any, Any]], Mapping[Any, Any]]

_ATTEMPTS = 50
_SETS = ("profile", "security", "tag")


async def meta(request: FhirRequest, arguments: Arguments, repository: Repository, serving: Serving) -> FhirResponse:  # noqa: ARG001
    """Answer with the meta of a resource, or with all labels in use of a type or of the whole server."""
    if request.type is not None and request.id is not None:
        version = await repository.get(request.type, request.id)
        return _answer(_meta(version), version)
    types = (request.type,) if request.type is not None else tuple(sorted(serving.served))
    return _answer(_summary(await repository.labels(types)))


async def meta_add(request: FhirRequest, arguments: Arguments, repository: Repository, serving: Serving) -> FhirResponse:
    """Add labels that are not there yet. Raises FhirError as an update does."""
    return await _changed(request, arguments, repository, serving, lambda old, named: {**named, **old})


async def meta_delete(request: FhirRequest, arguments: Arguments, repository: Repository, serving: Serving) -> FhirResponse:
    """Take labels away; those that are not there do not matter. Raises FhirError as an update does."""
    return await _changed(request, arguments, repository, serving, lambda old, named: {key: old[key] for key in old if key not in named})


async def _changed(request: FhirRequest, arguments: Arguments, repository: Repository, serving: Serving, change: Change) -> FhirResponse:
    assert request.type is not None
    assert request.id is not None
    named = _labels(arguments.one("meta"))
    if_match = required_version(request.headers.get("if-match"), request.type)
    for _ in range(_ATTEMPTS):
        version = await repository.get(request.type, request.id)
        if if_match not in (None, version.version):
            raise conflict("The current version is another one than If-Match names", request.type, status=412)
        try:
            return await _write(version, named, change, repository, serving)
        except FhirError as failure:
            if failure.status != 412 or if_match is not None:  # somebody else wrote meanwhile
                raise
    raise FhirError(Issue("transient", "Others write the same resource all the time; try again"))


async def _write(version: Version, named: Mapping[str, Any], change: Change, repository: Repository, serving: Serving) -> FhirResponse:
    assert version.body is not None
    resource = json.decode(version.body)
    old = resource.get("meta", {})
    changed: Meta = {key: value for key, value in old.items() if key not in _SETS}
    for name in _SETS:
        kept = change(_by_identity(old.get(name, ())), named[name])
        if kept:
            changed[name] = _ordered(kept, old.get(name, ()))
    if {name: changed.get(name) for name in _SETS} == {name: old.get(name) for name in _SETS}:
        return _answer(old, version)
    put = Put(prepare({**resource, "meta": changed}, serving), if_match=version.version)
    (written,) = await repository.commit([put])
    return _answer(_meta(written), written)


def _labels(given: Any) -> Mapping[str, Mapping[Any, Any]]:
    for name in _SETS:
        values = given.get(name, [])
        kind = str if name == "profile" else dict
        if not isinstance(values, list) or not all(isinstance(value, kind) for value in values):
            raise invalid(f"Meta.{name} is a list", f"Parameters.parameter.where(name='meta').value.{name}", code="structure")
    return {name: _by_identity(given.get(name, ())) for name in _SETS}


def _by_identity(labels: Iterable[Any]) -> dict[Any, Any]:
    """A profile is its URL; a tag or label its system and code, whatever its version and display."""
    found: dict[Any, Any] = {}
    for label in labels:
        key = label if isinstance(label, str) else (str(label.get("system")), str(label.get("code")))
        found.setdefault(key, label)
    return found


def _ordered(kept: Mapping[Any, Any], old: Iterable[Any]) -> list[Any]:
    """What was there keeps its place, what is new comes last."""
    before = [key for key in _by_identity(old) if key in kept]
    return [kept[key] for key in (*before, *(key for key in kept if key not in set(before)))]


def _meta(version: Version) -> Meta:
    assert version.body is not None
    found: Meta = json.decode(version.body).get("meta", {})
    return found


def _summary(labels: Labels) -> Meta:
    return {
        name: values
        for name, values in (
            ("profile", list(labels.profiles)),
            ("security", [_coding(*each) for each in labels.security]),
            ("tag", [_coding(*each) for each in labels.tags]),
        )
        if values
    }


def _coding(system: str, code: str) -> dict[str, str]:
    return {name: value for name, value in (("system", system), ("code", code)) if value}


def _answer(found: Meta, version: Version | None = None) -> FhirResponse:
    body = {"resourceType": "Parameters", "parameter": [{"name": "return", "valueMeta": found}]}
    return FhirResponse(200, json.encode(body), version)
