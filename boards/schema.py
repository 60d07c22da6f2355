"""What machine data may say: the one place that knows keys, types, units, ranges and defaults.  Data only; hal/factory.py reads it.

A node is a tuple that begins with its type:

    ("group", {key: node}, sentence)      always there; its keys have defaults, or are required
    ("option", {key: node}, sentence)     may be left out, or set to null by a machine file: then the machine has no such part
    ("parts", node, most, sentence)       any names, at most so many, each like the node
    ("num", unit, low, high, default, sentence)    a number; default None means: required
    ("int", unit, low, high, default, sentence)    a whole number
    ("text", most, default, sentence)     a string of at most so many UTF-8 bytes
    ("choice", (value, ...), default, sentence)
    ("some", (value, ...), default, sentence)      list of some of the values, none twice
    ("bool", default, sentence)
    ("table", least, most, sentence)      list of [degC, ohm], temperatures rising, resistances falling
"""

_MOTOR = {
    "step_pin": ("text", 16, None, "Pin of the step pulse."),
    "dir_pin": ("text", 16, None, "Pin of the direction."),
    "enable_pin": ("text", 16, None, "Pin that switches the driver on."),
    "invert": ("bool", False, "True: the motor turns the other way round."),
}

_HEATER_OUT = {
    "pin": ("text", 16, None, "Pin of the switch."),
    "pwm_hz": ("num", "Hz", 0.1, 20000, 10, "Frequency of the pulse width modulation."),
}

_SENSOR_IN = {
    "pin": ("text", 16, None, "Analogue pin of the divider."),
    "pullup_ohm": ("num", "ohm", 100, 100000, 4700, "Resistor between the pin and the converter's reference."),
}

_FAN_OUT = {
    "pin": ("text", 16, None, "Pin of the switch."),
    "pwm_hz": ("num", "Hz", 0.1, 50000, 100, "Frequency of the pulse width modulation."),
}

_INPUT = {
    "pin": ("text", 16, None, "Pin of the switch."),
    "invert": ("bool", False, "True: a high level means closed."),
}

_PCB = {
    "compatible": ("choice", ("sim",), None, "Which backend drives the board."),
    "title": ("text", 127, None, "The board's name for people."),
    "tick_hz": ("int", "Hz", 1000000, 200000000, 16000000, "Ticks a second of plan time and machine time."),
    "max_step_hz": ("int", "Hz", 1000, 10000000, 500000, "Pulse rate that each motor output can make."),
    "dir_setup_ns": ("int", "ns", 0, 100000, 1000, "Time between a change of direction and the next pulse."),
    "adc_bits": ("int", "bit", 8, 16, 12, "Resolution of the analogue converter."),
    "motors": ("parts", ("group", _MOTOR, "A motor output."), 8, "Motor outputs by the name printed on the board."),
    "heaters": ("parts", ("group", _HEATER_OUT, "A heater output."), 8, "Heater outputs."),
    "sensors": ("parts", ("group", _SENSOR_IN, "A thermistor input."), 8, "Thermistor inputs."),
    "fans": ("parts", ("group", _FAN_OUT, "A fan output."), 8, "Fan outputs."),
    "inputs": ("parts", ("group", _INPUT, "A switch input."), 8, "Inputs for endstops."),
    "flash": (
        "group",
        {
            "bytes": ("int", "byte", 16384, 1073741824, None, "Flash for records (journal and settings together)."),
            "sector_bytes": ("int", "byte", 512, 131072, 4096, "What one erase clears."),
            "page_bytes": ("int", "byte", 1, 4096, 256, "Programming is aligned to this and a multiple of it."),
            "settings_bytes": ("int", "byte", 1024, 16777216, 32768, "Part at the end that belongs to the settings."),
        },
        "Raw NOR flash.",
    ),
    "write_while_moving": ("bool", None, "True: flash may be written while steps are due."),
    "identify": ("some", ("display", "flash", "sound", "speak"), [], "What Identify-Printer can do here."),
    "rings": (
        "group",
        {
            "segments": ("int", "segment", 0, 4096, 0, "Final segments that may wait behind the look-ahead; an eighth of it at least."),
            "runs": ("int", "run", 16, 65536, 64, "Runs of steps that each motor's ring in the core holds."),
            "marks": ("int", "mark", 4, 65536, 64, "Marks queued in the core: all that can come within the look-ahead."),
            "line_max": ("int", "byte", 16, 4096, 256, "Longest command of a document."),
            "queue_runs": ("int", "run", 4, 65536, 64, "Runs that each motor's queue in the port holds; a power of two."),
            "side_runs": ("int", "run", 4, 65536, 16, "The same for the second context; a power of two."),
            "queue_marks": ("int", "mark", 4, 65536, 32, "Marks that wait in the port; a power of two."),
        },
        "Sizes of the queues.",
    ),
    "limits": (
        "group",
        {
            "connections": ("int", "connection", 1, 1024, 4, "Network connections at a time."),
            "jobs": ("int", "job", 1, 100000, 16, "Jobs that have not ended."),
            "history": ("int", "job", 0, 100000, 32, "Ended jobs that are remembered."),
            "spool_bytes": ("int", "byte", 4096, 1099511627776, None, "Room for documents."),
        },
        "What the board has room for.",
    ),
    "lease_ms": ("int", "ms", 100, 60000, 1500, "A heater goes off when it is not renewed for so long."),
    "stall_ms": ("int", "ms", 100, 60000, 1000, "So long may Python be absent while it prints; less than lease_ms."),
}


