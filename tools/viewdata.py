"""What pictures are drawn from: a tool path out of G-code, the motion over time out of a step file.  No drawing here.

A step file knows positions and times but not the G-code: its tool path is the carriage position at even times, with the extruder's
movement telling printing from travel.
"""

import numpy as np

from tools.stepfile import StepFile
from tools.verify import gcode
from tools.verify.kinematics import Kinematics

SAMPLE_S = 0.001
MOST_SAMPLES = 4_000_000


class ToolPath:
    """points: (n + 1, 3) mm; printing: (n) True where filament goes in along the way; length_mm, filament_mm: totals."""

    def __init__(self, points, extruded):
        self.points = points
        delta = np.diff(points, axis=0)
        moves = (delta != 0).any(1)
        self.printing = (extruded > 1e-6) & moves
        lengths = np.linalg.norm(delta, axis=1)
        self.length_mm = float(lengths.sum())
        self.printed_mm = float(lengths[self.printing].sum())
        self.filament_mm = float(extruded.sum())


class Motion:
    """Figures at even times t (s): speed and acceleration of the carriage (mm/s, mm/s^2), rate of each motor (steps/s)."""

    def __init__(self, t, speed, accel, rates):
        self.t, self.speed, self.accel, self.rates = t, speed, accel, rates


def path_of_gcode(path, description):
    """ToolPath of a G-code file; description: the machine's (limits do not matter, the home position does)."""
    from hal import factory
    from tools import stepheader

    header = stepheader.describe_machine(factory.core_config(description))
    moves = gcode.read(path, header)
    return ToolPath(moves.points[:, :3], np.diff(moves.points[:, 3]))


def _positions(read, t):
    """Position of each motor in mm at times t, straight between its steps; a motor that pauses keeps its place."""
    columns = []
    for m, stepper in enumerate(read.steppers):
        ticks, dirs = read.ticks(m), read.dirs(m)
        start = round(stepper["start_mm"] / stepper["step_mm"])
        if not len(ticks):
            columns.append(np.full(len(t), stepper["start_mm"]))
            continue
        counts = start + np.cumsum(dirs, dtype=np.int64)
        at = t * read.clock_hz
        k = np.searchsorted(ticks, at, "right")
        before, after = np.clip(k - 1, 0, len(ticks) - 1), np.clip(k, 0, len(ticks) - 1)
        # a step happens half a step before the place it leads to
        edge_before = np.where(k > 0, counts[before] - 0.5 * dirs[before], start)
        edge_after = np.where(k < len(ticks), counts[after] - 0.5 * dirs[after], counts[-1])
        gap = ticks[after] - ticks[before]
        share = np.where((gap > 0) & (k > 0) & (k < len(ticks)), (at - ticks[before]) / np.maximum(gap, 1), 0.0)
        # between steps far apart the motor stands most of the time
        still = gap > 0.05 * read.clock_hz
        place = np.where(still, np.where(k > 0, counts[before], start), edge_before + share * (edge_after - edge_before))
        columns.append(place * stepper["step_mm"])
    return np.array(columns)


def load_steps(path, sample_s=SAMPLE_S):
    """(ToolPath, Motion) of a step file.  Raises StepFileError, OSError, VerifyError for kinematics that are not known."""
    read = StepFile(path)
    ends = [int(read.ticks(m)[-1]) for m in range(len(read.steppers)) if len(read.ticks(m))]
    end_s = max(ends, default=0) / read.clock_hz
    sample_s = max(sample_s, end_s / MOST_SAMPLES)
    t = np.arange(0, end_s + 2 * sample_s, sample_s)
    motors = _positions(read, t)
    kinematics = Kinematics(read.header)
    xyz, e = kinematics.carriage_of(motors[kinematics.axis]), motors[list(kinematics.extruder)].sum(0)
    place = np.column_stack((xyz, e))
    # per step the place jumps by up to one step: differences over a few samples are smooth enough to look at
    wide = max(1, round(0.004 / sample_s))
    velocity = np.zeros_like(xyz)
    velocity[wide:-wide] = (xyz[2 * wide :] - xyz[: -2 * wide]) / (2 * wide * sample_s)
    speed = np.linalg.norm(velocity, axis=1)
    accel = np.zeros(len(t))
    accel[wide:-wide] = (speed[2 * wide :] - speed[: -2 * wide]) / (2 * wide * sample_s)
    rates = {}
    edges = np.arange(0, end_s + 0.01, max(0.005, sample_s))
    for m, stepper in enumerate(read.steppers):
        counts = np.diff(np.searchsorted(read.ticks(m), edges * read.clock_hz))
        rates[stepper["name"]] = (edges[:-1], counts / np.diff(edges)) if len(edges) > 1 else (edges, np.zeros(len(edges)))
    keep = np.flatnonzero(np.concatenate(([True], (np.abs(np.diff(place, axis=0)) > 1e-9).any(1))))
    return ToolPath(xyz[keep], np.diff(e[keep])), Motion(t, speed, accel, rates)
