"""Three-valued logic: what is unknown never makes true or false, and what is certain does not wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from poller.rules.gather import gathered
from poller.rules.vector import ABSENT, OPERATORS, Rest, Value, Vector, against, joined, mapped, opposite

TRUTHS: tuple[bool | None, ...] = (True, False, None)
AND, OR = OPERATORS["and"], OPERATORS["or"]
LABELS = [(("a", str(number)),) for number in range(3)]
truths = st.sampled_from(TRUTHS)
numbers = st.one_of(st.none(), st.floats(-1e300, 1e300))
vectors = st.tuples(st.dictionaries(st.sampled_from(LABELS), truths), st.sampled_from([True, False, None, ABSENT]))


def possible(value: Value) -> set[Value]:
    """What an unknown may turn out to be."""
    return {True, False} if value is None else {value}


def test_and_or_not_are_certain_exactly_when_every_possibility_agrees() -> None:
    for left, right in product(TRUTHS, TRUTHS):
        for of, certain in ((AND, all), (OR, any)):
            ends = {certain((one, other)) for one, other in product(possible(left), possible(right))}
            assert of(left, right) is (ends.pop() if len(ends) == 1 else None)
    assert [opposite(value) for value in TRUTHS] == [False, True, None]


def test_the_laws_of_de_morgan() -> None:
    for left, right in product(TRUTHS, TRUTHS):
        assert opposite(AND(left, right)) is OR(opposite(left), opposite(right))
        assert opposite(OR(left, right)) is AND(opposite(left), opposite(right))


@given(numbers, numbers)
def test_a_number_that_is_unknown_leaves_all_unknown_that_is_made_of_it(left: Value, right: Value) -> None:
    for sign, of in OPERATORS.items():
        if sign not in ("and", "or"):
            found = of(left, right)
            assert (found is None) >= (left is None or right is None)
            assert found == found
            assert abs(found or 0.0) != float("inf")
            if right is not None:
                assert against(sign, right)(left) == found


@given(vectors)
def test_any_and_all_are_each_others_opposite_where_there_is_something(vector: Vector) -> None:
    values, rest = vector
    everywhere, somewhere = gathered("all", vector)[1], gathered("any", mapped(opposite, vector))[1]
    assert somewhere is not ABSENT
    assert everywhere is not ABSENT
    if values or rest is not ABSENT:
        assert everywhere is opposite(somewhere)
    else:
        assert (everywhere, somewhere) == (False, False)


def at(vector: tuple[Mapping[tuple[tuple[str, str], ...], Value], Rest], label: tuple[tuple[str, str], ...]) -> Rest:
    return vector[0].get(label, vector[1])


@given(vectors, vectors)
def test_label_by_label_it_is_the_same_logic(left: Vector, right: Vector) -> None:
    for of in (AND, OR):
        result = joined(of, left, right)
        for label in LABELS:
            one, other = at(left, label), at(right, label)
            if one is not ABSENT and other is not ABSENT:
                assert at(result, label) is of(one, other)
            elif of is AND:
                assert at(result, label) is ABSENT


@given(vectors, vectors)
def test_the_sides_of_and_and_or_may_be_swapped(left: Vector, right: Vector) -> None:
    for of in (AND, OR):
        one, other = joined(of, left, right), joined(of, right, left)
        assert dict(one[0]) == dict(other[0])
        assert one[1] is other[1]
