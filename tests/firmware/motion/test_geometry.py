"""Counts and places: exact both ways, on both mechanics."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.motion.geometry import Geometry, mm_text, whole
from hal import factory

MACHINES = {name: Geometry(factory.describe(name)) for name in ("sim-cartesian", "sim-corexy")}


@pytest.mark.parametrize("name", MACHINES)
@given(counts=st.tuples(*[st.integers(-400_000, 400_000)] * 3))
def test_counts_survive_the_way_through_places(name, counts):
    geometry = MACHINES[name]
    assert geometry.counts_at(geometry.place_at(counts)) == list(counts)


@pytest.mark.parametrize("name", MACHINES)
@given(place=st.tuples(*[st.integers(0, 235_000_000)] * 3))
def test_places_are_off_by_half_a_step_at_most(name, place):
    geometry = MACHINES[name]
    back = geometry.place_at(geometry.counts_at(place))
    for axis in range(3):
        assert abs(back[axis] - place[axis]) <= 500_000_000 // geometry.steps_m[axis] + 2


def test_corexy_moves_two_motors():
    geometry = MACHINES["sim-corexy"]
    assert geometry.counts_at([10_000_000, 0, 0]) == [3200, 3200, 0]
    assert geometry.counts_at([0, 10_000_000, 0]) == [3200, -3200, 0]
    assert [geometry.motors_of(axis) for axis in range(3)] == [(0, 1), (0, 1), (2,)]
    assert [MACHINES["sim-cartesian"].motors_of(axis) for axis in range(3)] == [(0,), (1,), (2,)]


@given(nm=st.integers(-(10**12), 10**12))
def test_text_is_exact(nm):
    text = mm_text(nm)
    left, right = text.split(".")
    assert len(right) == 6 and int(left + right) == nm


def test_whole():
    assert [whole(x) for x in (95522.0000001, 79999.9999, -0.5, 0.5, 0.49)] == [95522, 80000, -1, 1, 0]
