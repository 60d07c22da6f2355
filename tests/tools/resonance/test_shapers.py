"""Shapers against what they promise: computed here from time simulations and closed forms, not from the module's own formulas."""

import numpy as np
import pytest

from tools.resonance import shapers


def ringing(pulses, frequency_hz, damping, ask=None):
    """Vibration behind the last pulse of a damped mode that gets the pulses, over that of one pulse at their end."""
    amplitudes, times = pulses
    omega = 2 * np.pi * frequency_hz
    wd = omega * np.sqrt(1 - damping**2)
    # complex amplitude of the free vibration, each pulse starting one
    whole = sum(a * np.exp((-damping * omega + 1j * wd) * (times[-1] - t)) for a, t in zip(amplitudes, times, strict=True))
    return abs(whole)


@pytest.mark.parametrize("name", shapers.NAMES)
@pytest.mark.parametrize("damping", [0.0, 0.05, 0.1, 0.2])
def test_pulses(name, damping):
    amplitudes, times = shapers.pulses(name, 50, damping)
    assert amplitudes.sum() == pytest.approx(1) and (amplitudes > 0).all()
    assert times[0] == 0 and (np.diff(times) > 0).all()
    # the EI family tolerates 5 % at its own frequency; its tables are approximations for damping above 0
    most = {"zv": 1e-9, "zvd": 1e-9, "mzv": 0.025}.get(name, 0.055 + 0.4 * damping)
    assert ringing((amplitudes, times), 50, damping) <= most


@pytest.mark.parametrize("name", shapers.NAMES)
def test_residual_is_what_a_mode_does(name):
    pulses = shapers.pulses(name, 60, 0.08)
    frequencies = np.array([10.0, 42.0, 60.0, 75.0, 130.0])
    for damping in (0.0, 0.05, 0.15):
        left = shapers.residual(pulses, frequencies, damping)
        assert left == pytest.approx([ringing(pulses, f, damping) for f in frequencies], abs=1e-12)


def test_zero_frequency_is_untouched():
    for name in shapers.NAMES:
        assert shapers.residual(shapers.pulses(name, 50), [1e-6], 0.1)[0] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name, width", [("zv", 0.065), ("zvd", 0.286), ("ei", 0.398), ("2hump_ei", 0.726), ("3hump_ei", 0.93)])
def test_insensitive_ones_are(name, width):
    """Known widths of the band with at most 5 % left, in shares of the frequency (Singhose 1994, for damping 0)."""
    f = np.linspace(20, 180, 16001)
    left = shapers.residual(shapers.pulses(name, 100, 0.0), f, 0.0)
    centre = np.argmin(np.abs(f - 100))
    low = centre - np.argmax(left[centre::-1] > 0.0501)
    high = centre + np.argmax(left[centre:] > 0.0501)
    assert (f[high] - f[low]) / 100 == pytest.approx(width, rel=0.12)


def test_rounding():
    pulses = shapers.pulses("zv", 50, 0.0)
    # two equal pulses 10 ms apart: at a corner each axis lacks half of what it moves in 5 ms
    way = 0.5 * (5 * 0.005 + 3000 * 0.005**2 / 2)
    turn = 3000 / 2 * 0.005**2
    assert shapers.rounding_mm(pulses, 3000, 5) == pytest.approx(max(np.sqrt(2) * way, turn))
    accel = shapers.accel_for_rounding(pulses, 0.12, 5)
    assert shapers.rounding_mm(pulses, accel, 5) == pytest.approx(0.12)
    assert shapers.accel_for_rounding(pulses, 0.01, 100) == 0


def test_unknown():
    with pytest.raises(ValueError, match="no shaper is called"):
        shapers.pulses("zvx", 50)
