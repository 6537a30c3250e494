"""`tsunagi session`: who is logged in, and the end of it: for a user, a facility or the whole network at once (F101, F102)."""

import argparse
from typing import TYPE_CHECKING

from fhir_server.command.administering import administer, command, describe, next_step, show

if TYPE_CHECKING:
    from fhir_server.auth.accounts.session import Session
    from fhir_server.authorization.administration.registry import Administration

_EXAMPLES = """\
examples:
  tsunagi session list --facility 3710000017
  tsunagi session end --user a1             a terminal is lost / 端末の紛失
  tsunagi session end --facility 3710000017 an infection is suspected there / ウイルス感染の疑い
  tsunagi session end --all                 the whole network / ネットワーク全体

Sessions, tokens of apps and what would renew them end at once, in every process of the server. Who may log in may log in again:
`tsunagi user disable`, `tsunagi client disable` and `tsunagi facility leave` keep somebody out.
"""


def list_(arguments: argparse.Namespace) -> int:
    """List the open sessions."""
    from fhir_server.auth.registrations import checked_user_id  # noqa: PLC0415 - `--help` shall not wait for it

    async def work(administration: "Administration") -> "list[Session]":
        equal = {"account": checked_user_id(arguments.user)} if arguments.user else {}
        if arguments.facility:
            equal["facility"] = (await administration.facilities.find(arguments.facility)).code
        return await administration.endings.open_sessions(**equal)

    rows = [
        (
            each.account,
            each.facility or "-",
            each.role or "-",
            f"{each.opened.astimezone():%Y-%m-%d %H:%M}",
            f"{each.touched.astimezone():%H:%M}",
        )
        for each in administer(arguments, work)
    ]
    show(("user", "facility", "role", "opened", "last used"), rows)
    return 0


def end(arguments: argparse.Namespace) -> int:
    """End sessions."""

    async def work(administration: "Administration") -> int:
        if arguments.user:
            return await administration.endings.user((await administration.people.find(arguments.user)).account.id)
        if arguments.facility:
            return await administration.endings.facility((await administration.facilities.find(arguments.facility)).organization)
        return await administration.endings.network()

    ended = administer(arguments, work)
    print(f"{ended} sessions ended, and every token with them / {ended} 件のセッションと全トークンを終了しました")
    if arguments.user:
        next_step(f"tsunagi user disable {arguments.user}    keep the user out / 利用停止", "tsunagi session list")
    elif arguments.facility:
        next_step(f"tsunagi facility leave {arguments.facility}    keep the facility out / 施設の切り離し", "tsunagi session list")
    else:
        next_step("tsunagi session list")
    return 0


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    commands = describe(subparsers, "session", "show and end logins / ログインの表示・強制終了", _EXAMPLES)
    lists = command(commands, "list", "list the open sessions / セッションの一覧", list_)
    lists.add_argument("--user", metavar="ID", help="of this user only / 利用者を指定")
    lists.add_argument("--facility", metavar="CODE", help="for this facility only / 施設を指定")
    ends = command(commands, "end", "end sessions and tokens at once / セッションとトークンの強制終了", end)
    whose = ends.add_mutually_exclusive_group(required=True)
    whose.add_argument("--user", metavar="ID", help="of this user / 利用者")
    whose.add_argument("--facility", metavar="CODE", help="of this facility / 施設")
    whose.add_argument("--all", action="store_true", help="of the whole network / 全て")
