"""The `tsunagi` command."""

import argparse
import importlib
import importlib.metadata
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from fhir_server.command import CommandFailed

_COMMANDS = {
    "demo": "import a synthetic hospital and serve it / 架空病院を取り込んで起動する",
    "serve": "serve the FHIR API / FHIR API を提供する",
    "facility": "administer the facilities of the network / 参加施設を管理する",
    "user": "administer people's accounts / 利用者を管理する",
    "client": "register apps and systems / アプリ・システムを登録する",
    "cert": "administer the network's certificates / クライアント証明書を管理する",
    "key": "show, rotate and withdraw the keys that sign tokens / トークン署名鍵を管理する",
    "identity": "find who is the same patient / 名寄せの候補を探す",
    "session": "show and end sessions / セッションの表示・終了",
    "audit": "verify, anchor, export and prune the audit log / 監査記録の検証・保管",
    "ssmix2": "import an SS-MIX2 standard storage / SS-MIX2 標準化ストレージを取り込む",
    "index": "show or rebuild the search indexes / 検索索引の表示・再構築",
    "openapi": "write the OpenAPI document / OpenAPI 文書を出力する",
    "settings": "show the settings in force / 設定を表示する",
}

_DESCRIPTION = "Tsunagi: FHIR R4 server for regional medical networks / 地域医療連携のための FHIR R4 サーバー"
_EXAMPLES = """\
examples:
  tsunagi demo                                      a synthetic hospital, imported and served / 架空病院のデモ
  tsunagi serve --port 8081 --data /srv/tsunagi     the FHIR API over its own MongoDB / FHIR API を起動
  tsunagi facility add 3710000025 --name "診療所Ａ" --type clinic --role providing    a facility, then its people / 参加施設の登録
  tsunagi ssmix2 import DIR --facility 3710000017   an SS-MIX2 standard storage / SS-MIX2 標準化ストレージの取り込み
  tsunagi index status                              the indexes of the store / 索引の状態
  tsunagi settings                                  the settings in force (docs/settings.md) / 設定の表示
  tsunagi COMMAND --help                            more about one command / 各コマンドの説明

`TSUNAGI_MONGODB_URI=mongodb://... tsunagi serve` uses a MongoDB replica set of yours instead.
"""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command that the words name; give the exit status."""
    words = sys.argv[1:] if words is None else words
    arguments = _parser(words).parse_args(words)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _leave)  # as an exception, so that whatever was started is stopped
    from fhir_server.settings import SettingsError  # noqa: PLC0415 - `--help` does without

    try:
        return int(arguments.run(arguments))
    except SettingsError as error:
        print(f"tsunagi: {error}", file=sys.stderr)
        return 2
    except CommandFailed as failure:
        print(f"tsunagi: {failure}", file=sys.stderr)
        return failure.status
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("tsunagi: interrupted", file=sys.stderr)
        return 130


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Describe all commands, but load only the one that the words name: `--help` answers at once."""
    parser = argparse.ArgumentParser(
        "tsunagi", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    named = next((word for word in words if not word.startswith("-")), None)
    if named in _COMMANDS:
        importlib.import_module(f"fhir_server.command.{named}").add_arguments(subparsers)
    for name, help in _COMMANDS.items():
        if name != named:
            subparsers.add_parser(name, help=help)
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        print(f"tsunagi {importlib.metadata.version('tsunagi')}")
        parser.exit()


def _leave(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