_AXIS = {
    "motor": ("text", 16, None, "Motor output of the PCB."),
    "steps_per_mm": ("num", "1/mm", 0.001, 10000, None, "Steps of the motor a millimetre of the axis (CoreXY: of the belt)."),
    "min_mm": ("num", "mm", -10000, 10000, 0, "Travel limit."),
    "max_mm": ("num", "mm", -10000, 10000, None, "Travel limit."),
    "home_mm": ("num", "mm", -10000, 10000, 0, "Where homing ends and program motion starts."),
    "endstop": ("text", 16, None, "Input of the PCB."),
    "endstop_mm": ("num", "mm", -10000, 10000, 0, "Place where the endstop closes, at one end of the travel or beyond."),
    "max_velocity_mm_s": ("num", "mm/s", 0, 2000, 0, "Speed of the axis; 0: the limit along the path is all."),
    "max_accel_mm_s2": ("num", "mm/s2", 0, 100000, 0, "Acceleration of the axis; 0: the limit along the path is all."),
    "homing_mm_s": ("num", "mm/s", 0.1, 500, 40, "First approach to the endstop."),
    "homing_slow_mm_s": ("num", "mm/s", 0.1, 100, 5, "Second approach."),
    "homing_retract_mm": ("num", "mm", 0.1, 100, 5, "Way back between the two."),
}

_PID = {
    "kp": ("num", "1/K", 0, 100, None, "Duty (0 to 1) a kelvin of error."),
    "ki": ("num", "1/(K s)", 0, 100, None, "Duty a kelvin and second."),
    "kd": ("num", "s/K", 0, 1000, 0, "Duty a kelvin a second, on the measurement."),
}

_PLANT = {
    "power_w": ("num", "W", 0.1, 10000, None, "Power at full duty."),
    "capacity_j_k": ("num", "J/K", 0.1, 1000000, None, "Heat capacity."),
    "loss_w_k": ("num", "W/K", 0.0001, 1000, None, "Loss to what is around it."),
    "fan_loss_w_k": ("num", "W/K", 0, 1000, 0, "Further loss while the part fan runs at full speed."),
    "sensor_s": ("num", "s", 0.1, 600, None, "Lag of the sensor."),
}

_HEATER = {
    "heater": ("text", 16, None, "Heater output of the PCB."),
    "sensor": ("text", 16, None, "Thermistor input of the PCB."),
    "thermistor": ("text", 32, None, "Name of the thermistor's table."),
    "min_c": ("num", "degC", -40, 1000, 0, "Colder than that stops the machine."),
    "max_c": ("num", "degC", 0, 1000, None, "Hotter than that stops the machine."),
    "max_target_c": ("num", "degC", 0, 1000, None, "Highest target; below max_c."),
    "window_c": ("num", "K", 0.1, 20, 2, "So near to the target counts as reached."),
    "settle_s": ("num", "s", 0, 60, 2, "And for so long."),
    "max_duty": ("num", "", 0.01, 1, 1, "Highest duty."),
    "fan": ("text", 16, "", "Fan of the printer that runs while the part is warm; empty: none."),
    "fan_above_c": ("num", "degC", 0, 1000, 50, "So warm."),
    "pid": ("group", _PID, "Controller."),
    "plant": ("option", _PLANT, "The part as the simulator heats it."),
}

