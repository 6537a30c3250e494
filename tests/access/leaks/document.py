"""Writes docs/consent-matrix.md: every rule by its number, and the tests that prove it. `python -m tests.access.leaks.document` writes it anew.

A test proves a rule where its name bears the number: test_c06_..., test_s12_..., test_d02_d03_... (also test_d2_...).
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from tests.access.leaks import ways
from tests.access.leaks.gates import GATES
from tests.access.leaks.matrix import Way
from tests.access.leaks.rules import ATTACKS, DECISIONS, NOT_OFFERED, READS
from tests.shared import REPOSITORY

DOCUMENT = REPOSITORY / "docs/consent-matrix.md"
_NUMBER = re.compile(r"(?<=_)([dcs])(\d{1,2})(?:_to_([dcs])(\d{1,2}))?(?=_|$)")
_SHOWN = 6
_KINDS = {
    "read, vread": "READ", "history": "HISTORY", "search, counts, pages": "COUNTS", "values, texts, lists, contained": "ORACLES",
    "includes": "INCLUDES", "all types at once": "WIDE", "chains, _has": "CHAINS", "operations, entries of bundles": "OPERATIONS",
    "Binary": "BINARIES", "writes": "WRITING",
}  # fmt: skip
_ASKED = {
    "values, texts, lists, contained": ways.MOST, "all types at once": ways.SOME, "chains, _has": ways.MOST,
    "operations, entries of bundles": ways.MOST, "writes": ways.MOST,
}  # fmt: skip
_HEAD = """# Who sees what: the rules, and the tests that prove them

誰が何を見られるか: 規則の一覧と、それを証明するテスト

This page is written by `python -m tests.access.leaks.document`; a test sees that it is up to date and that no rule is without a test.
The rules of consent are decided in [0019-consent](decisions/0019-consent.md). Where more than six tests bear a number, the first six are named.
"""


@cache
def proofs() -> Mapping[str, tuple[str, ...]]:
    """The tests by the numbers in their names: "C06" -> ("consent/test_basic.py: test_c06_...",)."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((REPOSITORY / "tests").rglob("test_*.py")):
        if "node_modules" in path.parts:
            continue
        for test in _tests(path):
            for number in numbers(test):
                found[number].append(f"{path.relative_to(REPOSITORY / 'tests').as_posix()}: {test}")
    return {number: tuple(dict.fromkeys(each)) for number, each in found.items()}


def numbers(test: str) -> list[str]:
    """The rules that a test's name bears."""
    found = []
    for letter, first, _, last in _NUMBER.findall(test):
        found += [f"{letter.upper()}{number:02d}" for number in range(int(first), int(last or first) + 1)]
    return found


def _tests(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [each.name for each in functions if each.name.startswith("test_")]


def unproved() -> list[str]:
    """The rules that no test bears the number of."""
    return [number for number in (*READS, *DECISIONS, *ATTACKS) if number not in proofs()]


def document() -> str:
    """The whole page."""
    return "\n".join(
        [
            _HEAD,
            "## Who may read (D1–D12) / 閲覧可否\n",
            *_rules(READS),
            "\n## Decisions by consents (C01–C40) / 同意による判定\n",
            *_rules(DECISIONS),
            "\n## Gates and ways out / 関門と出口\n",
            *_matrix(),
            "\n## Attacks (S01–S60) / 攻撃\n",
            *_rules(ATTACKS),
            "\nWhat does not exist here, and is tested to be refused: "
            + "; ".join(f"{number} {why}" for number, why in NOT_OFFERED.items())
            + ".",
            "",
        ]
    )


def _rules(rules: Mapping[str, str]) -> Iterable[str]:
    yield "| # | rule | tests |\n|---|---|---|"
    for number, rule in rules.items():
        each = proofs().get(number, ())
        more = f"<br>and {len(each) - _SHOWN} more" if len(each) > _SHOWN else ""
        yield f"| {number} | {rule} | {'<br>'.join(f'`{one}`' for one in each[:_SHOWN])}{more} |"


def _matrix() -> Iterable[str]:
    kinds: dict[str, Mapping[str, Way]] = {name: getattr(ways, table) for name, table in _KINDS.items()}
    total = sum(map(len, kinds.values()))
    yield f"Two servers that differ in what is hidden and in nothing else are asked the same {total} questions by whoever stands before each of"
    yield f"{len(GATES)} gates: status, headers and body have to be the same (`tests/access/leaks/test_reading.py`, `test_writing.py`); whoever"
    yield "may know gets different answers. The numbers are questions; the many are asked where what is permitted differs in kind.\n"
    yield f"| gate | {' | '.join(kinds)} |\n|{'---|' * (len(kinds) + 1)}"
    for gate in GATES:
        asked = (len(each) if gate in _ASKED.get(name, GATES) else "" for name, each in kinds.items())
        yield f"| {gate} | {' | '.join(map(str, asked))} |"
    yield "\nThe one thing that is told: an id that a client has chosen itself and that is taken already is refused (403) where it would be"
    yield "created else; ids that the server gives cannot be guessed."


def main() -> None:
    """Write the page."""
    DOCUMENT.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
