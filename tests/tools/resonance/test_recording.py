"""Recordings: both forms of CSV, and the one-line errors of those that cannot be used."""

import numpy as np
import pytest

from tools.resonance import calibrate, recording
from tools.resonance.recording import RANGE_G, RecordingError

RATE = 3200.0


def noisy(seconds, seed=0):
    rng = np.random.default_rng(seed)
    accel = rng.normal(size=(int(seconds * RATE), 3)) * 110
    accel[:, 2] += 9806.65
    return np.round(accel / 38.25) * 38.25


def shaking(seconds=10, frequency_hz=50, size=9000):
    accel = noisy(seconds)
    accel[:, 0] += size * np.sin(2 * np.pi * frequency_hz * np.arange(len(accel)) / RATE)
    return accel


def test_round_trip(tmp_path):
    path, accel = tmp_path / "x.csv", shaking()
    recording.write(path, RATE, accel)
    again = recording.read(path)
    assert again.rate_hz == pytest.approx(RATE, rel=1e-4) and np.allclose(again.accel, accel, atol=1e-5)
    assert again.seconds == pytest.approx(10, rel=1e-3)


def test_windows_ends_and_blank_lines(tmp_path):
    path = tmp_path / "x.csv"
    recording.write(path, RATE, shaking())
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n\r\n# done\r\n")
    assert len(recording.read(path).accel) == 32000


def test_reprapfirmware(tmp_path):
    path = tmp_path / "x.csv"
    accel = shaking()[:14000] / 9806.65
    rows = "".join("%d,%.4f,%.4f,%.4f\n" % (k, *row) for k, row in enumerate(accel))
    path.write_text("Sample,X,Y,Z\n" + rows + "Rate 1344, overflows 0\n")
    again = recording.read(path)
    assert again.rate_hz == pytest.approx(1344, rel=1e-3) and again.accel[:, 2].mean() == pytest.approx(9806, abs=10)
    path.write_text("Sample,X,Y,Z\n" + rows + "Rate 1344, overflows 3\n")
    with pytest.raises(RecordingError, match="line 14002: .*overflowed 3 times"):
        recording.read(path)
    path.write_text("Sample,X,Y,Z\n" + rows)
    with pytest.raises(RecordingError, match="cut off"):
        recording.read(path)
    path.write_text("Sample,X,Y,Z\n0,1,2\n")
    with pytest.raises(RecordingError, match="line 2: a number and three values"):
        recording.read(path)


def rows(count, rate_hz=RATE):
    return "".join("%.6f,%d,%d,9806\n" % (k / rate_hz, 100 + k % 7, k % 5) for k in range(count))


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "is empty"),
        ("   \n\n", "is empty"),
        (recording.HEADER + "\n", "no samples"),
        ("#freq,psd_x,psd_y,psd_z,psd_xyz\n1,2,3,4,5\n", "line 1: holds a spectrum"),
        ("#what,is,this\n1,2,3\n", "line 1: "),
        (recording.HEADER + "\n" + rows(10) + "0.1,abc,2,3\n", "line 12: 4 numbers expected, not 0.1,abc,2,3"),
        (recording.HEADER + "\n" + rows(10) + "0.1,1,2\n", "line 12: 4 numbers"),
        (recording.HEADER + "\n" + rows(10) + "0.1,1,nan,2\n", "line 12: 4 numbers"),
        (recording.HEADER + "\n" + rows(3000), "too short"),
        (recording.HEADER + "\n" + rows(3000, 400), "400 samples a second are too few"),
        (recording.HEADER + "\n" + rows(20000) + rows(20000), "time does not go forward"),
    ],
)
def test_bad_files(tmp_path, text, message):
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(RecordingError, match=message) as raised:
        recording.read(path)
    assert str(raised.value).startswith(str(path) + ": ") and "\n" not in str(raised.value)


def test_binary(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(bytes(range(256)) * 100)
    with pytest.raises(RecordingError, match="line "):
        recording.read(path)


def test_clipped():
    accel = np.clip(shaking(size=200000), -RANGE_G[-1] * 9806.65, RANGE_G[-1] * 9806.65)
    times = np.arange(len(accel)) / RATE
    with pytest.raises(RecordingError, match="x is cut off at 16.0 g"):
        recording.check("x.csv", times, accel)
    with pytest.raises(RecordingError, match="x is cut off at 2.0 g"):
        recording.check("x.csv", times, np.clip(shaking(size=30000), -2 * 9806.65, 2 * 9806.65))
    recording.check("x.csv", times, shaking(size=100000))  # loud, but whole
    recording.check("x.csv", times, noisy(10))


def test_gaps():
    accel = shaking()
    times = np.arange(len(accel)) / RATE
    keep = (times < 4) | (times > 4.5)
    with pytest.raises(RecordingError, match="5 % of the samples are missing"):
        recording.check("x.csv", times[keep], accel[keep])


def test_only_noise():
    seen = recording.check("x.csv", np.arange(32000) / RATE, noisy(10))
    with pytest.raises(calibrate.NoResonance, match="x.csv: there is nothing but noise"):
        calibrate.spectrum_of([seen])
    silent = np.zeros((32000, 3))
    with pytest.raises(calibrate.NoResonance):
        calibrate.spectrum_of([recording.Recording("x.csv", RATE, silent)])
