"""tools/stepheader.py: what the header of a step file says about every kind of machine, computed a second way."""

import math

import numpy as np
import pytest

from hal import factory
from tools import stepheader

DAMPINGS = (0.0, 0.05, 0.1, 0.2)


def config(**changes):
    """sim-cartesian with some fields of struct pw_config changed, its own shaping off."""
    made = factory.core_config(factory.describe("sim-cartesian"))
    made.update(shaper=[0, 0, 0], advance_us=[0] * 5)
    made.update(changes)
    return made


def residual(pulses, frequency_hz, damping):
    """Vibration left at a frequency (motion sheet, section 6)."""
    omega = 2 * math.pi * frequency_hz
    wd = omega * math.sqrt(1 - damping**2)
    a, t = np.array(pulses).T
    grow = a * np.exp(damping * omega * t)
    return math.exp(-damping * omega * t[-1]) * math.hypot((grow * np.cos(wd * t)).sum(), (grow * np.sin(wd * t)).sum())


@pytest.mark.parametrize("damping", DAMPINGS)
@pytest.mark.parametrize("kind", stepheader.SHAPERS)
def test_shapers_cancel_their_frequency(kind, damping):
    pulses = stepheader.shaper_pulses(kind, 47.0, damping)
    assert sum(a for a, _ in pulses) == pytest.approx(1) and pulses[0][1] == 0 and all(a > 0 for a, _ in pulses)
    tolerated = {"zv": 1e-9, "zvd": 1e-9, "mzv": 0.02, "ei": 0.06, "2hump_ei": 0.06, "3hump_ei": 0.06}
    assert residual(pulses, 47.0, damping) < tolerated[kind]
    assert residual(pulses, 15.0, damping) > 0.1
    assert sum(a * t for a, t in stepheader.centred(pulses)) == pytest.approx(0, abs=1e-12)


def test_spans():
    header = stepheader.describe_machine(config())
    assert header["shaper_s"] == 0 and header["shapers"] == {} and header["delay_s"] == 0
    header = stepheader.describe_machine(config(shaper=[1, 2, 0], shaper_mhz=[50000] * 3, shaper_damping_1e4=[0] * 3))
    assert header["shapers"]["x"] == [[0.5, pytest.approx(-0.005)], [0.5, pytest.approx(0.005)]]
    assert header["shaper_s"] == header["stop_s"] == pytest.approx(0.02) and header["delay_s"] == pytest.approx(0.01)
    header = stepheader.describe_machine(config(advance_us=[0, 35000, 0, 0, 0], advance_smooth_us=40000))
    assert header["shaper_s"] == pytest.approx(0.04) and header["delay_s"] == pytest.approx(0.02)


def test_kinematics_and_starts():
    home = [12340, 56780, 9000]
    for kind, roles in (("cartesian", "xyze"), ("corexy", "abze"), ("corexz", "aybe")):
        header = stepheader.describe_machine(config(kinematics=stepheader.KINEMATICS.index(kind), home_um=home))
        assert "".join(s["role"] for s in header["steppers"]) == roles and header["kinematics"] == {"type": kind}
        at = dict(zip("xyz", header["start_pos"], strict=False))
        at["a"], at["b"] = (at["x"] + at["y"], at["x"] - at["y"]) if kind == "corexy" else (at["x"] + at["z"], at["x"] - at["z"])
        for s in header["steppers"][:3]:
            assert abs(s["start_mm"] - at[s["role"]]) <= s["step_mm"] / 2
            assert s["start_mm"] / s["step_mm"] == pytest.approx(round(s["start_mm"] / s["step_mm"]))
    matrix = [1000000, 500000, 0, 0, -1000000, 0, 0, 0, 2000000]
    header = stepheader.describe_machine(config(kinematics=3, matrix_1e6=matrix, home_um=home))
    assert header["kinematics"] == {"type": "linear", "matrix": [[1, 0.5, 0], [0, -1, 0], [0, 0, 2]]}
    assert header["steppers"][2]["start_mm"] == pytest.approx(18)


def test_delta():
    radius, arm = 174750, 333000
    towers = [(round(radius * math.cos(a)), round(radius * math.sin(a))) for a in np.radians((210, 330, 90))]
    header = stepheader.describe_machine(
        config(kinematics=4, arm_um=arm, tower_x_um=[x for x, _ in towers], tower_y_um=[y for _, y in towers], home_um=[0, 0, 300000])
    )
    assert header["kinematics"]["type"] == "delta" and header["kinematics"]["arm"] == 333
    assert np.allclose(header["kinematics"]["towers"], np.array(towers) / 1000)
    for s in header["steppers"][:3]:
        assert abs(s["start_mm"] - 300 - math.sqrt(333**2 - 174.75**2)) <= s["step_mm"] / 2 + 1e-3


def test_extruders():
    header = stepheader.describe_machine(
        config(motors=6, steps_per_m=[80000] * 3 + [95522, 100000, 400000, 1, 1], tool_x_um=[0, 18000, 0, 0, 0])
    )
    assert [s["role"] for s in header["steppers"]] == ["x", "y", "z", "e", "e1", "e2"]
    assert [s["step_mm"] for s in header["steppers"][4:]] == [0.01, 0.0025]
    assert [e["offset_mm"] for e in header["extruders"]] == [[0, 0, 0], [18, 0, 0], [0, 0, 0]]
