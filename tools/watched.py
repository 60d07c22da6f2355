"""What a printer reported while it was watched: temperatures, position and progress over time, asked for by IPP.  No drawing here."""

import time

ASKED = ("printer-name", "printer-state", "printwright-temperatures", "printwright-position")
POSITION_MM = 0.01  # a unit of printwright-position
BUSY = ("processing", "stopped")


class Watched:
    """Samples in the order they came.

    t: s since the first; temperatures: heater -> list of (t, current, target) in degC, None where it is not known; places: list of
    (t, x, y, z) in mm; states: list of (t, printer-state), one at each change.
    """

    def __init__(self):
        self.name = ""
        self.t = []
        self.temperatures = {}
        self.places = []
        self.states = []

    def add(self, t, found):
        """found: an answer to Get-Printer-Attributes with ASKED, plain values."""
        self.name = found.get("printer-name") or self.name
        self.t.append(t)
        for reading in found.get("printwright-temperatures") or ():
            values = {name.rsplit("-", 1)[-1]: value for name, value in reading.items()}
            self.temperatures.setdefault(values["name"], []).append((t, values.get("current"), values.get("target")))
        place = found.get("printwright-position")
        if isinstance(place, dict):
            xyz = [place[axis] * POSITION_MM for axis in "xyz" if place.get(axis) is not None]
            if len(xyz) == 3:
                self.places.append((t, *xyz))
        state = found.get("printer-state")
        if not self.states or self.states[-1][1] != state:
            self.states.append((t, state))


    def told(self):
        """What is so now, in a few words."""
        parts = [self.states[-1][1] or "unknown"]
        for name, readings in self.temperatures.items():
            _, current, target = readings[-1]
            parts.append("%s %s/%s °C" % (name, "-" if current is None else current, target or 0))
        return ", ".join(parts)


def watch(printer, watched, seconds=None, interval_s=0.25, clock=time.monotonic, sleep=time.sleep):
    """Asks again and again: for `seconds`, or without them until the printer, once busy, is idle again.  Generator of None, one an answer.

    Raises tools.ipp.ClientError.
    """
    begin = clock()
    busy = False
    while True:
        now = clock() - begin
        found = printer.printer_attributes(ASKED)
        watched.add(now, found)
        yield
        busy = busy or found.get("printer-state") in BUSY
        if seconds is None:
            if busy and found.get("printer-state") not in BUSY:
                return
        elif now >= seconds:
            return
        sleep(interval_s)
