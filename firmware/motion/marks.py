"""Actions that wait for the motion to reach their place: each has a mark in the core's queue, and both keep the same order."""

from hal.compat import const

_ID_MASK = const(0x3FFFFFFF)  # ids stay small integers on MicroPython


class Marks:
    """core: hal.stepcore.StepCore.  Never holds more than the core and the port queue marks (machine data: rings)."""

    def __init__(self, core):
        self._core = core
        self._waiting = []
        self._id = 0

    def clear(self):
        """A new document, or the end of one that goes no further."""
        self._waiting = []

    def add(self, action):
        """Puts a mark behind the motion fed so far; False when the queue is full: let time pass, then call again."""
        if not self._core.mark(self._id):
            return False
        self._waiting.append((self._id, action))
        self._id = (self._id + 1) & _ID_MASK
        return True

    def due(self):
        """Actions whose places the motion has passed since the last call, in order."""
        fired = self._core.port.marks()
        if not fired:
            return ()
        actions = []
        for mark_id, _ in fired:
            # marks of a document that was given up may still come
            if self._waiting and self._waiting[0][0] == mark_id:
                actions.append(self._waiting.pop(0)[1])
        return actions

    def __len__(self):
        return len(self._waiting)
