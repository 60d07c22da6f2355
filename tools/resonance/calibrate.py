"""Which shaper suits an axis: the vibration of its frame from recordings of a sweep, the best frequency of every shaper, a recommendation.

The sweep's acceleration rises with its frequency, so the recorded density over frequency squared is the square of the frame's
response.  A twentieth of its peak is taken off: what is left is resonance, not the motion that was asked for and not noise.
Not here: reading files, pictures.
"""

import numpy as np

from tools.resonance import shapers, spectrum

FROM_HZ, TO_HZ = 5.0, 200.0
FLOOR = 0.05  # of the peak; below it the frame is taken as quiet
NOISE_BAND_HZ = (300.0, 500.0)  # where no sweep goes: the sensor's noise
NOISE_TIMES = 4.0  # peaks that do not stand so far above the noise are none
LOWEST_HZ, HIGHEST_HZ, STEP_HZ = 15.0, 180.0, 0.2  # of a shaper
REFERENCE_ACCEL_MM_S2 = 5000.0  # rounding is told for it
ROUNDING_COST = 0.3  # share of vibration that a millimetre of rounding is worth
ROUNDING_MM = 0.12  # most that the highest acceleration may cause
DAMPING_SPREAD = (0.75, 1.0, 1.5)  # times the shaper's damping: the frame's is not known exactly


class NoResonance(ValueError):
    """Recordings with nothing but noise, or that do not belong together."""


class Spectrum:
    """frequencies_hz (n); density: (4, n) of x, y, z and their sum, (mm/s^2)^2 / Hz; response: (n) square of the frame's response,
    largest 1, with the floor taken off."""

    def __init__(self, frequencies_hz, density, response):
        self.frequencies_hz, self.density, self.response = frequencies_hz, density, response

    @property
    def peak_hz(self):
        return float(self.frequencies_hz[np.argmax(self.response)])


class Fit:
    """One shaper at its best frequency.

    name, frequency_hz, damping, pulses.  remaining: share of the vibration that is left.  rounding_mm: at 5,000 mm/s^2.
    max_accel_mm_s2: with at most 0.12 mm of rounding.  after: (n) share left at each frequency of the spectrum.
    """

    def __init__(self, name, frequency_hz, damping, remaining, corner_mm_s, after):
        self.name, self.frequency_hz, self.damping, self.remaining, self.after = name, frequency_hz, damping, remaining, after
        self.pulses = shapers.pulses(name, frequency_hz, damping)
        self.rounding_mm = shapers.rounding_mm(self.pulses, REFERENCE_ACCEL_MM_S2, corner_mm_s)
        self.max_accel_mm_s2 = shapers.accel_for_rounding(self.pulses, ROUNDING_MM, corner_mm_s)

    @property
    def cost(self):
        return self.remaining + ROUNDING_COST * self.rounding_mm


def spectrum_of(recordings):
    """Spectrum of one or more recordings of the same axis, their densities averaged.  Raises NoResonance."""
    total, frequencies = np.zeros(0), np.zeros(0)
    for recording in recordings:
        rows = []
        for axis in range(3):
            frequencies_hz, density = spectrum.density(recording.accel[:, axis], recording.rate_hz)
            rows.append(density)
        rows = np.array([*rows, np.sum(rows, 0)])
        _stands_out(recording.name, frequencies_hz, rows[3])
        if not len(frequencies):
            frequencies, total = frequencies_hz, rows
        else:
            # sensors with other rates have other frequencies
            total = total + np.array([np.interp(frequencies, frequencies_hz, row) for row in rows])
    total = total / len(recordings)
    keep = (frequencies >= FROM_HZ) & (frequencies <= TO_HZ)
    frequencies, total = frequencies[keep], total[:, keep]
    response = total[3] / frequencies**2
    response = np.maximum(response / response.max() - FLOOR, 0) / (1 - FLOOR)
    return Spectrum(frequencies, total, response)


def _stands_out(name, frequencies_hz, density):
    band = (frequencies_hz >= FROM_HZ) & (frequencies_hz <= TO_HZ)
    noise = (frequencies_hz >= NOISE_BAND_HZ[0]) & (frequencies_hz <= NOISE_BAND_HZ[1])
    if density[band].max() < NOISE_TIMES * np.median(density[noise]) or density[band].max() <= 0:
        raise NoResonance("%s: there is nothing but noise in it; is the sensor fixed to what vibrates, and did the sweep run?" % name)


def fit(name, seen, damping=shapers.DAMPING, corner_mm_s=5.0):
    """Fit of one shaper to a Spectrum: least vibration left, with a price on rounding."""
    used = seen.response > 0
    weight = seen.response[used] / seen.response[used].sum()
    best = None
    for frequency_hz in np.arange(LOWEST_HZ, HIGHEST_HZ, STEP_HZ):
        shaper = shapers.pulses(name, frequency_hz, damping)
        remaining = max(float((shapers.residual(shaper, seen.frequencies_hz[used], damping * k) * weight).sum()) for k in DAMPING_SPREAD)
        cost = remaining + ROUNDING_COST * shapers.rounding_mm(shaper, REFERENCE_ACCEL_MM_S2, corner_mm_s)
        if best is None or cost < best[0]:
            best = cost, float(frequency_hz), remaining
    assert best is not None
    _, frequency_hz, remaining = best
    after = shapers.residual(shapers.pulses(name, frequency_hz, damping), seen.frequencies_hz, damping)
    return Fit(name, round(frequency_hz, 1), damping, remaining, corner_mm_s, after)


def fits(seen, damping=shapers.DAMPING, corner_mm_s=5.0):
    """(a Fit of every shaper, the recommended one of them)."""
    found = [fit(name, seen, damping, corner_mm_s) for name in shapers.NAMES]
    return found, min(found, key=lambda one: one.cost)


def snippet(chosen):
    """Part of a machine file (boards/SPEC.md) for {axis: Fit}."""
    parts = {axis: {"type": one.name, "frequency_hz": one.frequency_hz, "damping": one.damping} for axis, one in chosen.items()}
    return {"printer": {"motion": {"shaper": parts}}}
