"""`tsunagi cert`: the certificates of the network. The root stays offline; people and devices are invited (NETWORK.md F049-F050, F101-F105)."""

import argparse
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from fhir_server.command import CommandFailed
from fhir_server.command.administering import administration_of, command, describe, next_step, on_registry, show
from fhir_server.command.private_files import new_file, passphrase, replace_file
from fhir_server.settings import load

if TYPE_CHECKING:
    from fhir_server.app import Registry
    from fhir_server.auth.certificates.holder import Holder
    from fhir_server.auth.certificates.pki import Pki
    from fhir_server.auth.certificates.records import Certificate
    from fhir_server.authorization.administration.registry import Administration
    from fhir_server.settings import Settings

Result = TypeVar("Result")

_REASONS = ("lost", "stolen", "compromised", "disposed", "retired", "transferred", "replaced", "mistake")
_EXAMPLES = """\
examples:
  tsunagi cert root --out /media/usb/root             the network's root: keep it offline / ルート認証局 (オフライン保管)
  tsunagi cert intermediate --root /media/usb/root    the authority that issues / 発行用認証局
  tsunagi cert invite --facility 3710000017 --user hanako          a code for one certificate / 招待コード
  tsunagi cert pkcs12 --facility 3710000017 --device PC-1 --out pc-1.p12
  tsunagi cert list --facility 3710000017             its certificates / 施設の証明書一覧
  tsunagi cert revoke 20260401001 --reason lost       refused everywhere within seconds / 失効
  tsunagi cert revoke --facility 3710000017 --reason compromised   all of a facility / 施設の全証明書
  tsunagi cert renew 20260401001                      a code for the following one / 更新
  tsunagi cert crl --out network.crl                  the revocation list, e.g. for a proxy / 失効リスト

A certificate belongs to one person, one client or one device of one facility. A code is good once, within 7 days.
証明書は施設の利用者・クライアント・端末ごとに 1 枚です。招待コードは 7 日間、一度だけ使えます。
"""


def root(arguments: argparse.Namespace) -> int:
    """Make the root."""
    from fhir_server.auth.certificates.root import make_root  # noqa: PLC0415 - `--help` shall not wait for it
    from fhir_server.outcome import FhirError  # noqa: PLC0415
    from fhir_server.store.records import now  # noqa: PLC0415

    try:
        made = make_root(arguments.out, load(data=arguments.data).network_name, passphrase(arguments.passphrase_file, twice=True), now())
    except FhirError as failure:
        raise CommandFailed(str(failure), status=1) from None
    except OSError as error:
        raise CommandFailed(f"{arguments.out} cannot be written ({error.strerror})") from error
    print(f"The root is in {arguments.out}, valid until {made.certificate.not_valid_after_utc:%Y-%m-%d} / ルート認証局を作成しました")
    next_step(
        f"tsunagi cert intermediate --root {arguments.out}",
        "then keep the folder offline, with a copy elsewhere / その後はオフラインで保管し、複製を別の場所に置いてください",
    )
    return 0


def intermediate(arguments: argparse.Namespace) -> int:
    """Make the issuing authority and install it."""
    from fhir_server.auth.certificates.root import read_root  # noqa: PLC0415

    async def work(pki: "Pki", settings: "Settings", _: "Administration") -> str:
        opened = await pki.authorities.install(
            settings.network_name, read_root(arguments.root, passphrase(arguments.passphrase_file, twice=False))
        )
        return f"{opened.issuer.certificate.not_valid_after_utc:%Y-%m-%d}"

    ends = _with_pki(arguments, work)
    print(f"The issuing authority is installed, valid until {ends} / 発行用認証局を登録しました")
    next_step(
        "take the root away / ルート認証局を取り外してください",
        "restart a running server that speaks TLS itself / TLS を使う稼働中のサーバーは再起動してください",
        "tsunagi cert invite --facility CODE --user ID",
    )
    return 0


def invite(arguments: argparse.Namespace) -> int:
    """Print a code for one certificate."""

    async def work(pki: "Pki", settings: "Settings", administration: "Administration") -> tuple[str, str]:
        return await pki.enrolment.invite(await _holder(arguments, administration)), settings.issuer

    _tell_code(*_with_pki(arguments, work))
    return 0


