"""Documents of the simulator: names, room, durability."""

import asyncio
import errno
import os

import pytest

from hal import factory
from hal.errors import StorageError, StorageFull
from hal.sim import SimOptions, build, desktop
from hal.sim.files import FolderFiles, RamFiles


@pytest.fixture(params=["ram", "folder", "durable"])
def files(request, tmp_path):
    capacity = 10000
    if request.param == "ram":
        made = RamFiles(capacity)
    else:
        made = (FolderFiles if request.param == "folder" else desktop.DurableFiles)(str(tmp_path / "documents"), capacity)
    yield made
    made.close()


def put(files, name, data):
    writer = files.create(name)
    writer.write(data)
    writer.close()
    asyncio.run(files.sync())


def get(files, name, size=100000):
    reader = files.open(name)
    buf = bytearray(size)
    n = reader.readinto(buf)
    reader.close()
    return bytes(buf[:n])


def test_write_and_read(files):
    put(files, "1-1.gcode", b"G28\n" * 100)
    assert get(files, "1-1.gcode") == b"G28\n" * 100
    assert files.size("1-1.gcode") == 400
    assert files.names() == ["1-1.gcode"]
    assert files.free_bytes() == 9600


def test_reading_in_pieces_and_seeking(files):
    put(files, "a", bytes(range(100)))
    reader = files.open("a")
    buf = bytearray(30)
    got = b""
    while n := reader.readinto(buf):
        got += buf[:n]
    assert got == bytes(range(100))
    reader.seek(95)
    assert reader.readinto(buf) == 5 and buf[:5] == bytes(range(95, 100))
    reader.close()


def test_one_may_read_what_another_still_writes(files):
    writer = files.create("a")
    writer.write(b"one")
    reader = files.open("a")
    buf = bytearray(10)
    assert reader.readinto(buf) == 3
    writer.write(b"two")
    assert reader.readinto(buf) == 3 and buf[:3] == b"two"
    reader.close()
    writer.close()


def test_removing_gives_room_back(files):
    put(files, "a", bytes(6000))
    assert files.remove("a")
    assert not files.remove("a")
    assert files.size("a") is None and files.names() == []
    put(files, "b", bytes(9000))


def test_creating_again_replaces(files):
    put(files, "a", bytes(6000))
    put(files, "a", b"new")
    assert get(files, "a") == b"new"
    assert files.free_bytes() == 9997


def test_full_takes_nothing_of_the_piece(files):
    writer = files.create("a")
    writer.write(bytes(9990))
    with pytest.raises(StorageFull):
        writer.write(bytes(11))
    assert files.size("a") == 9990
    writer.write(b"1234567890")
    with pytest.raises(StorageFull):
        writer.write(b"x")
    with pytest.raises(StorageFull):
        files.create("b")
    writer.close()
    assert files.free_bytes() == 0
    files.remove("a")
    assert files.free_bytes() == 10000


def test_a_closed_writer_takes_no_more(files):
    writer = files.create("a")
    writer.close()
    writer.close()
    with pytest.raises(StorageError):
        writer.write(b"x")


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../x", "a\0b", "ä", "x" * 65, None, "a b"])
def test_names_that_are_none(files, name):
    for call in (files.create, files.open, files.size, files.remove):
        with pytest.raises(StorageError):
            call(name)


def test_no_such_file(files):
    with pytest.raises(StorageError):
        files.open("nothing")


def test_a_folder_keeps_files_and_counts_them(tmp_path):
    first = FolderFiles(str(tmp_path / "d"), 1000)
    put(first, "a", bytes(300))
    (tmp_path / "d" / "not ours").write_bytes(bytes(50))
    again = desktop.DurableFiles(str(tmp_path / "d"), 1000)
    assert again.names() == ["a"] and again.free_bytes() == 700
    again.close()


class _FullFile:
    """A file on a device that fills up in the middle of a write."""

    def __init__(self, file, room):
        self._file = file
        self._room = room

    def write(self, data):
        if self._room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        n = self._file.write(data[: self._room])
        self._room -= n
        return n

    def __getattr__(self, name):
        return getattr(self._file, name)


def test_a_full_device_is_full_and_leaves_no_half_piece(tmp_path):
    files = FolderFiles(str(tmp_path / "d"), 1000)
    writer = files.create("a")
    writer.write(b"good")
    writer._file = _FullFile(writer._file, 3)
    with pytest.raises(StorageFull):
        writer.write(b"longer")
    writer.close()
    assert get(files, "a") == b"good"
    assert files.free_bytes() == 996


def test_other_errors_are_no_full_device(tmp_path):
    files = FolderFiles(str(tmp_path / "d"), 1000)
    os.rmdir(tmp_path / "d")
    with pytest.raises(StorageError) as error:
        files.create("a")
    assert not isinstance(error.value, StorageFull)


def test_sync_flushes_files_and_folder_once_for_all(tmp_path, monkeypatch):
    files = desktop.DurableFiles(str(tmp_path / "d"), 100000)
    flushed = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (flushed.append(os.readlink("/proc/self/fd/%d" % handle)), real(handle)))

    async def client(number):
        writer = files.create("f%d" % number)
        writer.write(b"x")
        writer.close()
        await files.sync()
        assert any(name.endswith("/f%d" % number) for name in flushed)

    async def run():
        await asyncio.gather(*(client(n) for n in range(20)))

    asyncio.run(run())
    assert len([name for name in flushed if name.endswith("/d")]) <= 3
    files.close()


def test_capacity_of_a_machine():
    machine = build(factory.describe(), SimOptions(capacity=5000))
    assert machine.caps.spool_bytes == 5000 and machine.files.free_bytes() == 5000
    machine.close()


def test_disk_full_to_order():
    machine = build(factory.describe(), SimOptions(faults=["disk-full@0.1"]))
    writer = machine.files.create("a")
    writer.write(b"x")
    asyncio.run(machine.clock.wait_ms(150, True))
    with pytest.raises(StorageFull):
        writer.write(b"x")
    with pytest.raises(StorageFull):
        machine.files.create("b")
    assert machine.files.free_bytes() == 0
    machine.close()