_SHAPER = {
    "type": ("choice", ("zv", "zvd", "mzv", "ei", "2hump_ei", "3hump_ei"), None, "Which shaper."),
    "frequency_hz": ("num", "Hz", 5, 500, None, "Frequency of the resonance."),
    "damping": ("num", "", 0, 0.3, 0.1, "Damping ratio of the resonance."),
}

_ROW = {
    "x": ("num", "", -4, 4, 0, "Millimetres of the motor a millimetre of x."),
    "y": ("num", "", -4, 4, 0, "The same of y."),
    "z": ("num", "", -4, 4, 0, "The same of z."),
}

_TOWER = {
    "x_mm": ("num", "mm", -2000, 2000, None, "Where the joints of tower and effector are one above the other."),
    "y_mm": ("num", "mm", -2000, 2000, None, "The same, y."),
    "trim_mm": ("num", "mm", -50, 50, 0, "So much higher than the endstop_mm of axis z its switch closes."),
}

_SURFACE = {
    "height_mm": ("num", "mm", -5, 5, 0, "Height at the origin."),
    "tilt_x": ("num", "", -0.05, 0.05, 0, "Rise a millimetre of x."),
    "tilt_y": ("num", "", -0.05, 0.05, 0, "Rise a millimetre of y."),
    "wave_mm": ("num", "mm", 0, 2, 0, "Height of waves in x and y."),
    "wave_length_mm": ("num", "mm", 20, 2000, 200, "Their length."),
}

_PROBE = {
    "input": ("text", 16, None, "Input of the PCB that closes when the probe feels the bed."),
    "x_mm": ("num", "mm", -200, 200, 0, "Where the probe is, seen from the nozzle of T0."),
    "y_mm": ("num", "mm", -200, 200, 0, "The same, y."),
    "z_mm": ("num", "mm", -20, 20, 0, "Height of the nozzle above the bed when the probe closes."),
    "mm_s": ("num", "mm/s", 0.1, 50, 5, "Speed of the approach."),
    "travel_mm_s": ("num", "mm/s", 1, 500, 50, "Speed between points."),
    "lift_mm": ("num", "mm", 0.5, 50, 5, "Height above the bed between points."),
    "depth_mm": ("num", "mm", 0, 20, 2, "So far below z = 0 the bed is looked for."),
    "samples": ("int", "", 1, 10, 2, "Approaches a point; their mean counts."),
    "tolerance_mm": ("num", "mm", 0.001, 1, 0.02, "They differ by at most so much, or are made again."),
    "retries": ("int", "", 0, 10, 3, "How often."),
    "surface": ("option", _SURFACE, "The bed as the simulator has it; none: flat."),
}

_MESH = {
    "x_points": ("int", "point", 2, 64, 5, "Points along x."),
    "y_points": ("int", "point", 2, 64, 5, "Points along y."),
    "min_x_mm": ("num", "mm", -2000, 2000, None, "First point."),
    "max_x_mm": ("num", "mm", -2000, 2000, None, "Last point."),
    "min_y_mm": ("num", "mm", -2000, 2000, None, "The same, y."),
    "max_y_mm": ("num", "mm", -2000, 2000, None, "The same, y."),
    "kind": ("choice", ("bilinear", "bicubic"), "bicubic", "How heights between points are found."),
    "fade_from_mm": ("num", "mm", 0, 100, 1, "Up to here the print follows the bed."),
    "fade_to_mm": ("num", "mm", 0.1, 1000, 10, "From here on it is flat; at least ten times the greatest height above fade_from_mm."),
}

