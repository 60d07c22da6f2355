"""A machine's description that the motion core takes, too: what it refuses is told by file and key, not by the core's own field."""

from hal import factory
from hal.errors import ConfigError
from hal.schema import show
from hal.stepcore import StepCore

_AXES = ("x", "y", "z")
# field of struct pw_config -> key of the machine file; %s: axis, row of the matrix or tower, by the number behind the field's name
_KEYS = {
    "tick_hz": "pcb.tick_hz",
    "kinematics": "printer.kinematics",
    "motors": "printer.extruder1",
    "min_um": "printer.axes.%s.min_mm",
    "max_um": "printer.axes.%s.max_mm",
    "home_um": "printer.axes.%s.home_mm",
    "max_velocity_um_s": "printer.motion.max_velocity_mm_s",
    "max_accel_um_s2": "printer.motion.max_accel_mm_s2",
    "max_jerk_mm_s3": "printer.motion.max_jerk_mm_s3",
    "corner_um_s": "printer.motion.corner_mm_s",
    "min_cruise_permille": "printer.motion.min_cruise_ratio",
    "axis_velocity_um_s": "printer.axes.%s.max_velocity_mm_s",
    "axis_accel_um_s2": "printer.axes.%s.max_accel_mm_s2",
    "max_e_velocity_um_s": "printer.extruder.max_velocity_mm_s",
    "max_e_accel_um_s2": "printer.extruder.max_accel_mm_s2",
    "e_corner_um_s": "printer.extruder.corner_mm_s",
    "filament_um": "printer.extruder.filament_mm",
    "nozzle_um": "printer.extruder.nozzle_mm",
    "max_e_only_um": "printer.extruder.max_e_only_mm",
    "merge_um": "printer.motion.merge_um",
    "chord_um": "printer.motion.chord_um",
    "curve_um": "printer.motion.curve_um",
    "window": "printer.motion.look_ahead",
    "queue_segments": "pcb.rings.segments",
    "ring_runs": "pcb.rings.runs",
    "ring_marks": "pcb.rings.marks",
    "line_max": "pcb.rings.line_max",
    "max_step_hz": "pcb.max_step_hz",
    "dir_setup_ns": "pcb.dir_setup_ns",
    "min_segment_us": "printer.motion.min_segment_us",
    "retract_um": "printer.extruder.retract_mm",
    "retract_um_s": "printer.extruder.retract_mm_s",
    "unretract_extra_um": "printer.extruder.unretract_extra_mm",
    "unretract_um_s": "printer.extruder.unretract_mm_s",
    "retract_lift_um": "printer.extruder.retract_lift_mm",
    "matrix_1e6": "printer.matrix.%s",
    "arm_um": "printer.delta.arm_mm",
    "tower_x_um": "printer.delta.%s.x_mm",
    "tower_y_um": "printer.delta.%s.y_mm",
    "bed_radius_um": "printer.delta.bed_radius_mm",
    "top_um": "printer.axes.z.endstop_mm",
    "skew_1e6": "printer.motion.skew.%s",
    "mesh_points": "printer.motion.mesh_points",
    "shaper": "printer.motion.shaper.%s.type",
    "shaper_mhz": "printer.motion.shaper.%s.frequency_hz",
    "shaper_damping_1e4": "printer.motion.shaper.%s.damping",
    "advance_smooth_us": "printer.extruder.advance_smooth_s",
}
_PER_MOTOR = {
    "steps_per_m": "steps_per_mm",
    "tool_x_um": "x_mm",
    "tool_y_um": "y_mm",
    "tool_z_um": "z_mm",
    "advance_us": "pressure_advance_s",
}


def key_of(field):
    """Key of the machine file for a field as the core names it ("arm_um", "tower_x_um[1]")."""
    name, _, rest = field.partition("[")
    index = int(rest.rstrip("]") or 0) if rest else 0
    if name in _PER_MOTOR:
        extruder = index - 3 if name == "steps_per_m" else index
        part = "axes." + _AXES[index] if extruder < 0 else "extruder%d" % extruder if extruder else "extruder"
        return "printer.%s.%s" % (part, _PER_MOTOR[name])
    key = _KEYS.get(name) or field
    if "%s" not in key:
        return key
    if name == "matrix_1e6":
        return key % ("abc"[index // 3] + "." + _AXES[index % 3])
    return key % {"tower_x_um": "abc", "tower_y_um": "abc", "skew_1e6": ("xy", "xz", "yz")}.get(name, _AXES)[index]


def _value(description, key):
    for part in key.split("."):
        if not isinstance(description, dict) or part not in description:
            return None
        description = description[part]
    return description


def describe(name_or_path=None):
    """As factory.describe, and the core takes it.  ConfigError names file and key."""
    description = factory.describe(name_or_path)
    try:
        StepCore(factory.core_config(description))
    except ConfigError as error:
        key = key_of(error.path)
        problem = "%s is %s for the motion core (boards/SPEC.md: range of each key; native/DESIGN.md: geometry)"
        where = "%s: %s" % (name_or_path or description["name"], key)
        raise ConfigError(where, problem % (show(_value(description, key)), error.problem)) from None
    return description
