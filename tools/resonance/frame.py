"""A frame that shakes, and the accelerometer on it: what the simulator has in place of a real printer's head and bed.

Each axis has modes of second order: frequency, damping ratio, and the share of the moving mass that takes part.  A mode follows the
carriage as x'' + 2 d w x' + w^2 x = w^2 u, with u where the motors hold the carriage, step by step.  What takes part in no mode
follows through the stiff drive alone.  The recurrences are exact for u that rests between samples.
"""

import numpy as np

DRIVE = (300.0, 0.7)  # Hz and damping of belt and motor: nothing follows steps quicker than that
BLOCK = 256

# The sensor: an ADXL345 at full resolution (Analog Devices' data sheet, revision G: 3.9 mg a digit, 290 and 430 ug a root of Hz)
SENSOR_HZ = 3200.0
RANGE_MM_S2 = 16 * 9806.65
DIGIT_MM_S2 = 0.0039 * 9806.65
NOISE_MM_S2 = tuple(ug * 1e-6 * 9806.65 * np.sqrt(SENSOR_HZ / 2) for ug in (290, 290, 430))
GRAVITY = (0.0, 0.0, 9806.65)
OVERSAMPLE = 8
CROSSTALK = 0.08  # of an axis' shaking that shows on the others: sensors are never mounted square


class Mode:
    """frequency_hz, damping (ratio), share (0 to 1 of the mass)."""

    def __init__(self, frequency_hz, damping, share=1.0):
        if not 1 <= frequency_hz <= 1000:
            raise ValueError("frequency: 1 to 1000 Hz expected, not %g" % frequency_hz)
        if not 0 < damping < 1:
            raise ValueError("damping: more than 0 and less than 1 expected, not %g" % damping)
        if not 0 < share <= 1:
            raise ValueError("share: more than 0, at most 1 expected, not %g" % share)
        self.frequency_hz, self.damping, self.share = frequency_hz, damping, share


DEFAULT = {"x": [Mode(55.0, 0.06, 0.9)], "y": [Mode(45.0, 0.05, 0.7), Mode(78.0, 0.08, 0.2)], "z": []}


class _Follower:
    """One mode in time: samples of u in, samples of place and acceleration out, any number at a time."""

    def __init__(self, frequency_hz, damping, rate_hz):
        omega, dt = 2 * np.pi * frequency_hz, 1 / rate_hz
        self.omega, self.damping = omega, damping
        # state [place - u, speed] decays freely while u rests
        wd = omega * np.sqrt(1 - damping**2)
        decay, c, s = np.exp(-damping * omega * dt), np.cos(wd * dt), np.sin(wd * dt)
        k = damping * omega / wd
        free = decay * np.array([[c + k * s, s / wd], [-(omega**2) * s / wd, c - k * s]])
        powers = [np.eye(2)]
        for _ in range(BLOCK):
            powers.append(powers[-1] @ free)
        self.free = np.array(powers)  # (BLOCK + 1, 2, 2)
        # answer of [place, speed] after k + 1 samples to u = 1 in sample 0
        drive = np.eye(2) - free
        answer = self.free[:BLOCK, :, :] @ drive[:, 0]
        lag = np.arange(BLOCK)[:, None] - np.arange(BLOCK)[None, :]
        self.toeplitz = np.where(lag[:, :, None] >= 0, answer[np.maximum(lag, 0)], 0.0)  # (out, in, 2)
        self.state = np.zeros(2)

    def rest_at(self, place):
        self.state = np.array([place, 0.0])

    def run(self, u):
        """u (n) -> (place (n), acceleration (n)) at the end of each sample."""
        n = len(u)
        blocks = -(-n // BLOCK)
        padded = np.concatenate([u, np.full(blocks * BLOCK - n, u[-1] if n else 0.0)]).reshape(blocks, BLOCK)
        forced = np.stack([padded @ self.toeplitz[:, :, k].T for k in (0, 1)], 2)  # (blocks, BLOCK, 2)
        starts = np.empty((blocks, 2))
        state = self.state
        whole = self.free[BLOCK]
        for block in range(blocks):
            starts[block] = state
            state = whole @ state + forced[block, -1]
        states = (forced + np.einsum("kij,bj->bki", self.free[1:], starts)).reshape(-1, 2)[:n]
        if n:
            self.state = states[-1].copy()
        place, speed = states[:, 0], states[:, 1]
        return place, self.omega**2 * (u - place) - 2 * self.damping * self.omega * speed


class Axis:
    """A carriage with its modes; run() may be called again and again."""

    def __init__(self, modes, rate_hz):
        if sum(mode.share for mode in modes) > 1 + 1e-9:
            raise ValueError("the shares of an axis' modes add up to more than 1")
        rest = 1 - sum(mode.share for mode in modes)
        self._parts = [(mode.share, _Follower(mode.frequency_hz, mode.damping, rate_hz)) for mode in modes]
        if rest > 1e-9:
            self._parts.append((rest, _Follower(*DRIVE, rate_hz)))

    def rest_at(self, place):
        for _, part in self._parts:
            part.rest_at(place)

    def run(self, u):
        """u (n) in mm -> (place (n) in mm, acceleration (n) in mm/s^2)."""
        place, accel = np.zeros(len(u)), np.zeros(len(u))
        for share, part in self._parts:
            one = part.run(u)
            place += share * one[0]
            accel += share * one[1]
        return place, accel


class Frame:
    """Three axes.  modes: {"x": [Mode, ...], ...}; an axis without modes follows the drive."""

    def __init__(self, modes, rate_hz):
        self.axes = [Axis(modes.get(name, []), rate_hz) for name in "xyz"]

    def rest_at(self, places):
        for axis, place in zip(self.axes, places, strict=True):
            axis.rest_at(place)

    def run(self, u):
        """(n, 3) mm -> (places (n, 3), accelerations (n, 3))."""
        parts = [axis.run(u[:, k]) for k, axis in enumerate(self.axes)]
        return np.stack([part[0] for part in parts], 1), np.stack([part[1] for part in parts], 1)


class Accelerometer:
    """Turns accelerations at OVERSAMPLE times the sensor's rate into its samples.  seed: of its noise."""

    def __init__(self, seed=0):
        self._random = np.random.default_rng(seed)
        self._mix = np.eye(3) + CROSSTALK * (1 - np.eye(3))
        self._left = np.zeros((0, 3))

    def run(self, accel):
        """(n, 3) mm/s^2 -> (m, 3) samples, in digits, clipped at the range."""
        accel = np.concatenate([self._left, accel])
        whole = len(accel) // OVERSAMPLE * OVERSAMPLE
        self._left = accel[whole:]
        seen = accel[:whole].reshape(-1, OVERSAMPLE, 3).mean(1) @ self._mix.T + GRAVITY
        seen += self._random.normal(size=seen.shape) * NOISE_MM_S2
        return np.clip(np.round(seen / DIGIT_MM_S2) * DIGIT_MM_S2, -RANGE_MM_S2, RANGE_MM_S2)
