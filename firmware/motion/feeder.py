"""Feeds one document's bytes to the core and says what stands in the way.  Steps only: it never waits.

The bytes come from a reader (readinto(buf) -> n, 0 at the end); one buffer, made once, serves every document.
"""

from firmware.gcode.lines import Lines
from hal import stepcore
from hal.compat import const

READ = const(0)  # a whole buffer was taken: let the others run, then go on
FULL = const(1)  # the queue is full: let time pass
COMMAND = const(2)  # `event` holds a command
LAYER = const(3)  # `event` holds a layer comment
ERROR = const(4)  # `event` says what is wrong with the text
END = const(5)  # all of the text was taken: flush the core


class _Nothing:
    """What is read before the first document."""

    def readinto(self, buf):
        return 0


class Feeder:
    """core: hal.stepcore.StepCore; buffer_bytes: size of one read."""

    def __init__(self, core, buffer_bytes):
        self.core = core
        self.event = core.event
        self._buf = bytearray(buffer_bytes)
        self._at = self._end = 0
        self._reader = _Nothing()
        self._text = Lines()
        self._over = False
        self.taken_bytes = 0

    def begin(self, reader):
        """A new document; the caller has called core.begin()."""
        self._reader = reader
        self._text = Lines()
        self._at = self._end = 0
        self._over = False
        self.taken_bytes = 0

    @property
    def drained(self):
        """True when the buffer is used up: a good moment to let others run."""
        return self._at == self._end

    def step(self, one_line=False):
        """Feeds until something stands in the way: READ, FULL, COMMAND, LAYER, ERROR or END.

        one_line: takes no more than the rest of one line (then READ), for a caller that looks at what each line did.
        """
        if self._at == self._end:
            if self._over:
                return END
            self._refill()
        end = self._end
        if one_line:
            end = self._buf.find(b"\n", self._at, end) + 1 or end
        took = self.core.feed(self._buf, self._at, end)
        self._at += took
        self.taken_bytes += took
        kind = self.event.kind
        if kind == stepcore.PW_EV_NONE:
            return READ
        if kind == stepcore.PW_EV_FULL:
            return FULL
        if kind == stepcore.PW_EV_COMMAND:
            return COMMAND
        if kind == stepcore.PW_EV_LAYER:
            return LAYER
        return ERROR

    def line(self):
        """Text of the line that the last command stood in."""
        return self._text.line(self._buf, self._at)

    def _refill(self):
        self._text.keep(self._buf, self._end)
        self._at = 0
        self._end = self._reader.readinto(self._buf)
        if not self._end:
            # A last line may lack its end.  pw_end would do as well, but it ends whatever text was worked on last, and the checker
            # may have scanned another one meanwhile.
            self._over = True
            self._buf[0] = 10
            self._end = 1
