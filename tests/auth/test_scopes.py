"""S36: scopes are read strictly, and what a registration does not allow is not granted."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.app.definitions import parameters
from fhir_server.auth.scopes import LETTERS, ScopeError, ScopeGrammar

GRAMMAR = ScopeGrammar(parameters(), ZoneInfo("Asia/Tokyo"))
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("openid fhirUser launch/patient patient/*.rs", "fhirUser launch/patient openid patient/*.rs"),
        ("user/Observation.cruds", "user/Observation.cruds"),
        ("system/*.read", "system/*.read"),
        ("user/*.*", "user/*.*"),
        (f"user/Observation.rs?category={CATEGORY}|laboratory", f"user/Observation.rs?category={CATEGORY}|laboratory"),
        ("user/Observation.rs?category=a%7Cb&code=c", "user/Observation.rs?category=a|b&code=c"),
        ("", ""),
        ("user/Patient.rs user/Patient.rs", "user/Patient.rs"),
    ],
)
def test_what_is_well_formed_is_read(text, written):
    assert str(GRAMMAR.parse(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        "Patient/*.rs", "patient/observation.rs", "patient/*.RS", "PATIENT/*.rs", "patient/*.Read", "Openid",  # case
        " patient/*.rs", "patient/*.rs ", "patient/*.rs  openid", "patient/*.rs\topenid", "patient/*.rs\nopenid",  # spaces
        "patient/*.sr", "patient/*.rr", "patient/*.x", "patient/*.", "patient/*.cruds*", "patient/*", "patient/.rs",  # letters
        "patient/*.cruds?x=y", "patient/*.rs?category=a", "user/*.read?category=a", "user/Observation.read?category=a",
        "user/*.read user/Patient.rs", "user/*.* user/*.rs",  # v1 and v2
        "user/*.rs patient/*.rs", "system/*.rs user/*.rs",  # contexts
        "patient/Observation.rs?code:in=x", "patient/Observation.rs?code:not=x", "patient/Observation.rs?patient.name=x",
        "patient/Observation.rs?_include=Observation:subject", "patient/Observation.rs?_has:x:y:z=1", "patient/Observation.rs?_sort=date",
        "patient/Observation.rs?_count=1", "patient/Observation.rs?_filter=x", "patient/Observation.rs?_text=x",
        "patient/Observation.rs?nonsense=x", "patient/Observation.rs?category", "patient/Observation.rs?category=", "patient/Observation.rs?",
        "patient/Observation.rs?code=|", "patient/Observation.rs?date=2026", "patient/Observation.rs?value-quantity=5",
        "patient/Nonsense.rs", "patient/DomainResource.rs", "patient/Resource.rs", "user/__proto__.rs", "user/constructor.rs",
        "*/*.rs", "admin/*.rs", "launch/practitioner", "patient/Observation.rs?category=a%ff", "patient/Observation.rs?a=b&" * 20,
        'user/Patient.rs"', "user/Patient.rs\\", "user/Pätient.rs", "user/Patient.rs\0", " ".join(["user/Patient.rs"] * 300),
    ],
)  # fmt: skip
def test_s36_what_is_not_understood_is_refused(text):
    with pytest.raises(ScopeError) as refused:
        GRAMMAR.parse(text)
    assert str(refused.value)


@given(st.text(max_size=60))
def test_s36_whatever_is_sent_is_read_or_refused(text):
    try:
        scopes = GRAMMAR.parse(text)
    except ScopeError:
        return
    assert GRAMMAR.parse(str(scopes)) == scopes


WORDS = st.builds(
    lambda context, name, letters: f"{context}/{name}.{''.join(letter for letter in LETTERS if letter in letters)}",
    st.sampled_from(["patient", "user"]),
    st.sampled_from(["*", "Patient", "Observation", "Condition"]),
    st.sets(st.sampled_from(LETTERS), min_size=1),
)


def allowed(scopes, context, type, letter):
    return any(each.context == context and each.type in (type, "*") and letter in each.letters for each in scopes.resources)


@given(st.lists(WORDS, max_size=4), st.lists(WORDS, max_size=6), st.sampled_from(["patient", "user"]))
def test_what_is_granted_is_exactly_what_was_asked_and_is_allowed(asked, most, context):
    wanted = " ".join(word for word in asked if word.startswith(context))
    granted = GRAMMAR.parse(GRAMMAR.granted(wanted, " ".join(most)))
    both = GRAMMAR.parse(wanted), GRAMMAR.parse(" ".join(most), mixed=True)
    for type in ("Patient", "Observation", "Condition", "Encounter"):
        for letter in LETTERS:
            assert allowed(granted, context, type, letter) == all(allowed(each, context, type, letter) for each in both)


@pytest.mark.parametrize(
    ("asked", "most", "granted"),
    [
        ("user/*.cruds openid", "user/Patient.rs user/Observation.rs openid", "openid user/Patient.rs user/Observation.rs"),
        (
            "user/Observation.rs",
            f"user/Observation.rs?category={CATEGORY}|laboratory",
            f"user/Observation.rs?category={CATEGORY}|laboratory",
        ),
        ("user/*.read", "user/*.cruds", "user/*.read"),
        ("user/*.*", "user/*.rs", "user/*.read"),
        ("user/*.*", "user/*.cru", "user/*.cru"),
        ("patient/*.rs offline_access", "user/*.rs", ""),
    ],
)
def test_a_registration_bounds_what_is_granted(asked, most, granted):
    assert GRAMMAR.granted(asked, most) == granted
