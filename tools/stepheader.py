"""The header of a step file, from a machine's configuration (design.md section 6, "Step stream file").

Beside the keys that the format names, it tells what a judge of the stream has to know: `limits.axis_velocity`, `limits.axis_accel`,
`limits.max_e_velocity`, `limits.e_scv`; `extruders` (offset_mm, advance_s); `advance_smooth_s`; `shapers` (axis -> list of
[amplitude, time_s], centred, so that the mean of the times is 0); `delay_s` (the stream comes so much later than the plan, because a
pulse that is early has to be known); `stop_s` (so much longer does the plan stand wherever motion ends before a command, so that tails
are over: all that is late); `retraction`; `skew`; `bed_radius_mm`; `min_cruise`; `window`; `mesh` and `overrides` where there were any
([line, speed, flow, baby_um]: thousandths, from that line of the text on).  A reader may ignore them.

All of it is computed here in floating point from the formulas of the motion sheet (section 6), not taken from the core.
"""

import math

TOLERATED_VIBRATION = 0.05  # of EI shapers
PATH_TOL_MM = 0.005  # the format's bounds of `tol`
TIME_TOL_S = 1e-6
E_TOL_MM = 0.02

KINEMATICS = ("cartesian", "corexy", "corexz", "linear", "delta")  # in the order of enum pw_kinematics
ROLES = {"cartesian": "xyz", "corexy": "abz", "corexz": "ayb", "linear": "abc", "delta": "abc"}
_COREXY = ((1, 1, 0), (1, -1, 0), (0, 0, 1))
_COREXZ = ((1, 0, 1), (0, 1, 0), (1, 0, -1))


def shaper_pulses(kind, frequency_hz, damping):
    """[(amplitude, time_s)] of an input shaper: amplitudes sum to 1, the first time is 0.

    kind: zv, zvd, mzv, ei, 2hump_ei or 3hump_ei.  Source: motion sheet, section 6.
    """
    root = math.sqrt(1 - damping * damping)
    k = math.exp(-damping * math.pi / root)
    v = TOLERATED_VIBRATION
    if kind == "zv":
        amplitudes, times = (1, k), (0, 0.5)
    elif kind == "zvd":
        amplitudes, times = (1, 2 * k, k * k), (0, 0.5, 1)
    elif kind == "mzv":
        outer, m = 1 - math.sqrt(0.5), k**0.75
        amplitudes, times = (outer, (math.sqrt(2) - 1) * m, outer * m * m), (0, 0.375, 0.75)
    elif kind == "ei":
        amplitudes, times = ((1 + v) / 4, (1 - v) * k / 2, (1 + v) * k * k / 4), (0, 0.5, 1)
    elif kind == "2hump_ei":
        x = (v * v * (math.sqrt(1 - v * v) + 1)) ** (1 / 3)
        a = (3 * x * x + 2 * x + 3 * v * v) / (16 * x)
        amplitudes, times = (a, (0.5 - a) * k, (0.5 - a) * k**2, a * k**3), (0, 0.5, 1, 1.5)
    elif kind == "3hump_ei":
        a = (1 + 3 * v + 2 * math.sqrt(2 * (v * v + v))) / 16
        b = (1 - v) / 4
        amplitudes, times = (a, b * k, ((1 + v) / 2 - 2 * a) * k**2, b * k**3, a * k**4), (0, 0.5, 1, 1.5, 2)
    else:
        raise ValueError("no shaper is named %r" % (kind,))
    total = sum(amplitudes)
    period_s = 1 / (frequency_hz * root)
    return [(amplitude / total, time * period_s) for amplitude, time in zip(amplitudes, times, strict=True)]


SHAPERS = ("zv", "zvd", "mzv", "ei", "2hump_ei", "3hump_ei")  # enum pw_shaper, from 1 on


def centred(pulses):
    """The pulses with their times counted from the mean, so that steady motion is not delayed."""
    mean = sum(amplitude * time for amplitude, time in pulses)
    return [[amplitude, time - mean] for amplitude, time in pulses]


def _shapers(config):
    found = {}
    for axis, name in enumerate("xyz"):
        kind = config["shaper"][axis]
        if kind:
            pulses = shaper_pulses(SHAPERS[kind - 1], config["shaper_mhz"][axis] / 1000, config["shaper_damping_1e4"][axis] / 10000)
            found[name] = centred(pulses)
    return found


def _reach(config, shapers):
    """(earliest, latest) time_s around the plan's that shapers and smoothing look at."""
    early, late = 0.0, 0.0
    for pulses in shapers.values():
        early, late = min(early, pulses[0][1]), max(late, pulses[-1][1])
    if any(config["advance_us"]):
        half = config["advance_smooth_us"] / 2e6
        early, late = min(early, -half), max(late, half)
    return early, late


