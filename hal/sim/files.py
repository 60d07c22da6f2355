"""Documents: in a folder, or in memory.  Room is limited to a capacity, as on a card of that size."""

from hal.api import FileReader, Files, FileWriter
from hal.errors import StorageError, StorageFull
from hal.files import file_size, is_full, listdir, makedirs, remove

_NAME_MAX = 64
_NAME_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."


def _checked(name):
    good = isinstance(name, str) and 0 < len(name) <= _NAME_MAX and name[0] != "."
    if good:
        for char in name:
            if char not in _NAME_CHARS:
                good = False
    if not good:
        raise StorageError("no name for a file: %r" % (name,))
    return name


def _failed(what, error):
    if is_full(error):
        raise StorageFull("%s: no room" % what)
    raise StorageError("%s: errno %s" % (what, error.errno))


class SimFiles(Files):
    """The capacity, over a store: RamFiles or FolderFiles."""

    def __init__(self, capacity):
        self._capacity = capacity
        self._used = 0
        self._full = None

    def attach(self, full):
        """full: callable, True when there is no room now, whatever the capacity; None: never."""
        self._full = full

    def free_bytes(self):
        if self._full and self._full():
            return 0
        return max(0, self._capacity - self._used)

    def admit(self):
        """A new file; StorageFull while there is no room at all."""
        if not self.free_bytes():
            raise StorageFull("no room for another file")

    def take(self, size):
        """Room for so many bytes more, or StorageFull."""
        if size > self.free_bytes():
            raise StorageFull("no room: %d bytes more, %d are free" % (size, self.free_bytes()))
        self._used += size

    def give(self, size):
        """Room that was taken and is not needed."""
        self._used -= size

    async def sync(self):
        """All is there once it was written."""

    def close(self):
        """Nothing is open between calls."""


class RamFiles(SimFiles):
    """In memory, on the interpreter's heap.  A new machine with the same object has the files of the old one."""

    def __init__(self, capacity=1 << 30):
        SimFiles.__init__(self, capacity)
        self._files = {}

    def create(self, name):
        self.remove(_checked(name))
        self.admit()
        self._files[name] = bytearray()
        return _RamWriter(self, self._files[name])

    def open(self, name):
        if _checked(name) not in self._files:
            raise StorageError("no file %s" % name)
        return _RamReader(self._files[name])

    def size(self, name):
        return len(self._files[name]) if _checked(name) in self._files else None

    def remove(self, name):
        if _checked(name) not in self._files:
            return False
        self.give(len(self._files.pop(name)))
        return True

    def names(self):
        return sorted(self._files)


class _RamWriter(FileWriter):
    def __init__(self, files, data):
        self._files = files
        self._data = data

    def write(self, buf):
        if self._data is None:
            raise StorageError("file is closed")
        self._files.take(len(buf))
        self._data.extend(buf)

    def close(self):
        self._data = None


class _RamReader(FileReader):
    def __init__(self, data):
        self._data = data
        self._at = 0

    def readinto(self, buf):
        n = min(len(buf), max(0, len(self._data) - self._at))
        buf[:n] = memoryview(self._data)[self._at : self._at + n]
        self._at += n
        return n

    def seek(self, position):
        self._at = position

    def close(self):
        pass


class FolderFiles(SimFiles):
    """In a folder, which is made when it is not there; other names in it are left alone."""

    def __init__(self, folder, capacity):
        SimFiles.__init__(self, capacity)
        self._folder = folder
        try:
            makedirs(folder)
            for name in self.names():
                self._used += self.size(name) or 0
        except OSError as error:
            _failed(folder, error)

    def path(self, name):
        return self._folder + "/" + _checked(name)

    def create(self, name):
        self.remove(name)
        self.admit()
        try:
            return FolderWriter(self, name, open(self.path(name), "wb", 0))
        except OSError as error:
            _failed(name, error)

    def open(self, name):
        try:
            return FolderReader(open(self.path(name), "rb", 0), name)
        except OSError as error:
            _failed(name, error)

    def size(self, name):
        try:
            return file_size(self.path(name))
        except OSError as error:
            _failed(name, error)

    def remove(self, name):
        size = self.size(name)
        if size is None:
            return False
        try:
            remove(self.path(name))
        except OSError as error:
            _failed(name, error)
        self.give(size)
        return True

    def names(self):
        found = []
        try:
            for name in listdir(self._folder):
                try:
                    found.append(_checked(name))
                except StorageError:
                    continue
        except OSError as error:
            _failed(self._folder, error)
        return found

    def ended(self, file, name):
        """A writer has finished with its file."""
        file.close()


class FolderWriter(FileWriter):
    def __init__(self, files, name, file):
        self._files = files
        self._name = name
        self._file = file
        self._ended = False
        self._size = 0

    def write(self, buf):
        if self._ended:
            raise StorageError("%s: file is closed" % self._name)
        size = len(buf)
        self._files.take(size)
        done = 0
        try:
            view = memoryview(buf)
            while done < size:
                done += self._file.write(view[done:])
        except OSError as error:
            self._take_back(size)
            _failed(self._name, error)
        self._size += size

    def _take_back(self, size):
        """A part may have been written: the next write goes where this one began."""
        self._files.give(size)
        self._file.seek(self._size)
        if hasattr(self._file, "truncate"):
            self._file.truncate(self._size)

    def close(self):
        if not self._ended:
            self._ended = True
            try:
                self._files.ended(self._file, self._name)
            except OSError as error:
                _failed(self._name, error)


class FolderReader(FileReader):
    def __init__(self, file, name):
        self._file = file
        self._name = name

    def readinto(self, buf):
        try:
            return self._file.readinto(buf)
        except OSError as error:
            _failed(self._name, error)

    def seek(self, position):
        self._file.seek(position)

    def close(self):
        self._file.close()
