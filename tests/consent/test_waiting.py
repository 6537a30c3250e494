"""Whose documents a query does not believe, and whose consents it asks itself, however many there are."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from fhir_server.consent.making import Maker, covers
from fhir_server.consent.waiting import MOST_PLAIN, MOST_STALE, Waiting
from fhir_server.store.sharing import Shared

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
MOMENT = round(NOW.timestamp() * 1000)
A, B, C = (f"Organization/{each}" for each in "abc")


def person(number: int, **facts) -> Shared:
    known = {"members": {f"Patient/{number}": A}, "consents": (b'{"resourceType":"Consent"}',), "revision": number}
    return Shared(f"Patient/golden-{number}", **{**known, **facts})


def waiting(*persons: Shared) -> Waiting:
    found = Waiting(Maker(None, ZoneInfo("Asia/Tokyo"), "", lambda: NOW))  # type: ignore[arg-type] # nothing is looked up
    found.learn(persons)
    return found


def ids(persons) -> set[str]:
    return {each.id for each in persons}


def test_a_person_whose_documents_say_all_is_nobody_to_ask():
    stale, asked = waiting(person(1)).at(MOMENT)
    assert (stale, asked) == ((), ())


def test_whoever_allows_more_is_asked_and_whoever_allows_less_is_not_believed_either():
    more, less = person(1, written=False, narrowed=False), person(2, written=False, narrowed=True)
    stale, asked = waiting(more, less).at(MOMENT)
    assert ids(stale) == {less.id}
    assert ids(asked) == {more.id, less.id}


def test_while_a_change_is_under_way_nobody_reads():
    locked = person(1, locks={"token": NOW}, special=True)
    stale, asked = waiting(locked).at(MOMENT)
    assert ids(stale) == {locked.id}
    assert asked == ()


def test_a_special_policy_that_is_settled_is_asked_but_its_documents_are_no_danger():
    stale, asked = waiting(person(1, special=True)).at(MOMENT)
    assert (stale, ids(asked)) == ((), {"Patient/golden-1"})


def test_d07_when_the_clock_ends_a_policy_its_documents_are_not_believed_from_that_moment_on():
    found = waiting(person(1, until=NOW + timedelta(hours=1)))
    assert list(found.boundaries(MOMENT)) == [MOMENT + 3_600_000]
    assert found.at(MOMENT + 3_599_999) == ((), ())
    stale, asked = found.at(MOMENT + 3_600_000)
    assert ids(stale) == ids(asked) == {"Patient/golden-1"}


def test_of_many_consents_published_at_once_the_newest_are_asked_and_none_is_forgotten_that_takes_back():
    published = [person(number, written=False, narrowed=False) for number in range(1, 10_001)]
    revoked = person(10_001, written=False, narrowed=True)
    stale, asked = waiting(revoked, *published).at(MOMENT)
    assert ids(stale) == {revoked.id}
    assert ids(asked) == {revoked.id, *ids(published[-MOST_PLAIN:])}


def test_where_too_many_take_back_at_once_documents_are_not_relied_on():
    revoked = [person(number, written=False, narrowed=True) for number in range(1, MOST_STALE + 2)]
    found = waiting(*revoked)
    assert found.at(MOMENT)[0] is None
    found.learn([person(1, revision=MOST_STALE + 2)])
    assert len(found.at(MOMENT)[0] or ()) == MOST_STALE


def test_a_policy_covers_what_held_before_where_nobody_loses_and_nobody_more_is_excluded():
    before = person(1, readers={A: (B,)}, barred=(C,))
    assert covers({A: (B, C)}, (C,), before)
    assert covers({A: (B,)}, (), before)
    assert not covers({A: (C,)}, (C,), before)
    assert not covers({}, (C,), before)
    assert not covers({A: (B,)}, (A, C), before)
