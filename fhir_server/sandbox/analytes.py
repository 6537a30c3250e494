"""Laboratory analytes: JLAC10 codes, units and reference ranges.

Ranges of adults are the common Japanese ones of JCCLS (共用基準範囲). Of a JLAC10 code the analyte (first five digits) and
the specimen (digits 10-12) are true; method and result digits are a usual choice.
"""

from dataclasses import dataclass

SPECIMENS = {"001": "尿(含むその他)", "019": "全血(添加物入り)", "022": "血漿", "023": "血清"}
SECTIONS = {"1": "一般検査", "2": "血液学的検査", "3": "生化学的検査", "4": "内分泌学的検査", "5": "免疫学的検査"}


@dataclass(frozen=True, slots=True)
class Analyte:
    """One test of the laboratory.

    `low` and `high` bound the reference range for men and women. `digits` are the decimals of a result. A text analyte
    has no range but `normal`, the expected answer.
    """

    key: str
    jlac10: str
    name: str
    local: str
    unit: str
    digits: int
    low: tuple[float, float]
    high: tuple[float, float]
    normal: str = ""

    @property
    def specimen(self) -> str:
        """Material part of the JLAC10 code."""
        return self.jlac10[9:12]

    @property
    def section(self) -> str:
        """JLAC10's first digit: which section of the laboratory tests it."""
        return self.jlac10[0] if self.jlac10[0] in SECTIONS else "3"


# key, JLAC10, name, unit, decimals, range of men, range of women (once where the same)
_NUMERIC = """
wbc  2A010000001930101 白血球数 10*3/uL 1 3.3-8.6
rbc  2A020000001930101 赤血球数 10*4/uL 0 435-555 386-492
hb   2A030000001930101 ヘモグロビン g/dL 1 13.7-16.8 11.6-14.8
ht   2A040000001930102 ヘマトクリット % 1 40.7-50.1 35.1-44.4
mcv  2A060000001930101 ＭＣＶ fL 1 83.6-98.2
mch  2A070000001930101 ＭＣＨ pg 1 27.5-33.2
mchc 2A080000001930101 ＭＣＨＣ g/dL 1 31.7-35.3
plt  2A050000001930101 血小板数 10*3/uL 0 158-348
pt   2B030000002231157 プロトロンビン時間(ＩＮＲ) {INR} 2 0.90-1.10
aptt 2B020000002231101 活性化部分トロンボプラスチン時間 s 1 24.0-34.0
fbg  2B100000002231101 フィブリノゲン mg/dL 0 200-400
dd   2B140000002206201 Ｄダイマー ug/mL 2 0.00-0.99
tp   3A010000002327101 総蛋白 g/dL 1 6.6-8.1
alb  3A015000002327101 アルブミン g/dL 1 4.1-5.1
ag   3A016000002391901 Ａ／Ｇ比 {ratio} 2 1.32-2.23
tbil 3J010000002327101 総ビリルビン mg/dL 1 0.4-1.5
dbil 3J015000002327101 直接ビリルビン mg/dL 1 0.0-0.3
ast  3B035000002327201 ＡＳＴ U/L 0 13-30
alt  3B045000002327201 ＡＬＴ U/L 0 10-42 7-23
ld   3B050000002327201 ＬＤ U/L 0 124-222
alp  3B070000002327101 ＡＬＰ U/L 0 38-113
ggt  3B090000002327101 γ-GT U/L 0 13-64 9-32
che  3B110000002327101 コリンエステラーゼ U/L 0 240-486 201-421
ck   3B010000002327201 ＣＫ U/L 0 59-248 41-153
amy  3B160000002327101 アミラーゼ U/L 0 44-132
un   3C025000002327201 尿素窒素 mg/dL 1 8.0-20.0
cre  3C015000002327101 クレアチニン mg/dL 2 0.65-1.07 0.46-0.79
egfr 8A065000002391901 推算糸球体濾過量 mL/min/{1.73_m2} 1 60.0-120.0
ua   3C020000002327101 尿酸 mg/dL 1 3.7-7.8 2.6-5.5
na   3H010000002326101 ナトリウム mmol/L 0 138-145
k    3H015000002326101 カリウム mmol/L 1 3.6-4.8
cl   3H020000002326101 クロール mmol/L 0 101-108
ca   3H030000002327101 カルシウム mg/dL 1 8.8-10.1
ip   3H040000002327101 無機リン mg/dL 1 2.7-4.6
fe   3I010000002327101 血清鉄 ug/dL 0 40-188
glu  3D010000002227101 グルコース mg/dL 0 73-109
a1c  3D046000001906202 ＨｂＡ１ｃ(ＮＧＳＰ) % 1 4.9-6.0
tc   3F050000002327101 総コレステロール mg/dL 0 142-248
tg   3F015000002327101 トリグリセライド mg/dL 0 40-234 30-117
hdl  3F070000002327101 ＨＤＬコレステロール mg/dL 0 38-90 48-103
ldl  3F077000002327101 ＬＤＬコレステロール mg/dL 0 65-163
crp  5C070000002306201 ＣＲＰ mg/dL 2 0.00-0.14
tsh  4A055000002305101 ＴＳＨ u[IU]/mL 2 0.50-5.00
ft4  4B035000002305101 遊離Ｔ４ ng/dL 2 0.90-1.70
bnp  4Z271000002205101 ＢＮＰ pg/mL 1 0.0-18.4
"""
_TEXT = """
u_protein 1A010000000190111 尿蛋白定性 (-)
u_glucose 1A020000000190111 尿糖定性 (-)
u_uro     1A040000000190111 尿ウロビリノーゲン定性 (±)
u_bil     1A055000000190111 尿ビリルビン定性 (-)
u_ketone  1A060000000190111 尿ケトン体定性 (-)
u_blood   1A100000000190111 尿潜血反応 (-)
hbs       5F016149502305111 ＨＢｓ抗原 陰性
hcv       5F360149502305111 ＨＣＶ抗体 陰性
"""


