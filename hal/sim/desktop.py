"""What only the desktop has: durable files by a shared fsync, the lock of the state folder.  Its network: hal/sim/desktopnet.

CPython only; elsewhere this module does not import, and hal/sim/machine uses the plain parts.
"""

import asyncio
import fcntl
import os

from hal.api import FlashError
from hal.errors import BusyError, StorageError
from hal.sim.files import FolderFiles
from hal.sim.flash import FileFlash


class GroupSync:
    """One flush for all that wait: whoever comes while one runs joins the next.

    begin: called in the loop's thread when a flush starts; returns what does the work, blocking, in a thread of its own.  Its OSError
    reaches every waiter of that round as `error`.  rounds: flushes so far.
    """

    def __init__(self, begin, error):
        self._begin = begin
        self._error = error
        self._running = None
        self._next = None
        self._wanted = 0
        self._done = 0
        self.rounds = 0

    def changed(self):
        """Something was written that the next wait() has to make durable."""
        self._wanted += 1

    async def wait(self):
        want = self._wanted
        while self._done < want:
            if self._next is None:
                self._next = asyncio.ensure_future(self._round(self._running))
            # a waiter that is cancelled does not take the round away from the others
            await asyncio.shield(self._next)

    async def _round(self, before):
        if before is not None:
            await asyncio.wait([before])
        await asyncio.sleep(0)  # all that are ready now come along
        self._running, self._next = self._next, None
        upto = self._wanted
        self.rounds += 1
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._begin())
        except OSError as error:
            raise self._error("cannot be made durable: %s" % error) from None
        finally:
            self._running = None
        self._done = upto


class DurableFlash(FileFlash):
    """The file, unbuffered: what was programmed survives the end of the process at once, and a power failure after sync()."""

    def __init__(self, path, size, sector_bytes, page_bytes):
        self._sync = GroupSync(self._begin, FlashError)
        FileFlash.__init__(self, path, size, sector_bytes, page_bytes)
        try:
            os.fsync(self._file.fileno())
            _sync_folder(os.path.dirname(path) or ".")
        except OSError as error:
            raise FlashError("%s: cannot be made durable: %s" % (path, error.strerror)) from None

    def _put(self, offset, data):
        self._sync.changed()
        FileFlash._put(self, offset, data)

    def _begin(self):
        return self._flush

    def _flush(self):
        os.fdatasync(self._file.fileno())

    async def sync(self):
        await FileFlash.sync(self)
        await self._sync.wait()

    def barrier(self):
        """Waits, blocking, until all that was written is durable: for the rare case that what comes next must not overtake it."""
        try:
            self._flush()
        except OSError as error:
            raise FlashError("cannot be made durable: %s" % error) from None


class DurableFiles(FolderFiles):
    """A folder whose closed files are flushed by the next sync()."""

    def __init__(self, folder, capacity):
        self._sync = GroupSync(self._begin, StorageError)
        self._ended = []
        FolderFiles.__init__(self, folder, capacity)
        _sync_folder(os.path.dirname(folder) or ".")
        self._handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

    def ended(self, file, name):
        # kept open until it is flushed; one that was removed in between costs nothing
        self._ended.append(file)
        self._sync.changed()

    def remove(self, name):
        removed = FolderFiles.remove(self, name)
        if removed:
            self._sync.changed()
        return removed

    def _begin(self):
        ended, self._ended = self._ended, []

        def flush():
            try:
                for file in ended:
                    os.fsync(file.fileno())
                os.fsync(self._handle)
            finally:
                for file in ended:
                    file.close()

        return flush

    async def sync(self):
        await self._sync.wait()

    def free_bytes(self):
        stat = os.statvfs(self._handle)
        return min(FolderFiles.free_bytes(self), stat.f_bavail * stat.f_frsize)

    def close(self):
        for file in self._ended:
            file.close()
        self._ended = []
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _sync_folder(folder):
    """The names in a folder are on the medium when this returns."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class StateLock:
    """Keeps a second simulator away from a state folder, for as long as this process lives.  Raises BusyError, StorageError."""

    def __init__(self, folder):
        try:
            os.makedirs(folder, exist_ok=True)
            self._handle = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError("%s: cannot be used: %s" % (folder, error.strerror)) from None
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(self._handle, 20, 0).decode("ascii", "replace").strip()
            os.close(self._handle)
            self._handle = -1
            text = "%s is in use by another simulated printer (process %s); end it or choose another state folder"
            raise BusyError(text % (folder, owner or "unknown")) from None
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, b"%d\n" % os.getpid(), 0)

    def close(self):
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
