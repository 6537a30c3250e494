"""Courses, prescriptions and diagnoses make sense to somebody who reads them."""

import re
from random import Random
from statistics import mean

import pytest

from fhir_server.sandbox.analytes import ANALYTES, PANELS
from fhir_server.sandbox.diagnoses import ACUTE, CANCER, CHRONIC, DIAGNOSES, chronic
from fhir_server.sandbox.laboratory import EFFECTS, Course, panels
from fhir_server.sandbox.prescriptions import BY_DIAGNOSIS, DRUGS, FORMS, ROUTES, UNITS, USAGES, prescription, therapy


def measured(key, *, disease=None, years=0.0, sex="M", people=60):
    """The mean of an analyte over many people who have had a disease for so many years."""
    panel = next(name for name, keys in PANELS.items() if key in keys)
    values = []
    for number in range(people):
        course = Course(Random(number), sex, {disease: 50.0} if disease else {})
        found = {result.analyte.key: result.value for result in course.results((panel,), 50.0 + years)}
        values.append(float(found[key].removeprefix("< ")))
    return mean(values)


def test_there_are_enough_analytes_drugs_and_diagnoses():
    assert len(ANALYTES) >= 40
    assert len(DRUGS) >= 40
    assert len(DIAGNOSES) >= 40
    assert {key for keys in PANELS.values() for key in keys} == set(ANALYTES)


@pytest.mark.parametrize("analyte", ANALYTES.values(), ids=ANALYTES)
def test_an_analyte_has_a_jlac10_code_of_17_digits_and_a_range(analyte):
    assert re.fullmatch(r"\d[0-9A-Z]\d{3}[0-9A-Z]{4}\d{8}", analyte.jlac10)
    assert analyte.normal or all(low < high for low, high in zip(analyte.low, analyte.high, strict=True))


def test_codes_are_given_once():
    for codes in (
        [a.jlac10 for a in ANALYTES.values()],
        [a.local for a in ANALYTES.values()],
        [d.hot9 for d in DRUGS],
        [d.number for d in (*DIAGNOSES.values(), CANCER)],
        [d.exchange for d in (*DIAGNOSES.values(), CANCER)],
        [u.code for u in USAGES.values()],
    ):
        assert len(set(codes)) == len(codes)


def test_codes_that_may_not_be_redistributed_are_visibly_invented():
    assert all(re.fullmatch(r"999\d{6}", drug.hot9) for drug in DRUGS)
    assert all(re.fullmatch(r"2999\d{4}", diagnosis.number) for diagnosis in DIAGNOSES.values())


def test_the_healthy_are_mostly_inside_the_reference_range():
    results = [r for n in range(50) for r in Course(Random(n), "F", {}).results(("血算", "生化学", "肝機能", "糖", "脂質"), 40.0)]
    assert sum(bool(result.flag) for result in results) / len(results) < 0.12


def test_a_person_keeps_an_own_level_over_the_years():
    course = Course(Random(5), "M", {})
    values = [float(course.results(("糖",), 40.0 + year)[1].value) for year in range(10)]
    assert max(values) - min(values) < 0.9


def test_diabetes_is_treated_ckd_declines_and_statins_work():
    assert measured("a1c", disease="diabetes") > 7.5 > 6.4 < measured("a1c", disease="diabetes", years=6)
    assert measured("a1c", disease="diabetes", years=6) < measured("a1c", disease="diabetes") - 0.8
    assert measured("cre", disease="ckd", years=6) > 1.6 * measured("cre", disease="ckd")
    assert measured("egfr", disease="ckd", years=6) < 40 < measured("egfr")
    assert measured("ldl", disease="lipids") > 150 > measured("ldl", disease="lipids", years=6)


def test_a_passing_infection_leaves_no_trace():
    course = Course(Random(6), "M", {})
    course.results(("炎症",), 60.0)
    ill = {r.analyte.key: r.value for r in course.results(("炎症",), 60.1, "pneumonia")}
    well = {r.analyte.key: r.value for r in course.results(("炎症",), 60.3)}
    assert float(ill["crp"]) > 2 > float(well["crp"].removeprefix("< "))


def test_derived_values_agree_with_what_they_derive_from():
    found = {r.analyte.key: float(r.value) for r in Course(Random(7), "M", {}).results(("血算", "腎機能"), 60.0)}
    assert found["mcv"] == pytest.approx(found["ht"] / found["rbc"] * 1000, rel=0.01)
    assert found["egfr"] == pytest.approx(194 * found["cre"] ** -1.094 * 60**-0.287, rel=0.02)


def test_effects_and_treatments_name_diseases_that_exist():
    known = {*DIAGNOSES, CANCER.key}
    assert set(EFFECTS) <= known
    assert set(BY_DIAGNOSIS) <= known
    assert {d.key for d in (*CHRONIC, *ACUTE)} - set(BY_DIAGNOSIS) <= {"rheumatism", "appendicitis", "stroke_acute", "fracture"}


def test_panels_follow_the_diseases():
    assert "糖" in panels((DIAGNOSES["diabetes"],), Random(1))
    assert "腎機能" in panels((DIAGNOSES["ckd"],), Random(1))
    assert panels((), Random(1)) == ("血算", "生化学", "肝機能")


def test_usage_codes_are_composed_by_jamis_rules():
    assert USAGES["three"].code == "1013044400000000"  # 1 内服 0 経口 1 生活リズム 3 回, 夕 昼 朝 食後
    assert USAGES["three"].text == "内服・経口・１日３回朝昼夕食後"
    assert USAGES["bedtime"].code == "1011100000000000"
    assert all(re.fullmatch(r"[0-9A-Z]{16}", usage.code) for usage in USAGES.values())


@pytest.mark.parametrize("drug", DRUGS, ids=lambda drug: drug.name)
def test_a_drug_has_unit_form_and_route_of_the_tables_and_treats_something(drug):
    assert drug.unit in UNITS
    assert drug.form in FORMS
    assert drug.route in ROUTES
    assert drug.treats
    assert float(drug.amount) > 0


def test_amounts_are_those_of_dose_times_and_days():
    metformin = next(drug for drug in DRUGS if drug.name.startswith("メトホルミン"))
    (line,) = prescription((metformin,), 28)
    assert (metformin.amount_per_day, line.total, line.days) == ("4", "112", 28)


def test_nobody_takes_two_drugs_of_one_class():
    for seed in range(300):
        names = [drug.name for drug in therapy(Random(seed), tuple(DIAGNOSES.values()))]
        for part in ("スタチン", "サルタン", "プロフェン"):
            assert sum(part in name for name in names) <= 1


def test_children_have_the_diseases_of_children_and_only_men_a_prostate():
    for seed in range(300):
        assert all(d.from_age <= 8 for d in chronic(Random(seed), 8, "F"))
        assert all(d.key != "bph" for d in chronic(Random(seed), 80, "F"))
