"""Counts and places: exact both ways, on every kind of mechanics."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.motion.geometry import Geometry, mm_text, whole
from hal import factory
from hal.errors import HalError
from hal.stepcore import StepCore
from tests.firmware.motion.helpers_machines import LAYERS


def made(name):
    description = factory.describe(*LAYERS.get(name, (name,)))
    core = StepCore(factory.core_config(description))
    return Geometry(description, core), description


MACHINES = {name: made(name) for name in ("sim-cartesian", "sim-corexy", "corexz", "linear")}


@pytest.mark.parametrize("name", MACHINES)
@given(counts=st.tuples(*[st.integers(-150_000, 150_000)] * 3))
def test_counts_survive_the_way_through_places(name, counts):
    geometry, _ = MACHINES[name]
    assert geometry.counts_at(geometry.place_at(counts)) == list(counts)


@pytest.mark.parametrize("name", MACHINES)
@given(place=st.tuples(*[st.integers(0, 235_000_000)] * 3))
def test_places_are_off_by_a_step_at_most(name, place):
    geometry, description = MACHINES[name]
    back = geometry.place_at(geometry.counts_at(place))
    steps = [description["printer"]["axes"][axis]["steps_per_mm"] for axis in "xyz"]
    plain = name in ("sim-cartesian", "sim-corexy")
    for axis in range(3):
        assert abs(back[axis] - place[axis]) <= (500_000 / steps[axis] if plain else 1_000_000 / min(steps)) + 2


@given(x=st.integers(-99_000_000, 99_000_000), y=st.integers(-99_000_000, 99_000_000), z=st.integers(-50_000_000, 350_000_000))
def test_a_delta_finds_its_way_back(x, y, z):
    geometry, _ = made("sim-delta")
    counts = geometry.counts_at([x, y, z])
    back = geometry.place_at(counts)
    assert geometry.counts_at(back) == counts
    assert all(abs(a - b) <= 10_000 for a, b in zip(back, (x, y, z), strict=True))


def test_a_delta_knows_where_it_cannot_be():
    geometry, _ = made("sim-delta")
    assert geometry.place_at([0, 0, 100_000]) is None
    with pytest.raises(HalError):
        geometry.counts_at([300_000_000, 0, 0])
    assert geometry.on_bed(0, 140_000_000) and not geometry.on_bed(100_000_000, 100_000_000)
    assert geometry.park_nm[:2] == [0, 0]


def test_motors_of_an_axis():
    def of(name):
        return [MACHINES[name][0].motors_of(axis) for axis in range(3)]

    geometry, _ = MACHINES["sim-corexy"]
    assert geometry.counts_at([10_000_000, 0, 0]) == [3200, 3200, 0]
    assert geometry.counts_at([0, 10_000_000, 0]) == [3200, -3200, 0]
    assert of("sim-corexy") == [(0, 1), (0, 1), (2,)]
    assert of("sim-cartesian") == [(0,), (1,), (2,)]
    assert of("corexz") == [(0, 2), (1,), (0, 2)]
    assert of("linear") == [(0, 1), (1,), (1, 2)]


@given(nm=st.integers(-(10**12), 10**12))
def test_text_is_exact(nm):
    text = mm_text(nm)
    left, right = text.split(".")
    assert len(right) == 6 and int(left + right) == nm


def test_whole():
    assert [whole(x) for x in (95522.0000001, 79999.9999, -0.5, 0.5, 0.49)] == [95522, 80000, -1, 1, 0]
