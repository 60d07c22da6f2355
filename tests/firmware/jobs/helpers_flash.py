"""Fakes for the rooms below the queue: NOR flash in RAM with power cuts to order, files in RAM, a clock that is set by hand.

The cuts are crueller than hal/sim's: a cut program or erase may leave a prefix, a random mixture, or nearly nothing done, and unsynced
operations may be lost (in order).  Plain Python; runs on both.
"""

from hal.errors import StorageError, StorageFull


class PowerCut(Exception):
    """Raised by the operation that the power failed in, and by every one after it."""


# How much of the interrupted operation took place.
NOTHING = 0
PREFIX = 1
MIXED = 2
ALL = 3
MODES = (NOTHING, PREFIX, MIXED, ALL)


class FakeFlash:
    """size, sector and page in bytes.  cut_at: the n-th program or erase from now (0: the next) is interrupted."""

    def __init__(self, size, sector_bytes=4096, page_bytes=256):
        self.size = size
        self.sector_bytes = sector_bytes
        self.page_bytes = page_bytes
        self.data = bytearray(b"\xff" * size)
        self.programmed = set()  # pages since their erase
        self.ops = 0
        self.erases = [0] * (size // sector_bytes)
        self.fail = None  # exception to raise instead of programming
        self.fails_on = False  # not only once
        self._cut_at = None
        self._mode = ALL
        self._seed = 1
        self.dead = False
        self.syncs = 0

    def cut(self, at, mode):
        self._cut_at = at
        self._mode = mode
        self._seed = at * 4 + mode + 1

    def power_on(self):
        """The same chip with power again."""
        self.dead = False
        self._cut_at = None

    def _random(self):
        self._seed = (self._seed * 1103515245 + 12345) & 0x3FFFFFFF
        return self._seed >> 8

    def _done(self, length):
        """Which of the bytes of this operation take place, or None for all."""
        if self.dead:
            raise PowerCut()
        self.ops += 1
        if self._cut_at is None:
            return None
        if self._cut_at > 0:
            self._cut_at -= 1
            return None
        self.dead = True
        if self._mode == NOTHING:
            return 0
        if self._mode == PREFIX:
            return 1 + self._random() % length
        return -1 if self._mode == MIXED else length

    def read_into(self, offset, buf):
        if self.dead:
            raise PowerCut()
        n = len(buf)
        assert 0 <= offset and offset + n <= self.size, "read outside"
        buf[:n] = self.data[offset : offset + n]

    def program(self, offset, data):
        n = len(data)
        page = self.page_bytes
        assert offset % page == 0 and n % page == 0 and n and offset + n <= self.size, "program not aligned"
        if self.fail is not None:
            error = self.fail
            if not self.fails_on:
                self.fail = None
            # as api.Flash allows: anything between old and new
            for i in range(n // 2):
                self.data[offset + i] &= data[i]
            raise error
        done = self._done(n)
        for p in range(offset // page, (offset + n) // page):
            old = self.data[p * page : (p + 1) * page]
            new = data[p * page - offset : (p + 1) * page - offset]
            # a page may be programmed again only with the same bytes, as after a failure
            assert p not in self.programmed or old == new, "page programmed twice"
            if done is None:
                self.programmed.add(p)
        for i in range(n):
            old = self.data[offset + i]
            assert old & data[i] == data[i] or data[i] == 0xFF, "a bit would rise"
            if done is None or done > i:
                self.data[offset + i] = old & data[i]
            elif done == -1:
                self.data[offset + i] = old & (data[i] | (self._random() & 0xFF))
        if self.dead:
            raise PowerCut()

    def erase(self, offset):
        assert offset % self.sector_bytes == 0 and 0 <= offset < self.size, "erase not aligned"
        done = self._done(self.sector_bytes)
        self.erases[offset // self.sector_bytes] += 1
        if done is None or done == self.sector_bytes:
            self.data[offset : offset + self.sector_bytes] = b"\xff" * self.sector_bytes
        elif done == -1:
            for i in range(self.sector_bytes):
                self.data[offset + i] |= self._random() & 0xFF
        elif done:
            # bits drift up: first those of the sector's end, so that heads of records survive their values
            self.data[offset + self.sector_bytes - done : offset + self.sector_bytes] = b"\xff" * done
        first = offset // self.page_bytes
        for p in range(first, first + self.sector_bytes // self.page_bytes):
            self.programmed.discard(p)
        if self.dead:
            raise PowerCut()

    async def sync(self):
        if self.dead:
            raise PowerCut()
        self.syncs += 1


class CachedFlash(FakeFlash):
    """As a file on a desktop: what was not synced may be stored in any order, unit by unit of a page, when the power fails."""

    def __init__(self, size, sector_bytes=4096, page_bytes=256):
        FakeFlash.__init__(self, size, sector_bytes, page_bytes)
        self.disk = bytearray(self.data)
        self.barriers = 0

    def barrier(self):
        self.barriers += 1
        self.sync_now()

    def sync_now(self):
        if self.dead:
            raise PowerCut()
        self.disk[:] = self.data

    def fail_power(self, seed):
        """Each page that was not synced is old or new now."""
        self._seed = seed + 1
        page = self.page_bytes
        for at in range(0, self.size, page):
            if self.data[at : at + page] != self.disk[at : at + page] and self._random() & 1:
                self.disk[at : at + page] = self.data[at : at + page]
        self.data[:] = self.disk
        self.programmed = {p for p in range(self.size // page) if self.data[p * page : (p + 1) * page] != b"\xff" * page}
        self.power_on()


class _Writer:
    def __init__(self, files, name):
        self._files = files
        self._name = name
        files.data[name] = bytearray()
        self.closed = False

    def write(self, buf):
        if self._files.fail is not None:
            raise self._files.fail
        if self._files.total() + len(buf) > self._files.capacity:
            raise StorageFull("no room on the medium")
        self._files.data[self._name].extend(buf)

    def close(self):
        self.closed = True


class _Reader:
    def __init__(self, data):
        self._data = data
        self._at = 0

    def readinto(self, buf):
        part = self._data[self._at : self._at + len(buf)]
        buf[: len(part)] = part
        self._at += len(part)
        return len(part)

    def seek(self, position):
        self._at = position

    def close(self):
        pass


class FakeFiles:
    """capacity: bytes of the medium."""

    def __init__(self, capacity=1 << 30):
        self.data = {}
        self.capacity = capacity
        self.fail = None
        self.syncs = 0

    def total(self):
        return sum(len(d) for d in self.data.values())

    def create(self, name):
        return _Writer(self, name)

    def open(self, name):
        if name not in self.data:
            raise StorageError("no file " + name)
        return _Reader(self.data[name])

    def size(self, name):
        return len(self.data[name]) if name in self.data else None

    def remove(self, name):
        return self.data.pop(name, None) is not None

    def names(self):
        return sorted(self.data)

    def free_bytes(self):
        return self.capacity - self.total()

    async def sync(self):
        self.syncs += 1


class FakeClock:
    def __init__(self, uptime_s=1, unix_s=None):
        self.uptime = uptime_s
        self.unix = unix_s

    def uptime_s(self):
        return self.uptime

    def unix_s(self):
        return self.unix


class FakeCaps:
    def __init__(self, jobs=8, history=8, spool_bytes=1 << 20, write_while_moving=True):
        self.jobs = jobs
        self.history = history
        self.spool_bytes = spool_bytes
        self.write_while_moving = write_while_moving
        self.connections = 4
        self.tools = 1
