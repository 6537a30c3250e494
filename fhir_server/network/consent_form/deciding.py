"""Who may decide, at which age and on which day: what a form's dates and its signature have to agree with.

NETWORK.md L19 (children up to about 12-15, persons unable to judge; again when the child has grown), F070, F071, L17.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from fhir_server.network.consent_form.form import Form
from fhir_server.outcome import Issue


def age(birth: date, day: date) -> int:
    """Give somebody's age on a day, in whole years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def birthday(birth: date, years: int) -> date:
    """Give the day somebody turns so many years old; who was born on 29 February does on 1 March in other years."""
    try:
        return birth.replace(year=birth.year + years)
    except ValueError:
        return date(birth.year + years, 3, 1)


def born(form: Form) -> date:
    """Give the date of birth on the form."""
    return date.fromisoformat(form.block("patient").values["birth-date"])


def errors(form: Form, today: date) -> Iterator[Issue]:
    """Say which dates cannot be: nothing is decided tomorrow, nor before birth; written down is what was decided before."""
    agreement, facility, patient = form.block("agreement"), form.block("facility"), form.block("patient")
    if form.decided > today:
        yield Issue("business-rule", "The date of the decision is in the future / 同意日が未来の日付です", (agreement.where("date"),))
    if form.written > today:
        yield Issue("business-rule", "The date of writing is in the future / 記入日が未来の日付です", (facility.where("date"),))
    if born(form) > min(form.decided, form.written):
        yield Issue("business-rule", "The patient was not born yet / 生年月日が同意日より後です", (patient.where("birth-date"),))


def notes(form: Form, ages: Sequence[int]) -> Iterator[Issue]:
    """Say what the desk should look at: a child who signs, a proxy for somebody who could judge.

    `ages` are those at which the child is asked itself; the lowest is the one from which a signature of its own counts.
    """
    agreement = form.block("agreement")
    years = age(born(form), form.decided)
    if not form.by_proxy and years < min(ages):
        text = f"A child of {years} signed; up to {min(ages)} a parent or guardian does / {min(ages)}歳未満は代諾者の署名が必要です"
        yield Issue("business-rule", text, (agreement.where("signer"),), "warning")
    if form.by_proxy and years >= min(ages) and form.incapacity != "unable":
        text = f"A proxy signed for somebody of {min(ages)} or more: say why / {min(ages)}歳以上の代諾は理由を確認してください"
        yield Issue("business-rule", text, (agreement.where("signer"),), "warning")


def reviews(form: Form, ages: Sequence[int], after: date) -> list[date]:
    """Give the days on which to ask the patient himself: the birthdays of a child to come (L19)."""
    if not form.by_proxy:
        return []
    return [day for day in (birthday(born(form), years) for years in sorted(ages)) if day > after]
