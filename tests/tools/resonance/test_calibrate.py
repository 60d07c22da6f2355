"""From steps of the core to a recommendation, and the proof that the recommended shaper, in the core, takes the vibration away."""

import copy
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from hal import factory
from tools import steps
from tools.cli.resonance import command
from tools.resonance import calibrate, frame, recording, shapers, simulate, spectrum, sweep
from tools.resonance.frame import Mode

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
QUICK = {"hz_per_s": 5.0}  # half a minute instead of two: less sharp, good enough


def recorded(axis, modes, machine="sim-corexy", **asked):
    one = sweep.Sweep(axis, **{**QUICK, **asked})
    description = factory.describe(machine, sweep.test_layer(one))
    lines, reached = sweep.gcode(one, description)
    assert reached > one.to_hz - 2
    samples = simulate.record_gcode(lines, description, modes)
    return recording.check("%s.csv" % axis, np.arange(len(samples)) / frame.SENSOR_HZ, samples)


def test_density():
    rate_hz = 3200.0
    t = np.arange(int(20 * rate_hz)) / rate_hz
    rng = np.random.default_rng(2)
    values = 3 * np.sin(2 * np.pi * 50 * t) + rng.normal(size=len(t)) * 2 + 1000
    f, density = spectrum.density(values, rate_hz)
    near = np.abs(f - 50) < 5
    assert density[near].sum() * f[1] == pytest.approx(4.5, rel=0.03), "power of the tone"
    far = (f > 200) & (f < 1500)
    assert density[far].mean() == pytest.approx(4 / (rate_hz / 2), rel=0.03), "density of the noise"
    with pytest.raises(ValueError, match="shorter"):
        spectrum.density(values[:1000], rate_hz)


@pytest.mark.parametrize("machine, axis, modes", [
    ("sim-corexy", "x", {"x": [Mode(62, 0.06, 0.8)]}),
    ("sim-cartesian", "y", {"y": [Mode(37, 0.09)]}),
    ("sim-delta", "x", {"x": [Mode(45, 0.07)]}),
])  # fmt: skip
def test_finds_the_frames_resonance(machine, axis, modes):
    seen = calibrate.spectrum_of([recorded(axis, modes, machine, to_hz=100.0)])
    assert seen.peak_hz == pytest.approx(modes[axis][0].frequency_hz, abs=1.6)
    assert seen.density["xyz".index(axis)].max() > 20 * np.delete(seen.density[:3], "xyz".index(axis), 0).max()


def response(frequencies_hz, modes):
    """Square of the response that a sweep would show, without noise."""
    whole = 0
    for f, damping, share in modes:
        ratio = frequencies_hz / f
        whole = whole + share / (1 - ratio**2 + 2j * damping * ratio)
    return np.abs(whole) ** 2


def synthetic(modes):
    f = np.arange(6, 200, 1.5)
    h2 = response(f, modes)
    return calibrate.Spectrum(f, np.zeros((4, len(f))), np.maximum(h2 / h2.max() - calibrate.FLOOR, 0) / (1 - calibrate.FLOOR))


def test_one_sharp_mode_takes_a_short_shaper_and_two_a_long_one():
    _, one = calibrate.fits(synthetic([(50, 0.1, 1)]))
    _, two = calibrate.fits(synthetic([(40, 0.05, 0.5), (75, 0.05, 0.5)]))
    assert shapers.duration_s(one.pulses) < shapers.duration_s(two.pulses)
    assert one.name in ("zv", "mzv", "zvd") and one.frequency_hz == pytest.approx(50, abs=4)
    assert two.remaining < 0.15 and two.name in ("ei", "2hump_ei", "3hump_ei")


def test_fit_is_the_best_of_its_kind():
    seen = synthetic([(50, 0.08, 0.7), (66, 0.05, 0.3)])
    weight = seen.response / seen.response.sum()
    for name in shapers.NAMES:
        found = calibrate.fit(name, seen)

        def cost(frequency_hz, name=name):
            pulses = shapers.pulses(name, frequency_hz)
            left = max((shapers.residual(pulses, seen.frequencies_hz, 0.1 * k) * weight).sum() for k in calibrate.DAMPING_SPREAD)
            return left + calibrate.ROUNDING_COST * shapers.rounding_mm(pulses, 5000)

        assert found.cost == pytest.approx(cost(found.frequency_hz), abs=2e-3)
        for other in (found.frequency_hz * 0.9, found.frequency_hz * 0.97, found.frequency_hz * 1.03, found.frequency_hz * 1.1):
            assert found.cost <= cost(other) + 1e-6
        assert shapers.rounding_mm(found.pulses, found.max_accel_mm_s2) == pytest.approx(calibrate.ROUNDING_MM)


