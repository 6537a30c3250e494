"""What an operator may choose, and the only reader of the environment.

A value comes from the command line, else from the environment (`TSUNAGI_PORT`), else from one TOML file (`port = 8080`
in the file that `TSUNAGI_CONFIG` names, else in `tsunagi.toml` of the working directory), else it is the default below.
`docs/settings.md` is made from this class by `tsunagi settings --markdown`.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

_PREFIX = "TSUNAGI_"
_NOT_SETTINGS = ("TSUNAGI_CONFIG", "TSUNAGI_SHARED", "TSUNAGI_TEST_")
_DEFAULT_FILE = "tsunagi.toml"
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")

Count: TypeAlias = Annotated[int, Meta(ge=1)]


class SettingsError(Exception):
    """A setting cannot be used; the text is one line for the operator and never repeats a value."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting with its default; the descriptions are the documentation."""

    host: Annotated[str, Meta(min_length=1, description="Address to listen at. 待ち受けるアドレス")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port to listen at. 待ち受けるポート")] = 8080
    workers: Annotated[
        int, Meta(ge=0, le=256, description="Processes that serve; 0: one for each processor core. プロセス数 (0 はコア数)")
    ] = 0
    base_url: Annotated[
        str | None,
        Meta(description="Public address of the FHIR API, used in links; default `http://HOST:PORT/fhir`. 公開アドレス (リンクに使用)"),
    ] = None
    data: Annotated[Path, Meta(description="Directory of all data; MongoDB's files are in its `mongodb`. データの保存先")] = Path("var")
    mongodb_uri: Annotated[
        str | None,
        Meta(description="MongoDB ≥ 6, a replica set or sharded cluster; unset: the embedded one. 外部 MongoDB (未設定なら内蔵)"),
    ] = None
    database: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,38}$", description="Name of the database. データベース名")] = "tsunagi"
    mongodb_cache: Annotated[
        int,
        Meta(
            ge=0,
            description="Cache of the embedded MongoDB in MB, at least 256; 0: a quarter of the memory, at most 2048. 内蔵 MongoDB のキャッシュ",
        ),
    ] = 0
    mongodb_oplog: Annotated[
        int, Meta(ge=16, le=100_000, description="Oplog of the embedded MongoDB in MB, taken when it is first made. 内蔵 MongoDB の oplog")
    ] = 256
    body_limit: Annotated[int, Meta(ge=1, le=1024, description="Largest request body in MB; more is answered 413. 要求本文の上限")] = 50
    binary_limit: Annotated[
        int, Meta(ge=1, le=10_240, description="Largest content of a Binary in MB; more is answered 413. Binary の内容の上限")
    ] = 100
    binary_inline: Annotated[
        int, Meta(ge=0, le=8192, description="Content of a Binary up to so many KB stays in its document. 文書内に保存する Binary の上限")
    ] = 256
    bundle_limit: Annotated[Count, Meta(description="Most entries of a batch or transaction. Bundle の最大エントリー数")] = 5000
    delete_limit: Annotated[Count, Meta(description="Most resources one conditional delete deletes. 条件付き削除の上限")] = 1000
    depth_limit: Annotated[int, Meta(ge=10, le=500, description="Deepest nesting of JSON. JSON の入れ子の上限")] = 100
    count_default: Annotated[Count, Meta(description="Resources on a page without `_count`. 1 ページの既定件数")] = 50
    count_limit: Annotated[Count, Meta(description="Most resources on a page, whatever `_count` asks. 1 ページの最大件数")] = 1000
    chain_limit: Annotated[
        Count, Meta(description="Most ids that a chained parameter or `_has` may resolve to; more is too-costly. 連鎖検索の上限")
    ] = 1000
    chain_depth: Annotated[int, Meta(ge=1, le=10, description="Most steps of a chained parameter or `_has`. 連鎖検索の最大段数")] = 3
    include_limit: Annotated[
        Count, Meta(description="Most resources that `_include` and `_revinclude` add to a page. _include で加わる最大件数")
    ] = 1000
    include_rounds: Annotated[int, Meta(ge=1, le=20, description="How often `:iterate` goes on. :iterate の最大反復回数")] = 5
    paging_key: Annotated[
        str | None,
        Meta(min_length=16, description="Secret that seals page links; unset: one is made and kept in the database. ページリンクの暗号鍵"),
    ] = None
    paging_time: Annotated[Count, Meta(description="Minutes that the link to the next page is valid. 次ページリンクの有効時間 (分)")] = 1440
    codes_limit: Annotated[
        Count, Meta(description="Most codes of a value set or hierarchy that `:in`, `:above` and `:below` ask for. 値セット検索の上限")
    ] = 2000
    text_limit: Annotated[
        Count, Meta(description="Most resources that `_text` and `_content` look through; more is too-costly. 全文検索で読む件数の上限")
    ] = 10_000
    near_distance: Annotated[int, Meta(ge=1, le=20_000, description="Distance of `near` where none is named, in km. near の既定距離")] = 10
    query_time: Annotated[int, Meta(ge=10, description="Longest time of one database query in ms. 1 回の問い合わせの最大時間")] = 10_000
    stop_time: Annotated[
        int, Meta(ge=1, le=600, description="Seconds that accepted requests get to finish when the server stops. 停止時の猶予秒数")
    ] = 30
    timezone: Annotated[str, Meta(description="Zone of dates without one. 時間帯指定のない日付の時間帯")] = "Asia/Tokyo"
    handling: Annotated[
        Literal["strict", "lenient"],
        Meta(description="Unknown search parameters, where `Prefer: handling` is absent: refuse or ignore. 未知の検索条件の扱い"),
    ] = "strict"
    cors_origins: Annotated[
        str | None,
        Meta(
            description="Origins whose web pages may use the API from a browser, `https://a.example, https://b.example` or `*`; "
            "unset: none. ブラウザから利用できるオリジン"
        ),
    ] = None
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="Least level that is logged. ログの水準")] = "info"
    access_log: Annotated[bool, Meta(description="One log line for each request, without personal data. 要求ごとのログ")] = True

    def __repr__(self) -> str:
        return "Settings(...)"  # mongodb_uri may hold a password

    @property
    def base(self) -> str:
        """The address that links start with, without a trailing slash."""
        return (self.base_url or f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}/fhir").rstrip("/")

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins of `cors_origins`."""
        return tuple(each.strip() for each in (self.cors_origins or "").split(",") if each.strip())

    @property
    def worker_processes(self) -> int:
        """The number of processes that serve."""
        return self.workers or len(os.sched_getaffinity(0))

    @property
    def zone(self) -> ZoneInfo:
        """The zone of dates that name none."""
        return ZoneInfo(self.timezone)

    @property
    def mongodb_directory(self) -> Path:
        """Where the embedded MongoDB keeps its files."""
        return self.data / "mongodb"


def load(environment: Mapping[str, str] | None = None, **chosen: object) -> Settings:
    """Read the settings; `chosen` is what the command line said (None: nothing). Raises SettingsError."""
    environment = os.environ if environment is None else environment
    values = _from_file(environment) | _from_environment(environment)
    values |= {name: ("command line", value) for name, value in chosen.items() if value is not None}
    types = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    return _checked(Settings(**{name: _converted(name, source, value, types[name]) for name, (source, value) in values.items()}))


def _from_file(environment: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
    named = environment.get("TSUNAGI_CONFIG")
    path = Path(named or _DEFAULT_FILE)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named:
            raise SettingsError(f"TSUNAGI_CONFIG names {path}, which does not exist") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    for name in content:
        _known(name, str(path), name)
    return {name: (f"{path}: {name}", value) for name, value in content.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
    values: dict[str, tuple[str, Any]] = {}
    for variable, value in environment.items():
        if not variable.startswith(_PREFIX) or variable.startswith(_NOT_SETTINGS):
            continue
        name = variable.removeprefix(_PREFIX).lower()
        _known(name, "the environment", variable)
        if value:  # an empty variable says nothing
            values[name] = (variable, value)
    return values


def _known(name: str, source: str, written: str) -> None:
    if name not in Settings.__struct_fields__:
        near = difflib.get_close_matches(name, Settings.__struct_fields__, 1)
        hint = (
            f"; did you mean {_PREFIX + near[0].upper() if written.startswith(_PREFIX) else near[0]}?" if near else "; see docs/settings.md"
        )
        raise SettingsError(f"unknown setting {written} in {source}{hint}")


def _converted(name: str, source: str, value: object, type: Any) -> Any:
    where = f"setting {name} ({source})"
    try:
        return msgspec.convert(value, type, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        metas = [argument for argument in get_args(type) if isinstance(argument, Meta)]
        allowed = _allowed(get_args(type)[0], metas).replace("`", "")
        reason = str(error).partition(" - at ")[0] if allowed == "text" else f"expected {allowed}"
        raise SettingsError(f"{where}: {reason[:1].lower() + reason[1:]}") from None


def _path(type: Any, value: Any) -> Any:
    if type is Path and isinstance(value, str) and value:
        return Path(value)
    if isinstance(value, type):
        return value
    raise TypeError("expected a path")


def _checked(settings: Settings) -> Settings:
    try:
        _ = settings.zone
    except (ZoneInfoNotFoundError, ValueError):
        raise SettingsError("setting timezone: not a known time zone (an example is Asia/Tokyo)") from None
    if settings.base_url and not settings.base_url.startswith(("http://", "https://")):
        raise SettingsError("setting base_url: expected an address that starts with http:// or https://")
    if not all(each == "*" or _ORIGIN.fullmatch(each) for each in settings.origins):
        raise SettingsError("setting cors_origins: expected origins such as https://app.example.org (no path), or *")
    if 0 < settings.mongodb_cache < 256:
        raise SettingsError("setting mongodb_cache: expected 0 or at least 256")
    if settings.count_default > settings.count_limit:
        raise SettingsError("setting count_default: must not be more than count_limit")
    return settings


def markdown() -> str:
    """Give docs/settings.md."""
    lines = [
        "# Settings / 設定",
        "",
        "<!-- Made by `tsunagi settings --markdown` from fhir_server/settings.py; do not edit. -->",
        "",
        "A value comes from the command line, else from the environment, else from one TOML file (the one that `TSUNAGI_CONFIG` names, else",
        "`tsunagi.toml` in the working directory; the keys are the settings' names), else it is the default. Unknown settings are refused.",
        "",
        "値はコマンドライン、環境変数、TOML ファイル (`TSUNAGI_CONFIG`、なければ `tsunagi.toml`)、既定値の順に決まります。未知の設定は拒否されます。",
        "",
        "| setting | environment | default | allowed | meaning |",
        "|---|---|---|---|---|",
    ]
    lines += [_row(field) for field in msgspec.structs.fields(Settings)]
    return "\n".join(lines) + "\n"


def _row(field: msgspec.structs.FieldInfo) -> str:
    metas = [argument for argument in get_args(field.type) if isinstance(argument, Meta)]
    description = next(meta.description for meta in metas if meta.description)
    default = "" if field.default is None else _shown(field.default)
    return f"| `{field.name}` | `{_PREFIX}{field.name.upper()}` | {default} | {_allowed(get_args(field.type)[0], metas)} | {description} |"


def _shown(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _allowed(type: Any, metas: list[Meta]) -> str:
    if get_origin(type) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(type))
    if type is bool:
        return "`true`, `false`"
    least = next((meta.ge for meta in metas if meta.ge is not None), None)
    most = next((meta.le for meta in metas if meta.le is not None), None)
    if least is None:
        return "text"
    return f"{least}-{most}" if most is not None else f"≥ {least}"
