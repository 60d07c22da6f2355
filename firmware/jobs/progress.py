"""How far a print is, and how long it will take: what the document says (M73), else by the bytes whose motion was played."""

from hal.compat import const

_PLACES_MAX = const(32)  # of 4 KiB each: more than a board looks ahead


class Progress:
    """runner: Runner, whose `status` and `job` are told."""

    def __init__(self, runner):
        self._runner = runner
        self.begin()

    def begin(self):
        """A new job."""
        self._started_ms = self._runner.clock.ticks_ms()
        self._told = None  # (percent, s left, at ms) as M73 said
        self._layers = 0
        self._done_bytes = 0  # of the documents before
        self._places = []  # (plan tick, bytes of text)

    def forget(self):
        """What is fed now is no document."""
        self._places = []

    def document(self):
        """A document begins, at plan tick 0."""
        self._places = [(0, self._done_bytes)]

    def document_done(self, text_bytes):
        """A document of so many bytes was printed."""
        self._done_bytes += text_bytes

    def count(self, tick, text_bytes):
        """Notes how much text was taken when the plan reached a tick; what is played says later how far the print is."""
        if len(self._places) < _PLACES_MAX:
            self._places.append((tick, self._done_bytes + text_bytes))

    def told(self, percent, left_s):
        """M73; None for what it does not say."""
        self._told = (percent, left_s, self._runner.clock.ticks_ms())

    def layer(self, number):
        """A layer comment with a number, or -1: one more."""
        self._layers += 1
        # ;LAYER:0 is the first
        layer = number + 1 if number >= 0 else self._layers
        self._runner.status.layer = layer
        if self._runner.job is not None:
            self._runner.job.layer = layer

    def _percent(self, job):
        """Percent by bytes whose motion was played, between places by time; None when nothing is known."""
        places = self._places
        status = self._runner.port.status()
        total = job.text_bytes or job.size
        if status.side or not places or not total:
            return None
        played = status.played_tick
        while len(places) > 1 and places[1][0] <= played:
            places.pop(0)
        tick, done = places[0]
        if len(places) > 1 and played > tick:
            done += (places[1][1] - done) * (played - tick) // (places[1][0] - tick)
        return min(done * 100 // total, 99)

    def tell(self, now_ms):
        """Every 100 ms while a job is in work."""
        job = self._runner.job
        status = self._runner.status
        percent = told_s = left_s = None
        at_ms = now_ms
        if self._told is not None:
            percent, told_s, at_ms = self._told
        percent = self._percent(job) if percent is None else min(percent, 99)
        if percent is not None:
            status.progress = job.progress = percent
        if told_s is not None:
            left_s = max(0, told_s - (now_ms - at_ms) // 1000)
        elif status.progress >= 2:
            spent_s = (now_ms - self._started_ms) // 1000
            left_s = spent_s * (100 - status.progress) // status.progress
        status.time_left_s = job.time_left_s = left_s