def test_several_recordings_are_averaged():
    one, two = recorded("x", {"x": [Mode(50, 0.08)]}, to_hz=90.0), recorded("x", {"x": [Mode(70, 0.08)]}, to_hz=90.0)
    both = calibrate.spectrum_of([one, two])
    alone = calibrate.spectrum_of([one]), calibrate.spectrum_of([two])
    assert np.allclose(both.density, (alone[0].density + alone[1].density) / 2)


SHAKY = {"x": [Mode(52, 0.06, 0.9)], "y": [Mode(38, 0.05, 0.8), Mode(70, 0.08, 0.1)]}


@pytest.fixture(scope="module")
def recommended():
    """What sweeps on that frame lead to."""
    chosen = {axis: calibrate.fits(calibrate.spectrum_of([recorded(axis, SHAKY)]))[1] for axis in "xy"}
    return calibrate.snippet(chosen)


@pytest.mark.parametrize("machine", ["sim-corexy", "sim-cartesian"])
def test_the_recommended_shaper_takes_the_vibration_away(machine, recommended):
    """Sweep, recording and recommendation, then squares through the real core: at most a tenth of the vibration is left."""
    modes, layer = SHAKY, copy.deepcopy(recommended)
    # where jerk alone already keeps the frame quiet there is nothing to win
    layer["printer"]["motion"]["max_jerk_mm_s3"] = 1_000_000
    plain, shaped = simulate.compare(machine, modes, layer)
    for axis in "xy":
        step_um = 1000 / factory.describe(machine)["printer"]["axes"][axis]["steps_per_mm"]
        assert plain[axis].stops >= 10 and shaped[axis].stops >= 10
        assert plain[axis].rms_um > 4
        assert shaped[axis].rms_um < plain[axis].rms_um / 10 + step_um / 8, axis
        assert shaped[axis].peak_um < plain[axis].peak_um / 4 + step_um, axis


def test_a_wrong_shaper_helps_less():
    modes = {"x": [Mode(52, 0.06)], "y": [Mode(52, 0.06)]}

    def left(frequency_hz):
        part = {"type": "zv", "frequency_hz": frequency_hz, "damping": 0.06}
        plain, shaped = simulate.compare("sim-corexy", modes, {"printer": {"motion": {"shaper": {"x": part, "y": part}}}})
        return shaped["x"].rms_um / plain["x"].rms_um

    right, wrong = left(52.0), left(80.0)
    assert right < 0.03 and wrong > 0.25


@pytest.mark.parametrize("name", shapers.NAMES)
def test_every_shaper_of_the_core_does_what_its_formula_says(name):
    """What the core's shaper leaves of a mode beside its frequency, against the formula."""
    part = {"type": name, "frequency_hz": 45.0, "damping": 0.1}
    modes = {"x": [Mode(55, 0.04)], "y": [Mode(55, 0.04)]}
    plain, shaped = simulate.compare("sim-corexy", modes, {"printer": {"motion": {"shaper": {"x": part, "y": part}}}})
    wanted = shapers.residual(shapers.pulses(name, 45.0, 0.1), [55.0], 0.04)[0]
    for axis in "xy":
        assert shaped[axis].rms_um / plain[axis].rms_um == pytest.approx(wanted, abs=0.03), axis


def test_sweep_stays_within_limits():
    one = sweep.Sweep("x")
    description = factory.describe("sim-cartesian", {"printer": {"motion": {"shaper": sweep.NO_SHAPERS}}})
    rows = list(sweep.strokes(one, description))
    assert rows[0][0] == 5 and rows[-1][0] < 60, "80 steps/mm at 100,000 mm/s³ cannot shake any faster"
    for f, accel, length in rows:
        assert accel <= 3000
        # the time of a rest-to-rest move of that length is half a period, by the formula of the motion sheet
        quick = (32 * length / 100000) ** (1 / 3)
        assert quick <= 0.5 / f * 1.001
    for wrong in (("z",), ("x", 0), ("x", 50, 40), ("x", 5, 900), ("x", 5, 135, 0), ("x", 5, 135, 1, 0)):
        with pytest.raises(sweep.SweepError):
            sweep.Sweep(*wrong)
    with pytest.raises(sweep.SweepError, match="leaves the bed"):
        low = sweep.Sweep("x", from_hz=1, to_hz=10, accel_per_hz=500)
        description = factory.describe("sim-corexy", sweep.test_layer(low))
        description["printer"]["axes"]["x"]["max_mm"] = 20
        sweep.gcode(low, description)


