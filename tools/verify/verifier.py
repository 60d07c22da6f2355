"""The judge: reads G-code and a step file, and tells whether the steps are that G-code's, within all limits of the header.

It knows nothing of the core: only the G-code, the step file and the rules (design.md sections 4 and 6, motion sheet section 17).
Work goes in chunks of the stream's time; whole in memory are the corners of the path (about 300 bytes a line of motion).
"""

from bisect import bisect_left

import numpy as np

from tools.stepfile import StepFile, digest
from tools.verify import gcode, match, mesh, shaped, stream
from tools.verify.along import Along, Samples, joined
from tools.verify.gcode import VerifyError
from tools.verify.kinematics import Kinematics
from tools.verify.path import Path
from tools.verify.report import Report

CHUNK_STEPS = 1 << 18
TAIL_S = 0.3  # samples carried from chunk to chunk, so that windows reach over


def verify(gcode_path, step_path, plain_path=None, progress=None):
    """Report on a step file.

    plain_path: for a stream that is shaped, the step file of the same program without (shaped.py); it is judged by all rules too.
    progress(done, total) is called now and then.  Raises VerifyError, StepFileError, OSError.
    """
    steps = StepFile(step_path)
    header = steps.header
    report = Report()
    moves = gcode.read(gcode_path, header)
    counts = [stepper["count"] for stepper in steps.steppers]
    report.totals.update(lines=moves.lines, moves=moves.moves, segments=len(moves.line), steps=sum(counts), sha256=digest(steps))
    ends = [int(steps.ticks(motor)[-1]) for motor in range(len(counts)) if counts[motor]]
    report.totals["print_time_s"] = max(ends, default=0) / header["clock_hz"]
    plain = steps
    if shaped.is_shaped(header):
        if plain_path is None:
            raise VerifyError("%s: a shaped stream is judged beside the plain one (--plain)" % step_path)
        plain = StepFile(plain_path)
        shaped.check_pair(header, plain.header)
    if not all(_check_motors(report, part) for part in ([steps] if plain is steps else [steps, plain])):
        return report
    if not len(moves.line):
        report["end"].see(sum(counts), 0.5, 0, 0, int(sum(counts) > 0), 1, "steps without motion")
        return report
    samples = _judge(report, plain, moves, progress, keep=plain is not steps)
    if header.get("mesh"):
        mesh.check(report, plain, moves, header)
    if plain is not steps and samples is not None:
        path = Path(moves, header, Kinematics(header))
        shaped.check(report, steps, shaped.Target(samples, path, header), header, path, plain.header)
    return report


def _check_motors(report, steps):
    """The rules of each motor alone; False when a stream is too broken to go on."""
    return all(stream.check_motor(report, steps.ticks(m), steps.dirs(m), steps.header) for m in range(len(steps.steppers)))


def _judge(report, steps, moves, progress, keep):
    """All rules of an unshaped stream.  keep: returns its Samples, None where a motor lost the path."""
    header = steps.header
    path = Path(moves, header, Kinematics(header))
    matches = [_match(report, steps, path, header, motor) for motor in range(len(steps.steppers))]
    if not all(matches):
        return None
    return _Judge(report, steps, path, header, matches, keep).run(progress)


def _slack(path, header, motor):
    """Steps that a motor may be off the path beyond half a step."""
    if motor in path.kinematics.extruder:
        slack_mm = header["tol"]["e_mm"]
    else:
        slack_mm = header["tol"]["path_mm"] * float(path.norm[motor]) + path.fit_mm + path.curve_mm[motor]
    return slack_mm / path.step_mm[motor] + match.HYSTERESIS


def _match(report, steps, path, header, motor):
    """MotorMatch, or None when the motor lost the path; its end position is judged too."""
    ticks, dirs, q = steps.ticks(motor), steps.dirs(motor), path.motor[motor]
    name = steps.steppers[motor]["name"]
    final = path.start[motor] + int(dirs.sum(dtype=np.int64))
    off = abs(final - q[-1])
    last_tick = int(ticks[-1]) if len(ticks) else 0
    most = 0.5 + match.HYSTERESIS
    why = "motor %s ends %.2f steps off" % (name, off)
    report["end"].see(off, most, path.line_at(path.s[-1]), last_tick, int(off > most + 1e-6), 1, why)
    slack = _slack(path, header, motor)
    try:
        found = match.MotorMatch(path.fine_motor[motor], path.fine_s, dirs, path.start[motor], slack)
    except match.LostTrack as lost:
        tick = int(ticks[min(lost.step, len(ticks) - 1)]) if len(ticks) else 0
        step_mm = path.step_mm[motor]
        why = "motor %s, step %d: %s" % (name, lost.step, lost.why)
        report["path"].see((0.5 + slack) * step_mm * 2, (0.5 + slack) * step_mm, path.line_at(lost.s), tick, 1, 1, why)
        return None
    return found


