"""`printwright resonance`: sweeps, their simulation, and input shapers out of accelerometer data."""

import json
import os
import re

import click

from tools.cli.main import CommandError

_MODE = re.compile(r"([xyz]):([^:]+)(?::([^:]+))?(?::([^:]+))?$")
DAMPING = 0.06  # of a simulated resonance, unless told otherwise
_AXIS_IN_NAME = re.compile(r"(?:^|[^a-z])([xy])(?:[^a-z]|$)")


@click.group()
def command():
    """Finds a frame's resonances and the input shapers that suit it.

    sweep writes the G-code of a measurement; a sensor records it; calibrate reads the recordings and recommends shapers. simulate makes
    recordings of a simulated frame, check shows what a machine's shapers do there.
    """


def _limits(function):
    for option in (
        click.option("--accel-per-hz", type=float, default=60.0, show_default=True, help="mm/s² of acceleration a hertz."),
        click.option("--hz-per-s", type=float, default=1.0, show_default=True, help="How fast the frequency rises."),
        click.option("--to", "to_hz", type=float, default=135.0, show_default=True, help="Last frequency, Hz."),
        click.option("--from", "from_hz", type=float, default=5.0, show_default=True, help="First frequency, Hz."),
        click.option("--keep-limits", is_flag=True, help="Stay within the machine's own acceleration and jerk, as far as that goes."),
        click.option("--machine", metavar="NAME|FILE", default="sim-corexy", show_default=True, help="The machine."),
        click.option("--axis", type=click.Choice(["x", "y"]), required=True, help="The axis that shakes."),
    ):
        function = option(function)
    return function


def _mode_option(function):
    return click.option(
        "--mode",
        "modes",
        multiple=True,
        metavar="AXIS:HZ[:DAMPING[:SHARE]]",
        help="A resonance of the simulated frame, more than once if need be (default: x 55 Hz, y 45 and 78 Hz).",
    )(function)


def _modes(texts):
    from tools.resonance.frame import DEFAULT, Frame, Mode

    if not texts:
        return DEFAULT
    found = {"x": [], "y": [], "z": []}
    for text in texts:
        match = _MODE.match(text)
        try:
            if not match:
                raise ValueError("AXIS:HZ[:DAMPING[:SHARE]] expected, as x:55:0.06:0.9")
            frequency, damping, share = match.groups()[1:]
            found[match[1]].append(Mode(float(frequency), float(damping or DAMPING), float(share or 1)))
        except ValueError as error:
            raise click.BadParameter("%s: %s" % (text, error), param_hint="--mode") from None
    try:
        Frame(found, 1000.0)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--mode") from None
    return found


def _target(output, ending):
    folder = os.path.dirname(os.path.abspath(output))
    if os.path.isdir(output) or not os.path.isdir(folder):
        raise CommandError("%s: cannot be written there; give the name of a file in a folder that exists" % output)
    if os.path.splitext(output)[1].lower() != ending:
        raise click.UsageError("%s: let the name end in %s" % (output, ending))


def _written(output, write):
    """Calls write(output); what the disk refuses becomes one line."""
    try:
        write(output)
    except OSError as error:
        raise CommandError("%s: %s" % (error.filename or output, error.strerror or error)) from None


def _write_text(text):
    def write(path):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    return write


def _sweep(axis, machine, keep_limits, from_hz, to_hz, hz_per_s, accel_per_hz):
    """(Sweep, description, layer, lines, highest frequency)."""
    from hal import factory
    from hal.errors import ConfigError
    from tools.resonance import sweep

    try:
        asked = sweep.Sweep(axis, from_hz, to_hz, hz_per_s, accel_per_hz)
        layer = {"printer": {"motion": {"shaper": sweep.NO_SHAPERS}}} if keep_limits else sweep.test_layer(asked)
        description = factory.describe(machine, layer)
        lines, reached = sweep.gcode(asked, description)
    except (sweep.SweepError, ConfigError) as error:
        raise CommandError(str(error)) from None
    if reached < to_hz - 2:
        text = "strokes above %.0f Hz would be shorter than %d steps; the sweep ends there" % (reached, sweep.MIN_STEPS)
        click.echo("printwright: " + text + (" (without --keep-limits it goes further)" if keep_limits else ""), err=True)
    return asked, description, layer, lines


