"""docs/rest-api.md names a test for whatever is served, and a reason for whatever is not; and it forgets nothing."""

import ast
import re
from functools import cache

import pytest

from fhir_server.interactions.table import INTERACTIONS
from fhir_server.operations.perform import operations
from fhir_server.search.grammar import COMMON, MODIFIERS, PREFIXES, RESULTS
from profiles.definitions import r4
from tests.shared import REPOSITORY

TEXT = (REPOSITORY / "docs/rest-api.md").read_text(encoding="utf-8")
ROWS = [tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]) for line in TEXT.splitlines() if line.startswith("| ")]
CAPABILITIES = [row for row in ROWS if row[0] != "Capability"]
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龥]")
NAMES_ALONE = {"CORS", "fhirpy", "Schemathesis", "URI", "GraphQL"}


@cache
def names_in(path):
    tree = ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("row", CAPABILITIES, ids=lambda row: row[0])
def test_what_is_served_has_its_tests_and_what_is_not_a_reason(row):
    assert len(row) == 4
    capability, japanese, served, proof = row
    assert JAPANESE.search(japanese) or japanese in NAMES_ALONE, capability
    if served == "not served":
        assert len(proof) > 20
        assert "::" not in proof
        return
    assert served == "yes"
    for named in proof.split(", "):
        path, _, name = named.partition("::")
        assert name in names_in(path), named


def test_no_capability_stands_twice():
    names = [row[0] for row in CAPABILITIES]
    assert len(names) == len(set(names))
    assert len(names) > 80


def test_every_heading_speaks_japanese_too():
    assert all(JAPANESE.search(heading) for heading in re.findall(r"^## (.+)$", TEXT, re.MULTILINE))


def test_every_interaction_is_listed():
    listed = " ".join(row[0] for row in CAPABILITIES)
    assert not [code for code in {each.code for each in INTERACTIONS} - {"operation"} if f"`{code}`" not in listed]


def test_every_parameter_prefix_and_modifier_is_listed():
    listed = " ".join(row[0] for row in CAPABILITIES)
    prefixes = {prefix for each in PREFIXES.values() for prefix in each}
    modifiers = {f":{modifier}" for each in MODIFIERS.values() for modifier in each}
    names = {*prefixes, *modifiers, *RESULTS, *(each.name for each in COMMON), *MODIFIERS}
    assert not [name for name in names if f"`{name}" not in listed]


def test_every_operation_of_r4_is_listed_as_served_or_not():
    performed = {f"${code}" for code in operations(r4())}
    served = " ".join(row[0] for row in CAPABILITIES if row[2] == "yes")
    others = " ".join(row[0] for row in CAPABILITIES if row[2] != "yes")
    assert not [name for name in performed if f"`{name}`" not in served]
    known = {f"${each['code']}" for each in r4().operations}
    assert not [name for name in known - performed if f"`{name}`" not in others]
