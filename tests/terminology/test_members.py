"""What was unknown never becomes a yes or a no, whatever sets are joined."""

from hypothesis import given
from hypothesis import strategies as st

from terminology.members import ANY, Members

SYSTEMS = ["s", "t"]
PAIRS = [(system, code) for system in SYSTEMS for code in "abc"]

worlds = st.sets(st.sampled_from(PAIRS))  # what truly belongs


@st.composite
def partly_known(draw):
    """A true set, and knowledge of it that is right but may lack something."""
    truth = draw(worlds)
    maybe = draw(st.sets(st.sampled_from([*SYSTEMS, ANY])))
    hidden = {pair for pair in truth if (ANY in maybe or pair[0] in maybe) and draw(st.booleans())}
    return truth, Members(truth - hidden, maybe=maybe)


def right(truth, members):
    return all(members.contains(code, system) in {None, (system, code) in truth} for system, code in PAIRS)


@given(partly_known(), partly_known())
def test_every_answer_about_joined_sets_is_right_or_unknown(one, other):
    assert right(one[0], one[1])
    assert right(one[0] | other[0], one[1] | other[1])
    assert right(one[0] & other[0], one[1] & other[1])
    assert right(one[0] - other[0], one[1] - other[1])


@given(worlds, worlds)
def test_what_is_wholly_known_stays_wholly_known(one, other):
    for truth, members in (
        (one | other, Members(one) | Members(other)),
        (one & other, Members(one) & Members(other)),
        (one - other, Members(one) - Members(other)),
    ):
        assert all(members.contains(code, system) is ((system, code) in truth) for system, code in PAIRS)


def test_a_code_without_system_belongs_where_any_system_has_it():
    members = Members({("s", "a")}, maybe={"t"})
    assert members.contains("a") is True
    assert members.contains("b") is None
    assert members.contains("b", "s") is False
