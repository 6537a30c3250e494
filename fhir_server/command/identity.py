"""`tsunagi identity`: who may be the same patient (名寄せ): look for them, list what waits for the secretariat."""

import argparse
from typing import TYPE_CHECKING

from fhir_server.command.administering import command, describe, next_step, on_registry, show

if TYPE_CHECKING:
    from fhir_server.app import Registry
    from fhir_server.exchange import Resource
    from fhir_server.settings import Settings

_MOST_LISTED = 1000
_EXAMPLES = """\
examples:
  tsunagi identity look                 every facility's Patient who is linked with nobody / 未連携の全患者
  tsunagi identity look Patient/123     one Patient / 患者を指定
  tsunagi identity list                 what waits for the secretariat / 事務局の判断待ち

What is found waits as Tasks for the secretariat; certain matches link by themselves only with TSUNAGI_AUTOMATIC_LINKING=true. Doing it again changes
nothing. No names are shown: they stand in the two Patients.
見つかった候補は事務局の判断を待ちます。確実な一致の自動名寄せは設定で許可した場合のみ行います。氏名は表示しません。
"""


def look(arguments: argparse.Namespace) -> int:
    """Look for who facilities' Patients may be."""
    from fhir_server.network.matching.candidates import alone  # noqa: PLC0415 - `--help` shall not wait for it
    from fhir_server.network.matching.candidates import look as look_at  # noqa: PLC0415

    async def work(registry: "Registry", _: "Settings") -> tuple[int, set[str]]:
        desk, seen, waiting = registry.network.desk, 0, set[str]()
        named = arguments.patient or [reference async for reference in alone(desk)]
        for reference in named:
            waiting |= set(await look_at(desk, reference))
            seen += 1
        return seen, waiting

    seen, waiting = on_registry(arguments, "tsunagi", work)
    print(
        f"Patients looked at: {seen}; pairs that wait for the secretariat because of them: {len(waiting)} / 確認した患者: {seen}、判断待ち: {len(waiting)}"
    )
    next_step("tsunagi identity list")
    return 0


def list_(arguments: argparse.Namespace) -> int:
    """List the pairs that wait for the secretariat."""
    from fhir_server.network.matching.pairs import guards_of, patients_of, score_of, waiting  # noqa: PLC0415

    async def work(registry: "Registry", _: "Settings") -> "list[Resource]":
        return await registry.network.desk.find("Task", waiting(), _MOST_LISTED)

    rows = []
    for task in on_registry(arguments, "tsunagi", work):
        score, grade = score_of(task)
        rows.append((task["id"], *patients_of(task), f"{score or 0:.3f}", grade or "", ", ".join(guards_of(task)), task["authoredOn"]))
    show(("task", "patient", "candidate", "score", "grade", "guards", "since"), rows)
    return 0


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    commands = describe(subparsers, "identity", "find who is the same patient / 名寄せの候補を探す", _EXAMPLES)
    looking = command(commands, "look", "look for candidates / 候補を探す", look)
    looking.add_argument(
        "patient", nargs="*", metavar="PATIENT", help="Patient/ID; all who are linked with nobody where none is named / 患者"
    )
    command(commands, "list", "list what waits for the secretariat / 判断待ちの一覧", list_)
