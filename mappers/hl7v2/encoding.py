"""The bytes of an SS-MIX2 message as text.

ISO-2022-JP (ISO IR-6 and ISO IR-87) is what the specification allows. Real stores also hold characters that it forbids
(NEC row 13 such as ①, half-width kana): Windows software writes them as JIS pairs that Python's codec does not know.
Those are read through CP932, with a warning, rather than lost.

Decoding comes before splitting: inside a two-byte run the bytes of `|`, `^`, `~`, `&` and the backslash are halves of kanji.
"""

import re
from typing import Final

_ESCAPE: Final = re.compile(rb"\x1b(\$B|\$@|\$\(D|\(B|\(J|\(I)")
_TWO_BYTES: Final = frozenset((b"$B", b"$@"))
_ALLOWED_CONTROLS: Final = frozenset(b"\t\n\r\x0b\x1c")

LENIENT: Final = "characters outside JIS X 0208 were read (vendor rows as CP932, half-width kana, JIS X 0212)"
"""The warning that goes with a text that only the lenient way could read."""


class EncodingError(ValueError):
    """The bytes are not text in ISO-2022-JP; the text holds nothing of them."""


def decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Give the text and what had to be tolerated to read it.

    The codec is fast and strict; only what it refuses is read leniently.
    """
    if not data.strip():
        raise EncodingError("the file is empty")
    try:
        return data.decode("iso2022_jp"), ()
    except UnicodeDecodeError:
        return _decode_leniently(data), (LENIENT,)


def _decode_leniently(data: bytes) -> str:
    """Decode run by run; raise EncodingError where the bytes are no JIS text at all."""
    text: list[str] = []
    charset, position = b"(B", 0
    for match in (*_ESCAPE.finditer(data), None):
        end = match.start() if match else len(data)
        text.append(_decode_run(data[position:end], charset))
        if match:
            charset, position = match.group(1), match.end()
    return "".join(text)


def _decode_run(run: bytes, charset: bytes) -> str:
    """Decode bytes between two escapes. A line end resets to ASCII, as JIS says."""
    parts: list[str] = []
    for line in re.split(rb"([\r\n]+)", run):
        if line[:1] in (b"\r", b"\n"):
            charset = b"(B"
            parts.append(line.decode("ascii"))
        elif charset in _TWO_BYTES:
            parts.append(_decode_pairs(line))
        elif charset == b"$(D":
            parts.append(_decode_supplementary(line))
        elif charset == b"(I":
            parts.append(_decode_half_width(line))
        else:
            parts.append(_decode_ascii(line))
    return "".join(parts)


def _decode_pairs(run: bytes) -> str:
    """Decode JIS pairs by way of Shift_JIS, whose CP932 form knows the vendors' rows."""
    if len(run) % 2:
        raise EncodingError("a two-byte character is cut in half")
    shifted = bytearray()
    for high, low in zip(run[::2], run[1::2], strict=True):
        if not (0x21 <= high <= 0x7E and 0x21 <= low <= 0x7E):
            raise EncodingError("a byte inside a two-byte run is no half of a JIS character")
        first = ((high - 0x21) >> 1) + 0x81
        shifted.append(first + 0x40 if first > 0x9F else first)
        second = low + 0x1F if high & 1 else low + 0x7E
        shifted.append(second + 1 if high & 1 and second >= 0x7F else second)
    try:
        return shifted.decode("cp932")
    except UnicodeDecodeError:
        raise EncodingError("a two-byte character is unknown to JIS X 0208 and to CP932") from None


def _decode_supplementary(run: bytes) -> str:
    """Decode JIS X 0212 (補助漢字), which rare names need."""
    try:
        return (b"\x1b$(D" + run + b"\x1b(B").decode("iso2022_jp_1")
    except UnicodeDecodeError:
        raise EncodingError("a two-byte character is unknown to JIS X 0212") from None


def _decode_half_width(run: bytes) -> str:
    if any(not 0x21 <= byte <= 0x5F for byte in run):
        raise EncodingError("a byte inside a half-width kana run is no kana")
    return bytes(byte | 0x80 for byte in run).decode("cp932")


def _decode_ascii(run: bytes) -> str:
    if any(byte > 0x7E or (byte < 0x20 and byte not in _ALLOWED_CONTROLS) for byte in run):
        raise EncodingError("the bytes are not ISO-2022-JP text (binary data or another character set)")
    return run.decode("ascii")
