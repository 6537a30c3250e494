"""JLAC10 (臨床検査項目コード 第10版): 17-digit codes of laboratory examinations.

https://www.jslm.org/committees/code/ - the code system is the Japanese Society of Laboratory Medicine's.

A code is not looked up but read: five parts say what was measured, in what, and how. Two results of one analyte agree
in `analyte` even where hospitals use different methods.
"""

import re
from dataclasses import dataclass

SYSTEM = "http://medis.or.jp/CodeSystem/master-JLAC10-17digits"

_GRAMMAR = re.compile(r"([0-9][A-Z][0-9]{3})([0-9]{4})([0-9]{3})([0-9]{3})([0-9]{2})")


@dataclass(frozen=True, slots=True)
class Jlac10:
    """The parts of a code."""

    analyte: str  # 分析物 5
    identification: str  # 識別 4
    specimen: str  # 材料 3
    method: str  # 測定法 3
    result: str  # 結果識別 2

    @property
    def code(self) -> str:
        """The 17 digits."""
        return self.analyte + self.identification + self.specimen + self.method + self.result


def parse(code: str) -> Jlac10 | None:
    """Take a 17-digit code apart; None for what is none, such as a hospital's own code."""
    found = _GRAMMAR.fullmatch(code)
    return Jlac10(*found.groups()) if found else None
