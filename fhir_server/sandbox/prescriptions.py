"""Prescriptions: drugs, their usage and amounts.

Usage codes are JAMI 標準用法マスタ's sixteen digits, composed by its rules. Drugs carry general names; their HOT9 codes
have the right form but begin with 999, a number no drug has: the HOT master may not be redistributed.
Units and forms are MERIT-9's (MR9P), routes HL7 table 0162.
"""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from fhir_server.sandbox.diagnoses import Diagnosis

UNITS = {"TAB": "錠", "CAP": "カプセル", "G": "グラム", "ML": "ミリリットル", "MAI": "枚", "HON": "本"}
FORMS = {"TAB": "錠剤", "CAP": "カプセル剤", "PWD": "散剤", "SYR": "シロップ剤", "TPE": "貼付剤", "OIT": "軟膏剤", "LQD": "液剤"}
ROUTES = {"PO": "口", "AP": "外用", "OP": "眼", "IH": "吸入"}


def decimal(value: float) -> str:
    """Write an amount without a useless fraction."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


class Usage(NamedTuple):
    """How a drug is taken: the 16-digit code, its text, and how many times a day (0: as needed)."""

    code: str
    text: str
    times: int


def _meals(pattern: str, text: str) -> Usage:
    """Taken by the day's rhythm: one digit each for bedtime, evening, noon and morning (1 before a meal, 4 after it)."""
    times = 4 - pattern.count("0")
    return Usage(f"101{times}{pattern}{'0' * 8}", f"内服・経口・１日{'０１２３４'[times]}回{text}", times)