@command.command("sweep")
@_limits
@click.option("-o", "--output", metavar="OUT", help="The G-code (default: resonance_AXIS.gcode, in this folder).")
def sweep_command(axis, machine, output, **limits):
    """Writes the G-code that shakes an axis at rising frequencies, and beside it the machine file with the limits of the test.

    Strokes are short and slow, so more acceleration and jerk than for printing do no harm, and shapers are off: run the G-code with that
    machine file, with the sensor recording, and go back to your own machine file afterwards.
    """
    output = output or "resonance_%s.gcode" % axis
    _target(output, ".gcode")
    beside = os.path.splitext(output)[0] + ".json"
    _, _, layer, lines = _sweep(axis, machine, **limits)
    base = os.path.abspath(machine) if os.path.exists(machine) else machine
    _written(output, _write_text("".join(lines)))
    _written(beside, _write_text(json.dumps({"from": base, **layer}, indent=2) + "\n"))
    click.echo(output)
    click.echo(beside)


@command.command("simulate")
@_limits
@_mode_option
@click.option("--seed", type=int, default=0, help="Of the sensor's noise.")
@click.option("-o", "--output", metavar="OUT", help="The recording (default: resonance_AXIS.csv, in this folder).")
def simulate_command(axis, machine, modes, seed, output, **limits):
    """Runs a sweep on a simulated frame with an ADXL345 and writes what it records.

    The G-code goes through the machine's own planner and step generator; the frame follows the steps.
    """
    output = output or "resonance_%s.csv" % axis
    _target(output, ".csv")
    frame = _modes(modes)
    _, description, _, lines = _sweep(axis, machine, **limits)

    from tools.resonance import frame as frames
    from tools.resonance import recording, simulate
    from tools.steps import StepsError

    try:
        samples = simulate.record_gcode(lines, description, frame, seed)
    except (StepsError, ValueError) as error:
        raise CommandError(str(error)) from None
    _written(output, lambda path: recording.write(path, frames.SENSOR_HZ, samples))
    click.echo(output)