_EXTRUDER = {
    "motor": ("text", 16, None, "Motor output of the PCB."),
    "steps_per_mm": ("num", "1/mm", 0.001, 10000, None, "Steps a millimetre of filament."),
    "x_mm": ("num", "mm", -500, 500, 0, "Where its nozzle is, seen from that of T0."),
    "y_mm": ("num", "mm", -500, 500, 0, "The same, y."),
    "z_mm": ("num", "mm", -500, 500, 0, "The same, z; lower is negative."),
    "pressure_advance_s": ("num", "s", 0, 2, 0, "As the first extruder's."),
}

_PRINTER = {
    "title": ("text", 127, None, "The printer's make and model."),
    "kinematics": ("choice", ("cartesian", "corexy", "corexz", "linear", "delta"), None, "How motors move axes."),
    "matrix": (
        "option",
        {
            "a": ("group", _ROW, "Motor of axis x."),
            "b": ("group", _ROW, "Motor of axis y."),
            "c": ("group", _ROW, "Motor of axis z."),
        },
        "Kinematics linear: a motor's place in mm is the sum of its row's factors times x, y, z.",
    ),
    "delta": (
        "option",
        {
            "arm_mm": ("num", "mm", 10, 2000, None, "Length of the arms."),
            "bed_radius_mm": ("num", "mm", 1, 2000, None, "Both x and y stay within it."),
            "a": ("group", _TOWER, "Tower of axis x."),
            "b": ("group", _TOWER, "Tower of axis y."),
            "c": ("group", _TOWER, "Tower of axis z."),
        },
        "Kinematics delta.",
    ),
    "motion": (
        "group",
        {
            "max_velocity_mm_s": ("num", "mm/s", 0.1, 2000, None, "Speed along the path."),
            "max_accel_mm_s2": ("num", "mm/s2", 1, 100000, None, "Acceleration along the path."),
            "max_jerk_mm_s3": ("int", "mm/s3", 100, 100000000, None, "Jerk along the path."),
            "corner_mm_s": ("num", "mm/s", 0.01, 100, 5, "Square-corner velocity."),
            "min_cruise_ratio": ("num", "", 0, 0.9, 0, "Share of a move's way that cruises at least: zig-zags shake less."),
            "look_ahead": ("int", "segment", 16, 1024, 256, "Segments that are looked ahead; part of what makes the stream."),
            "merge_um": ("int", "um", 0, 100, 2, "Deviation allowed when segments are merged; 0: they never are."),
            "chord_um": ("int", "um", 1, 1000, 2, "Chord error of arcs."),
            "curve_um": ("int", "um", 10, 10000, 300, "Length over which curvature is measured."),
            "min_segment_us": ("int", "us", 0, 100000, 0, "Mean time of a segment, at least; 0: no limit."),
            "shaper": (
                "group",
                {
                    "x": ("option", _SHAPER, "Along x."),
                    "y": ("option", _SHAPER, "Along y."),
                    "z": ("option", _SHAPER, "Along z."),
                },
                "Input shapers.",
            ),
            "skew": (
                "group",
                {
                    "xy": ("num", "", -0.1, 0.1, 0, "Millimetres that x leans a millimetre of y."),
                    "xz": ("num", "", -0.1, 0.1, 0, "Millimetres that x leans a millimetre of z."),
                    "yz": ("num", "", -0.1, 0.1, 0, "Millimetres that y leans a millimetre of z."),
                },
                "How far the axes are from right angles; about the home position.",
            ),
            "mesh_points": ("int", "point", 0, 4096, 0, "Room for a mesh of the bed; 0: none."),
        },
        "Limits and rules of motion.",
    ),
    "probe": ("option", _PROBE, "What feels the bed (G29)."),
    "mesh": ("option", _MESH, "Where it does so; needs the probe and room (motion.mesh_points)."),
    "axes": (
        "group",
        {
            "x": ("group", _AXIS, "CoreXY, CoreXZ: motor a; delta: tower a, and the limits of x."),
            "y": ("group", _AXIS, "CoreXY: motor b; delta: tower b, and the limits of y."),
            "z": ("group", _AXIS, "The vertical; CoreXZ: motor b; delta: tower c, and homing of all three."),
        },
        "Axes and their motors.",
    ),
    "extruder": (
        "group",
        {
            "motor": ("text", 16, None, "Motor output of the PCB."),
            "steps_per_mm": ("num", "1/mm", 0.001, 10000, None, "Steps a millimetre of filament."),
            "max_velocity_mm_s": ("num", "mm/s", 0.1, 2000, 60, "Speed of the filament."),
            "max_accel_mm_s2": ("num", "mm/s2", 1, 100000, 5000, "Acceleration of the filament."),
            "corner_mm_s": ("num", "mm/s", 0.01, 100, 5, "Jump of its speed at a corner."),
            "filament_mm": ("num", "mm", 0.5, 5, 1.75, "Diameter of the filament."),
            "nozzle_mm": ("num", "mm", 0.05, 5, 0.4, "Diameter of the nozzle."),
            "max_e_only_mm": ("num", "mm", 1, 1000, 200, "Longest move of the filament alone."),
            "pressure_advance_s": ("num", "s", 0, 2, 0, "Filament pushed ahead a mm/s of its speed; 0: none."),
            "advance_smooth_s": ("num", "s", 0.02, 0.2, 0.04, "Time over which that is smoothed."),
            "retract_mm": ("num", "mm", 0, 100, 0, "Filament that G10 draws back; 0: G10 and G11 are refused."),
            "retract_mm_s": ("num", "mm/s", 0.1, 2000, 30, "Speed of that."),
            "unretract_extra_mm": ("num", "mm", 0, 100, 0, "G11 pushes so much more than G10 drew back."),
            "unretract_mm_s": ("num", "mm/s", 0.1, 2000, 30, "Speed of that."),
            "retract_lift_mm": ("num", "mm", 0, 20, 0, "G10 lifts z by so much."),
        },
        "The first extruder, T0; its limits are those of all.",
    ),
    "extruder1": ("option", _EXTRUDER, "Extruder T1."),
    "extruder2": ("option", _EXTRUDER, "Extruder T2."),
    "extruder3": ("option", _EXTRUDER, "Extruder T3."),
    "extruder4": ("option", _EXTRUDER, "Extruder T4."),
    "heaters": (
        "group",
        {
            "nozzle": ("group", _HEATER, "The hot end."),
            "bed": ("option", _HEATER, "Heated bed."),
            "chamber": ("option", _HEATER, "Heated chamber."),
            "nozzle1": ("option", _HEATER, "The hot end of T1; none: that of T0 is T1's as well."),
            "nozzle2": ("option", _HEATER, "The hot end of T2, likewise."),
            "nozzle3": ("option", _HEATER, "The hot end of T3."),
            "nozzle4": ("option", _HEATER, "The hot end of T4."),
        },
        "What is heated.",
    ),
    "clearing": ("text", 4000, "", "G-code that takes a print off the platform before the next job is heated; empty: there is none."),
    "fans": (
        "group",
        {
            "part": ("option", {"fan": ("text", 16, None, "Fan output of the PCB.")}, "Cools the print (M106)."),
            "hotend": ("option", {"fan": ("text", 16, None, "Fan output of the PCB.")}, "Cools the cold side of the hot end."),
        },
        "Fans.",
    ),
}

