"""The simulated printer.  hal/DESIGN.md says how it fits together; users need build() and SimOptions only."""

from hal.sim.machine import SimOptions, build, parse_pace  # noqa: F401