def _kinematics(config):
    """(JSON object of the header, function place -> positions of the three axis motors in mm)."""
    kind = KINEMATICS[config["kinematics"]]
    if kind == "delta":
        arm = config["arm_um"] / 1000
        towers = [[x / 1000, y / 1000] for x, y in zip(config["tower_x_um"], config["tower_y_um"], strict=True)]

        def heights(at):
            return [at[2] + math.sqrt(arm * arm - (at[0] - x) ** 2 - (at[1] - y) ** 2) for x, y in towers]

        return {"type": kind, "arm": arm, "towers": towers}, heights
    rows = {"corexy": _COREXY, "corexz": _COREXZ}.get(kind, ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    tells = {"type": kind}
    if kind == "linear":
        words = [word / 1e6 for word in config["matrix_1e6"]]
        rows = tells["matrix"] = [words[0:3], words[3:6], words[6:9]]
    return tells, lambda at: [sum(k * v for k, v in zip(row, at, strict=True)) for row in rows]


def _steppers(config, kind, places):
    steppers = []
    for number in range(config["motors"]):
        extruder = number - 3
        role = ROLES[kind][number] if extruder < 0 else "e%d" % extruder if extruder else "e"
        step_mm = 1000 / config["steps_per_m"][number]
        # the core counts whole steps from the machine's zero, so the start is on one
        start = round(places[number] / step_mm) * step_mm if extruder < 0 else 0.0
        steppers.append({"name": role, "role": role, "step_mm": step_mm, "start_mm": start})
    return steppers


def _limits(config):
    velocity, accel = config["max_velocity_um_s"], config["max_accel_um_s2"]
    axis_velocity = [min(own or velocity, velocity) / 1000 for own in config["axis_velocity_um_s"]]
    axis_accel = [min(own or accel, accel) / 1000 for own in config["axis_accel_um_s2"]]
    return {
        "max_velocity": velocity / 1000,
        "max_accel": accel / 1000,
        "max_jerk": config["max_jerk_mm_s3"],
        "scv": config["corner_um_s"] / 1000,
        "max_z_velocity": axis_velocity[2],
        "max_z_accel": axis_accel[2],
        "axis_velocity": axis_velocity,
        "axis_accel": axis_accel,
        "max_e_velocity": config["max_e_velocity_um_s"] / 1000,
        "max_e_accel": config["max_e_accel_um_s2"] / 1000,
        "e_scv": config["e_corner_um_s"] / 1000,
        "max_step_rate": config["max_step_hz"],
        "dir_setup_s": config["dir_setup_ns"] * 1e-9,
    }


def _extruders(config):
    found = []
    for number in range(config["motors"] - 3):
        offset = [config["tool_%s_um" % axis][number] / 1000 for axis in "xyz"]
        found.append({"offset_mm": offset, "advance_s": config["advance_us"][number] / 1e6})
    return found


def describe_mesh(shape, heights_nm):
    """The header's `mesh`.  shape: the nine numbers of struct pw_mesh; heights_nm: row by row along x."""
    kind, nx, ny = shape[:3]
    origin, step, fade = ([um / 1000 for um in shape[k : k + 2]] for k in (3, 5, 7))
    rows = [[nm / 1e6 for nm in heights_nm[y * nx : (y + 1) * nx]] for y in range(ny)]
    return {"kind": ("bilinear", "bicubic")[kind], "min_mm": origin, "step_mm": step, "z_mm": rows, "fade_mm": fade if fade[1] else None}


def describe_machine(config, mesh=None, overrides=None):
    """Header of a step file (counts left out) from the fields of struct pw_config.

    config: name -> int or list of ints, as for hal.stepcore.StepCore; mesh: (shape, heights_nm) as for StepCore.mesh, or None; overrides:
    as in the header.  Returns a dict for stepfile.StepFileWriter.
    """
    start = [um / 1000 for um in config["home_um"]]
    kinematics, place = _kinematics(config)
    shapers = _shapers(config)
    early, late = _reach(config, shapers)
    header = {
        "clock_hz": config["tick_hz"],
        "steppers": _steppers(config, kinematics["type"], place(start)),
        "kinematics": kinematics,
        "start_pos": [*start, 0.0],
        "start_line": 0,
        "step_rule": "half",
        "limits": _limits(config),
        "tol": {
            "path_mm": min(PATH_TOL_MM, (config["merge_um"] + config["chord_um"]) / 1000 + 1e-4),
            "time_s": TIME_TOL_S,
            "e_mm": E_TOL_MM,
        },
        # the whole span of plan time that a place of the stream is made of
        "shaper_s": late - early,
        "shapers": shapers,
        "delay_s": max(-early, 0.0),
        "stop_s": late - early,
        "extruders": _extruders(config),
        "advance_smooth_s": config["advance_smooth_us"] / 1e6,
        "retraction": {
            "retract_mm": config["retract_um"] / 1000,
            "retract_mm_s": config["retract_um_s"] / 1000,
            "extra_mm": config["unretract_extra_um"] / 1000,
            "unretract_mm_s": config["unretract_um_s"] / 1000,
            "lift_mm": config["retract_lift_um"] / 1000,
        },
        "skew": [word / 1e6 for word in config["skew_1e6"]],
        "bed_radius_mm": config["bed_radius_um"] / 1000,
        "min_cruise": config["min_cruise_permille"] / 1000,
        "window": config["window"],
    }
    if mesh:
        header["mesh"] = describe_mesh(*mesh)
    if overrides:
        header["overrides"] = overrides
    return header
