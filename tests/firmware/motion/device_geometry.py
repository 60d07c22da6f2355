"""Counts, places and meshes on both Pythons: a delta's geometry, the bed of a probe, a mesh in the core."""

import unittest

from firmware.motion.geometry import Geometry
from hal import factory
from hal.errors import HalError
from hal.sim.switches import Bed
from hal.stepcore import StepCore


class TestDelta(unittest.TestCase):
    def setUp(self):
        small = {"pcb": {"rings": {"runs": 16, "marks": 16}}, "printer": {"motion": {"look_ahead": 16}}}
        self.description = factory.describe("sim-delta", small)
        self.core = StepCore(factory.core_config(self.description))
        self.geometry = Geometry(self.description, self.core)

    def test_there_and_back(self):
        self.assertEqual(self.geometry.counts_at([0, 0, 300000000]), [93354, 93354, 93354])
        for place in ([0, 0, 0], [12345678, -98765432, 4000000], [-139000000, 0, 250000000]):
            counts = self.geometry.counts_at(place)
            back = self.geometry.place_at(counts)
            self.assertEqual(self.geometry.counts_at(back), counts)
            for axis in range(3):
                self.assertTrue(abs(back[axis] - place[axis]) < 12000, (place, back))

    def test_no_such_place(self):
        self.assertEqual(self.geometry.place_at([0, 0, 100000]), None)
        self.assertRaises(HalError, self.geometry.counts_at, [300000000, 0, 0])

    def test_mesh(self):
        shape = [0, 2, 2, -100000, -100000, 200000, 200000, 1000, 11000]
        self.core.mesh(shape, [0, 200000, 0, 200000])
        self.assertEqual(self.core.mesh_lift_nm([0, 0, 500000]), 100000)
        self.assertEqual(self.core.mesh_lift_nm([50000000, 7000000, 6000000]), 75000)
        self.assertEqual(self.core.mesh_lift_nm([50000000, 7000000, 12000000]), 0)
        self.core.mesh()
        self.assertEqual(self.core.mesh_lift_nm([0, 0, 500000]), 0)
        self.assertRaises(HalError, self.core.mesh, [0, 2, 2, 0, 0, 1000, 1000, 0, 0], [0, 5000001, 0, 0])

    def test_a_bed_under_the_probe(self):
        printer = dict(self.description["printer"])
        printer["probe"] = dict(
            printer["probe"], surface={"height_mm": 0.1, "tilt_x": 0.001, "tilt_y": 0, "wave_mm": 0, "wave_length_mm": 200}
        )
        seen = []
        bed = Bed(printer, self.core, lambda k, threshold: seen.append((k[0], threshold)))
        self.assertTrue(abs(bed.height_mm(50, 20) - 0.15) < 1e-5)
        at = self.geometry.counts_at([50000000, 20000000, 3000000])
        bed.follow(at)
        k, threshold = seen[-1]
        # the probe closes half a millimetre above the bed: 0.65 mm
        steps = at[0] * k - threshold
        self.assertEqual(k, -1)
        self.assertTrue(abs(steps + (3 - 0.65) * 160) <= 1, steps)


if __name__ == "__main__":
    unittest.main()
