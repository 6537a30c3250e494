"""docs/settings.md, made from the declarations: `tsunagi settings --markdown`."""

from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from fhir_server.settings.declared import Settings

_PREFIX = "TSUNAGI_"


def markdown() -> str:
    """Give docs/settings.md."""
    lines = [
        "# Settings / 設定",
        "",
        "<!-- Made by `tsunagi settings --markdown` from fhir_server/settings/declared.py; do not edit. -->",
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
    return f"| `{field.name}` | `{_PREFIX}{field.name.upper()}` | {default} | {allowed_values(get_args(field.type)[0], metas)} | {description} |"


def _shown(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def allowed_values(type: Any, metas: list[Meta]) -> str:
    """Say what values a setting takes."""
    if get_origin(type) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(type))
    if type is bool:
        return "`true`, `false`"
    least = next((meta.ge for meta in metas if meta.ge is not None), None)
    most = next((meta.le for meta in metas if meta.le is not None), None)
    if least is None:
        return "text"
    return f"{least}-{most}" if most is not None else f"≥ {least}"
