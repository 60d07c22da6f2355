"""Pictures of a tool path and of the motion over time, as PNG files.

Where the figures come from: tools/viewdata.py.  How pictures look: tools/plot.py.
"""

import os

import numpy as np

from tools.plot import INK, figure_of, save, style

TRAVEL = "#b3bdc9"
LIMIT = "#9aa5b1"
SPEED, ACCEL, JERK = "#2563eb", "#059669", "#be185d"
MOTOR_COLOURS = ("#2563eb", "#dc6803", "#059669", "#7c3aed", "#be185d", "#0891b2", "#65a30d", "#9a3412")
WIDTH = 10.0  # inches
LEVELS = 128  # heights that are told apart by colour
FLAT = 0.75  # of a part's larger side; flatter ones have their side view below, over the whole width
SUFFIXES = ((1e6, "M"), (1e3, "k"))


class NothingToDraw(ValueError):
    """The file has no motion."""


def _window(path, shown):
    """Box of the part: what is printed, but for the few lines far from the rest (a purge line at the bed's edge)."""
    a, b = path.points[:-1][shown], path.points[1:][shown]
    weight = np.linalg.norm(b - a, axis=1)
    middle = (a + b) / 2
    near = np.ones(len(a), bool)
    for axis in (0, 1):
        order = np.argsort(middle[:, axis], kind="stable")
        share = np.cumsum(weight[order]) / max(float(weight.sum()), 1e-9)
        low, high = middle[order[np.searchsorted(share, 0.04)], axis], middle[order[np.searchsorted(share, 0.96)], axis]
        margin = 0.3 * (high - low) + 2
        near &= (middle[:, axis] > low - margin) & (middle[:, axis] < high + margin)
    points = np.concatenate([a[near], b[near]]) if near.any() else np.concatenate([a, b])
    low, high = points.min(0), points.max(0)
    margin = max(float((high - low)[:2].max()) * 0.05, 0.5)
    low, high = low - margin, high + margin
    low[2] = min(0.0, low[2] + margin)
    return low, high


def _strokes(path, which, axes_pair):
    """(x, y) of a polyline through the segments, with a gap where one does not follow the other."""
    points = path.points[:, axes_pair]
    chosen = np.flatnonzero(which)
    first = np.flatnonzero(np.diff(chosen, prepend=-2) != 1)
    line = np.insert(points[chosen + 1], first, points[chosen[first]], axis=0)
    return np.insert(line, (first + np.arange(len(first)))[1:], np.nan, axis=0).T


class _PathView:
    """Top and side view: printed lines coloured by height, travel in grey.  height: inches that it takes at WIDTH."""

    def __init__(self, path):
        if not len(path.printing):
            raise NothingToDraw("there is no motion to draw")
        self.path = path
        self.shown = path.printing if path.printing.any() else np.ones(len(path.printing), bool)
        self.low, self.high = _window(path, self.shown)
        x, y, z = self.high - self.low
        # a page has the width; both views at one scale: beside each other, or a flat part's below
        self.below = z < FLAT * max(x, y)
        inner = WIDTH - 1.0
        if self.below:
            scale = min((inner - 0.2) / x, 6.0 / y)
            self.rows = max(y * scale, 1.0), max(z * scale, 0.8)
            self.height = sum(self.rows) + 2.6
        else:
            scale = min((inner - 1.2) / (2 * x), 6.5 / max(y, z))
            self.rows = (max(y, z) * scale,)
            self.height = max(self.rows[0], 2.0) + 2.2

    def draw(self, figure, title):
        from matplotlib import colormaps
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        path = self.path
        figure.suptitle(title, color=INK, fontsize=12)
        if self.below:
            top, side = figure.subplots(2, 1, height_ratios=self.rows)
        else:
            top, side = figure.subplots(1, 2)
        z = path.points[1:][self.shown][:, 2]
        lowest, highest = float(z.min()), float(max(z.max(), z.min() + 1e-3))
        colours = ScalarMappable(Normalize(lowest, highest), colormaps["viridis"])
        heights = path.points[1:, 2]
        level = np.clip((heights - lowest) / (highest - lowest) * LEVELS, 0, LEVELS - 1).astype(int)
        levels = np.unique(level[self.shown])
        for axes, pair, labels in ((top, [0, 1], ("x [mm]", "y [mm]")), (side, [0, 2], ("x [mm]", "z [mm]"))):
            axes.plot(*_strokes(path, ~path.printing, pair), color=TRAVEL, linewidth=0.45)
            for one in levels:
                colour = colours.to_rgba(lowest + (one + 0.5) / LEVELS * (highest - lowest))
                axes.plot(*_strokes(path, self.shown & (level == one), pair), color=colour, linewidth=0.6)
            axes.set_xlim(self.low[pair[0]], self.high[pair[0]])
            axes.set_ylim(self.low[pair[1]], self.high[pair[1]])
            axes.set_aspect("equal", adjustable="box")
            style(axes, *labels)
        top.set_title("from above", fontsize=9, color=INK)
        side.set_title("from the front", fontsize=9, color=INK)
        bar = figure.colorbar(colours, ax=[top, side], location="bottom", shrink=0.5, aspect=40, pad=0.02)
        bar.set_label("height of the extrusion, z [mm] (travel in grey)", color=INK, fontsize=9)
        bar.outline.set_visible(False)
        bar.ax.tick_params(colors=INK, labelsize=8)


