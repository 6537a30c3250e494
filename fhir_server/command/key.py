"""`tsunagi key`: the keys that sign the server's tokens. A new one is made each quarter by itself; here it is made at once."""

import argparse
from typing import TYPE_CHECKING

from fhir_server.command import CommandFailed
from fhir_server.command.administering import command, describe, next_step, on_registry, show

if TYPE_CHECKING:
    from fhir_server.app import Registry
    from fhir_server.auth.keys import SigningKey
    from fhir_server.settings import Settings

_EXAMPLES = """\
examples:
  tsunagi key list               the newest signs / 署名鍵の一覧
  tsunagi key rotate             a new key; what the old one signed stays valid / 新しい鍵に切り替える
  tsunagi key withdraw KID       a key may have leaked: what it signed is worthless / 漏えいの疑いがある鍵を無効にする

Every process of a running server follows within 5 seconds; a token of a new key is accepted at once.
稼働中の全プロセスに 5 秒以内に反映されます。
"""


def list_(arguments: argparse.Namespace) -> int:
    """List the keys."""

    async def work(registry: "Registry", _: "Settings") -> "list[SigningKey]":
        return await registry.identity.keys.listed()

    listed = on_registry(arguments, "tsunagi key", work)
    rows = [
        (each.id, *(f"{moment.astimezone():%Y-%m-%d %H:%M}" for moment in (each.created, each.expires)), "signs" if last else "verifies")
        for each, last in zip(listed, [False] * (len(listed) - 1) + [True], strict=True)
    ]
    show(("key", "made", "published until", "state"), rows)
    return 0


def rotate(arguments: argparse.Namespace) -> int:
    """Make a new key."""

    async def work(registry: "Registry", _: "Settings") -> tuple[str, str]:
        keys = registry.identity.keys
        before = (await keys.listed())[-1].id
        return before, await keys.rotate()

    before, made = on_registry(arguments, "tsunagi key", work)
    print(f"Key {made} signs from now on; what was signed before stays valid / 新しい鍵で署名します。発行済みのトークンは有効です")
    next_step(f"tsunagi key withdraw {before}    if it may have leaked / 漏えいの疑いがある場合", "tsunagi key list")
    return 0


def withdraw(arguments: argparse.Namespace) -> int:
    """Make what a key signed worthless."""

    async def work(registry: "Registry", _: "Settings") -> bool:
        return await registry.identity.keys.withdraw(arguments.kid)

    if not on_registry(arguments, "tsunagi key", work):
        raise CommandFailed("there is no such key: tsunagi key list", status=1)
    print("Nothing that it signed is honoured any more; apps fetch new tokens / この鍵で署名されたトークンはすべて無効です")
    next_step("tsunagi session end --all    if somebody may have used it / 不正利用の恐れがある場合", "tsunagi key list")
    return 0


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    commands = describe(subparsers, "key", "show, rotate and withdraw the keys that sign tokens / トークン署名鍵を管理する", _EXAMPLES)
    command(commands, "list", "list the keys / 署名鍵の一覧", list_)
    command(commands, "rotate", "make a new key, which signs from now on / 新しい署名鍵を作る", rotate)
    command(commands, "withdraw", "honour nothing that a key signed / 署名鍵を無効にする", withdraw, "KID: as the list shows it / 鍵の ID")
