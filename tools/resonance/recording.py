"""Recordings of an accelerometer: CSV files, and the checks that tell a usable one.

Two forms are read: "#time,accel_x,accel_y,accel_z" with seconds and mm/s^2 (Klipper writes it, and so do we), and RepRapFirmware's
"Sample,X,Y,Z" with values in g and the rate in its last line ("Rate 1344, overflows 0").
"""

import warnings

import numpy as np

HEADER = "#time,accel_x,accel_y,accel_z"
GRAVITY_MM_S2 = 9806.65
MIN_RATE_HZ = 1000
MIN_SECONDS = 5.0
MOST_SAMPLES = 20_000_000
GAP = 0.02  # share of the time that may be missing
RANGE_G = (2, 4, 8, 16)  # ranges of the usual sensors
CLIP_RUNS = 4  # times that the signal stays at its extreme value


class RecordingError(ValueError):
    """A recording that cannot be used; the message names the file, and the line where one is wrong."""


class Recording:
    """name: of the file.  rate_hz: samples a second.  accel: (n, 3) mm/s^2 of x, y, z."""

    def __init__(self, name, rate_hz, accel):
        self.name, self.rate_hz, self.accel = name, rate_hz, accel

    @property
    def seconds(self):
        return len(self.accel) / self.rate_hz


def read(path):
    """Recording of a CSV file, checked.  Raises RecordingError, OSError."""
    with open(path, "rb") as file:
        head = file.read(4096)
    if not head.strip():
        raise RecordingError("%s: is empty; record the accelerometer while the sweep runs" % path)
    first = head.split(b"\n", 1)[0].decode("latin-1").strip().lower().replace(" ", "")
    if first.startswith("sample,x"):
        times, accel = _read_samples(path)
    elif first.startswith("#freq") or first.startswith("freq,"):
        raise RecordingError("%s: line 1: holds a spectrum, not a recording; give the raw data (%s)" % (path, HEADER))
    elif first.startswith(HEADER) or not first.startswith("#"):
        rows = _numbers(path, 4)
        times, accel = rows[:, 0], rows[:, 1:]
    else:
        raise RecordingError("%s: line 1: %s expected, not %s" % (path, HEADER, first[:40]))
    return check(path, times, accel)


def _numbers(path, columns):
    """(n, columns) of the lines that are neither empty nor comments; errors name the line."""
    with open(path, "rb") as file:
        text = file.read()
    lines = text.count(b"\n") + 1
    if lines > MOST_SAMPLES:
        raise RecordingError("%s: %d lines; more than %d are not read" % (path, lines, MOST_SAMPLES))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # no data: told below
            rows = np.loadtxt(text.decode("ascii").splitlines(), delimiter=",", ndmin=2, comments="#")
        if len(rows) and rows.shape[1] == columns and np.isfinite(rows).all():
            return rows
    except (ValueError, UnicodeDecodeError):
        pass
    # slowly once more, to tell which line it is
    found = []
    for number, line in enumerate(text.split(b"\n"), 1):
        words = line.split(b"#")[0].strip()
        if not words:
            continue
        fields = words.split(b",")
        try:
            values = [float(field) for field in fields]
        except ValueError:
            values = []
        if len(values) != columns or not np.isfinite(values).all():
            shown = words[:40].decode("ascii", "replace")
            raise RecordingError("%s: line %d: %d numbers expected, not %s" % (path, number, columns, shown))
        found.append(values)
    if not found:
        raise RecordingError("%s: there are no samples in it" % path)
    return np.array(found)


def _read_samples(path):
    """RepRapFirmware's form: the rate stands in the last line."""
    rate_hz = None
    rows = []
    with open(path, encoding="ascii", errors="replace") as file:
        next(file)
        for number, line in enumerate(file, 2):
            words = line.strip()
            if words.lower().startswith("rate"):
                fields = words.replace(",", " ").split()
                try:
                    rate_hz = float(fields[1])
                    lost = int(float(fields[3])) if len(fields) > 3 else 0
                except (ValueError, IndexError):
                    raise RecordingError("%s: line %d: a rate expected, not %s" % (path, number, words[:40])) from None
                if lost:
                    raise RecordingError("%s: line %d: the sensor's buffer overflowed %d times; record it again" % (path, number, lost))
            elif words:
                try:
                    _, x, y, z = words.split(",")
                    rows.append((float(x), float(y), float(z)))
                except ValueError:
                    raise RecordingError("%s: line %d: a number and three values expected, not %s" % (path, number, words[:40])) from None
    if not rate_hz or not rate_hz > 0:
        raise RecordingError("%s: the last line should say the rate; the recording was cut off" % path)
    return np.arange(len(rows)) / rate_hz, np.array(rows).reshape(-1, 3) * GRAVITY_MM_S2


def check(path, times, accel):
    """Recording of times (s) and (n, 3) mm/s^2, or RecordingError: too short, too slow, with gaps, clipped."""
    if len(times) < 2 or times[-1] - times[0] < MIN_SECONDS:
        seconds = times[-1] - times[0] if len(times) > 1 else 0
        raise RecordingError("%s: %.1f s are too short; record the whole sweep" % (path, seconds))
    steps = np.diff(times)
    if steps.min() <= 0:
        raise RecordingError("%s: sample %d: time does not go forward" % (path, int(np.argmax(steps <= 0)) + 2))
    seconds = times[-1] - times[0]
    usual = float(np.median(steps))
    gaps = steps > 3 * usual
    missing = (steps[gaps] - usual).sum() / seconds
    if missing > GAP:
        raise RecordingError("%s: %.0f %% of the samples are missing; record it again" % (path, 100 * missing))
    rate_hz = (len(times) - 1) / seconds
    if rate_hz < MIN_RATE_HZ:
        raise RecordingError("%s: %.0f samples a second are too few; at least %d are needed" % (path, rate_hz, MIN_RATE_HZ))
    for axis in range(3):
        limit = _clipped_at(accel[:, axis])
        if limit:
            shown = path, "xyz"[axis], limit / GRAVITY_MM_S2
            raise RecordingError("%s: %s is cut off at %.1f g; choose a larger range of the sensor or a weaker sweep" % shown)
    return Recording(str(path), float(rate_hz), np.asarray(accel, float))


def _clipped_at(values):
    """The value (mm/s^2) at which a signal is cut off, or 0: it rests at its extreme for three samples again and again."""
    for extreme in (values.max(), values.min()):
        at = np.abs(values - extreme) < 1e-6 * abs(extreme) + 1e-9
        runs = at[2:] & at[1:-1] & at[:-2]
        starts = int(runs[0]) + int((np.diff(runs.astype(np.int8)) > 0).sum())
        near_range = min(abs(abs(extreme) / GRAVITY_MM_S2 / limit - 1) for limit in RANGE_G) < 0.02
        if starts >= CLIP_RUNS and (near_range or abs(extreme) > 1.5 * GRAVITY_MM_S2):
            return abs(float(extreme))
    return 0.0


def write(path, rate_hz, accel):
    """Writes samples (n, 3) in mm/s^2 as CSV."""
    times = np.arange(len(accel)) / rate_hz
    with open(path, "w", encoding="ascii") as out:
        out.write(HEADER + "\n")
        for at in range(0, len(accel), 65536):
            part = np.column_stack((times[at : at + 65536], accel[at : at + 65536]))
            out.write("".join("%.6f,%.6f,%.6f,%.6f\n" % tuple(row) for row in part))
