"""Laboratory results: the course of a person's values over the years.

Everybody has a baseline inside the reference range that differs from person to person and hardly moves. A disease
multiplies it by a factor that goes from its value when the disease is found to the one after some years of treatment
or decline; noise of each day comes on top. What follows from other values (eGFR, A/G, MCV) is computed, not drawn.
"""

from dataclasses import dataclass, field
from random import Random

from fhir_server.sandbox.analytes import ANALYTES, PANELS, Analyte
from fhir_server.sandbox.diagnoses import Diagnosis

# disease -> analyte -> (factor at first, factor after `_YEARS`)
_YEARS = 6.0
EFFECTS: dict[str, dict[str, tuple[float, float]]] = {
    "diabetes": {"glu": (1.85, 1.45), "a1c": (1.55, 1.28), "tg": (1.35, 1.15)},
    "ckd": {"cre": (1.45, 2.7), "un": (1.3, 2.1), "ua": (1.15, 1.3), "k": (1.03, 1.14), "hb": (0.95, 0.8), "ip": (1.0, 1.2)},
    "lipids": {"ldl": (1.6, 0.95), "tc": (1.32, 0.98), "tg": (1.5, 1.25)},
    "fatty_liver": {"alt": (2.2, 1.7), "ast": (1.5, 1.3), "ggt": (1.9, 1.5)},
    "hepatitis_b": {"alt": (1.8, 1.1), "ast": (1.6, 1.1)},
    "hepatitis_c": {"alt": (2.1, 1.4), "ast": (2.0, 1.4), "plt": (0.75, 0.65)},
    "cirrhosis": {"plt": (0.5, 0.3), "alb": (0.8, 0.66), "tbil": (1.5, 2.6), "che": (0.6, 0.4), "pt": (1.15, 1.4)},
    "gout": {"ua": (1.6, 1.0)},
    "hyperuricemia": {"ua": (1.45, 1.0)},
    "anemia": {"hb": (0.68, 0.92), "rbc": (0.85, 0.96), "fe": (0.2, 0.7)},
    "hypothyroid": {"tsh": (5.5, 1.3), "ft4": (0.6, 0.95), "tc": (1.2, 1.0)},
    "heart_failure": {"bnp": (22.0, 14.0), "na": (0.98, 0.97)},
    "af": {"bnp": (8.0, 8.0), "dd": (1.6, 0.6), "pt": (1.1, 1.2)},
    "rheumatism": {"crp": (25.0, 6.0)},
    "pneumonia": {"crp": (120.0, 120.0), "wbc": (2.0, 2.0)},
    "pyelonephritis": {"crp": (110.0, 110.0), "wbc": (2.1, 2.1)},
    "cholecystitis": {"crp": (100.0, 100.0), "wbc": (2.0, 2.0), "tbil": (2.0, 2.0), "ggt": (4.0, 4.0)},
    "appendicitis": {"crp": (60.0, 60.0), "wbc": (2.2, 2.2)},
    "bronchitis": {"crp": (20.0, 20.0), "wbc": (1.4, 1.4)},
    "cellulitis": {"crp": (50.0, 50.0), "wbc": (1.7, 1.7)},
    "gastric_cancer": {"hb": (0.85, 0.7), "alb": (0.9, 0.8)},
}
_POSITIVE: dict[str, dict[str, tuple[str, ...]]] = {  # qualitative answers of a disease, from common to rare
    "diabetes": {"u_glucose": ("(2+)", "(3+)", "(1+)", "(±)"), "u_ketone": ("(-)", "(±)")},
    "ckd": {"u_protein": ("(2+)", "(1+)", "(3+)"), "u_blood": ("(1+)", "(±)", "(-)")},
    "cystitis": {"u_blood": ("(2+)", "(3+)"), "u_protein": ("(1+)", "(±)")},
    "pyelonephritis": {"u_blood": ("(1+)", "(2+)"), "u_protein": ("(1+)",)},
    "cirrhosis": {"u_uro": ("(1+)", "(2+)"), "u_bil": ("(1+)", "(±)")},
    "hepatitis_b": {"hbs": ("陽性",)},
    "hepatitis_c": {"hcv": ("陽性",)},
}
_WANTED = {
    "diabetes": ("糖", "尿定性", "腎機能", "脂質"),
    "ckd": ("腎機能", "血算", "尿定性"),
    "lipids": ("脂質", "肝機能"),
    "fatty_liver": ("肝機能",),
    "hepatitis_b": ("肝機能", "感染症"),
    "hepatitis_c": ("肝機能", "血算", "感染症"),
    "cirrhosis": ("肝機能", "血算", "凝固", "生化学", "尿定性"),
    "hypertension": ("生化学", "腎機能"),
    "gout": ("腎機能",),
    "hyperuricemia": ("腎機能",),
    "anemia": ("血算", "鉄"),
    "hypothyroid": ("甲状腺", "脂質"),
    "heart_failure": ("心不全", "生化学", "腎機能"),
    "af": ("凝固", "心不全"),
    "rheumatism": ("血算", "炎症", "肝機能"),
    "cystitis": ("尿定性",),
    "pyelonephritis": ("尿定性", "血算", "炎症"),
    "pneumonia": ("血算", "生化学"),
}
_DEFAULT = ("血算", "生化学", "肝機能")
_NOISE = {"na": 0.008, "cl": 0.01, "k": 0.035, "ca": 0.02, "tp": 0.03, "alb": 0.03, "a1c": 0.03, "mcv": 0.01, "hb": 0.025, "pt": 0.03}
LOWEST = {"crp": 0.02, "bnp": 5.8, "dd": 0.5, "tsh": 0.01}  # below: reported as `< 0.02`
_RANGES = [{key: f"{a.low[woman]:.{a.digits}f}-{a.high[woman]:.{a.digits}f}" for key, a in ANALYTES.items()} for woman in (False, True)]


