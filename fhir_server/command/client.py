"""`tsunagi client`: the registrations of apps that people use, and of systems."""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhir_server.command import CommandFailed
from fhir_server.command.administering import administer, command, describe, next_step, show
from fhir_server.settings import load

if TYPE_CHECKING:
    from fhir_server.auth.clients import Client
    from fhir_server.auth.registrations import Draft
    from fhir_server.authorization.administration.registry import Administration

_ROLES = ("system", "uploader", "tester")
_EXAMPLES = """\
examples:
  tsunagi client add viewer --name "ビューア" --app --redirect https://app.example.org/callback --launch https://app.example.org/launch
  tsunagi client add ehr-b --name "病院Ｂ 電子カルテ" --system --facility 3710000017 --role system --jwks keys.json
  tsunagi client add uploader-b --name "病院Ｂ アップローダー" --system --facility 3710000017 --role uploader --secret
  tsunagi client secret uploader-b          a new secret; the old one ends / 新しい秘密
  tsunagi client disable viewer             nothing more for this client, at once / 直ちに停止

An app acts for whoever logs in to it; a system acts for its facility. A system proves who it is by a key (--jwks, --jwks-uri: RS384
or ES384), a client certificate (--certificate) or a secret (--secret). A secret is shown once and stored as a hash.
アプリは利用者の権限で、システムは施設の権限で動作します。秘密は一度だけ表示されます。
"""


def add(arguments: argparse.Namespace) -> int:
    """Register a client."""
    draft = _draft(arguments)

    async def work(administration: "Administration") -> "tuple[Client, str | None]":
        return await administration.clients.add(draft)

    client, secret = administer(arguments, work)
    print(f"Client {client.id} ({client.name}) is registered / クライアントを登録しました")
    print(f"method: {client.method}\nscope:  {client.scope or '-'}")
    if secret is not None:
        _print_secret(secret)
    next_step(*_next(client, load(data=arguments.data).issuer))
    return 0


def list_(arguments: argparse.Namespace) -> int:
    """List the clients."""

    async def work(administration: "Administration") -> "list[Client]":
        return await administration.clients.all()

    rows = [
        (each.id, each.name, each.method, each.role or ("app" if each.redirect_uris else "-"), each.facility or "-", _state(each))
        for each in administer(arguments, work)
    ]
    show(("id", "name", "method", "role", "facility", "state"), rows)
    return 0


def show_one(arguments: argparse.Namespace) -> int:
    """Show a client; never its secret."""
    import msgspec  # noqa: PLC0415

    from fhir_server.authorization.administration import shown  # noqa: PLC0415

    async def work(administration: "Administration") -> "Client":
        return await administration.clients.find(arguments.id)

    print(msgspec.json.format(msgspec.json.encode(shown.client(administer(arguments, work)))).decode())
    return 0


def disable(arguments: argparse.Namespace) -> int:
    """Switch a client off."""

    async def work(administration: "Administration") -> "Client":
        return await administration.clients.disable(arguments.id)

    client = administer(arguments, work)
    print(f"Client {client.id} is disabled; its tokens are cut / クライアントを停止しました")
    next_step(f"tsunagi client enable {client.id}    or `client remove` for good / 再開または削除")
    return 0


def enable(arguments: argparse.Namespace) -> int:
    """Switch a client on again."""

    async def work(administration: "Administration") -> "Client":
        return await administration.clients.enable(arguments.id)

    client = administer(arguments, work)
    print(f"Client {client.id} is enabled / クライアントを再開しました")
    next_step(*_next(client, load(data=arguments.data).issuer))
    return 0


def secret(arguments: argparse.Namespace) -> int:
    """Give a client a new secret."""

    async def work(administration: "Administration") -> str:
        return await administration.clients.renew_secret(arguments.id)

    _print_secret(administer(arguments, work))
    next_step("configure it in the client: the old secret and its tokens have ended / クライアントに設定してください")
    return 0


def remove(arguments: argparse.Namespace) -> int:
    """Forget a client."""

    async def work(administration: "Administration") -> None:
        await administration.clients.remove(arguments.id)

    administer(arguments, work)
    print(f"Client {arguments.id} is removed; its tokens are cut / クライアントを削除しました")
    next_step("tsunagi client list")
    return 0


def _draft(arguments: argparse.Namespace) -> "Draft":
    from fhir_server.auth.registrations import Draft  # noqa: PLC0415 - `--help` shall not wait for it
    from fhir_server.auth.roles import Role  # noqa: PLC0415

    _check_profile(arguments)
    return Draft(
        id=arguments.id,
        name=arguments.name,
        method=_method(arguments),
        scope=arguments.scope,
        redirect_uris=tuple(arguments.redirect or ()),
        launch_uri=arguments.launch,
        role=Role(arguments.role) if arguments.role else None,
        facility=arguments.facility,
        jwks=_keys(arguments.jwks) if arguments.jwks else None,
        jwks_uri=arguments.jwks_uri,
        certificates=tuple(_thumbprint(path) for path in arguments.certificate or ()),
        bound=arguments.bound,
        introspects=arguments.introspects,
        launches=arguments.launches,
    )