@pytest.fixture
def printwright(tmp_path, monkeypatch):
    """Runs `printwright resonance ...` in a folder of its own, within this process."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(command, arguments)


FRAME = ("--mode", "x:50", "--mode", "y:40:0.05:0.9")


def test_commands(tmp_path, printwright):
    done = printwright("sweep", "--axis", "x", "--hz-per-s", "5")
    assert done.exit_code == 0 and done.stdout.split() == ["resonance_x.gcode", "resonance_x.json"]
    limits = json.loads((tmp_path / "resonance_x.json").read_text())
    assert limits["from"] == "sim-corexy" and limits["printer"]["motion"]["shaper"] == {"x": None, "y": None, "z": None}
    with open("resonance_x.gcode", "rb", buffering=0) as source:
        assert steps.run(source, "sweep", "resonance_x.json")["print_time_s"] == pytest.approx(29, abs=3)
    for axis in "xy":
        done = printwright("simulate", "--axis", axis, "--hz-per-s", "5", *FRAME)
        assert done.exit_code == 0, done.stderr
    done = printwright("calibrate", "resonance_x.csv", "resonance_y.csv", "--json")
    result = json.loads(done.stdout)
    assert result["axes"]["x"]["peak_hz"] == pytest.approx(50, abs=1.6) and result["axes"]["y"]["peak_hz"] == pytest.approx(40, abs=1.6)
    assert len(result["axes"]["x"]["shapers"]) == 6 and (tmp_path / "shapers.png").stat().st_size > 50000
    (tmp_path / "mine.json").write_text(json.dumps({"from": "sim-corexy", **result["machine"]}))
    done = printwright("check", "--machine", "mine.json", *FRAME, "-o", "ring.png", "--json")
    ratios = json.loads(done.stdout)
    assert ratios["x"]["ratio"] < 0.15 and ratios["y"]["ratio"] < 0.15 and (tmp_path / "ring.png").exists()
    done = printwright("calibrate", "resonance_x.csv")
    assert done.exit_code == 0 and "recommended" in done.stdout and '"shaper"' in done.stdout


def test_as_a_process(tmp_path):
    environment = {**os.environ, "PYTHONPATH": ROOT}
    run = [sys.executable, "-m", "tools.cli.main", "resonance", "calibrate", "nowhere_x.csv"]
    done = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 1 and done.stderr == "printwright: nowhere_x.csv: No such file or directory\n"


@pytest.mark.parametrize(
    "arguments, status, text",
    [
        (["calibrate", "nowhere_x.csv"], 1, "nowhere_x.csv: No such file"),
        (["calibrate", "data.csv"], 2, "which axis shook"),
        (["calibrate", "a_x.csv", "-o", "a.svg"], 2, ".png"),
        (["calibrate", "a_x.csv", "-o", "/nonexistent/a.png"], 1, "cannot be written"),
        (["calibrate", "short_x.csv"], 1, "too short"),
        (["sweep", "--axis", "x", "--from", "50", "--to", "40"], 1, "rising"),
        (["sweep", "--axis", "x", "--machine", "nowhere"], 1, "nowhere"),
        (["simulate", "--axis", "x", "--mode", "x"], 2, "AXIS:HZ"),
        (["simulate", "--axis", "x", "--mode", "x:fast"], 2, "x:fast"),
        (["simulate", "--axis", "x", "--mode", "x:50:2"], 2, "damping"),
        (["check", "--mode", "x:50:0.1:0.8", "--mode", "x:60:0.1:0.8"], 2, "more than 1"),
    ],
)
def test_errors_are_one_line(tmp_path, printwright, arguments, status, text):
    (tmp_path / "short_x.csv").write_text(recording.HEADER + "\n" + "".join("%.4f,1,2,3\n" % (k / 3200) for k in range(9000)))
    (tmp_path / "data.csv").write_text("")
    done = printwright(*arguments)
    assert done.exit_code == status and text in done.stderr and "Traceback" not in done.stderr
    assert status == 2 or done.stderr.count("\n") == 1