def _span(text: str) -> tuple[float, float]:
    low, high = text.split("-")
    return float(low), float(high)


def _numeric(number: int, row: str) -> Analyte:
    key, jlac10, name, unit, digits, *ranges = row.split()
    (men_low, men_high), (women_low, women_high) = _span(ranges[0]), _span(ranges[-1])
    return Analyte(key, jlac10, name, f"{10000 + number * 10}", unit, int(digits), (men_low, women_low), (men_high, women_high))


def _text(number: int, row: str) -> Analyte:
    key, jlac10, name, normal = row.split()
    return Analyte(key, jlac10, name, f"{20000 + number * 10}", "", 0, (0.0, 0.0), (0.0, 0.0), normal)


def _table() -> dict[str, Analyte]:
    numeric = [_numeric(n, row) for n, row in enumerate(_NUMERIC.strip().splitlines(), 1)]
    return {a.key: a for a in numeric + [_text(n, row) for n, row in enumerate(_TEXT.strip().splitlines(), 1)]}


ANALYTES = _table()
PANELS = {
    "血算": ("wbc", "rbc", "hb", "ht", "mcv", "mch", "mchc", "plt"),
    "凝固": ("pt", "aptt", "fbg", "dd"),
    "生化学": ("tp", "alb", "ag", "na", "k", "cl", "ld", "ck", "amy", "crp"),
    "肝機能": ("tbil", "dbil", "ast", "alt", "alp", "ggt", "che"),
    "腎機能": ("un", "cre", "egfr", "ua", "k", "ca", "ip"),
    "糖": ("glu", "a1c"),
    "脂質": ("tc", "tg", "hdl", "ldl"),
    "炎症": ("wbc", "crp"),
    "鉄": ("hb", "mcv", "fe"),
    "甲状腺": ("tsh", "ft4"),
    "心不全": ("bnp",),
    "尿定性": ("u_protein", "u_glucose", "u_uro", "u_bil", "u_ketone", "u_blood"),
    "感染症": ("hbs", "hcv"),
}
