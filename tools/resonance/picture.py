"""The classic plots of a calibration, as a PNG: what the sensor saw along each axis, each shaper's answer, and what it leaves."""

import numpy as np

from tools.plot import GRID, INK, figure_of, save, style

SENSOR = (("x", "#dc6803"), ("y", "#059669"), ("z", "#7c3aed"))
SHAPERS = {"zv": "#60a5fa", "mzv": "#f59e0b", "zvd": "#34d399", "ei": "#f472b6", "2hump_ei": "#a78bfa", "3hump_ei": "#94a3b8"}
SUM = "#1d4ed8"
AFTER = "#06b6d4"
SHOWN_S = 3.0  # of a ringing frame: more than a square


def spectra(results, out, title="Shaper calibration"):
    """results: {axis: (Spectrum, list of Fit, recommended Fit)}; out: path of the PNG."""
    figure = figure_of(10, 4.9 * len(results))
    figure.suptitle(title, color=INK, fontsize=12)
    rows = figure.subplots(len(results), 1, squeeze=False)[:, 0]
    for axes, (axis, (seen, found, best)) in zip(rows, results.items(), strict=True):
        _one(axes, axis, seen, found, best)
    save(figure, out)


def _one(axes, axis, seen, found, best):
    f = seen.frequencies_hz
    style(axes, "frequency [Hz]", "power spectral density [(mm/s²)²/Hz]")
    for row, (name, colour) in enumerate(SENSOR):
        axes.plot(f, seen.density[row], color=colour, linewidth=0.9, label="sensor's " + name)
    axes.plot(f, seen.density[3], color=SUM, linewidth=1.6, label="x + y + z")
    axes.fill_between(f, seen.density[3] * best.after**2, color=AFTER, alpha=0.35, linewidth=0, label="behind %s" % best.name.upper())
    axes.set_xlim(0, 200)
    axes.set_ylim(bottom=0)
    axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    answer = axes.twinx()
    answer.set_ylabel("vibration that a shaper leaves", color=INK)
    answer.set_ylim(0, 1)
    answer.yaxis.set_major_formatter(lambda value, _: "%.0f %%" % (100 * value))
    for side in ("top", "left", "bottom"):
        answer.spines[side].set_visible(False)
    answer.spines["right"].set_color(GRID)
    answer.tick_params(colors=INK, labelsize=8)
    for fit in found:
        text = "%s %.1f Hz: %.1f %% left, %.2f mm, up to %s mm/s²" % (
            fit.name.upper(),
            fit.frequency_hz,
            100 * fit.remaining,
            fit.rounding_mm,
            format(int(fit.max_accel_mm_s2 // 100 * 100), ","),
        )
        line = {"linewidth": 1.8} if fit is best else {"linewidth": 0.9, "linestyle": (0, (4, 2))}
        answer.plot(f, fit.after, color=SHAPERS[fit.name], label=text, **line)
    axes.set_title(
        "axis %s: strongest at %.1f Hz; recommended: %s at %.1f Hz" % (axis, seen.peak_hz, best.name.upper(), best.frequency_hz),
        fontsize=10,
        color=INK,
    )
    handles, labels = axes.get_legend_handles_labels()
    more_handles, more_labels = answer.get_legend_handles_labels()
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.13)}
    axes.legend(handles + more_handles, labels + more_labels, fontsize=7.5, frameon=False, ncols=3, **place)


def ringing(pairs, out, title):
    """pairs: {axis: (Ringing without, Ringing with the shaper)}; out: path of the PNG.  How the frame swings about where it should be."""
    figure = figure_of(10, 2.9 * len(pairs))
    figure.suptitle(title, color=INK, fontsize=12)
    rows = figure.subplots(len(pairs), 1, squeeze=False, sharex=True)[:, 0]
    for axes, (axis, (plain, shaped)) in zip(rows, pairs.items(), strict=True):
        most = max(np.abs(plain.deflection_um).max(), 1e-3)
        for ring, colour, label in ((plain, "#dc2626", "without"), (shaped, "#2563eb", "with shaper")):
            text = "%s: %.1f µm rms behind a stop" % (label, ring.rms_um)
            axes.plot(ring.t, ring.deflection_um, color=colour, linewidth=0.7, alpha=0.9, label=text)
        axes.set_ylim(-most * 1.15, most * 1.15)
        axes.set_xlim(*_window(plain))
        axes.legend(loc="upper right", fontsize=8, frameon=False, ncols=2)
        style(axes, "time [s]" if axes is rows[-1] else "", "%s: off by [µm]" % axis)
    save(figure, out)


def _window(ring):
    """The last stretch of time with motion in it."""
    moving = np.flatnonzero(np.abs(ring.deflection_um) > 0.05 * np.abs(ring.deflection_um).max())
    if not len(moving):
        return 0.0, float(ring.t[-1])
    end_s = float(ring.t[moving[-1]]) + 0.2
    return max(float(ring.t[moving[0]]) - 0.1, end_s - SHOWN_S, 0.0), end_s
