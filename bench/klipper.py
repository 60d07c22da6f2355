"""The same file through Klipper's batch mode and through `printwright steps`: processor time and memory, on an equivalent machine.

KLIPPER names the folder of a Klipper checkout that somebody has built by hand: klippy/klippy.py with its C helper, and the
micro-controller's dictionary out/klipper.dict.  Its Python is klippy-env/bin/python in that folder or beside it, else the one that
runs this.  Without KLIPPER there is nothing to compare with.

Processor time is all that the process used, start included; start_cpu_s is the same for a file of one move.  Hashing is taken out
of ours.  Klipper's output, serialised commands of the micro-controller, goes to /dev/null.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from hal import factory

LINES = 200_000
PLAIN = {"motion": {"shaper": {"x": None, "y": None, "z": None}}, "extruder": {"pressure_advance_s": 0}}
SHAPED = {
    "motion": {"shaper": {"x": {"type": "mzv", "frequency_hz": 55}, "y": {"type": "ei", "frequency_hz": 45}}},
    "extruder": {"pressure_advance_s": 0.035, "advance_smooth_s": 0.04},
}
ROWS = (("plain", "sim-cartesian", PLAIN), ("plain", "sim-corexy", PLAIN), ("shaped", "sim-corexy", SHAPED))
REPEATS = 2
ONE_MOVE = "G28\nG1 X10 Y10 F6000\n"
FULL_STEPS, MICROSTEPS = 200, 16
PINS = 24  # that the configuration asks for, at most


class KlipperError(Exception):
    """The checkout that KLIPPER names does not work."""


class _Pins:
    """Names of pins that the dictionary knows; without a list of names they are numbers."""

    def __init__(self, dictionary):
        names = []
        for name, value in sorted(dictionary["enumerations"].get("pin", {}).items()):
            # [first value, how many] of a row of pins whose first name ends in a number
            if isinstance(value, list):
                stem = name.rstrip("0123456789")
                first = int(name[len(stem) :])
                names += ["%s%d" % (stem, first + k) for k in range(value[1])]
            else:
                names.append(name)
        self.names = names[:PINS] or [str(number) for number in range(PINS)]

    def take(self):
        return self.names.pop(0)


def _section(name, **keys):
    return "[%s]\n%s\n" % (name, "".join("%s: %s\n" % pair for pair in keys.items() if pair[1] is not None))


def _rotation_mm(steps_per_mm):
    return repr(FULL_STEPS * MICROSTEPS / steps_per_mm)


def printer_cfg(desc, dictionary):
    """Text of a printer.cfg with the kinematics, steps, limits, shaper and pressure advance of a machine's description."""
    pins = _Pins(dictionary)
    printer = desc["printer"]
    motion, extruder = printer["motion"], printer["extruder"]
    text = _section("mcu", serial="/dev/null")
    text += _section(
        "printer",
        kinematics=printer["kinematics"],
        max_velocity=motion["max_velocity_mm_s"],
        max_accel=motion["max_accel_mm_s2"],
        max_z_velocity=printer["axes"]["z"]["max_velocity_mm_s"] or None,
        max_z_accel=printer["axes"]["z"]["max_accel_mm_s2"] or None,
        square_corner_velocity=motion["corner_mm_s"],
        minimum_cruise_ratio=motion["min_cruise_ratio"],
    )
    for name, axis in printer["axes"].items():
        text += _section(
            "stepper_" + name,
            step_pin=pins.take(),
            dir_pin=pins.take(),
            endstop_pin=pins.take(),
            rotation_distance=_rotation_mm(axis["steps_per_mm"]),
            full_steps_per_rotation=FULL_STEPS,
            microsteps=MICROSTEPS,
            position_min=axis["min_mm"],
            position_max=axis["max_mm"],
            position_endstop=axis["endstop_mm"],
            homing_speed=axis["homing_mm_s"],
        )
    advance = extruder["pressure_advance_s"]
    heater = {"sensor_type": "Generic 3950", "min_temp": -40, "max_temp": 500, "control": "watermark"}
    text += _section(
        "extruder",
        step_pin=pins.take(),
        dir_pin=pins.take(),
        rotation_distance=_rotation_mm(extruder["steps_per_mm"]),
        full_steps_per_rotation=FULL_STEPS,
        microsteps=MICROSTEPS,
        nozzle_diameter=extruder["nozzle_mm"],
        filament_diameter=extruder["filament_mm"],
        heater_pin=pins.take(),
        sensor_pin=pins.take(),
        min_extrude_temp=0,
        max_extrude_cross_section=1000,
        max_extrude_only_distance=extruder["max_e_only_mm"],
        max_extrude_only_velocity=extruder["max_velocity_mm_s"],
        max_extrude_only_accel=extruder["max_accel_mm_s2"],
        instantaneous_corner_velocity=extruder["corner_mm_s"],
        pressure_advance=advance or None,
        pressure_advance_smooth_time=extruder["advance_smooth_s"] if advance else None,
        **heater,
    )
    text += _section("heater_bed", heater_pin=pins.take(), sensor_pin=pins.take(), **heater)
    text += _section("fan", pin=pins.take())
    keys = {}
    for axis in "xy":
        part = motion["shaper"][axis]
        if part:
            keys["shaper_type_" + axis] = part["type"]
            keys["shaper_freq_" + axis] = part["frequency_hz"]
            keys["damping_ratio_" + axis] = part["damping"]
    return text + (_section("input_shaper", **keys) if keys else "")


