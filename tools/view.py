"""Pictures of a tool path and of the motion over time, as PNG files.

Matplotlib is loaded when a picture is made, not before.  Where the figures come from: tools/viewdata.py.
"""

import numpy as np

INK = "#1f2933"
GRID = "#e4e7eb"
TRAVEL = "#c3cbd4"
MOTOR_COLOURS = ("#2563eb", "#dc6803", "#059669", "#7c3aed")
MOST_LINES = 400_000  # more segments than that make no difference to the eye
MOST_POINTS = 4000  # of a curve over time: columns of the picture that can be told apart


class NothingToDraw(ValueError):
    """The file has no motion."""


def _figure(width, height):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=130, layout="constrained")
    return figure


def _style(axes, x, y):
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.grid(True, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#9aa5b1")
    axes.tick_params(colors=INK, labelsize=8)


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


def _segments(path, which, axes_pair):
    a = path.points[:-1][which][:, axes_pair]
    b = path.points[1:][which][:, axes_pair]
    if len(a) > MOST_LINES:
        every = len(a) // MOST_LINES + 1
        a, b = a[::every], b[::every]
    return list(np.stack([a, b], 1))


def draw_path(figure, path, title):
    """Top and side view: printed lines coloured by height, travel in grey."""
    from matplotlib.collections import LineCollection

    if not len(path.printing):
        raise NothingToDraw("there is no motion to draw")
    figure.suptitle(title, color=INK, fontsize=12)
    top, side = figure.subplots(1, 2, width_ratios=(3, 2))
    shown = path.printing if path.printing.any() else np.ones(len(path.printing), bool)
    z = path.points[1:][shown][:, 2]
    low, high = _window(path, shown)
    lowest, highest = float(z.min()), float(max(z.max(), z.min() + 1e-3))
    for axes, pair, labels in ((top, [0, 1], ("x [mm]", "y [mm]")), (side, [0, 2], ("x [mm]", "z [mm]"))):
        travel = LineCollection(_segments(path, ~path.printing, pair), colors=TRAVEL, linewidths=0.35, label="travel")
        printed = LineCollection(_segments(path, shown, pair), cmap="viridis", linewidths=0.55, label="extrusion")
        heights = path.points[1:][shown][:, 2]
        if len(heights) > MOST_LINES:
            heights = heights[:: len(heights) // MOST_LINES + 1]
        printed.set_array(heights)
        printed.set_clim(lowest, highest)
        axes.add_collection(travel)
        axes.add_collection(printed)
        axes.set_xlim(low[pair[0]], high[pair[0]])
        axes.set_ylim(low[pair[1]], high[pair[1]])
        axes.set_aspect("equal", adjustable="box")
        _style(axes, *labels)
    top.set_title("from above", fontsize=9, color=INK)
    side.set_title("from the front", fontsize=9, color=INK)
    bar = figure.colorbar(printed, ax=[top, side], location="bottom", shrink=0.5, aspect=40, pad=0.02)
    bar.set_label("height of the extrusion, z [mm] (travel in grey)", color=INK, fontsize=9)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=INK, labelsize=8)


def _envelope(t, values):
    """Lowest and highest value in each of at most MOST_POINTS stretches of time."""
    n = len(values)
    if n <= 2 * MOST_POINTS:
        return t, values, values
    every = n // MOST_POINTS
    cut = n // every * every
    blocks = values[:cut].reshape(-1, every)
    return t[:cut:every], blocks.min(1), blocks.max(1)


def draw_motion(figure, motion, title):
    """Speed, acceleration and step rates over time, one below the other."""
    figure.suptitle(title, color=INK, fontsize=12)
    speed, accel, rate = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 3))
    for axes, values, colour, label in (
        (speed, motion.speed, "#2563eb", "speed [mm/s]"),
        (accel, motion.accel, "#059669", "acceleration [mm/s²]"),
    ):
        t, low, high = _envelope(motion.t, values)
        if low is high:
            axes.plot(t, high, color=colour, linewidth=0.8)
        else:
            axes.fill_between(t, low, high, color=colour, linewidth=0.3, alpha=0.9)
        _style(axes, "", label)
    for (name, (t, values)), colour in zip(motion.rates.items(), MOTOR_COLOURS, strict=False):
        t, _, high = _envelope(t, values / 1000)
        rate.plot(t, high, color=colour, linewidth=0.7, label=name)
    rate.legend(loc="upper right", ncols=4, fontsize=8, frameon=False, title="motor", title_fontsize=8)
    rate.set_ylim(bottom=0, top=rate.get_ylim()[1] * 1.25)
    _style(rate, "time [s]", "step rate [1000/s]")
    speed.set_ylim(bottom=0)
    speed.set_xlim(0, float(motion.t[-1]))


def _save(figure, out):
    figure.savefig(out, facecolor="white")


def toolpath_picture(file, out_png, title=None, machine=None):
    """Draws the tool path of a G-code or step file into a PNG.

    machine: description, or name or path of one, for G-code only.  Raises OSError, StepFileError, VerifyError, NothingToDraw.
    """
    path, _ = _load(file, machine)
    figure = _figure(10, 6.2)
    draw_path(figure, path, title or _title(file, path))
    _save(figure, out_png)


def picture(file, out_png, machine=None, title=None):
    """Tool path, and below it speed, acceleration and step rates: those of a step file, or of the G-code's own steps."""
    path, motion = _load(file, machine, True)
    if motion is None:
        figure = _figure(10, 6.2)
        draw_path(figure, path, title or _title(file, path))
    else:
        figure = _figure(10, 12.5)
        halves = figure.subfigures(2, 1, squeeze=False, height_ratios=(6.2, 6.3))[:, 0]
        draw_path(halves[0], path, title or _title(file, path))
        draw_motion(halves[1], motion, "Motion over %.0f s" % motion.t[-1])
    _save(figure, out_png)


def _title(file, path):
    import os

    return "%s: %.2f m printed, %.2f m of filament" % (os.path.basename(file), path.printed_mm / 1000, path.filament_mm / 1000)


def _load(file, machine, with_motion=False):
    from tools import stepfile, viewdata

    if stepfile.is_step_file(file):
        path, motion = viewdata.load_steps(file)
        if not len(path.printing):
            raise NothingToDraw("%s: there is no motion in it" % file)
        return path, motion
    import os
    import tempfile

    from tools import steps

    description = machine if isinstance(machine, dict) else steps.load_machine(machine)
    motion = None
    if with_motion:
        with tempfile.TemporaryDirectory(prefix="printwright-view-") as folder:
            out = os.path.join(folder, "steps")
            with open(file, "rb", buffering=0) as source:
                steps.run(source, file, description, out)
            _, motion = viewdata.load_steps(out)
    path = viewdata.path_of_gcode(file, description)
    if not len(path.printing):
        raise NothingToDraw("%s: there is no motion in it" % file)
    return path, motion
