"""`tsunagi user`: people and their accounts. They come, change their work, and leave."""

import argparse
from datetime import date
from typing import TYPE_CHECKING

from fhir_server.command import CommandFailed
from fhir_server.command.administering import administer, command, describe, next_step, show
from fhir_server.command.user_list import add_import

if TYPE_CHECKING:
    from fhir_server.auth.accounts.account import Account
    from fhir_server.authorization.administration.people import Known, Work
    from fhir_server.authorization.administration.registry import Administration

_ROLES = ("physician", "pharmacist", "nurse", "clerk", "secretariat", "auditor")
_EXAMPLES = """\
examples:
  tsunagi user add hanako --name "高松 花子" --kana "タカマツ ハナコ" --birth 1980-02-03 --facility 3710000017 --role physician
  tsunagi user add jimu1 --name "事務 良子" --kana "ジム ヨシコ" --birth 1975-01-02 --role secretariat
  tsunagi user add jiro --patient Patient/0b1e...        a patient / 患者
  tsunagi user import users.csv                          many, with the IDs they have / 一括登録 (ID は引き継ぎ)
  tsunagi user disable hanako                            she leaves today / 退職・異動

One person has one ID (L01), also at several facilities: repeat --facility and --role. The first password is printed once and has to
be changed at the first login.
利用者は一人一 ID です。複数施設に勤務する場合は --facility と --role を繰り返します。初回パスワードは一度だけ表示されます。
"""


def add(arguments: argparse.Namespace) -> int:
    """Add somebody, with an account."""
    from fhir_server.authorization.administration.people import Newcomer  # noqa: PLC0415 - `--help` shall not wait for it

    if arguments.patient and (arguments.name or arguments.facility or arguments.role):
        raise CommandFailed("a patient's name is that of the Patient: --patient stands alone")
    if not arguments.patient and not arguments.name:
        raise CommandFailed('--name "高松 花子" is needed, or --patient Patient/... for a patient')
    newcomer = Newcomer(
        login=arguments.id,
        name=arguments.name or "",
        kana=arguments.kana,
        birth=arguments.birth,
        works=_works(arguments.facility or [], arguments.role or []) if not arguments.patient else (),
        patient=arguments.patient,
    )

    async def work(administration: "Administration") -> "tuple[Account, str]":
        return await administration.people.add(newcomer)

    account, password = administer(arguments, work)
    print(f"User {account.id} is {account.fhir_user} / 利用者を登録しました")
    _print_password(password)
    next_step(
        "hand ID and password over; it is changed at the first login / ID とパスワードを本人に渡してください",
        'tsunagi client add ID --name "..." --app --redirect URI    an app to log in to / ログインするアプリ',
        f"tsunagi cert invite --facility CODE --user {account.id}    a client certificate / クライアント証明書",
    )
    return 0


def list_(arguments: argparse.Namespace) -> int:
    """List the accounts."""

    async def work(administration: "Administration") -> "tuple[list[Known], dict[str, str]]":
        names = {each.organization: each.code or each.name for each in await administration.facilities.all()}
        return await administration.people.all(arguments.facility), names

    known, names = administer(arguments, work)
    show(("ID", "person", "roles", "second factor", "state"), [_row(each, names) for each in known])
    return 0


def show_one(arguments: argparse.Namespace) -> int:
    """Show an account; never its password."""

    async def work(administration: "Administration") -> "tuple[Known, dict[str, str]]":
        names = {each.organization: f"{each.code} {each.name}" for each in await administration.facilities.all()}
        return await administration.people.find(arguments.id), names

    known, names = administer(arguments, work)
    account = known.account
    changed = f"{account.changed.astimezone():%Y-%m-%d}" if account.changed else "-"
    print(f"{account.id} ({account.fhir_user}): {_state(known)}")
    print(f"roles: {_roles(known, names)}")
    print(f"password of: {changed}{' (to be changed / 要変更)' if account.must_change else ''}")
    print(f"second factor: {'yes / あり' if account.has_second_factor else 'no / なし'}; recovery codes: {len(account.recovery)}")
    return 0


def assign(arguments: argparse.Namespace) -> int:
    """Let somebody work as something more."""

    async def work(administration: "Administration") -> None:
        await administration.people.assign(arguments.id, _work(arguments))

    administer(arguments, work)
    print(f"User {arguments.id} is {arguments.role} at {arguments.facility or 'the network'} from the next login / 所属を追加しました")
    next_step(f"tsunagi user show {arguments.id}")
    return 0


def unassign(arguments: argparse.Namespace) -> int:
    """End somebody's work."""

    async def work(administration: "Administration") -> None:
        await administration.people.unassign(arguments.id, _work(arguments))

    administer(arguments, work)
    print(f"User {arguments.id} is no longer {arguments.role} there; sessions are cut / 所属を解除しました")
    next_step(f"tsunagi user show {arguments.id}", f"tsunagi user disable {arguments.id}    where nothing is left / 退職の場合")
    return 0


def disable(arguments: argparse.Namespace) -> int:
    """Take somebody's access away."""

    async def work(administration: "Administration") -> int:
        return await administration.people.disable(arguments.id)

    ended = administer(arguments, work)
    print(f"User {arguments.id} is disabled; {ended} sessions and all tokens are cut / 利用を停止しました")
    next_step("tsunagi cert list --facility CODE    certificates of this user: revoke them / 証明書の失効")
    return 0