def _measured(command, **kwargs):
    """(standard output, processor seconds, peak resident bytes) of a process that must succeed."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)
    assert process.stdout and process.stderr
    out, err = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    process.stderr.close()
    if process.returncode:
        raise KlipperError("%s: exit %d: %s" % (command[0], process.returncode, (err or out).strip()[-400:]))
    return out, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def _python(folder):
    for path in (folder / "klippy-env/bin/python", folder.parent / "klippy-env/bin/python"):
        if path.exists():
            return str(path)
    return sys.executable


def checkout(folder):
    """Path of a checkout that has what is needed, else KlipperError."""
    folder = Path(folder)
    for needed in ("klippy/klippy.py", "out/klipper.dict"):
        if not (folder / needed).exists():
            raise KlipperError("KLIPPER=%s: there is no %s in it; build a Klipper checkout by hand, with its dictionary" % (folder, needed))
    return folder.resolve()


class _Klipper:
    def __init__(self, folder, desc, work):
        self.folder, self.work = folder, work
        self.dictionary = folder / "out/klipper.dict"
        self.config = work / "printer.cfg"
        self.config.write_text(printer_cfg(desc, json.loads(self.dictionary.read_bytes())), encoding="ascii")

    def run(self, gcode):
        log = self.work / "klippy.log"
        log.unlink(missing_ok=True)
        command = [_python(self.folder), str(self.folder / "klippy/klippy.py"), str(self.config), "-i", str(gcode)]
        _, cpu_s, rss = _measured([*command, "-o", os.devnull, "-d", str(self.dictionary), "-l", str(log)])
        text = log.read_text(errors="replace")
        for sign in ("Error in configuration", "Config error", "Traceback", "Must home axis", "Move out of range", "Exception"):
            if sign in text:
                at = text.index(sign)
                raise KlipperError("Klipper did not print the file: " + text[at : at + 400])
        return {"cpu_s": round(cpu_s, 3), "peak_rss_bytes": rss}


def _ours(gcode, machine):
    """Of the process as a whole, hashing apart."""
    out, cpu_s, _ = _measured([sys.executable, "-m", "tools.cli.main", "steps", str(gcode), "--machine", str(machine), "--json"])
    result = json.loads(out)
    return {
        "cpu_s": round(cpu_s - result["digest_cpu_s"], 3),
        "peak_rss_bytes": result["peak_rss_bytes"],
        "steps": sum(result["steps"].values()),
        "moves": result["moves"],
    }


def _best(runs):
    return {**min(runs, key=lambda run: run["cpu_s"]), "peak_rss_bytes": max(run["peak_rss_bytes"] for run in runs)}


def _head(source, target):
    """The first LINES lines of a file; returns how many there were."""
    count = 0
    with open(source, "rb") as lines, open(target, "wb") as out:
        for line in lines:
            if count == LINES:
                break
            out.write(line)
            count += 1
    return count


def compare(log, folder, source):
    """A list of rows: machine, plain or shaped, figures of both, and how many times as much processor time Klipper takes."""
    folder = checkout(folder)
    result = []
    with tempfile.TemporaryDirectory(prefix="printwright-bench-") as name:
        work = Path(name)
        part, tiny = work / "part.gcode", work / "one_move.gcode"
        lines = _head(source, part)
        tiny.write_text(ONE_MOVE, encoding="ascii")
        for kind, machine, printer in ROWS:
            path = work / ("%s-%s.json" % (machine, kind))
            path.write_text(json.dumps({"from": machine, "printer": printer}), encoding="ascii")
            klipper = _Klipper(folder, factory.describe(str(path)), work)
            klipper.run(tiny)  # builds its C helper when that is old
            runs = {"klipper": [], "printwright": [], "klipper_start": [], "printwright_start": []}
            for _ in range(REPEATS):
                log("%d lines of %s on %s, %s: Klipper and Printwright in turn" % (lines, Path(source).name, machine, kind))
                runs["klipper"].append(klipper.run(part))
                runs["printwright"].append(_ours(part, path))
                runs["klipper_start"].append(klipper.run(tiny))
                runs["printwright_start"].append(_ours(tiny, path))
            both = {}
            for side in ("klipper", "printwright"):
                both[side] = _best(runs[side])
                both[side]["start_cpu_s"] = _best(runs[side + "_start"])["cpu_s"]
            net = [both[side]["cpu_s"] - both[side]["start_cpu_s"] for side in ("klipper", "printwright")]
            result.append(
                {
                    "machine": machine,
                    "motion": "shaper and pressure advance" if kind == "shaped" else "plain",
                    "lines": lines,
                    **both,
                    "cpu_ratio": round(both["klipper"]["cpu_s"] / both["printwright"]["cpu_s"], 2),
                    "cpu_ratio_without_start": round(net[0] / net[1], 2),
                }
            )
    return result
