"""Power spectral density by Welch's method (P. D. Welch 1967): Hann windows that overlap by half, their mean taken off."""

import numpy as np

WINDOW_S = 0.5  # at least
BATCH = 256  # windows transformed at a time


def density(values, rate_hz, window_s=WINDOW_S):
    """(frequencies in Hz, one-sided density in values^2 / Hz) of a signal (n).  ValueError when it is shorter than a window."""
    size = 1 << int(np.ceil(np.log2(window_s * rate_hz)))
    if len(values) < size:
        raise ValueError("the signal is shorter than a window")
    window = np.hanning(size + 1)[:-1]
    blocks = np.lib.stride_tricks.sliding_window_view(values, size)[:: size // 2]
    total = np.zeros(size // 2 + 1)
    for at in range(0, len(blocks), BATCH):
        part = blocks[at : at + BATCH]
        part = (part - part.mean(1, keepdims=True)) * window
        total += (np.abs(np.fft.rfft(part, axis=1)) ** 2).sum(0)
    total *= 2 / (len(blocks) * rate_hz * (window**2).sum())
    total[[0, -1]] /= 2
    return np.fft.rfftfreq(size, 1 / rate_hz), total