def enable(arguments: argparse.Namespace) -> int:
    """Give somebody's access back."""

    async def work(administration: "Administration") -> None:
        await administration.people.enable(arguments.id)

    administer(arguments, work)
    print(f"User {arguments.id} is enabled / 利用を再開しました")
    next_step(f"tsunagi user password {arguments.id}    a new first password, if it is forgotten / 初回パスワードの再発行")
    return 0


def password(arguments: argparse.Namespace) -> int:
    """Give somebody a new first password."""

    async def work(administration: "Administration") -> str:
        return await administration.people.new_password(arguments.id)

    _print_password(administer(arguments, work))
    next_step("hand it over; it is changed at the next login / 本人に渡してください")
    return 0


def unlock(arguments: argparse.Namespace) -> int:
    """End a lock."""

    async def work(administration: "Administration") -> None:
        await administration.people.unlock(arguments.id)

    administer(arguments, work)
    print(f"User {arguments.id} may try again / ロックを解除しました")
    next_step(f"tsunagi user password {arguments.id}    if the password is forgotten / パスワードを忘れた場合")
    return 0


def factors(arguments: argparse.Namespace) -> int:
    """Tell of somebody's second factors, or forget them."""

    async def work(administration: "Administration") -> "Known":
        if arguments.reset:
            await administration.people.reset_factors(arguments.id)
        return await administration.people.find(arguments.id)

    account = administer(arguments, work).account
    kinds = [*(["authenticator app"] if account.totp is not None else []), *(f"passkey {each.name}" for each in account.passkeys)]
    print(f"User {account.id}: {', '.join(kinds) or 'no second factor / 二要素なし'}; recovery codes: {len(account.recovery)}")
    if arguments.reset:
        next_step("at the next login another one is registered, where the policy asks for it / 次回ログイン時に再登録します")
    else:
        next_step(f"tsunagi user factors {account.id} --reset    a device is lost / 機器の紛失")
    return 0


def _work(arguments: argparse.Namespace) -> "Work":
    return _works([arguments.facility] if arguments.facility else [], [arguments.role])[0]


def _works(facilities: list[str], roles: list[str]) -> "tuple[Work, ...]":
    """Pair facilities and roles: as many of both, or several roles at one facility, or none for the network's own people."""
    from fhir_server.auth.roles import Role  # noqa: PLC0415
    from fhir_server.authorization.administration.people import Work  # noqa: PLC0415

    if not roles:
        raise CommandFailed(f"--role is needed: one of {', '.join(_ROLES)}")
    places: list[str | None] = [*facilities] if facilities else [None]
    if len(places) == 1:
        places *= len(roles)
    if len(places) != len(roles):
        raise CommandFailed(f"{len(facilities)} times --facility and {len(roles)} times --role: each facility needs its role")
    return tuple(Work(Role(role), place) for role, place in zip(roles, places, strict=True))


def _row(known: "Known", names: dict[str, str]) -> tuple[str, ...]:
    account = known.account
    return account.id, account.fhir_user, _roles(known, names), "yes" if account.has_second_factor else "-", _state(known)


def _roles(known: "Known", names: dict[str, str]) -> str:
    if known.account.fhir_user.startswith("Patient/"):
        return "patient"
    return ", ".join(f"{post.role} ({names.get(post.organization, 'network')})" for post in known.posts) or "-"


def _state(known: "Known") -> str:
    if not known.account.active:
        return "disabled / 停止"
    return f"locked until {known.locked_until.astimezone():%H:%M} / ロック中" if known.locked_until else "active / 有効"


def _print_password(text: str) -> None:
    print(f"first password: {text}    (shown this once / 一度だけ表示します)")


def _date(text: str) -> date:
    return date.fromisoformat(text)


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    commands = describe(subparsers, "user", "administer people and their accounts / 利用者を管理する", _EXAMPLES)
    id = "ID: login ID / 利用者 ID"
    adds = command(commands, "add", "add somebody / 利用者を登録する", add, id)
    adds.add_argument("--name", help="family and given name with a space between / 氏名")
    adds.add_argument("--kana", help="the same in katakana / 氏名カナ")
    adds.add_argument("--birth", metavar="YYYY-MM-DD", type=_date, help="birth date; no password may hold it / 生年月日")
    adds.add_argument("--facility", metavar="CODE", action="append", help="where she works; may be repeated with --role / 所属施設")
    adds.add_argument("--role", choices=_ROLES, action="append", help="as what / 職種")
    adds.add_argument("--patient", metavar="Patient/ID", help="a patient instead / 患者本人")
    lists = command(commands, "list", "list the users / 利用者の一覧", list_)
    lists.add_argument("--facility", metavar="CODE", help="of this facility only / 施設を指定")
    command(commands, "show", "show a user / 利用者の表示", show_one, id)
    for name, help, run in (("assign", "add a role / 所属の追加", assign), ("unassign", "end a role, at once / 所属の解除", unassign)):
        parser = command(commands, name, help, run, id)
        parser.add_argument("--facility", metavar="CODE", help="where / 所属施設")
        parser.add_argument("--role", choices=_ROLES, required=True, help="as what / 職種")
    command(commands, "disable", "take access away, at once (retirement, transfer) / 利用停止", disable, id)
    command(commands, "enable", "give access back / 利用再開", enable, id)
    command(commands, "password", "a new first password / 初回パスワードの再発行", password, id)
    command(commands, "unlock", "end the lock that wrong passwords brought / ロック解除", unlock, id)
    reset = command(commands, "factors", "second factors / 二要素認証", factors, id)
    reset.add_argument("--reset", action="store_true", help="forget them: a device is lost / 初期化")
    add_import(commands)
