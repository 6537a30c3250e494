"""Functions that FHIR adds: extensions, values of primitives, references, terminology, profiles; and `type()`.

https://hl7.org/fhir/R4/fhirpath.html#functions
"""

from typing import Any

from profiles.fhirpath import quantity
from profiles.fhirpath.context import Context
from profiles.fhirpath.error import FhirPathError
from profiles.fhirpath.functions.function import Function
from profiles.fhirpath.items import NO, NONE, TYPE_INFO, YES, Item, Items, single, text, truth
from profiles.fhirpath.quantity import Quantity
from profiles.narrative import harmless, has_content
from profiles.reference import Contained, Literal, parse
from terminology.service import r4 as terminology

_STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"


def _extension(context: Context, items: Items, url: Items) -> Items:
    wanted, found = text(url, "an argument"), list[Item]()
    for item in items:
        context.navigation.child(item, "extension", found)
    return [item for item in found if item[1].get("url") == wanted]


def _has_value(context: Context, items: Items) -> Items:
    return truth(len(items) == 1 and items[0][1] is not None and _is_value(context, items[0]))


def _is_value(context: Context, item: Item) -> bool:
    return item[0].startswith("System.") or context.navigation.is_primitive(item[0])


def _get_value(context: Context, items: Items) -> Items:
    return items if _has_value(context, items) is YES else NONE


def _resolve(context: Context, items: Items) -> Items:
    """Give what a reference names inside the resource: contained, or an entry of the Bundle around it. Nothing is fetched."""
    found: list[Item] = []
    for type, value, _ in items:
        reference = value.get("reference") if isinstance(value, dict) else value
        if isinstance(reference, str) and type != "System.TypeInfo":
            context.spend(10)
            target = _target(context, reference)
            if target is not None:
                found.append((str(target["resourceType"]), target, None))
    return found


def _target(context: Context, reference: str) -> dict[str, Any] | None:
    resource, root = context.resource[1], context.root[1]
    parsed = parse(reference)
    if isinstance(parsed, Contained):
        if not parsed.id:
            return root if isinstance(root, dict) else None
        inside = [*_list(root, "contained"), *_list(resource, "contained")]
        return next((each for each in inside if each.get("id") == parsed.id and "resourceType" in each), None)
    for entry in [*_list(root, "entry"), *_list(resource, "entry")]:
        full, target = entry.get("fullUrl"), entry.get("resource")
        if not isinstance(target, dict) or "resourceType" not in target:
            continue
        if full == reference or (isinstance(parsed, Literal) and isinstance(full, str) and full.endswith("/" + parsed.relative)):
            return target
    return None


def _list(value: Any, name: str) -> list[dict[str, Any]]:
    held = value.get(name) if isinstance(value, dict) else None
    return [each for each in held if isinstance(each, dict)] if isinstance(held, list) else []


def _conforms_to(context: Context, items: Items, profile: Items) -> Items:
    """Judge by the type alone: the definitions of R4's types are known here, profiles are not."""
    url = text(profile, "an argument")
    if url is None or not items:
        return NONE
    if len(items) > 1:
        raise FhirPathError("conformsTo() takes one value, not several")
    if not url.startswith(_STRUCTURE):
        raise FhirPathError("conformsTo() knows only the types of FHIR R4")
    return truth(context.navigation.is_a(items[0], context.navigation.known(url.removeprefix(_STRUCTURE))))


def _member_of(_context: Context, items: Items, value_set: Items) -> Items:
    url, value = text(value_set, "an argument"), single(items)
    members = terminology().members(url.partition("|")[0]) if url else None
    if members is None or value is None:
        return NONE
    codings = _codings(value if isinstance(value, dict) else {"code": value})
    results = [members.contains(each["code"], each.get("system")) for each in codings]
    return YES if True in results else NONE if None in results else NO


def _subsumes(_context: Context, items: Items, codes: Items) -> Items:
    """Tell whether a concept is the other one or above it, by the hierarchy of its code system."""
    return truth(_is_above(single(items), single(codes, "an argument")))


def _subsumed_by(_context: Context, items: Items, codes: Items) -> Items:
    return truth(_is_above(single(codes, "an argument"), single(items)))


def _is_above(upper: Any, lower: Any) -> bool | None:
    if not isinstance(upper, dict) or not isinstance(lower, dict):
        return None
    systems = {coding.get("system") for coding in _codings(upper)} & {coding.get("system") for coding in _codings(lower)}
    known = [found for system in systems if isinstance(system, str) and (found := terminology().code_system(system)) is not None]
    below = {
        (system.url, code)
        for system in known
        for each in _codings(upper)
        if each.get("system") == system.url
        for code in system.below(each["code"])
    }
    return any((coding.get("system"), coding["code"]) in below for coding in _codings(lower)) if known else None


def _codings(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the codings of a Coding or a CodeableConcept that have a code."""
    return [each for each in value.get("coding", [value]) if isinstance(each, dict) and isinstance(each.get("code"), str)]


def _html_checks(_context: Context, items: Items) -> Items:
    return truth(all(isinstance(value, str) and harmless(value) and has_content(value) for _, value, _ in items))


def _type(context: Context, items: Items) -> Items:
    infos = []
    for type, _, _ in items:
        namespace, name = ("System", type.removeprefix("System.")) if type.startswith("System.") else ("FHIR", type)
        infos.append((TYPE_INFO, {"namespace": namespace, "name": "BackboneElement" if "." in name else name}, None))
    context.spend(len(infos))
    return infos


def _comparable(_context: Context, items: Items, other: Items) -> Items:
    one, another = single(items), single(other, "an argument")
    if one is None or another is None:
        return NONE
    return truth(isinstance(one, Quantity) and isinstance(another, Quantity) and quantity.comparable(one, another))


def _check_modifiers(context: Context, items: Items, *known: Items) -> Items:
    urls = {text(each, "an argument") for each in known}
    for item in items:
        found: list[Item] = []
        context.navigation.child(item, "modifierExtension", found)
        if any(each[1].get("url") not in urls for each in found):
            raise FhirPathError("there is a modifier extension that is not known")
    return items


FUNCTIONS = {
    "extension": Function(_extension, 1, 1),
    "hasExtension": Function(lambda context, items, url: truth(bool(_extension(context, items, url))), 1, 1),
    "hasValue": Function(_has_value),
    "getValue": Function(_get_value),
    "resolve": Function(_resolve),
    "conformsTo": Function(_conforms_to, 1, 1),
    "memberOf": Function(_member_of, 1, 1),
    "subsumes": Function(_subsumes, 1, 1),
    "subsumedBy": Function(_subsumed_by, 1, 1),
    "htmlChecks": Function(_html_checks),
    "type": Function(_type),
    "comparable": Function(_comparable, 1, 1),
    "checkModifiers": Function(_check_modifiers, 1, 100),
}