@command.command("calibrate")
@click.argument("files", nargs=-1, required=True, metavar="CSV...")
@click.option("--axis", type=click.Choice(["x", "y"]), help="The axis that shook (default: from the files' names, as resonance_x.csv).")
@click.option("--damping", type=click.FloatRange(0, 0.3), default=0.1, show_default=True, help="Damping ratio of the shapers.")
@click.option("--corner", type=click.FloatRange(0, 100), default=5.0, show_default=True, help="Square-corner velocity, mm/s.")
@click.option("-o", "--output", metavar="OUT", help="The plots (default: shapers.png, in this folder).")
@click.option("--json", "as_json", is_flag=True, help="Results as JSON on standard output.")
def calibrate_command(files, axis, damping, corner, output, as_json):
    """Reads recordings of sweeps and recommends an input shaper for each axis.

    CSV: "#time,accel_x,accel_y,accel_z" in s and mm/s² (Klipper's raw data, printwright resonance simulate), or RepRapFirmware's
    accelerometer files. Several files of an axis are averaged.
    """
    output = output or "shapers.png"
    _target(output, ".png")
    groups = {}
    for file in files:
        found = axis or _axis_of(file)
        groups.setdefault(found, []).append(file)

    from tools.resonance import calibrate, picture, recording

    results = {}
    try:
        for name in sorted(groups):
            seen = calibrate.spectrum_of([recording.read(file) for file in groups[name]])
            found, best = calibrate.fits(seen, damping, corner)
            results[name] = seen, found, best
    except (recording.RecordingError, calibrate.NoResonance) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError("%s: %s" % (error.filename, error.strerror)) from None
    _written(output, lambda path: picture.spectra(results, path))
    snippet = calibrate.snippet({name: best for name, (_, _, best) in results.items()})
    most = min(best.max_accel_mm_s2 for _, _, best in results.values())
    if as_json:
        click.echo(json.dumps(_as_json(results, groups, snippet, most, output)))
        return
    for name, (seen, found, best) in results.items():
        click.echo("axis %s: strongest at %.1f Hz" % (name, seen.peak_hz))
        click.echo("    shaper    frequency  vibration left  rounding at 5,000 mm/s²  highest acceleration")
        for one in found:
            mark = " *" if one is best else "  "
            shown = (mark, one.name, one.frequency_hz, 100 * one.remaining, one.rounding_mm, one.max_accel_mm_s2 // 100 * 100)
            click.echo("  %s%-9s %6.1f Hz         %5.1f %%                 %.3f mm         %6.0f mm/s²" % shown)
    click.echo("* recommended, with at most %.0f mm/s² of acceleration. For the machine file:" % (most // 100 * 100))
    click.echo(json.dumps(snippet, indent=2))
    click.echo(output)


def _axis_of(file):
    match = _AXIS_IN_NAME.findall(os.path.basename(file).lower())
    if len(set(match)) != 1:
        raise click.UsageError("%s: which axis shook? name the file like resonance_x.csv, or give --axis" % file)
    return match[0]


def _as_json(results, groups, snippet, most, output):
    def row(one):
        return {
            "type": one.name,
            "frequency_hz": one.frequency_hz,
            "damping": one.damping,
            "remaining_vibration": round(one.remaining, 5),
            "rounding_mm": round(one.rounding_mm, 4),
            "max_accel_mm_s2": round(one.max_accel_mm_s2),
        }

    axes = {}
    for name, (seen, found, best) in results.items():
        axes[name] = {
            "files": groups[name],
            "peak_hz": round(seen.peak_hz, 2),
            "shapers": [row(one) for one in found],
            "recommended": row(best),
        }
    return {"axes": axes, "max_accel_mm_s2": round(most), "machine": snippet, "picture": output}


@command.command("check")
@click.option("--machine", metavar="NAME|FILE", default="sim-corexy", show_default=True, help="The machine, with its shapers.")
@_mode_option
@click.option("-o", "--output", metavar="OUT", help="Also draw how the frame swings, into this PNG file.")
@click.option("--json", "as_json", is_flag=True, help="Results as JSON on standard output.")
def check_command(machine, modes, output, as_json):
    """Squares on a simulated frame, without and with the machine's shapers: how much each axis still swings behind a corner."""
    if output:
        _target(output, ".png")
    frame = _modes(modes)

    from hal import factory
    from hal.errors import ConfigError
    from tools.resonance import picture, simulate
    from tools.steps import StepsError

    try:
        plain, shaped = simulate.compare(machine, frame)
    except (ConfigError, StepsError, ValueError) as error:
        raise CommandError(str(error)) from None
    if not any(factory.describe(machine)["printer"]["motion"]["shaper"].values()):
        click.echo("printwright: %s has no shapers, so nothing changes; printwright resonance calibrate finds some" % machine, err=True)
    rows = {}
    for name in plain:
        before, after = plain[name].rms_um, shaped[name].rms_um
        rows[name] = {"without_um": round(before, 2), "with_um": round(after, 2), "ratio": round(after / before, 4) if before else None}
    if output:
        pairs = {name: (plain[name], shaped[name]) for name in plain}
        title = "Vibration behind corners: %s" % os.path.basename(machine)
        _written(output, lambda path: picture.ringing(pairs, path, title))
    if as_json:
        click.echo(json.dumps(rows))
        return
    for name, row in rows.items():
        left = "" if row["ratio"] is None else " (%.0f %% left)" % (100 * row["ratio"])
        click.echo("axis %s: %.1f µm without, %.1f µm with the shaper%s" % (name, row["without_um"], row["with_um"], left))
    if output:
        click.echo(output)