def _band(axes, t, low, high, colour, label=None):
    """Lowest to highest of each column, as a filled band that is never thinner than a line."""
    edges = np.repeat(t, 2)[1:-1]
    below, above = np.repeat(low, 2), np.repeat(high, 2)
    axes.fill_between(edges, below, above, color=colour, linewidth=0.5, alpha=0.85, label=label)


def _thousands(value, _):
    for unit, letter in SUFFIXES:
        if abs(value) >= unit:
            return "%g%s" % (round(value / unit, 3), letter)
    return "%g" % round(value, 6)


def draw_motion(figure, motion, title):
    """Speed, acceleration, jerk and step rates over time, one below the other; the machine's limits as dashed lines."""
    figure.suptitle(title, color=INK, fontsize=12)
    speed, accel, jerk, rate = figure.subplots(4, 1, sharex=True)
    rows = (
        (speed, "speed", SPEED, "speed [mm/s]", (motion.limits["max_velocity"],)),
        (accel, "accel", ACCEL, "acceleration [mm/s²]", (motion.limits["max_accel"], -motion.limits["max_accel"])),
        (jerk, "jerk", JERK, "jerk [mm/s³]", (motion.limits["max_jerk"], -motion.limits["max_jerk"])),
    )
    for axes, name, colour, label, limits in rows:
        low, high = motion.curves[name]
        _band(axes, motion.t, low, high, colour)
        most = max(float(np.abs(low).max()), float(np.abs(high).max()), 1e-6)
        for limit in limits:
            if abs(limit) < 1.4 * most:
                axes.axhline(limit, color=LIMIT, linewidth=0.8, linestyle=(0, (5, 3)))
        if name == "speed":
            axes.set_ylim(0, most * 1.08)
        else:
            axes.set_ylim(-most * 1.1, most * 1.1)
        axes.yaxis.set_major_formatter(_thousands)
        style(axes, "", label)
    # the busiest motor behind, so that the others stay in sight
    names = list(motion.rates)
    for name in sorted(names, key=lambda name: -float(motion.rates[name][1].mean())):
        low, high = motion.rates[name]
        if high.max() > 0:
            _band(rate, motion.t, low, high, MOTOR_COLOURS[names.index(name) % len(MOTOR_COLOURS)], name)
    top = max((float(high.max()) for _, high in motion.rates.values()), default=0.0)
    rate.set_ylim(0, max(top, 1.0) * 1.3)
    rate.yaxis.set_major_formatter(_thousands)
    handles, labels = rate.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda k: names.index(labels[k]))
    rate.legend([handles[k] for k in order], [labels[k] for k in order], loc="upper right", ncols=8, fontsize=8, frameon=False)
    style(rate, "time [s]", "step rate [1/s]")
    speed.set_xlim(0, float(motion.t[-1]))


def toolpath_picture(file, out_png, title=None, machine=None):
    """Draws the tool path of a G-code or step file into a PNG.

    machine: description, or name or path of one, for G-code only.  Raises OSError, StepFileError, StepsError, VerifyError, NothingToDraw.
    """
    path, _ = load(file, machine)
    view = _PathView(path)
    figure = figure_of(WIDTH, view.height)
    view.draw(figure, title or _title(file, path))
    save(figure, out_png)


def picture(file, out_png, machine=None, title=None, progress=None):
    """Tool path, and below it speed, acceleration, jerk and step rates: those of a step file, or of the G-code's own steps."""
    path, motion = load(file, machine, progress)
    view = _PathView(path)
    height = 9.0
    figure = figure_of(WIDTH, view.height + height)
    halves = figure.subfigures(2, 1, squeeze=False, height_ratios=(view.height, height))[:, 0]
    view.draw(halves[0], title or _title(file, path))
    draw_motion(halves[1], motion, "Motion over %s" % duration(motion.t[-1]))
    save(figure, out_png)


def duration(seconds):
    """"12.3 s", "1:02:03 h"."""
    if seconds < 120:
        return "%.1f s" % seconds
    return "%d:%02d:%02d h" % (seconds // 3600, seconds // 60 % 60, seconds % 60)


def _title(file, path):
    return "%s: %.2f m printed, %.2f m of filament" % (os.path.basename(file), path.printed_mm / 1000, path.filament_mm / 1000)


def load(file, machine=None, progress=None):
    """(ToolPath, Motion) of a step file, or of the steps that the core makes of G-code.  progress(bytes of G-code taken)."""
    from hal import factory
    from tools import stepfile, stepheader, steps, viewdata

    if stepfile.is_step_file(file):
        path, motion = viewdata.load_steps(file)
    else:
        description = machine if isinstance(machine, dict) else steps.load_machine(machine)
        recorder = viewdata.Recorder(stepheader.describe_machine(factory.core_config(description)))
        with open(file, "rb", buffering=0) as source:
            steps.run(source, file, description, progress=progress, taker=recorder)
        path, motion = recorder.finish()
    if not len(path.printing):
        raise NothingToDraw("%s: there is no motion in it" % file)
    return path, motion