def pkcs12(arguments: argparse.Namespace) -> int:
    """Write a key and its certificate into a file."""

    async def work(pki: "Pki", _: "Settings", administration: "Administration") -> tuple[bytes, str, "Certificate"]:
        code = await pki.enrolment.invite(await _holder(arguments, administration))
        bundle, issued = await pki.enrolment.enrol_bundle(code)
        return bundle.content, bundle.password, issued.record

    with new_file(arguments.out) as file:
        content, password, record = _with_pki(arguments, work)
        file.write(content)
    print(f"Certificate {record.id} is in {arguments.out}, valid until {record.ends:%Y-%m-%d} / 証明書を作成しました")
    print(f"Password / パスワード: {password}")
    next_step(
        "give file and password by different ways; neither can be shown again / ファイルとパスワードは別々の方法で渡してください",
        f"tsunagi cert list --facility {record.facility}",
    )
    return 0


def list_(arguments: argparse.Namespace) -> int:
    """List certificates."""

    async def work(pki: "Pki", _: "Settings", __: "Administration") -> "list[tuple[Certificate, str]]":
        return [(each, pki.register.state(each.thumbprint)) for each in await pki.register.listed(arguments.facility)]

    rows = [
        (each.id, each.facility, each.kind, each.holder, f"{each.last:%Y-%m-%d}", f"{state} {each.reason or ''}".strip())
        for each, state in _with_pki(arguments, work)
    ]
    show(("number", "facility", "kind", "holder", "until", "state"), rows)
    return 0


def renew(arguments: argparse.Namespace) -> int:
    """Print a code for the certificate that follows another."""

    async def work(pki: "Pki", settings: "Settings", _: "Administration") -> tuple[str, str]:
        found = await _found(pki, arguments.number)
        if (state := pki.register.state(found.thumbprint)) != "good":
            raise CommandFailed(f"certificate {found.id} is {state}: invite its holder anew with tsunagi cert invite", status=1)
        return await pki.enrolment.invite(found.owner, renews=found.id), settings.issuer

    _tell_code(*_with_pki(arguments, work))
    print("The old certificate stays good for two weeks after that / 旧証明書は更新後 2 週間有効です")
    return 0


def revoke(arguments: argparse.Namespace) -> int:
    """Revoke a certificate and its successors, or all of a facility or of one of its people, clients or devices."""
    if (arguments.number is None) == (arguments.facility is None):
        raise CommandFailed("name a certificate, or with --facility those of a facility")

    async def work(pki: "Pki", _: "Settings", __: "Administration") -> "list[Certificate]":
        if arguments.number is not None:
            return await pki.register.revoke((await _found(pki, arguments.number)).id, arguments.reason)
        await pki.enrolment.withdraw(arguments.facility)
        return await pki.register.revoke_all(arguments.reason, facility=arguments.facility, owner=_named(arguments))

    revoked = _with_pki(arguments, work)
    print(f"revoked / 失効: {', '.join(each.id for each in revoked) or '-'}")
    facility = revoked[0].facility if revoked else "CODE"
    next_step(
        "tsunagi session end --user ID      if somebody may have used it / 不正利用の恐れがある場合",
        f"tsunagi cert list --facility {facility}",
    )
    return 0


def crl(arguments: argparse.Namespace) -> int:
    """Write the revocation list of the issuing authority."""

    async def work(pki: "Pki", _: "Settings", __: "Administration") -> bytes | None:
        return await pki.lists.of()

    replace_file(arguments.out, _with_pki(arguments, work) or b"")
    print(f"The revocation list is in {arguments.out}, good for an hour / 失効リストを出力しました")
    return 0


def ca(arguments: argparse.Namespace) -> int:
    """Write the certificates of the authorities."""

    async def work(pki: "Pki", _: "Settings", __: "Administration") -> bytes:
        return await pki.chain()

    replace_file(arguments.out, _with_pki(arguments, work))
    print(f"The authorities are in {arguments.out} / 認証局証明書を出力しました")
    return 0


def _with_pki(arguments: argparse.Namespace, work: "Callable[[Pki, Settings, Administration], Awaitable[Result]]") -> Result:
    """Do the work on the certificates of the settings' database, beside a running server or without one. Raises CommandFailed."""

    async def done(registry: "Registry", settings: "Settings") -> Result:
        return await work(registry.identity.pki, settings, administration_of(settings, registry))

    return on_registry(arguments, "tsunagi cert", done)


