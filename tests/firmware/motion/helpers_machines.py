"""Machines of kinematics that no machine of boards/ has: name -> arguments of hal.factory.describe."""

LAYERS = {
    "corexz": (
        "sim-cartesian",
        {
            "printer": {
                "kinematics": "corexz",
                "axes": {"x": {"home_mm": 10, "endstop_mm": -2}, "z": {"steps_per_mm": 80, "max_velocity_mm_s": 0, "max_accel_mm_s2": 0}},
            }
        },
    ),
    "linear": (
        "sim-cartesian",
        {
            "printer": {
                "kinematics": "linear",
                "matrix": {"a": {"x": 1}, "b": {"x": 0.5, "y": -1, "z": 0.25}, "c": {"z": 1.25}},
                "axes": {"y": {"endstop_mm": 240}},
            }
        },
    ),
    "trimmed": ("sim-delta", {"printer": {"delta": {"a": {"trim_mm": 0.75}, "c": {"trim_mm": -0.5}}}}),
}
