"""The dual parts of hal/sim on both Pythons: heat, faults, flash, files.  A whole machine is too much for one turn of MicroPython in
Node, which collects garbage between turns only; the print from end to end shows that one."""

import unittest

from boards.thermistors import DATA as TABLES
from hal.errors import ConfigError, StorageError, StorageFull
from hal.sim.faults import Faults, parse
from hal.sim.files import FolderFiles, RamFiles
from hal.sim.flash import FileFlash, PowerCut, RamFlash
from hal.sim.plants import Ntc, Plant, divider


class TestHeat(unittest.TestCase):
    def test_block_and_sensor(self):
        plant = Plant({"power_w": 40, "capacity_j_k": 16, "loss_w_k": 0.08, "fan_loss_w_k": 0.04, "sensor_s": 4}, 22)
        for _ in range(100):
            plant.step(0.05, 2, 22)
        self.assertTrue(33.9 < plant.block_c < 34.5)
        self.assertTrue(22 < plant.sensor_c < plant.block_c - 5)

    def test_what_a_converter_reads(self):
        ntc = Ntc(TABLES["generic-3950"])
        self.assertTrue(abs(ntc.ohm(150) - 1770) < 0.1)
        self.assertTrue(ntc.ohm(-300) > ntc.ohm(20) > ntc.ohm(400) > 0)
        self.assertEqual(divider(0, 4700, 12), 0)
        self.assertEqual(divider(1e12, 4700, 12), 65535)
        self.assertTrue(abs(divider(4700, 4700, 12) - 32768) < 17)


class TestFaults(unittest.TestCase):
    def test_orders(self):
        fault = parse("sensor-stuck:bed=55.5@30")
        self.assertEqual((fault.kind, fault.part, fault.value, fault.at_ms), ("sensor-stuck", "bed", 55.5, 30000))
        for spec in ("", "meteor", "sensor-open:roof", "stall", "endstop-stuck:x=ajar", "disk-full=1", "sensor-open@soon"):
            with self.assertRaises(ConfigError):
                parse(spec)

    def test_time(self):
        faults = Faults(["sensor-open:bed@2", "stall=300"])
        self.assertEqual(len(faults.poll(0)), 1)
        self.assertEqual(faults.find("stall").take(), 300)
        self.assertEqual(faults.find("stall"), None)
        self.assertEqual(len(faults.poll(2000)), 1)
        self.assertTrue(faults.find("sensor-open", "bed") is not None)


class TestFlash(unittest.TestCase):
    def check(self, flash):
        buf = bytearray(256)
        flash.read_into(4096, buf)
        self.assertEqual(buf, b"\xff" * 256)
        flash.program(4096, b"\x0f" * 256)
        flash.program(4096, b"\x0e" + b"\xff" * 255)
        flash.read_into(4096, buf)
        self.assertEqual(buf, b"\x0e" + b"\x0f" * 255)
        with self.assertRaises(StorageError):
            flash.program(4096, b"\xf0" + b"\xff" * 255)
        with self.assertRaises(StorageError):
            flash.program(4097, b"\xff" * 256)
        flash.erase(4096)
        flash.read_into(4096, buf)
        self.assertEqual(buf, b"\xff" * 256)
        flash.cut_after(1, "none")
        try:
            flash.erase(0)
            self.fail("power was cut")
        except PowerCut:
            pass
        flash.power_on()
        flash.erase(0)

    def test_in_memory(self):
        self.check(RamFlash(16384, 4096, 256))

    def test_in_a_file(self):
        path = "device_flash.bin"
        from hal.files import remove

        flash = FileFlash(path, 16384, 4096, 256)
        try:
            self.check(flash)
            flash.program(512, b"\x07" * 256)
            flash.close()
            flash = FileFlash(path, 16384, 4096, 256)
            buf = bytearray(256)
            flash.read_into(512, buf)
            self.assertEqual(buf, b"\x07" * 256)
        finally:
            flash.close()
            remove(path)


class TestFiles(unittest.TestCase):
    def check(self, files):
        writer = files.create("1.gcode")
        writer.write(b"G28\n")
        writer.write(memoryview(b"xxG1 X1\nyy")[2:8])
        writer.close()
        self.assertEqual(files.size("1.gcode"), 10)
        self.assertEqual(files.names(), ["1.gcode"])
        reader = files.open("1.gcode")
        buf = bytearray(7)
        self.assertEqual(reader.readinto(buf), 7)
        self.assertEqual(buf, b"G28\nG1 ")
        self.assertEqual(reader.readinto(buf), 3)
        self.assertEqual(reader.readinto(buf), 0)
        reader.seek(4)
        reader.readinto(memoryview(buf)[:2])
        self.assertEqual(buf[:2], b"G1")
        reader.close()
        writer = files.create("2.gcode")
        with self.assertRaises(StorageFull):
            writer.write(bytes(1000))
        writer.write(bytes(990))
        with self.assertRaises(StorageFull):
            writer.write(b"x")
        writer.close()
        self.assertEqual(files.size("2.gcode"), 990)
        self.assertTrue(files.remove("2.gcode"))
        self.assertFalse(files.remove("2.gcode"))
        self.assertEqual(files.free_bytes(), 990)
        with self.assertRaises(StorageError):
            files.open("2.gcode")
        with self.assertRaises(StorageError):
            files.create("../x")
        files.remove("1.gcode")

    def test_in_memory(self):
        self.check(RamFiles(1000))

    def test_in_a_folder(self):
        self.check(FolderFiles("device_documents", 1000))
        import os

        os.rmdir("device_documents")


if __name__ == "__main__":
    unittest.main()
