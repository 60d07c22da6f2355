"""The picture of a printer that was watched: its temperatures and its place over time, and the places from above."""

from tools.plot import INK, figure_of, save, style
from tools.view import MOTOR_COLOURS, TRAVEL, WIDTH, NothingToDraw, duration

LEGEND = {"loc": "lower right", "bbox_to_anchor": (1, 1), "fontsize": 8, "frameon": False, "ncols": 8, "borderaxespad": 0.2}
SHADES = {"processing": "#eaf2ff", "stopped": "#fdebdc"}


def picture(watched, out_png):
    """Draws tools.watched.Watched into a PNG.  Raises NothingToDraw, OSError."""
    if len(watched.t) < 2:
        raise NothingToDraw("there are no two readings to draw; watch for longer")
    figure = figure_of(WIDTH, 10.5)
    figure.suptitle("%s, watched for %s" % (watched.name or "printer", duration(watched.t[-1])), color=INK, fontsize=12)
    grid = figure.add_gridspec(3, 1, height_ratios=(1.3, 1, 2))
    heat = figure.add_subplot(grid[0])
    axes_mm = figure.add_subplot(grid[1], sharex=heat)
    _temperatures(heat, watched)
    _axes(axes_mm, watched)
    for axes in (heat, axes_mm):
        _states(axes, watched)
    heat.set_xlim(0, watched.t[-1])
    _above(figure.add_subplot(grid[2]), watched)
    save(figure, out_png)


def _values(numbers):
    return [float("nan") if number is None else number for number in numbers]


def _temperatures(axes, watched):
    for number, (name, readings) in enumerate(watched.temperatures.items()):
        t, current, target = zip(*readings, strict=True)
        colour = MOTOR_COLOURS[number % len(MOTOR_COLOURS)]
        axes.plot(t, _values(target), color=colour, linewidth=0.9, linestyle=(0, (5, 3)), drawstyle="steps-post")
        axes.plot(t, _values(current), color=colour, linewidth=1.4, label=name)
    style(axes, "", "temperature [°C]\n(target dashed)")
    if watched.temperatures:
        axes.legend(**LEGEND)


def _axes(axes, watched):
    if watched.places:
        t, *places = zip(*watched.places, strict=True)
        for number, (name, values) in enumerate(zip("xyz", places, strict=True)):
            axes.plot(t, values, color=MOTOR_COLOURS[number], linewidth=0.9, label=name)
        axes.legend(**LEGEND)
    style(axes, "time [s]", "position [mm]")


def _states(axes, watched):
    ends = [t for t, _ in watched.states[1:]] + [watched.t[-1]]
    for (begin, state), end in zip(watched.states, ends, strict=True):
        if state in SHADES:
            axes.axvspan(begin, end, color=SHADES[state], linewidth=0, zorder=0)


def _above(axes, watched):
    axes.set_title("places from above, joined in the order they were read", fontsize=9, color=INK)
    if watched.places:
        t, x, y, _ = zip(*watched.places, strict=True)
        axes.plot(x, y, color=TRAVEL, linewidth=0.5)
        dots = axes.scatter(x, y, c=t, s=7, cmap="viridis", zorder=2)
        axes.figure.colorbar(dots, ax=axes, shrink=0.8, panchor=False).set_label("time [s]", color=INK, fontsize=9)
    axes.set_aspect("equal", adjustable="box")
    style(axes, "x [mm]", "y [mm]")