class _Judge:
    """Walks through the stream in time."""

    def __init__(self, report, steps, path, header, matches, keep=False):
        self.report, self.steps, self.path, self.header, self.matches = report, steps, path, header, matches
        self.clock_hz = header["clock_hz"]
        self.along = Along(report, path, header)
        self.motors = range(len(matches))
        self.e_motors = list(path.kinematics.extruder)
        self.best = path.slope.max(0)
        self.kept = [] if keep else None  # all samples, where somebody wants them
        self.reach = 0.0  # path coordinate that the stream has passed for certain

    def _edges(self):
        """Ticks at which chunks end."""
        busiest = max(self.motors, key=lambda m: len(self.steps.ticks(m)))
        ticks = self.steps.ticks(busiest)
        total = sum(len(self.steps.ticks(m)) for m in self.motors)
        chunks = max(1, total // CHUNK_STEPS)
        places = [len(ticks) * k // chunks for k in range(1, chunks)]
        return [int(ticks[place]) for place in places] + [1 << 62]

    def run(self, progress):
        at = [0] * len(self.matches)
        tail = Samples(np.zeros(0), np.zeros(0), np.zeros(0))
        judged = 0.0
        edges = self._edges()
        for number, edge in enumerate(edges):
            # bisect, since numpy would copy a mapped stream that is not aligned
            ends = [bisect_left(self.steps.ticks(m), edge, at[m]) for m in self.motors]
            loaded = [np.array(self.steps.ticks(m)[at[m] : ends[m]]) for m in self.motors]
            times, firsts, lasts, parts = [], [], [], [tail]
            for m in self.motors:
                if ends[m] == at[m]:
                    continue
                ticks = loaded[m]
                first, best, last, sharp, turned, sure = self.matches[m].windows(at[m], ends[m])
                times.append(ticks)
                firsts.append(first)
                lasts.append(last)
                self._timing(m, ticks, best, sharp, turned)
                parts.append(self._samples(m, ticks, best, sharp, turned))
                if self.kept is not None:
                    self.kept.append(self._samples(m, ticks, best, sure, turned))
                if m in self.e_motors:
                    self._stops(ticks, first, best, last, at, loaded)
            if times:
                self._common_place(np.concatenate(times), np.concatenate(firsts), np.concatenate(lasts))
            samples = joined(parts)
            if len(samples.t):
                keep = int(np.searchsorted(samples.t, samples.t[-1] - TAIL_S))
                s_to = self.path.s[-1] + 1 if edge >= 1 << 62 else float(samples.s[keep])
                self.along.check(samples, judged, s_to)
                judged = max(judged, s_to)
                keep = max(0, min(keep, int(np.searchsorted(samples.s, s_to - 1.0))))
                tail = Samples(samples.t[keep:], samples.s[keep:], samples.u[keep:])
            at = ends
            if progress:
                progress(number + 1, len(edges))
        return joined(self.kept) if self.kept else None

    def _common_place(self, ticks, first, last):
        """One place on the path, that never goes back, must suit all motors at all times."""
        order = np.argsort(ticks, kind="stable")
        first, last, ticks = first[order], last[order], ticks[order]
        low = np.maximum(np.maximum.accumulate(first), self.reach)
        excess = low - last
        k = int(excess.argmax())
        bad = excess > 1e-6
        bound = self.header["tol"]["path_mm"] + 0.5 * float(self.path.step_mm.max())
        value = bound * (1 if excess[k] <= 0 else 2) if not bad.any() else bound + float(excess[k])
        report = self.report["path"]
        if bad.any():
            report.see(value, bound, self.path.line_at(last[k]), ticks[k], int(bad.sum()), len(ticks), self._order_text(excess[k]))
        else:
            report.see(0.0, bound, self.path.line_at(last[k]), ticks[k], 0, len(ticks))
        self.reach = float(low[-1])

    @staticmethod
    def _order_text(excess_mm):
        return "the motors are not in one place of the path: %.4f mm apart along it" % excess_mm

    def _samples(self, m, ticks, best, sharp, turned):
        """Places known from the steps of one motor, where it has its share of the motion."""
        path = self.path
        piece = path.piece_at(best)
        slope = path.slope[m, piece]
        use = (slope >= 0.5 * self.best[piece]) & (slope > 0) & sharp
        segment, slope = path.segment_at(best[use]), slope[use].astype(float)
        across = np.sqrt(np.maximum(1 - slope * slope, 0)) / slope + 0.1
        unsure = np.where(path.loose[segment], self.header["tol"]["path_mm"] * across, 0.0)
        unsure = np.where(path.e_only[segment], 0.0, unsure)
        unsure += np.where(turned[use], match.HYSTERESIS * path.step_mm[m] / slope, 0.0) + (path.fit_mm + path.curve_mm[m]) / slope
        return Samples(ticks[use] / self.clock_hz, best[use], unsure)

    def _timing(self, m, ticks, best, sharp, turned):
        """Four steps in a row on one line: their third difference shows a step that is out of its time."""
        path = self.path
        if len(ticks) < 4:
            return
        segment = path.segment_at(best)
        same = (segment[3:] == segment[:-3]) & sharp[3:] & sharp[:-3] & ~path.loose[segment[3:]]
        same &= ~(turned[3:] | turned[2:-1] | turned[1:-2] | turned[:-3])
        if m in self.e_motors:
            same &= path.e_only[segment[3:]]
        slope = path.slope[m, path.piece_at(best)]
        if not path.kinematics.linear:  # where a motor hardly follows the path its steps do not show the place
            same &= np.min([slope[3:], slope[2:-1], slope[1:-2], slope[:-3]], axis=0) >= 0.05
        k = np.flatnonzero(same)
        if not len(k):
            return
        t = ticks / self.clock_hz
        allowed_s = min(self.header["tol"]["time_s"], stream.step_time_s(self.clock_hz))
        points = [k, k + 1, k + 2, k + 3]
        value, allowance = np.zeros(len(k)), np.zeros(len(k))
        shortest = np.min([t[k + 1] - t[k], t[k + 2] - t[k + 1], t[k + 3] - t[k + 2]], axis=0)
        ok = shortest > 0
        points = [part[ok] for part in points]
        value, allowance = value[ok], allowance[ok]
        fit = (path.fit_mm + path.curve_mm[m]) / np.maximum(slope[points[0]], 0.05)
        middle_speed = (best[points[3]] - best[points[0]]) / (t[points[3]] - t[points[0]])
        for a in range(4):
            weight = np.full(len(value), 6.0)
            for b in range(4):
                if a != b:
                    weight /= t[points[a]] - t[points[b]]
            value += weight * best[points[a]]
            allowance += np.abs(weight) * (middle_speed * 1.3 * allowed_s + 1e-9 + fit)
        jerk = self.header["limits"]["max_jerk"]
        limit = jerk + allowance
        ratio = np.abs(value) / limit
        w = int(ratio.argmax())
        i = int(points[0][w])
        self.report["timing"].see(
            abs(value[w]), limit[w], path.line_at(best[i]), int(ticks[i]), int((ratio > 1.02).sum()), len(ratio),
            "motor %s: a step out of its time" % self.steps.steppers[m]["name"],
        )  # fmt: skip

    def _stops(self, ticks, first, best, last, begins, loaded):
        """While the extruder alone moves, every other motor must stand on its nearest step."""
        path = self.path
        segment = path.segment_at(best)
        inside = path.e_only[segment] & (first > path.s[segment]) & (last < path.s[segment + 1])
        segments, where = np.unique(segment[inside], return_index=True)
        if not len(segments):
            return
        at = ticks[inside][where]
        for m in self.motors:
            if m in self.e_motors:
                continue
            done = begins[m] + np.searchsorted(loaded[m], at, "right")
            count = self.matches[m].counts_before(done)
            off = np.abs(path.motor[m][segments] - count)
            k = int(off.argmax())
            limit = 0.5 + match.HYSTERESIS
            self.report["stops"].see(
                off[k], limit, int(path.moves.line[segments[k]]), int(at[k]), int((off > limit + 1e-6).sum()), len(off),
                "motor %s stands off its place" % self.steps.steppers[m]["name"],
            )  # fmt: skip
