"""`tsunagi facility`: the facilities of the network. They join, leave and return."""

import argparse
from typing import TYPE_CHECKING

from fhir_server.command.administering import administer, command, describe, next_step, show

if TYPE_CHECKING:
    from fhir_server.authorization.administration.facilities import Facility
    from fhir_server.authorization.administration.registry import Administration

_TYPES = ("hospital", "clinic", "pharmacy")
_ROLES = ("core", "providing", "sharing", "viewing", "referring")
_EXAMPLES = """\
examples:
  tsunagi facility add 3710000017 --name 病院Ｂ --kana ビョウインビー --type hospital --role core --role providing --role viewing
  tsunagi facility list
  tsunagi facility leave 3710000017

A facility is named by the 10 digits of its 医療機関コード. Its roles: core (中核), providing (sends data), sharing (discloses it),
viewing (reads), referring. One that leaves keeps what it has sent; its logins, tokens and clients end at once.
施設は 10 桁の医療機関コードで指定します。脱退すると、その施設のログイン、トークン、クライアントは直ちに無効になります。
"""


def add(arguments: argparse.Namespace) -> int:
    """Add a facility."""
    from fhir_server.auth.members import FacilityType  # noqa: PLC0415 - `--help` shall not wait for it
    from fhir_server.auth.roles import FacilityRole  # noqa: PLC0415

    async def work(administration: "Administration") -> "Facility":
        return await administration.facilities.add(
            arguments.code,
            name=arguments.name,
            kana=arguments.kana,
            type=FacilityType(arguments.type),
            roles=[FacilityRole(role) for role in arguments.role],
        )

    facility = administer(arguments, work)
    print(f"Facility {facility.code} is {facility.organization} / 施設を登録しました")
    next_step(
        f'tsunagi user add ID --name "高松 花子" --kana "タカマツ ハナコ" --birth 1980-02-03 --facility {facility.code} --role physician',
        f"tsunagi client add ID --name ... --system --facility {facility.code} --role system --secret",
        f"tsunagi ssmix2 import DIR --facility {facility.code}",
    )
    return 0


def list_(arguments: argparse.Namespace) -> int:
    """List the facilities."""

    async def work(administration: "Administration") -> "list[Facility]":
        return await administration.facilities.all()

    rows = [(each.code, each.name, each.type, ", ".join(each.roles), _state(each)) for each in administer(arguments, work)]
    show(("code", "name", "type", "roles", "state"), rows)
    return 0


def show_one(arguments: argparse.Namespace) -> int:
    """Show a facility, its people and its clients."""

    async def work(administration: "Administration") -> "tuple[Facility, list[str], list[str]]":
        facility = await administration.facilities.find(arguments.code)
        users = [each.account.id for each in await administration.people.all(facility.code)]
        return facility, users, [each.id for each in await administration.clients.all() if each.facility == facility.code]

    facility, users, clients = administer(arguments, work)
    print(f"{facility.code} {facility.name} ({facility.organization}): {_state(facility)}")
    print(f"type: {facility.type or '-'}\nroles: {', '.join(facility.roles) or '-'}")
    print(f"users: {', '.join(users) or '-'}\nclients: {', '.join(clients) or '-'}")
    return 0


def leave(arguments: argparse.Namespace) -> int:
    """Let a facility leave the network."""

    async def work(administration: "Administration") -> list[str]:
        return await administration.facilities.leave(arguments.code)

    clients = administer(arguments, work)
    print(f"Facility {arguments.code} has left; its logins and tokens are cut / 施設は脱退しました")
    print(f"clients disabled: {', '.join(clients) or '-'}")
    next_step(f"tsunagi cert list --facility {arguments.code}    its certificates: revoke them / 証明書の失効", "tsunagi facility list")
    return 0


def rejoin(arguments: argparse.Namespace) -> int:
    """Let a facility return."""

    async def work(administration: "Administration") -> list[str]:
        return await administration.facilities.rejoin(arguments.code)

    clients = administer(arguments, work)
    print(f"Facility {arguments.code} is in the network again / 施設は復帰しました")
    next_step(*(f"tsunagi client enable {id}" for id in clients), f"tsunagi facility show {arguments.code}")
    return 0


def _state(facility: "Facility") -> str:
    return "active / 参加中" if facility.active else "left / 脱退"


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    commands = describe(subparsers, "facility", "administer the facilities of the network / 参加施設を管理する", _EXAMPLES)
    code = "CODE: 医療機関コード, 10 digits"
    adds = command(commands, "add", "add a facility / 施設を登録する", add, code)
    adds.add_argument("--name", required=True, help="its name / 施設名")
    adds.add_argument("--kana", help="its name in katakana / 施設名カナ")
    adds.add_argument("--type", required=True, choices=_TYPES, help="what it is / 種別")
    adds.add_argument("--role", required=True, action="append", choices=_ROLES, help="what it is to the network; may be repeated / 役割")
    command(commands, "list", "list the facilities / 施設の一覧", list_)
    command(commands, "show", "show a facility, its users and clients / 施設の表示", show_one, code)
    command(commands, "leave", "let a facility leave the network, at once / 施設の脱退", leave, code)
    command(commands, "return", "let a facility return / 施設の復帰", rejoin, code)
