"""The simulator's PCB: a 32-bit board as one would buy it, pins named as printed on it.  Data only; keys: boards/schema.py."""

DATA = {
    "compatible": "sim",
    "title": "Simulated board",
    "tick_hz": 16000000,
    "max_step_hz": 500000,
    "dir_setup_ns": 1000,
    "adc_bits": 12,
    "motors": {
        "X": {"step_pin": "PB13", "dir_pin": "PB12", "enable_pin": "PB14"},
        "Y": {"step_pin": "PB10", "dir_pin": "PB2", "enable_pin": "PB11"},
        "Z": {"step_pin": "PB0", "dir_pin": "PC5", "enable_pin": "PB1"},
        "E0": {"step_pin": "PB3", "dir_pin": "PB4", "enable_pin": "PD2"},
    },
    "heaters": {
        "HE0": {"pin": "PC8"},
        "HB": {"pin": "PC9"},
        "HC": {"pin": "PC7"},
    },
    "sensors": {
        "TH0": {"pin": "PA0", "pullup_ohm": 4700},
        "TB": {"pin": "PC3", "pullup_ohm": 4700},
        "TC": {"pin": "PC2", "pullup_ohm": 4700},
    },
    "fans": {
        "FAN0": {"pin": "PC6"},
        "FAN1": {"pin": "PB15"},
    },
    "inputs": {
        "X-STOP": {"pin": "PC0"},
        "Y-STOP": {"pin": "PC1"},
        "Z-STOP": {"pin": "PC4"},
        "PROBE": {"pin": "PA1"},
    },
    "flash": {"bytes": 8388608, "sector_bytes": 4096, "page_bytes": 256, "settings_bytes": 32768},
    "write_while_moving": True,
    "identify": ["display", "sound"],
    "rings": {"segments": 264, "runs": 1024, "marks": 1024, "line_max": 256, "queue_runs": 1024, "side_runs": 64, "queue_marks": 128},
    "limits": {"connections": 256, "jobs": 5000, "history": 1000, "spool_bytes": 4294967296},
    "lease_ms": 1500,
    "stall_ms": 1000,
}
