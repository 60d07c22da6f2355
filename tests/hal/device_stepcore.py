"""Core, port and sink through hal/stepcore on both Pythons: what the properties of test_stepcore.py promise, in small."""

import unittest
from array import array

from hal import stepcore, stepport
from hal.errors import ConfigError
from hal.stepsink import Sink, StreamDigest, pack_ticks
from tests.hal.helpers_core import core_config, drain, play

MS = 16000
# a few corners of every motor; each test makes its own core, so the queues are short
TEXT = b"""G21
M82
G1 Z0.3 F600
G1 X20 Y15 F6000
G1 X30 Y15 E0.5 F3000
G1 X30 Y25 E1
G1 E0.2 F2400
G1 X5 Y5 F9000
"""


def small(**changes):
    changes.setdefault("window", 16)
    changes.setdefault("ring_runs", 32)
    changes.setdefault("ring_marks", 8)
    return stepcore.StepCore(
        core_config("sim-cartesian", **changes), {"queue_runs": 16, "side_runs": 16, "queue_marks": 8, "lease_ms": 500}
    )


class TestCore(unittest.TestCase):
    def test_one_stream_however_it_is_fed_and_played(self):
        core = small()
        want = drain(core, TEXT)
        self.assertEqual(want.error, None)
        self.assertTrue(min(want.steps) > 0)
        self.assertEqual(drain(core, TEXT, [1, 7, 30], pack_bytes=16).digest, want.digest)
        played = play(core, TEXT, advance_ticks=40 * MS)
        self.assertEqual(played.digest, want.digest)
        self.assertEqual(played.steps, want.steps)
        self.assertEqual(core.port.status().fault, 0)

    def test_events(self):
        core = small()
        text = b"M104 S205.5 T0\n;LAYER:12\nG1 X1e9 F100\n"
        core.begin()
        at = core.feed(text, 0, len(text))
        event = core.event
        self.assertEqual((event.kind, event.letter, event.number, event.line), (stepcore.PW_EV_COMMAND, "M", 104, 1))
        self.assertEqual((event.value("S"), event.value("T"), event.value("P")), (205500000, 0, None))
        at += core.feed(text, at, len(text))
        self.assertEqual((event.kind, event.number), (stepcore.PW_EV_LAYER, 12))
        core.feed(text, at, len(text))
        self.assertEqual(event.kind, stepcore.PW_EV_ERROR)
        self.assertEqual(event.line, 3)
        self.assertTrue(event.name.startswith("PW_E_"))
        self.assertEqual(core.status().error, event.code)

    def test_scan_agrees_with_feed(self):
        core = small()
        core.begin(stepcore.PW_SCAN)
        at = 0
        while at < len(TEXT):
            at += core.scan(TEXT, at, min(at + 9, len(TEXT)))
            self.assertTrue(core.event.kind in (stepcore.PW_EV_NONE, stepcore.PW_EV_COMMAND, stepcore.PW_EV_LAYER))
        bad = b"G1 X500 F100\n"
        core.begin(stepcore.PW_SCAN)
        core.scan(bad, 0, len(bad))
        self.assertEqual(core.event.code, stepcore.PW_E_VOLUME)

    def test_mistakes_are_named(self):
        for name, value in (("window", 3), ("ring_runs", None), ("no_such", 1), ("max_um", [1])):
            config = core_config("sim-cartesian")
            config[name] = value
            try:
                stepcore.StepCore(config)
                self.fail(name)
            except ConfigError as e:
                self.assertEqual(e.path, name)
        core = small()
        core.begin()
        try:
            core.leave()
            self.fail("nothing to leave")
        except stepcore.CoreError as e:
            self.assertEqual((e.code, e.name), (stepcore.PW_E_STATE, "PW_E_STATE"))

    def test_recorded_steps_give_the_digest(self):
        core = small()
        want = drain(core, TEXT)
        core.begin()
        sink = Sink(core, 256, 100)
        digest = StreamDigest(core.motors)
        again = array("q", (0,))
        out = bytearray(1200)
        same = True
        at = 0
        while True:
            if at < len(TEXT):
                at += core.feed(TEXT, at, len(TEXT))
            else:
                core.end_document()
            more = True
            while more:
                more = sink.drain_core()
                digest.update(sink)
                n = len(sink.dirs(0))
                if n:
                    packed = pack_ticks(sink.ticks(0), sink.dirs(0), n, again, out)
                    same = same and bytes(memoryview(out)[:packed]) == bytes(sink.pack(0))
            if core.event.kind == stepcore.PW_EV_END:
                break
        self.assertTrue(same)
        self.assertEqual(digest.digest().hex(), want.digest)
        self.assertEqual(again[0], sink.last_tick(0))


class TestPort(unittest.TestCase):
    def test_marks_fire_when_played(self):
        core = small()
        core.begin()
        text = b"G1 X10 F3000\n"
        core.feed(text, 0, len(text))
        self.assertTrue(core.mark(3))
        self.assertTrue(core.flush())
        core.port.advance(10 * MS)
        self.assertEqual(core.port.marks(), [])
        while core.port.advance(50 * MS) == stepport.PW_HOST_DONE:
            pass
        marks = core.port.marks()
        self.assertEqual([mark for mark, _ in marks], [3])
        self.assertTrue(marks[0][1] <= core.port.played())

    def test_homing_to_a_switch(self):
        core = small()
        port = core.port
        core.begin()
        port.place(0, 800)
        port.input(1, stepport.PW_INPUT_LIVE, (-1, 0, 0, 0), 0)
        core.enter()
        port.gate(0, 1)
        text = b"G91\nG1 X-30 F3000\n"
        core.feed(text, 0, len(text))
        self.assertTrue(core.flush())
        while port.advance(50 * MS) in (stepport.PW_HOST_DONE, stepport.PW_HOST_GATE):
            pass
        status = port.status()
        self.assertEqual((status.physical(0), status.trigger_count(0), status.trigger_count(1)), (0, -800, None))
        self.assertEqual(port.input_state(1), 1)
        core.leave()
        port.set_count(0, 0)
        self.assertEqual(port.status().count(0), 0)

    def test_hold_and_quick_stop(self):
        core = small()
        port = core.port
        core.begin()
        text = b"G1 X100 F6000\n"
        core.feed(text, 0, len(text))
        core.flush()
        port.advance(200 * MS)
        port.hold()
        self.assertEqual(port.advance(400 * MS), stepport.PW_HOST_HELD)
        self.assertEqual(port.status().rate_q32, 0)
        port.resume()
        port.advance(200 * MS)
        port.quick_stop()
        self.assertEqual(port.advance(400 * MS), stepport.PW_HOST_HELD)
        self.assertEqual(port.status().latched, stepport.PW_LATCH_STOP)
        with self.assertRaises(stepcore.CoreError):
            port.resume()
        self.assertEqual(port.status().hard_stops, 0)

    def test_lease(self):
        core = small()
        port = core.port
        port.heater(0, 300)
        port.advance(499 * MS, True)
        self.assertEqual(port.output(0), 300)
        port.advance(2 * MS, True)
        self.assertEqual(port.output(0), 0)
        self.assertEqual(port.energy(0), 300 * 500 * MS)
        self.assertEqual(port.status().latched, stepport.PW_LATCH_LEASE)
        port.clear()
        port.heater(0, 300)
        self.assertEqual(port.output(0), 300)


if __name__ == "__main__":
    unittest.main()