_SETTINGS = {
    "printer_name": ("text", 127, "Printwright", "Name shown to users."),
    "info": ("text", 127, "", "A line about the printer; empty: its make and model."),
    "location": ("text", 127, "", "Where it stands."),
    "organization": ("text", 127, "", "Whose it is."),
    "organizational_unit": ("text", 127, "", "And which part of it."),
    "geo_location": ("text", 127, "", "Where it stands as a geo: URI (RFC 5870)."),
    "platform_clearing": (
        "choice",
        ("none", "operator", "routine"),
        "none",
        "Between two jobs: nobody asks; the printer waits until the operator has cleared the platform; printer.clearing does it.",
    ),
    "material": ("text", 127, "pla", "Key of the material that is loaded (firmware/ipp/materials.py); empty: none."),
}

DATA = (
    "group",
    {
        "name": ("text", 63, "", "The machine's name; by default that of the machine it is made from, or of the file."),
        "pcb": ("group", _PCB, "The board."),
        "printer": ("group", _PRINTER, "The mechanics."),
        "settings": ("group", _SETTINGS, "What its user may change."),
        "thermistors": ("parts", ("table", 2, 64, "A thermistor."), 32, "Tables beside the built-in ones (boards/thermistors.py)."),
    },
    "A machine.",
)
