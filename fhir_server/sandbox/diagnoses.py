"""Diagnoses: their codes, who has them, and how long they stay.

ICD-10 codes are true. 病名管理番号 and 病名交換用コード are of MEDIS's form but invented (29990001 and ZZ01 onwards), for
the 標準病名マスター may not be redistributed: never take them for a reference.
"""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A disease as a hospital codes it.

    `department` treats it; `from_age` is when a chronic one begins to be met, `share` the part of people beyond that
    age who have it. An acute one (`days` > 0) ends after that many days and `share` is its weight among the acute.
    """

    key: str
    number: str
    exchange: str
    icd10: str
    name: str
    department: str
    from_age: int
    share: float
    days: int = 0


_CHRONIC = """
hypertension    I10  高血圧症 081 40 0.50
diabetes        E119 ２型糖尿病 01 40 0.22
lipids          E785 脂質異常症 01 38 0.32
ckd             N189 慢性腎臓病 01 55 0.16
fatty_liver     K760 脂肪肝 061 35 0.15
gout            M109 痛風 01 40 0.06
hyperuricemia   E790 高尿酸血症 01 38 0.08
af              I489 心房細動 081 62 0.10
heart_failure   I509 慢性心不全 081 66 0.09
angina          I209 狭心症 081 58 0.08
old_mi          I252 陳旧性心筋梗塞 081 60 0.04
stroke          I693 脳梗塞後遺症 14 64 0.06
copd            J449 慢性閉塞性肺疾患 05 60 0.05
asthma          J459 気管支喘息 05 3 0.06
reflux          K210 逆流性食道炎 06 35 0.12
gastritis       K295 慢性胃炎 06 45 0.14
hepatitis_c     B182 Ｃ型慢性肝炎 061 58 0.03
hepatitis_b     B181 Ｂ型慢性肝炎 061 45 0.02
cirrhosis       K746 肝硬変症 061 60 0.015
anemia          D509 鉄欠乏性貧血 01 18 0.05
hypothyroid     E039 甲状腺機能低下症 01 40 0.04
osteoporosis    M819 骨粗鬆症 11 65 0.22
knee            M179 変形性膝関節症 11 58 0.16
low_back        M545 腰痛症 11 30 0.12
rheumatism      M0690 関節リウマチ 11 45 0.02
insomnia        G470 不眠症 02 40 0.12
depression      F329 うつ病 02 20 0.04
dementia        G309 アルツハイマー型認知症 02 75 0.10
parkinson       G20  パーキンソン病 14 66 0.015
bph             N40  前立腺肥大症 20 60 0.14
overactive      N328 過活動膀胱 20 60 0.08
cataract        H259 老人性白内障 26 66 0.14
glaucoma        H409 緑内障 26 50 0.05
rhinitis        J304 アレルギー性鼻炎 27 8 0.16
dermatitis      L209 アトピー性皮膚炎 19 1 0.06
constipation    K590 便秘症 06 60 0.12
"""
_ACUTE = """
cold            J069 急性上気道炎 01 0 1.00 7
bronchitis      J209 急性気管支炎 05 0 0.50 14
influenza       J101 インフルエンザ 01 0 0.30 7
pneumonia       J189 急性肺炎 05 50 0.18 14
gastroenteritis A099 感染性胃腸炎 06 0 0.45 7
cystitis        N300 急性膀胱炎 20 18 0.25 7
pyelonephritis  N10  急性腎盂腎炎 20 30 0.07 14
cellulitis      L039 蜂窩織炎 19 30 0.10 14
herpes_zoster   B029 帯状疱疹 19 45 0.10 21
urticaria       L509 じんま疹 19 2 0.20 7
conjunctivitis  H109 急性結膜炎 26 1 0.15 10
otitis          H669 中耳炎 27 1 0.12 14
gastric_ulcer   K259 胃潰瘍 06 45 0.12 56
cholecystitis   K810 急性胆嚢炎 10 45 0.06 14
appendicitis    K358 急性虫垂炎 10 8 0.05 14
fracture        S5250 橈骨遠位端骨折 11 50 0.08 60
stroke_acute    I639 脳梗塞 14 62 0.05 30
"""


def _table() -> dict[str, Diagnosis]:
    rows = [line.split() for line in (_CHRONIC + _ACUTE).splitlines() if line]
    return {
        key: Diagnosis(key, f"2999{n:04d}", f"ZZ{n:02d}", icd10, name, department, int(age), float(share), int(days[0]) if days else 0)
        for n, (key, icd10, name, department, age, share, *days) in enumerate(rows, 1)
    }


DIAGNOSES = _table()
# The patient of the standard fixture who has not been told (未告知).
CANCER = Diagnosis("gastric_cancer", "29990099", "ZZ99", "C169", "胃癌", "10", 50, 0.0)
CHRONIC = tuple(d for d in DIAGNOSES.values() if not d.days)
ACUTE = tuple(d for d in DIAGNOSES.values() if d.days)
_ONLY = {"bph": "M"}
_DRIVES = {"diabetes": ("ckd", "lipids"), "hypertension": ("ckd", "heart_failure"), "ckd": ("hyperuricemia", "hypertension")}


def chronic(rng: Random, age: int, sex: str) -> tuple[Diagnosis, ...]:
    """Draw the lasting diseases of a person; one that drives another makes it twice as likely."""
    found: list[Diagnosis] = []
    driven: set[str] = set()
    for diagnosis in CHRONIC:
        if age < diagnosis.from_age or _ONLY.get(diagnosis.key, sex) != sex:
            continue
        if rng.random() < diagnosis.share * (2 if diagnosis.key in driven else 1):
            found.append(diagnosis)
            driven.update(_DRIVES.get(diagnosis.key, ()))
    return tuple(found[:6])


def acute(rng: Random, age: int) -> Diagnosis:
    """Draw a passing disease that suits the age."""
    possible = [d for d in ACUTE if age >= d.from_age]
    return rng.choices(possible, [d.share for d in possible])[0]
