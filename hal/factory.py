"""From machine data to a machine: finds and merges the data, checks them, and puts a backend's parts together.

Data: boards/ (names) and JSON files of users:

    {"from": "sim-cartesian", "name": "mine", "pcb": {...}, "printer": {...}, "settings": {...}, "thermistors": {...}}

merged deeply over what "from" names (a machine or another such file, beside this one); null takes an optional part away.
Which keys there are: boards/schema.py, boards/SPEC.md.  Nothing here touches hardware: that is the backend's.
"""

import json

from hal import schema
from hal.api import AXES, HEATERS, Caps
from hal.assemble import assemble
from hal.compat import forget
from hal.errors import ConfigError
from hal.files import is_dir
from hal.schema import fail, join, show

_CHAIN_MAX = 8  # files that may build on one another
_FILE_MAX = 65536  # bytes of a machine file
_MOTORS = 8  # PW_MOTORS and PW_EXTRUDERS of native/include/printwright.h, which this module must not load
_EXTRUDERS = 5
KINEMATICS = ("cartesian", "corexy", "corexz", "linear", "delta")  # in the order of enum pw_kinematics
SHAPERS = ("zv", "zvd", "mzv", "ei", "2hump_ei", "3hump_ei")  # enum pw_shaper, from 1 on


# -- data ----------------------------------------------------------------------------------------------------------------------


def machines():
    """Names of the machines that come with it; the first is the default."""
    return [row[0] for row in _data("machines")]


def describe(name_or_path=None, layer=None):
    """The whole, checked description of a machine as a new dictionary: name, pcb, printer, settings, thermistors.

    name_or_path: a name out of machines(), or a JSON file; None is the default.  layer: a dictionary to merge on top, as a machine
    file without "from" would be.  Every key of boards/schema.py is there (an
    optional part that the machine lacks is None), and `thermistors` has the tables that the heaters name.
    Raises ConfigError.
    """
    node = _data("schema")
    if name_or_path is None:
        name_or_path = machines()[0]
    merged, where = _load(name_or_path, node, 0)
    if layer is not None:
        schema.check(node, layer, "")
        merged = schema.merge(merged, layer)
    desc = schema.complete(node, merged, where) or {}
    tables = {}
    builtin = _data("thermistors")
    for name in builtin:
        tables[name] = builtin[name]
    tables.update(desc["thermistors"])
    used = {}
    for heater in HEATERS:
        part = desc["printer"]["heaters"][heater]
        if part is None:
            continue
        key = part["thermistor"]
        if key not in tables:
            path = "printer.heaters.%s.thermistor" % heater
            fail(where, path, "no table is named %s; there are: %s" % (show(key), ", ".join(sorted(tables))))
        used[key] = tables[key]
    desc["thermistors"] = used
    check(desc, where)
    return desc


def _data(name):
    """The literal of boards/<name>.py.  Its module is let go at once: a board needs the room for other things."""
    module = "boards." + name
    data = __import__(module, None, None, ("DATA",)).DATA
    forget(module)
    return data


def _load(name, node, depth):
    """(merged layers without defaults, file they came from or "")."""
    for row in _data("machines"):
        if row[0] == name:
            parts = {"name": name, "pcb": _data(row[1] + ".board"), "printer": _data("printers." + row[2])}
            schema.check(node, parts, "")
            return parts, ""
    layer = _read(name)
    base = layer.pop("from", None)
    schema.check(node, layer, name)
    if base is None:
        return schema.copy(layer), name
    if not isinstance(base, str) or not base:
        fail(name, "from", "a machine's name or a file expected, not " + show(base))
    if depth >= _CHAIN_MAX:
        fail(name, "from", "more than %d files build on one another" % _CHAIN_MAX)
    if base not in machines() and not base.startswith("/") and "/" in name:
        base = name[: name.rfind("/") + 1] + base
    below, _ = _load(base, node, depth + 1)
    return schema.merge(below, layer), name


