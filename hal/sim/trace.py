"""Records what the port played: digest of the step stream and, when somebody wants them, the steps themselves.

writer_of(core_config) makes the writer of one job: `append(motor, ticks, dirs)` with little-endian int64 ticks and int8 directions,
`commit()`, `abort()`; tools/stepfile has one.  None: digest only.
"""

import sys

from hal.api import Trace
from hal.stepsink import Sink, StreamDigest

_PACK_BYTES = 16384
_RECORD_STEPS = 4096


class SimTrace(Trace):
    """`digest` (32 bytes) and `steps` (a list, one number a motor) belong to the last job that ended; None before."""

    def __init__(self, core, core_config, writer_of=None):
        self._core = core
        self._config = core_config
        self._writer_of = writer_of
        self._writer = None
        self._stream = None
        self.digest = None
        self.steps = None
        self.error = None
        self._sink = Sink(core, _PACK_BYTES, _RECORD_STEPS if writer_of else 0)
        core.port.tap(True)

    def begin(self):
        if self._writer:
            self._writer.abort()
            self._writer = None
        self.error = None
        self._sink = Sink(self._core, _PACK_BYTES, _RECORD_STEPS if self._writer_of else 0)
        self._stream = StreamDigest(self._core.motors)
        if self._writer_of:
            try:
                self._writer = self._writer_of(self._config)
            except OSError as error:
                self._failed(error)

    def drain(self):
        """Takes what was played; the clock calls it after every slice."""
        more = True
        while more:
            more = self._sink.drain_port()
            if self._stream is None:
                continue
            self._stream.update(self._sink)
            if self._writer:
                try:
                    for motor in range(self._core.motors):
                        self._writer.append(motor, self._sink.ticks(motor), self._sink.dirs(motor))
                except OSError as error:
                    self._failed(error)

    def end(self):
        if self._stream is None:
            return
        self.drain()
        self.digest = self._stream.digest()
        self.steps = [self._sink.steps(motor) for motor in range(self._core.motors)]
        self._stream = None
        if self._writer:
            try:
                self._writer.commit()
            except OSError as error:
                self._failed(error)
            self._writer = None

    def _failed(self, error):
        """The record is lost, the print goes on."""
        self.error = error
        print("printwright: the steps of this job are not recorded: %s" % (error,), file=sys.stderr)
        if self._writer:
            self._writer.abort()
            self._writer = None