@dataclass(frozen=True, slots=True)
class Result:
    """One result: `value` as the laboratory writes it, `range` and `flag` (`H`, `L`, `A` or empty) of OBX-7 and OBX-8."""

    analyte: Analyte
    value: str
    range: str
    flag: str

    @property
    def numeric(self) -> bool:
        """Tell whether the value is a plain number (OBX-2 NM)."""
        return bool(self.analyte.unit) and not self.value.startswith("<")

    @property
    def coded(self) -> str:
        """Code of an answer that has one (OBX-2 CWE): `P` and `N` of 陽性 and 陰性."""
        return {"陽性": "P", "陰性": "N"}.get(self.value, "")


@dataclass(slots=True)
class Course:
    """The values of one person through the years.

    `begun` says for each disease at which age in years it began. Baselines are drawn when first asked for.
    """

    rng: Random
    sex: str
    begun: dict[str, float]
    baseline: dict[str, float] = field(default_factory=dict)

    def results(self, panels: tuple[str, ...], age: float, *passing: str) -> list[Result]:
        """Measure the panels at this age in years, under passing diseases; an analyte of two panels is measured once."""
        begun = self.begun | dict.fromkeys(passing, age)
        keys = dict.fromkeys(key for panel in panels for key in PANELS[panel])
        values = {key: self._value(ANALYTES[key], age, begun) for key in keys if ANALYTES[key].unit}
        _derive(values, age, self.sex)
        return [self._numeric(ANALYTES[key], values[key]) if key in values else self._qualitative(ANALYTES[key], begun) for key in keys]

    def _value(self, analyte: Analyte, age: float, begun: dict[str, float]) -> float:
        key, woman = analyte.key, self.sex == "F"
        low, high = analyte.low[woman], analyte.high[woman]
        if key not in self.baseline:
            self.baseline[key] = low + (high - low) * min(0.95, max(0.08, self.rng.gauss(0.45, 0.16)))
        value = self.baseline[key]
        for disease, since in begun.items():
            if key in EFFECTS.get(disease, ()):
                first, last = EFFECTS[disease][key]
                value *= first + (last - first) * min(1.0, max(0.0, (age - since) / _YEARS))
        return max(0.0, value * (1 + self.rng.gauss(0, _NOISE.get(key, 0.07))))

    def _numeric(self, analyte: Analyte, value: float) -> Result:
        woman = self.sex == "F"
        low, high, digits = analyte.low[woman], analyte.high[woman], analyte.digits
        shown = round(value, digits)
        flag = "L" if shown < low else "H" if shown > high else ""
        text = f"{shown:.{digits}f}"
        if value < LOWEST.get(analyte.key, 0.0):
            text = f"< {LOWEST[analyte.key]:.{digits}f}"
        return Result(analyte, text, _RANGES[woman][analyte.key], flag)

    def _qualitative(self, analyte: Analyte, begun: dict[str, float]) -> Result:
        answer = analyte.normal
        for disease in begun:
            answers = _POSITIVE.get(disease, {}).get(analyte.key, ())
            if answers:
                answer = answers[int(len(answers) * self.rng.random() ** 2)]
        return Result(analyte, answer, analyte.normal, "" if answer == analyte.normal else "A")


def _derive(values: dict[str, float], age: float, sex: str) -> None:
    """Compute what follows from other values: red cell indices, A/G and eGFR (Japanese equation of 2009)."""
    if {"rbc", "mcv", "mchc", "ht"} <= values.keys():
        values["ht"] = values["hb"] / values["mchc"] * 100
        values["rbc"] = values["ht"] / values["mcv"] * 1000
        values["mch"] = values["hb"] / values["rbc"] * 1000
    if {"tp", "alb", "ag"} <= values.keys():
        values["tp"] = max(values["tp"], values["alb"] + 2.0)
        values["ag"] = values["alb"] / (values["tp"] - values["alb"])
    if "egfr" in values:
        values["egfr"] = 194 * values["cre"] ** -1.094 * max(age, 18) ** -0.287 * (0.739 if sex == "F" else 1.0)
    if {"glu", "a1c"} <= values.keys():
        values["glu"] = max(values["glu"], values["a1c"] * 28.7 - 46.7 - 35)


def panels(diagnoses: tuple[Diagnosis, ...], rng: Random) -> tuple[str, ...]:
    """The panels ordered for these diseases; a healthy person's check has the three usual ones."""
    wanted = dict.fromkeys(panel for diagnosis in diagnoses for panel in _WANTED.get(diagnosis.key, ()))
    if not wanted or rng.random() < 0.2:
        wanted.update(dict.fromkeys(_DEFAULT))
    return tuple(wanted)[:6]