def _check_profile(arguments: argparse.Namespace) -> None:
    if arguments.app and not arguments.redirect:
        raise CommandFailed("--app needs --redirect URI, where a login returns to")
    if not arguments.app and (arguments.redirect or arguments.launch or arguments.confidential):
        raise CommandFailed("--redirect, --launch and --confidential are for an --app")
    if not arguments.app and not arguments.system and not (arguments.introspects or arguments.launches):
        raise CommandFailed("a client is an --app or a --system (or, with neither, one that --introspects or --launches)")
    if arguments.system and not arguments.role:
        raise CommandFailed("--system needs --role system or --role uploader, and --facility CODE")


def _method(arguments: argparse.Namespace) -> Any:
    given = [name for name in ("jwks", "jwks_uri", "secret", "certificate") if getattr(arguments, name)]
    if arguments.bound and len(given) == 2 and "certificate" in given:
        given.remove("certificate")  # the certificate of the connection binds its tokens; it proves who it is by the other
    if len(given) > 1:
        raise CommandFailed("a client proves who it is in one way: --jwks, --jwks-uri, --secret or --certificate")
    if not given:
        if arguments.app and not arguments.confidential:
            return "none"
        if not arguments.app:
            raise CommandFailed("say how the system proves who it is: --jwks FILE, --jwks-uri URL, --secret or --certificate FILE")
        return "client_secret_basic"
    ways = {"jwks": "private_key_jwt", "jwks_uri": "private_key_jwt", "secret": "client_secret_basic", "certificate": "tls_client_auth"}
    return ways[given[0]]


def _keys(path: Path) -> dict[str, Any]:
    import msgspec  # noqa: PLC0415

    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise CommandFailed(f'{path} is no JSON Web Key Set: {{"keys": [...]}}') from None


def _thumbprint(path: Path) -> str:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    from fhir_server.auth.certificates.thumbprint import thumbprint  # noqa: PLC0415

    try:
        return thumbprint(x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER))
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise CommandFailed(f"{path} holds no certificate in PEM") from None


def _print_secret(secret: str) -> None:
    print(f"secret: {secret}    (shown this once / 一度だけ表示します)")


def _next(client: "Client", issuer: str) -> list[str]:
    """Say how the client gets its first token."""
    if client.redirect_uris:
        return [
            f"configure the app: client_id {client.id}, iss {issuer}/fhir    (discovery: {issuer}/fhir/.well-known/smart-configuration)"
        ]
    token = f"--data-urlencode scope={shlex.quote(client.scope)} {issuer}/auth/token"
    if client.method == "client_secret_basic":
        if client.role is None:
            return [f"the client authenticates at {issuer}/auth/... by HTTP Basic: {client.id} and its secret"]
        return [f"curl -u {client.id}:SECRET -d grant_type=client_credentials {token}"]
    if client.method == "tls_client_auth":
        return [f"curl --cert FILE --key FILE -d grant_type=client_credentials -d client_id={client.id} {token}"]
    return [f"send a client_assertion (RS384 or ES384, aud {issuer}/auth/token) with grant_type=client_credentials to {issuer}/auth/token"]


def _state(client: "Client") -> str:
    return "active / 有効" if client.active else "disabled / 停止"


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    commands = describe(subparsers, "client", "register apps and systems / アプリとシステムを登録する", _EXAMPLES)
    id = "ID: the client_id / クライアント ID"
    _add_registration(command(commands, "add", "register a client / クライアントを登録する", add, id))
    command(commands, "list", "list the clients / クライアントの一覧", list_)
    command(commands, "show", "show a client; never its secret / クライアントの表示", show_one, id)
    command(commands, "disable", "nothing more for a client, at once / クライアントの停止", disable, id)
    command(commands, "enable", "let a client work again / クライアントの再開", enable, id)
    command(commands, "secret", "a new secret; the old one ends / 秘密の再発行", secret, id)
    command(commands, "remove", "forget a client / クライアントの削除", remove, id)


def _add_registration(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", required=True, help="name that people read / 表示名")
    profile = parser.add_mutually_exclusive_group()
    profile.add_argument("--app", action="store_true", help="people log in to it / 利用者がログインするアプリ")
    profile.add_argument("--system", action="store_true", help="it asks for itself (SMART Backend Services) / 施設のシステム")
    parser.add_argument("--redirect", metavar="URI", action="append", help="where a login returns to, exactly; may be repeated")
    parser.add_argument("--launch", metavar="URI", help="where an EHR launches the app")
    parser.add_argument("--confidential", action="store_true", help="the app keeps a secret, unlike one in a browser")
    parser.add_argument("--facility", metavar="CODE", help="the system's facility / システムの施設")
    parser.add_argument("--role", choices=_ROLES, help="the system's role; tester in a sandbox only / システムの役割")
    parser.add_argument("--jwks", metavar="FILE", type=Path, help="its public keys (JSON Web Key Set)")
    parser.add_argument("--jwks-uri", metavar="URL", help="where its public keys are")
    parser.add_argument("--secret", action="store_true", help="make a secret for it")
    parser.add_argument("--certificate", metavar="FILE", action="append", type=Path, help="its client certificate (PEM)")
    parser.add_argument("--scope", help="the most it is ever granted (SMART scopes) / 許可する最大のスコープ")
    parser.add_argument("--bound", action="store_true", help="bind its tokens to its client certificate (RFC 8705)")
    parser.add_argument("--introspects", action="store_true", help="it may ask about others' tokens")
    parser.add_argument("--launches", action="store_true", help="it may launch apps, as an EHR does")