USAGES = {
    "morning": _meals("0004", "朝食後"),
    "evening": _meals("0400", "夕食後"),
    "twice": _meals("0404", "朝夕食後"),
    "three": _meals("0444", "朝昼夕食後"),
    "before": _meals("0111", "朝昼夕食前"),
    "bedtime": _meals("1000", "就寝前"),
    "pain": Usage("1050110000000000", "内服・経口・疼痛時", 0),
    "fever": Usage("1050710000000000", "内服・経口・発熱時", 0),
    "sleepless": Usage("1050610000000000", "内服・経口・不眠時", 0),
    "patch": Usage("2A71000000000000", "外用・貼付・１日１回", 1),
    "ointment": Usage("2B72000000000000", "外用・塗布・１日２回", 2),
    "eyedrop": Usage("2H74000000000000", "外用・点眼・１日４回", 4),
    "inhale": Usage("2L72000000000000", "外用・吸入・１日２回", 2),
}


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug with its usual use: amount per time in `unit`; for external drugs and drugs as needed the whole amount."""

    hot9: str
    name: str
    form: str
    unit: str
    amount: str
    usage: Usage
    route: str
    treats: tuple[str, ...]

    @property
    def amount_per_day(self) -> str:
        """What is taken in one day, in `unit`."""
        return decimal(float(self.amount) * self.usage.times)


@dataclass(frozen=True, slots=True)
class Line:
    """One drug of a prescription: `total` is what is dispensed, `days` 0 where it is not counted in days."""

    drug: Drug
    days: int
    total: str


_DRUGS = """
アムロジピン錠５ｍｇ TAB TAB 1 morning PO hypertension,angina
オルメサルタン錠２０ｍｇ TAB TAB 1 morning PO hypertension,ckd
カンデサルタン錠８ｍｇ TAB TAB 1 morning PO hypertension,heart_failure
インダパミド錠１ｍｇ TAB TAB 1 morning PO hypertension
メトホルミン塩酸塩錠２５０ｍｇ TAB TAB 2 twice PO diabetes
シタグリプチン錠５０ｍｇ TAB TAB 1 morning PO diabetes
エンパグリフロジン錠１０ｍｇ TAB TAB 1 morning PO diabetes,heart_failure
ボグリボース錠０．２ｍｇ TAB TAB 1 before PO diabetes
アトルバスタチン錠１０ｍｇ TAB TAB 1 evening PO lipids,old_mi,stroke
ロスバスタチン錠２．５ｍｇ TAB TAB 1 evening PO lipids,angina
ベザフィブラート徐放錠２００ｍｇ TAB TAB 1 twice PO lipids
球形吸着炭カプセル２００ｍｇ CAP CAP 10 three PO ckd
炭酸水素ナトリウム PWD G 1 three PO ckd
ウルソデオキシコール酸錠１００ｍｇ TAB TAB 2 three PO fatty_liver,hepatitis_c,cirrhosis
エンテカビル錠０．５ｍｇ TAB TAB 1 bedtime PO hepatitis_b
フェブキソスタット錠２０ｍｇ TAB TAB 1 morning PO gout,hyperuricemia
アロプリノール錠１００ｍｇ TAB TAB 1 twice PO gout,hyperuricemia
コルヒチン錠０．５ｍｇ TAB TAB 1 pain PO gout
アピキサバン錠５ｍｇ TAB TAB 1 twice PO af
ビソプロロール錠２．５ｍｇ TAB TAB 1 morning PO af,heart_failure,angina
フロセミド錠２０ｍｇ TAB TAB 1 morning PO heart_failure,cirrhosis
スピロノラクトン錠２５ｍｇ TAB TAB 1 morning PO heart_failure,cirrhosis
アスピリン腸溶錠１００ｍｇ TAB TAB 1 morning PO angina,old_mi
クロピドグレル錠７５ｍｇ TAB TAB 1 morning PO stroke,old_mi,stroke_acute
チオトロピウム吸入液２．５μｇ LQD HON 1 inhale IH copd
ブデソニド・ホルモテロール吸入剤６０吸入 PWD HON 1 inhale IH asthma,copd
モンテルカスト錠１０ｍｇ TAB TAB 1 bedtime PO asthma,rhinitis
ランソプラゾール口腔内崩壊錠１５ｍｇ TAB TAB 1 morning PO reflux,gastritis,gastric_ulcer
ボノプラザン錠１０ｍｇ TAB TAB 1 morning PO reflux,gastric_ulcer
レバミピド錠１００ｍｇ TAB TAB 1 three PO gastritis,gastric_ulcer
クエン酸第一鉄ナトリウム錠５０ｍｇ TAB TAB 1 twice PO anemia
レボチロキシンナトリウム錠５０μｇ TAB TAB 1 morning PO hypothyroid
アレンドロン酸錠５ｍｇ TAB TAB 1 morning PO osteoporosis
エルデカルシトールカプセル０．７５μｇ CAP CAP 1 morning PO osteoporosis
ロキソプロフェンナトリウム錠６０ｍｇ TAB TAB 1 three PO knee,low_back,fracture,rheumatism
ロキソプロフェンナトリウムテープ１００ｍｇ TPE MAI 21 patch AP knee,low_back
アセトアミノフェン錠３００ｍｇ TAB TAB 2 fever PO cold,influenza,bronchitis,herpes_zoster,appendicitis
メトトレキサートカプセル２ｍｇ CAP CAP 2 morning PO rheumatism
ゾルピデム酒石酸塩錠５ｍｇ TAB TAB 1 sleepless PO insomnia,depression
レンボレキサント錠５ｍｇ TAB TAB 1 bedtime PO insomnia
エスシタロプラム錠１０ｍｇ TAB TAB 1 evening PO depression
ドネペジル塩酸塩口腔内崩壊錠５ｍｇ TAB TAB 1 morning PO dementia
レボドパ・カルビドパ配合錠 TAB TAB 1 three PO parkinson
タムスロシン塩酸塩口腔内崩壊錠０．２ｍｇ TAB TAB 1 morning PO bph
ミラベグロン錠５０ｍｇ TAB TAB 1 morning PO overactive
ピレノキシン点眼液０．００５％ LQD HON 1 eyedrop OP cataract
ラタノプロスト点眼液０．００５％ LQD HON 1 eyedrop OP glaucoma
レボフロキサシン点眼液０．５％ LQD HON 1 eyedrop OP conjunctivitis
フェキソフェナジン塩酸塩錠６０ｍｇ TAB TAB 1 twice PO rhinitis,urticaria
ヒドロコルチゾン酪酸エステル軟膏０．１％ OIT HON 2 ointment AP dermatitis
酸化マグネシウム錠３３０ｍｇ TAB TAB 2 three PO constipation
カルボシステイン錠２５０ｍｇ TAB TAB 2 three PO cold,bronchitis,copd,otitis
デキストロメトルファン臭化水素酸塩錠１５ｍｇ TAB TAB 1 three PO cold,bronchitis
アモキシシリンカプセル２５０ｍｇ CAP CAP 2 three PO otitis,bronchitis,pneumonia
レボフロキサシン錠５００ｍｇ TAB TAB 1 morning PO pneumonia,pyelonephritis,cystitis,cholecystitis
オセルタミビルカプセル７５ｍｇ CAP CAP 1 twice PO influenza
ビフィズス菌製剤錠１２ｍｇ TAB TAB 2 three PO gastroenteritis
セファレキシンカプセル２５０ｍｇ CAP CAP 1 three PO cellulitis,cystitis
バラシクロビル錠５００ｍｇ TAB TAB 2 three PO herpes_zoster
葛根湯エキス顆粒 PWD G 2.5 before PO cold
"""


def _table() -> tuple[Drug, ...]:
    rows = [line.split() for line in _DRUGS.splitlines() if line]
    return tuple(
        Drug(f"999{n * 101:06d}", name, form, unit, amount, USAGES[usage], route, tuple(treats.split(",")))
        for n, (name, form, unit, amount, usage, route, treats) in enumerate(rows, 1)
    )


DRUGS = _table()
BY_DIAGNOSIS: dict[str, tuple[Drug, ...]] = {key: tuple(d for d in DRUGS if key in d.treats) for drug in DRUGS for key in drug.treats}


def _line(drug: Drug, days: int) -> Line:
    if drug.usage.times == 0:
        return Line(drug, 0, decimal(float(drug.amount) * 10))
    if drug.route != "PO":
        return Line(drug, 0, drug.amount)
    return Line(drug, days, decimal(float(drug.amount_per_day) * days))


# Parts of general names that tell a class: nobody gets two drugs of one.
_CLASSES = ("サルタン", "スタチン", "プラゾール", "プラザン", "キソプロフェン")


def _class(drug: Drug) -> str:
    return next((part for part in _CLASSES if part in drug.name), drug.name).replace("プラザン", "プラゾール")


def therapy(rng: Random, diagnoses: tuple[Diagnosis, ...]) -> tuple[Drug, ...]:
    """Draw the drugs a person takes for these diseases: one or two each, no two of one class."""
    chosen: dict[str, Drug] = {}
    for diagnosis in diagnoses:
        drugs = BY_DIAGNOSIS.get(diagnosis.key, ())
        for drug in rng.sample(drugs, min(len(drugs), 1 + (rng.random() < 0.35))):
            chosen.setdefault(_class(drug), drug)
    return tuple(chosen.values())


def prescription(drugs: tuple[Drug, ...], days: int) -> tuple[Line, ...]:
    """Prescribe these drugs for so many days; what is external or as needed is given by the piece."""
    return tuple(_line(drug, days) for drug in drugs)
