"""The simulated frame against the analytic motion of a damped oscillator, and the sensor against its data sheet."""

import numpy as np
import pytest

from tools.resonance.frame import BLOCK, DIGIT_MM_S2, NOISE_MM_S2, OVERSAMPLE, RANGE_MM_S2, Accelerometer, Axis, Frame, Mode

RATE = 12800.0


def test_step_answer():
    f, damping = 40.0, 0.07
    axis = Axis([Mode(f, damping)], RATE)
    n = 3 * BLOCK + 57
    place, accel = axis.run(np.ones(n))
    t = np.arange(1, n + 1) / RATE
    omega = 2 * np.pi * f
    wd = omega * np.sqrt(1 - damping**2)
    wanted = 1 - np.exp(-damping * omega * t) * (np.cos(wd * t) + damping * omega / wd * np.sin(wd * t))
    assert np.allclose(place, wanted, atol=1e-9)
    assert accel[0] == pytest.approx(omega**2, rel=0.01)
    swing = np.gradient(np.gradient(wanted, 1 / RATE), 1 / RATE)
    assert np.allclose(accel[5:-5], swing[5:-5], atol=1e-3 * omega**2)


def test_portions_do_not_matter():
    rng = np.random.default_rng(3)
    u = np.cumsum(rng.normal(size=(5000, 3)), 0)
    modes = {"x": [Mode(50, 0.1, 0.6), Mode(90, 0.05, 0.3)], "y": [Mode(33, 0.02)]}
    whole = Frame(modes, RATE).run(u)
    frame = Frame(modes, RATE)
    parts = [frame.run(part) for part in np.split(u, [1, 2, 700, 701, 3000])]
    for k in (0, 1):
        assert np.allclose(np.concatenate([part[k] for part in parts]), whole[k], rtol=1e-9, atol=1e-6)


def test_resonance_swells():
    t = np.arange(int(3 * RATE)) / RATE
    axis = Axis([Mode(60, 0.05)], RATE)
    place, _ = axis.run(np.sin(2 * np.pi * 60 * t))
    assert np.abs(place[-1000:]).max() == pytest.approx(1 / (2 * 0.05), rel=0.01)


def test_shares():
    axis = Axis([Mode(60, 0.05, 0.5)], RATE)
    place, _ = axis.run(np.ones(int(2 * RATE)))
    assert place[-1] == pytest.approx(1, abs=1e-6)
    with pytest.raises(ValueError, match="more than 1"):
        Axis([Mode(60, 0.05, 0.7), Mode(80, 0.05, 0.7)], RATE)
    for wrong in ((0, 0.1, 1), (50, 0, 1), (50, 1, 1), (50, 0.1, 0), (50, 0.1, 2), (float("nan"), 0.1, 1)):
        with pytest.raises(ValueError):
            Mode(*wrong)


def test_sensor():
    samples = Accelerometer(5).run(np.zeros((OVERSAMPLE * 20000 + 3, 3)))
    assert samples.shape == (20000, 3)
    assert samples.mean(0) == pytest.approx([0, 0, 9806.65], abs=30)
    assert samples.std(0) == pytest.approx(NOISE_MM_S2, rel=0.05)
    digits = samples / DIGIT_MM_S2
    assert np.allclose(digits, np.round(digits), atol=1e-6)
    loud = Accelerometer(5).run(np.full((OVERSAMPLE * 10, 3), 1e6))
    assert (loud == RANGE_MM_S2).all()
