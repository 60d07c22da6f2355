"""Driving core and port in tests; runs on both Pythons.

drain(): without a port.  play(): through the host port in time.  Both return a Played.
"""

import binascii

from hal import factory
from hal.stepcore import PW_EV_COMMAND, PW_EV_END, PW_EV_ERROR, PW_EV_FULL, PW_EV_NONE, StepCore
from hal.stepport import PW_HOST_FAULT, PW_HOST_IDLE
from hal.stepsink import Sink, StreamDigest


def core_config(machine="sim-cartesian", **changes):
    """Fields of struct pw_config of a machine of boards/, some changed."""
    config = factory.core_config(factory.describe(machine))
    for name in changes:
        config[name] = changes[name]
    return config


def make_core(machine="sim-cartesian", port_config=None, **changes):
    return StepCore(core_config(machine, **changes), port_config)


class Played:
    """What came out: digest (hex), steps per motor, the core's status words that matter, commands met ("M104")."""

    def __init__(self):
        self.digest = None
        self.steps = None
        self.last_tick = None
        self.final_tick = None
        self.moves = None
        self.commands = []
        self.error = None
        self.turns = 0
        self.reasons = set()


class Source:
    """Text in pieces: whole, or of sizes given in turn."""

    def __init__(self, text, sizes=None):
        self.text = text
        self.sizes = sizes
        self.at = 0
        self.turn = 0

    def end(self):
        """Where the next piece ends."""
        if self.sizes is None:
            return len(self.text)
        size = self.sizes[self.turn % len(self.sizes)]
        return min(len(self.text), self.at + size)

    def feed(self, core):
        """One call of the core; True at the end of the document."""
        if self.at < len(self.text):
            self.at += core.feed(self.text, self.at, self.end())
            if core.event.kind == PW_EV_NONE:
                self.turn += 1
        else:
            core.end_document()
        return core.event.kind == PW_EV_END


class _Tape:
    def __init__(self, core, pack_bytes):
        self.sink = Sink(core, pack_bytes)
        self.digest = StreamDigest(core.motors)

    def take(self, drain):
        more = True
        while more:
            more = drain()
            self.digest.update(self.sink)

    def fill(self, played, core):
        played.digest = str(binascii.hexlify(self.digest.digest()), "ascii")
        played.steps = [self.sink.steps(m) for m in range(core.motors)]
        played.last_tick = [self.sink.last_tick(m) for m in range(core.motors)]
        status = core.status()
        played.moves = status.moves
        played.final_tick = status.final_tick


def _note(played, core):
    """Commands are only noted, errors end it; True to go on."""
    event = core.event
    if event.kind == PW_EV_COMMAND:
        played.commands.append("%s%d" % (event.letter, event.number))
    elif event.kind == PW_EV_ERROR:
        played.error = (event.name, event.line, event.column)
        return False
    return True


def drain(core, text, sizes=None, pack_bytes=4096, drain_every=None):
    """Feeds all of the text and takes the steps from the core itself.  drain_every: also after so many calls of feed."""
    played = Played()
    source = Source(text, sizes)
    core.begin()
    tape = _Tape(core, pack_bytes)
    take = lambda: tape.sink.drain_core()  # noqa: E731
    while True:
        ended = source.feed(core)
        played.turns += 1
        if not _note(played, core):
            while not core.flush():  # what was right up to there still counts
                tape.take(take)
            ended = True
        if ended or core.event.kind == PW_EV_FULL or (drain_every and played.turns % drain_every == 0):
            tape.take(take)
        if ended:
            break
    tape.fill(played, core)
    return played


def play(core, text, sizes=None, pack_bytes=4096, advance_ticks=160000, each_turn=None):
    """Feeds text whenever the core has room, and plays it through the port in steps of advance_ticks.

    each_turn(core, turn): called before every advance; may hold, resume, ...
    """
    played = Played()
    source = Source(text, sizes)
    port = core.port
    core.begin()
    port.tap(True)
    tape = _Tape(core, pack_bytes)
    take = lambda: tape.sink.drain_port()  # noqa: E731
    ended = False
    while True:
        while not ended:
            ended = source.feed(core)
            if not _note(played, core):
                ended = True
                while not core.flush():
                    port.advance(advance_ticks)
                    tape.take(take)
            if core.event.kind == PW_EV_FULL:
                break
        if each_turn:
            each_turn(core, played.turns)
        reason = port.advance(advance_ticks)
        played.reasons.add(reason)
        tape.take(take)
        port.marks()
        played.turns += 1
        if reason == PW_HOST_FAULT or (ended and reason == PW_HOST_IDLE):
            break
        if played.turns > 200000:
            raise RuntimeError("the port does not come to an end: reason %d" % reason)
    tape.fill(played, core)
    port.tap(False)
    return played
