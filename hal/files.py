"""Files where the runtimes differ: making, replacing, asking for room, and what an OSError means.

open(), read, readinto, write, seek, tell and close are the same on both.  Errors other than the ones named here come as OSError;
compare their `errno` with the names below, which hold on the runtime at hand.
"""

import errno as _errno
import os
import sys

if sys.platform == "webassembly":
    # MicroPython's table does not know that the C library below it numbers errors as WASI does
    EEXIST, EINVAL, EIO, EISDIR, ENOENT, ENOSPC, ENOTDIR = 20, 28, 29, 31, 44, 51, 54
    EADDRINUSE, ECONNRESET, ENOTCONN, EPIPE, ETIMEDOUT = 3, 15, 53, 64, 73
else:
    # names that a board's table leaves out have the same number everywhere else
    EEXIST = _errno.EEXIST
    EINVAL = _errno.EINVAL
    EIO = _errno.EIO
    EISDIR = _errno.EISDIR
    ENOENT = _errno.ENOENT
    ENOSPC = getattr(_errno, "ENOSPC", 28)
    ENOTDIR = getattr(_errno, "ENOTDIR", 20)
    EADDRINUSE = _errno.EADDRINUSE
    ECONNRESET = _errno.ECONNRESET
    ENOTCONN = _errno.ENOTCONN
    EPIPE = getattr(_errno, "EPIPE", 32)
    ETIMEDOUT = _errno.ETIMEDOUT

_S_IFDIR = 0x4000
_S_IFMT = 0xF000


def _mode(path):
    try:
        return os.stat(path)[0]
    except OSError as e:
        if e.errno in (ENOENT, ENOTDIR):
            return None
        raise


def exists(path):
    """True for a file or a directory."""
    return _mode(path) is not None


def is_dir(path):
    """True for a directory."""
    mode = _mode(path)
    return mode is not None and mode & _S_IFMT == _S_IFDIR


def file_size(path):
    """Bytes, or None when there is no such file."""
    try:
        return os.stat(path)[6]
    except OSError as e:
        if e.errno in (ENOENT, ENOTDIR):
            return None
        raise


def listdir(path):
    """Names in the directory, sorted."""
    return sorted(os.listdir(path))


def makedirs(path):
    """Makes the directory and its parents; one that is there is fine."""
    at = 0
    while at >= 0:
        at = path.find("/", at + 1)
        part = path if at < 0 else path[:at]
        if part and not is_dir(part):
            try:
                os.mkdir(part)
            except OSError as e:
                if e.errno != EEXIST:
                    raise


def remove(path):
    """Removes the file; True when there was one."""
    try:
        os.remove(path)
    except OSError as e:
        if e.errno in (ENOENT, ENOTDIR):
            return False
        raise
    return True


def sync(file):
    """What was written to the open file is on the medium when this returns, as far as the runtime can promise it."""
    file.flush()
    if hasattr(os, "fsync"):
        os.fsync(file.fileno())
    elif hasattr(os, "sync"):
        os.sync()


def replace(source, target):
    """Renames over an existing file.  Atomic on the desktop and on littlefs; on FAT a power cut may lose the target."""
    if hasattr(os, "replace"):
        os.replace(source, target)
        return
    try:
        os.rename(source, target)
    except OSError as e:
        if e.errno != EEXIST:
            raise
        os.remove(target)
        os.rename(source, target)


def free_bytes(path):
    """Room left for files in the file system that holds path."""
    if not hasattr(os, "statvfs"):
        return None
    s = os.statvfs(path)
    return s[1] * s[4]


def is_full(error):
    """True when an OSError says that there is no room left."""
    return error.errno == ENOSPC