def _read(path):
    known = "machines: %s; or give a JSON file" % ", ".join(machines())
    try:
        if is_dir(path):
            raise ConfigError(path, "is a folder; " + known)
        with open(path, "rb") as file:
            text = file.read(_FILE_MAX + 1)
    except OSError as error:
        raise ConfigError(path, "no such machine, and no file that can be read (errno %s); %s" % (error.errno, known))
    if len(text) > _FILE_MAX:
        raise ConfigError(path, "more than %d bytes" % _FILE_MAX)
    try:
        layer = json.loads(text)
    except (ValueError, UnicodeError, RuntimeError) as error:
        raise ConfigError(path, "is no JSON: %s" % (error,))
    if not isinstance(layer, dict):
        raise ConfigError(path, "an object with keys expected, not " + show(layer))
    return layer


# -- what keys mean together ---------------------------------------------------------------------------------------------------


def check(desc, where=""):
    """References, pins and the order of limits in a complete description.  Raises ConfigError."""
    pcb = desc["pcb"]
    printer = desc["printer"]
    _pins(pcb, where)
    if pcb["stall_ms"] >= pcb["lease_ms"]:
        fail(where, "pcb.stall_ms", "below pcb.lease_ms (%d) expected, not %d" % (pcb["lease_ms"], pcb["stall_ms"]))
    for key in ("queue_runs", "side_runs", "queue_marks"):
        size = pcb["rings"][key]
        if size & (size - 1):
            fail(where, "pcb.rings." + key, "a power of two expected, not %d" % size)
    flash = pcb["flash"]
    _multiple(where, flash, "sector_bytes", "page_bytes", 1)
    _multiple(where, flash, "bytes", "sector_bytes", 4)
    _multiple(where, flash, "settings_bytes", "sector_bytes", 2)
    if flash["settings_bytes"] > flash["bytes"] // 2:
        fail(where, "pcb.flash.settings_bytes", "at most half of the flash (%d) expected" % (flash["bytes"] // 2))
    taken = {}
    delta = printer["kinematics"] == "delta"
    for axis in AXES:
        _axis(where, printer["axes"][axis], "printer.axes." + axis, pcb, taken, not delta or axis == "z")
    _levelling(where, printer, pcb, taken)
    extruders = extruders_of(printer)
    for number in range(len(extruders)):
        path = "printer.extruder" + (str(number) if number else "")
        _use(where, extruders[number]["motor"], pcb["motors"], path + ".motor", "pcb.motors", taken)
    for number in range(len(extruders), _EXTRUDERS):
        if printer["extruder%d" % number] is not None:
            fail(where, "printer.extruder%d" % number, "extruder%d is missing" % len(extruders))
        if printer["heaters"]["nozzle%d" % number] is not None:
            fail(where, "printer.heaters.nozzle%d" % number, "extruder%d is missing" % number)
    for kinematics, part in (("linear", "matrix"), ("delta", "delta")):
        if printer["kinematics"] == kinematics and printer[part] is None:
            fail(where, "printer." + part, "missing; kinematics %s needs it" % kinematics)
    for name in HEATERS:
        heater = printer["heaters"][name]
        if heater is not None:
            _heater(where, heater, "printer.heaters." + name, desc, taken)
    for name in sorted(printer["fans"]):
        if printer["fans"][name] is not None:
            _use(where, printer["fans"][name]["fan"], pcb["fans"], "printer.fans.%s.fan" % name, "pcb.fans", taken)


def _pins(pcb, where):
    """Every pin belongs to one thing only."""
    owner = {}
    for kind in ("motors", "heaters", "sensors", "fans", "inputs"):
        for name in sorted(pcb[kind]):
            part = pcb[kind][name]
            for key in ("pin", "step_pin", "dir_pin", "enable_pin"):
                if key not in part:
                    continue
                path = "pcb.%s.%s.%s" % (kind, name, key)
                pin = part[key]
                if not pin:
                    fail(where, path, "a pin's name expected, not an empty text")
                if pin in owner:
                    fail(where, path, "pin %s is taken by %s" % (pin, owner[pin]))
                owner[pin] = path


def _multiple(where, flash, key, of, least):
    if flash[key] % flash[of] or flash[key] < least * flash[of]:
        path = "pcb.flash." + key
        fail(where, path, "a multiple of %s (%d), at least %d of them, expected, not %d" % (of, flash[of], least, flash[key]))


def _use(where, name, parts, path, room, taken):
    if name not in parts:
        fail(where, path, "no %s in %s; there are: %s" % (show(name), room, ", ".join(sorted(parts)) or "none"))
    if room + name in taken:
        fail(where, path, "%s is taken by %s" % (name, taken[room + name]))
    taken[room + name] = path


def _levelling(where, printer, pcb, taken):
    probe = printer["probe"]
    mesh = printer["mesh"]
    if probe is not None:
        _use(where, probe["input"], pcb["inputs"], "printer.probe.input", "pcb.inputs", taken)
    if mesh is None:
        return
    if probe is None:
        fail(where, "printer.probe", "missing; printer.mesh needs it")
    points = mesh["x_points"] * mesh["y_points"]
    if points > printer["motion"]["mesh_points"]:
        fail(where, "printer.motion.mesh_points", "at least %d expected, printer.mesh has so many" % points)
    for axis in ("x", "y"):
        low = mesh["min_%s_mm" % axis]
        high = mesh["max_%s_mm" % axis]
        limits = printer["axes"][axis]
        if not limits["min_mm"] <= low < high <= limits["max_mm"]:
            allowed = "min_%s_mm to max_%s_mm within %s to %s mm" % (axis, axis, limits["min_mm"], limits["max_mm"])
            fail(where, "printer.mesh.max_%s_mm" % axis, "%s expected, not %s to %s" % (allowed, low, high))
    if mesh["fade_to_mm"] <= mesh["fade_from_mm"]:
        fail(where, "printer.mesh.fade_to_mm", "more than fade_from_mm (%s) expected" % mesh["fade_from_mm"])


def _axis(where, axis, path, pcb, taken, switch):
    _use(where, axis["motor"], pcb["motors"], join(path, "motor"), "pcb.motors", taken)
    _use(where, axis["endstop"], pcb["inputs"], join(path, "endstop"), "pcb.inputs", taken)
    low = axis["min_mm"]
    high = axis["max_mm"]
    if low >= high:
        fail(where, join(path, "max_mm"), "more than min_mm (%s) expected, not %s" % (low, high))
    if not low <= axis["home_mm"] <= high:
        fail(where, join(path, "home_mm"), "a place from %s to %s mm expected, not %s" % (low, high, axis["home_mm"]))
    if switch and low < axis["endstop_mm"] < high:
        fail(where, join(path, "endstop_mm"), "at most %s or at least %s mm expected, not %s" % (low, high, axis["endstop_mm"]))


def _heater(where, heater, path, desc, taken):
    _use(where, heater["heater"], desc["pcb"]["heaters"], join(path, "heater"), "pcb.heaters", taken)
    _use(where, heater["sensor"], desc["pcb"]["sensors"], join(path, "sensor"), "pcb.sensors", taken)
    if heater["max_target_c"] >= heater["max_c"]:
        fail(where, join(path, "max_target_c"), "below max_c (%s) expected, not %s" % (heater["max_c"], heater["max_target_c"]))
    if heater["min_c"] >= heater["max_target_c"]:
        fail(where, join(path, "min_c"), "below max_target_c (%s) expected, not %s" % (heater["max_target_c"], heater["min_c"]))
    table = desc["thermistors"][heater["thermistor"]]
    if not table[0][0] <= heater["min_c"] or not heater["max_c"] <= table[-1][0]:
        allowed = "a table that covers min_c to max_c (%s to %s degC)" % (heater["min_c"], heater["max_c"])
        fail(where, join(path, "thermistor"), "%s expected, %s has %s to %s" % (allowed, heater["thermistor"], table[0][0], table[-1][0]))
    fans = desc["printer"]["fans"]
    if heater["fan"] and fans.get(heater["fan"]) is None:
        names = [name for name in sorted(fans) if fans[name] is not None]
        fail(where, join(path, "fan"), "no %s in printer.fans; there are: %s" % (show(heater["fan"]), ", ".join(names) or "none"))


# -- configuration of core and port --------------------------------------------------------------------------------------------


def _milli(value):
    return int(round(value * 1000))


def _millionth(value):
    return int(round(value * 1000000))


def _filled(values, length, rest):
    return values + [rest] * (length - len(values))


def extruders_of(printer):
    """The descriptions of the extruders T0, T1, ...: the first that is not there ends them."""
    extruders = [printer["extruder"]]
    for number in range(1, _EXTRUDERS):
        part = printer["extruder%d" % number]
        if part is None:
            break
        extruders.append(part)
    return extruders


def core_config(desc):
    """The fields of struct pw_config (native/include/printwright.h) but `abi`: name -> int or list.  Pure.

    This is where settings in mm become integers; nothing behind it computes with floats.
    """
    pcb = desc["pcb"]
    printer = desc["printer"]
    motion = printer["motion"]
    extruder = printer["extruder"]
    axes = [printer["axes"][name] for name in AXES]
    extruders = extruders_of(printer)
    matrix = printer["matrix"] if printer["kinematics"] == "linear" else None
    delta = printer["delta"] if printer["kinematics"] == "delta" else None
    shapers = [motion["shaper"][name] for name in AXES]
    return {
        "tick_hz": pcb["tick_hz"],
        "kinematics": KINEMATICS.index(printer["kinematics"]),
        "motors": len(AXES) + len(extruders),
        "steps_per_m": _filled([_milli(part["steps_per_mm"]) for part in axes + extruders], _MOTORS, 1),
        "min_um": [_milli(axis["min_mm"]) for axis in axes],
        "max_um": [_milli(axis["max_mm"]) for axis in axes],
        "home_um": [_milli(axis["home_mm"]) for axis in axes],
        "max_velocity_um_s": _milli(motion["max_velocity_mm_s"]),
        "max_accel_um_s2": _milli(motion["max_accel_mm_s2"]),
        "max_jerk_mm_s3": motion["max_jerk_mm_s3"],
        "corner_um_s": _milli(motion["corner_mm_s"]),
        "min_cruise_permille": _milli(motion["min_cruise_ratio"]),
        "axis_velocity_um_s": [_milli(axis["max_velocity_mm_s"]) for axis in axes],
        "axis_accel_um_s2": [_milli(axis["max_accel_mm_s2"]) for axis in axes],
        "max_e_velocity_um_s": _milli(extruder["max_velocity_mm_s"]),
        "max_e_accel_um_s2": _milli(extruder["max_accel_mm_s2"]),
        "e_corner_um_s": _milli(extruder["corner_mm_s"]),
        "filament_um": _milli(extruder["filament_mm"]),
        "nozzle_um": _milli(extruder["nozzle_mm"]),
        "max_e_only_um": _milli(extruder["max_e_only_mm"]),
        "merge_um": motion["merge_um"],
        "chord_um": motion["chord_um"],
        "curve_um": motion["curve_um"],
        "window": motion["look_ahead"],
        "queue_segments": pcb["rings"]["segments"],
        "ring_runs": pcb["rings"]["runs"],
        "ring_marks": pcb["rings"]["marks"],
        "line_max": pcb["rings"]["line_max"],
        "max_step_hz": pcb["max_step_hz"],
        "dir_setup_ns": pcb["dir_setup_ns"],
        "min_segment_us": motion["min_segment_us"],
        "tool_x_um": _filled([_milli(part.get("x_mm", 0)) for part in extruders], _EXTRUDERS, 0),
        "tool_y_um": _filled([_milli(part.get("y_mm", 0)) for part in extruders], _EXTRUDERS, 0),
        "tool_z_um": _filled([_milli(part.get("z_mm", 0)) for part in extruders], _EXTRUDERS, 0),
        "retract_um": _milli(extruder["retract_mm"]),
        "retract_um_s": _milli(extruder["retract_mm_s"]),
        "unretract_extra_um": _milli(extruder["unretract_extra_mm"]),
        "unretract_um_s": _milli(extruder["unretract_mm_s"]),
        "retract_lift_um": _milli(extruder["retract_lift_mm"]),
        "matrix_1e6": [_millionth(matrix[row][axis]) for row in "abc" for axis in AXES] if matrix else [0] * 9,
        "arm_um": _milli(delta["arm_mm"]) if delta else 0,
        "tower_x_um": [_milli(delta[tower]["x_mm"]) for tower in "abc"] if delta else [0] * 3,
        "tower_y_um": [_milli(delta[tower]["y_mm"]) for tower in "abc"] if delta else [0] * 3,
        "bed_radius_um": _milli(delta["bed_radius_mm"]) if delta else 0,
        "top_um": _milli(printer["axes"]["z"]["endstop_mm"] + min([delta[tower]["trim_mm"] for tower in "abc"])) if delta else 0,
        "skew_1e6": [_millionth(motion["skew"][name]) for name in ("xy", "xz", "yz")],
        "mesh_points": motion["mesh_points"],
        "shaper": [SHAPERS.index(shaper["type"]) + 1 if shaper else 0 for shaper in shapers],
        "shaper_mhz": [_milli(shaper["frequency_hz"]) if shaper else 50000 for shaper in shapers],
        "shaper_damping_1e4": [_milli(10 * shaper["damping"]) if shaper else 0 for shaper in shapers],
        "advance_us": _filled([_millionth(part["pressure_advance_s"]) for part in extruders], _EXTRUDERS, 0),
        "advance_smooth_us": _millionth(extruder["advance_smooth_s"]),
    }


def port_config(desc):
    """The fields of struct pw_host_config that differ from its defaults."""
    rings = desc["pcb"]["rings"]
    return {
        "queue_runs": rings["queue_runs"],
        "side_runs": rings["side_runs"],
        "queue_marks": rings["queue_marks"],
        "lease_ms": desc["pcb"]["lease_ms"],
    }


def caps(desc):
    """The Caps of a machine made from the description."""
    return Caps(_caps(desc))


def _caps(desc):
    pcb = desc["pcb"]
    printer = desc["printer"]
    config = core_config(desc)
    heaters = tuple([name for name in HEATERS if printer["heaters"][name] is not None])
    return {
        "heaters": heaters,
        "fans": tuple([name for name in ("part", "hotend") if printer["fans"][name] is not None]),
        "has_bed": "bed" in heaters,
        "has_chamber": "chamber" in heaters,
        "min_um": tuple(config["min_um"]),
        "max_um": tuple(config["max_um"]),
        "home_um": tuple(config["home_um"]),
        "nozzle_um": config["nozzle_um"],
        "filament_um": config["filament_um"],
        "tools": len(extruders_of(printer)),
        "max_target_c": {name: printer["heaters"][name]["max_target_c"] for name in heaters},
        "connections": pcb["limits"]["connections"],
        "jobs": pcb["limits"]["jobs"],
        "history": pcb["limits"]["history"],
        "spool_bytes": pcb["limits"]["spool_bytes"],
        "write_while_moving": pcb["write_while_moving"],
        "identify": tuple(pcb["identify"]),
        "flash_settings_bytes": pcb["flash"]["settings_bytes"],
        "lease_ms": pcb["lease_ms"],
        "stall_ms": pcb["stall_ms"],
    }


# -- machine -------------------------------------------------------------------------------------------------------------------


def plan(desc):
    """What hal/assemble.py needs to build a machine of a description (as describe() makes it): plain data, which may have been JSON
    meanwhile.  Where the tool that makes a board's image has made this, the board has no use for this module and its data."""
    check(desc)
    return {"description": desc, "core": core_config(desc), "port": port_config(desc), "caps": _caps(desc)}


def build(desc, backend):
    """The machine of a description (as describe() makes it), in a state where nothing moves and nothing heats.  Raises HalError."""
    return assemble(plan(desc), backend)
