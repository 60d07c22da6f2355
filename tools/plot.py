"""How this project's pictures look: figures without a window, quiet axes, PNG files.  Matplotlib is loaded when one is made."""

INK = "#1f2933"
GRID = "#e4e7eb"
FRAME = "#9aa5b1"


def figure_of(width, height):
    """An empty figure, inches."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=130, layout="constrained")


def style(axes, x, y):
    """Labels and a light grid."""
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.grid(True, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FRAME)
    axes.tick_params(colors=INK, labelsize=8)


def save(figure, out):
    """Writes a PNG."""
    import matplotlib

    # Agg draws a line of any length, piece by piece
    with matplotlib.rc_context({"agg.path.chunksize": 20000}):
        figure.savefig(out, facecolor="white")
