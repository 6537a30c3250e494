r"""The escapes of search values: `\,` `\|` `\$` `\\`.

https://hl7.org/fhir/R4/search.html#escaping
"""

import re

_ESCAPED = re.compile(r"\\([,|$\\])")


def split(value: str, separator: str) -> list[str]:
    """Split at each separator that is not escaped; the escapes stay inside the pieces."""
    if "\\" not in value:
        return value.split(separator)
    pieces, start, position = [], 0, 0
    while position < len(value):
        if value[position] == "\\":
            position += 2
            continue
        if value[position] == separator:
            pieces.append(value[start:position])
            start = position + 1
        position += 1
    pieces.append(value[start:])
    return pieces


def unescape(piece: str) -> str:
    """Give what the sender meant. A backslash before any other character is itself."""
    return _ESCAPED.sub(r"\1", piece) if "\\" in piece else piece


def escape(text: str) -> str:
    """Make any text one searchable value."""
    return re.sub(r"([,|$\\])", r"\\\1", text)
