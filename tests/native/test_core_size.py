"""The core's memory for four motors stays within its budget (design.md section 7): 256 segments, rings of 32 runs."""

import pytest

from bench import targets as bench
from tests.emulated import helpers_targets as targets


@pytest.mark.parametrize(("machine", "most"), [("sim-cartesian", 32 * 1024), ("sim-corexy", 48 * 1024)])
def test_core_memory(machine, most):
    config = targets.machine_config(machine, **bench.BUDGETED)
    assert 20_000 < bench.core_size(config) <= most


def test_memory_is_for_what_the_machine_has():
    """No shapers, no mesh, no skew: no memory for them."""
    plain = targets.machine_config("sim-cartesian", **bench.BUDGETED)
    size = bench.core_size(plain)
    for changes in ({"mesh_points": 4}, {"skew_1e6": [1, 0, 0]}, {"shaper": [1, 0, 0]}, {"advance_us": [40000, 0, 0, 0, 0]}, {"motors": 5}):
        assert bench.core_size({**plain, **changes}) > size, changes
