"""Errors of the hardware layer: one small tree, each with an integer `code` that never changes.

Codes are positive here; hal/stepcore.CoreError carries the core's own negative PW_E_* numbers.
"""

E_HAL = 1
E_CONFIG = 2
E_SENSOR = 3
E_STORAGE = 4
E_STORAGE_FULL = 5
E_BUSY = 6
E_UNSUPPORTED = 7
E_DATA = 8


class HalError(Exception):
    """Anything that the hardware layer refuses or fails at."""

    code = E_HAL

    def __init__(self, message, code=None):
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class ConfigError(HalError):
    """Machine data is wrong at `path` (dotted keys, "pcb.heaters.bed.pin"); `problem` says the value and what is allowed."""

    code = E_CONFIG

    def __init__(self, path, problem):
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class SensorError(HalError):
    """A sensor gives no believable value; `name` is the part, `problem` is "open", "short" or a sentence."""

    code = E_SENSOR

    def __init__(self, name, problem):
        super().__init__(f"{name}: {problem}")
        self.name = name
        self.problem = problem


class StorageError(HalError):
    """Flash or file system failed."""

    code = E_STORAGE


class StorageFull(StorageError):
    """No room; what was there is unharmed."""

    code = E_STORAGE_FULL


class BusyError(HalError):
    """Not now: the part is in use (a flash write while steps are due)."""

    code = E_BUSY


class UnsupportedError(HalError):
    """This machine or runtime has no such thing."""

    code = E_UNSUPPORTED


class DataError(HalError):
    """Data given is not what it claims to be (a broken compressed stream)."""

    code = E_DATA
