"""Units of results: UCUM where the text is valid UCUM, else whatever system the sender names.

https://ucum.org/ucum (case sensitive form). The grammar is UCUM's; the atoms are those that laboratories and wards use, so
that an unknown word is never passed off as UCUM. `mEq/L` and `IU/L` are no UCUM and stay with the sender's system.
"""

import re
from functools import lru_cache
from typing import Any, Final

from mappers.datatypes import coding_systems
from mappers.datatypes.cwe import as_code
from mappers.hl7v2.message import Repetition

_METRIC: Final = "g|m|s|l|L|mol|U|Pa|Hz|J|W|V|A|K|Cel|cal|eq|osm|bar|kat|Bq|Gy|Sv|t|m\\[Hg\\]|m\\[H2O\\]|\\[iU\\]|\\[IU\\]"
_OTHER: Final = "%|min|h|d|wk|mo|a|deg|\\[pH\\]|\\[ppm\\]|\\[ppth\\]|\\[CFU\\]|\\[arb'U\\]|10\\*|10\\^|1"
_COMPONENT: Final = f"(?:[kMGdcmunpfh]?(?:{_METRIC})|{_OTHER})(?:-?\\d{{1,2}})?(?:\\{{[!-z|~]*\\}})?|\\{{[!-z|~]*\\}}"
_UCUM: Final = re.compile(f"/?(?:{_COMPONENT})(?:[./](?:{_COMPONENT}))*")


@lru_cache(maxsize=1024)
def is_ucum(code: str) -> bool:
    """Tell whether the code is valid UCUM, as far as the atoms known here go."""
    return _UCUM.fullmatch(code) is not None


@lru_cache(maxsize=2048)
def _parts(code: str, words: str, name: str, facility: str) -> tuple[tuple[str, str], ...]:
    if not code and not words:
        return ()
    found = [("unit", words or code)]
    if code:
        system = coding_systems.UCUM if is_ucum(code) else coding_systems.uri(name, code, facility)
        found += [("system", system), ("code", code)]
    return tuple(found)


def unit(cwe: Repetition, facility: str) -> dict[str, Any]:
    """Give unit, system and code of a Quantity from a field such as OBX-6; an empty dict where none was sent."""
    return dict(_parts(as_code(cwe[1]), cwe[2], cwe[3], facility))