async def _holder(arguments: argparse.Namespace, administration: "Administration") -> "Holder":
    """Give who is to be invited: somebody who is there, of a facility that is in the network."""
    from fhir_server.auth.certificates.holder import NETWORK  # noqa: PLC0415

    holder = _named(arguments)
    if holder is None:
        raise CommandFailed("name whose the certificate is: --user ID, --client ID or --device NAME")
    if holder.facility == NETWORK:  # the secretariat and the auditors belong to no facility
        if holder.kind == "user":
            await administration.people.find(holder.id)
        return holder
    await administration.facilities.active(holder.facility)
    if holder.kind == "user" and holder.id not in {each.account.id for each in await administration.people.all(holder.facility)}:
        raise CommandFailed(f"no user {holder.id} works at facility {holder.facility}: tsunagi user list", status=1)
    if holder.kind == "client" and (await administration.clients.find(holder.id)).facility != holder.facility:
        raise CommandFailed(f"client {holder.id} is not of facility {holder.facility}: tsunagi client list", status=1)
    return holder


def _named(arguments: argparse.Namespace) -> "Holder | None":
    from fhir_server.auth.certificates.holder import KINDS, Holder  # noqa: PLC0415

    named = [(kind, value) for kind in KINDS if (value := getattr(arguments, kind)) is not None]
    return Holder(arguments.facility, *named[0]) if named else None


async def _found(pki: "Pki", name: str) -> "Certificate":
    found = await pki.register.find(name)
    if found is None:
        raise CommandFailed("there is no such certificate: tsunagi cert list shows their numbers", status=1)
    return found


def _tell_code(code: str, issuer: str) -> None:
    print(f"Code of the invitation, good once within 7 days / 招待コード (7 日間、1 回限り): {code}")
    next_step(
        f"a person opens {issuer}/pki/enrol on the device and enters it / 端末で開いて入力します",
        f"a program sends its own request: curl {issuer}/pki/enrol -d token={code} --data-urlencode csr@request.pem",
    )


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    commands = describe(subparsers, "cert", "administer the network's certificates / クライアント証明書を管理する", _EXAMPLES)
    roots = command(commands, "root", "make the network's root, to be kept offline / ルート認証局を作る", root)
    roots.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for it, e.g. on a USB stick / 保存先")
    between = command(commands, "intermediate", "make the authority that issues, and install it / 発行用認証局を作り登録する", intermediate)
    between.add_argument("--root", metavar="DIR", type=Path, required=True, help="folder of the root / ルートの保存先")
    for each in (roots, between):
        each.add_argument("--passphrase-file", metavar="FILE", type=Path, help="file with the root's passphrase / パスフレーズのファイル")
    _of_holder(command(commands, "invite", "print a code for one certificate / 招待コードを発行する", invite), required=True)
    files = command(commands, "pkcs12", "make a key and its certificate in a file / PKCS#12 を作る", pkcs12)
    _of_holder(files, required=True)
    lists = command(commands, "list", "list certificates / 証明書の一覧", list_)
    lists.add_argument("--facility", metavar="CODE", help="of this facility only / 施設を指定")
    command(
        commands, "renew", "print a code for the following certificate / 更新用コードを発行する", renew, "NUMBER: number or serial / 番号"
    )
    ends = command(commands, "revoke", "revoke certificates, within seconds / 証明書を失効させる", revoke)
    ends.add_argument("number", metavar="NUMBER", nargs="?", help="number or serial of one / 番号")
    ends.add_argument("--reason", required=True, choices=_REASONS, help="why / 理由")
    _of_holder(ends, required=False)
    lists_of_revoked = command(commands, "crl", "write the revocation list (DER) / 失効リストを出力する", crl)
    authorities = command(commands, "ca", "write the authorities' certificates (PEM) / 認証局証明書を出力する", ca)
    for each in (files, lists_of_revoked, authorities):
        each.add_argument("--out", metavar="FILE", type=Path, required=True, help="file to write / 出力先")


def _of_holder(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument(
        "--facility",
        metavar="CODE",
        required=required,
        help="医療機関コード, 10 digits; or `network` for the secretariat / 施設 (事務局は network)",
    )
    whose = parser.add_mutually_exclusive_group(required=required)
    whose.add_argument("--user", metavar="ID", help="of this person / 利用者")
    whose.add_argument("--client", metavar="ID", help="of this client / クライアント")
    whose.add_argument("--device", metavar="NAME", help="of this device / 端末")
