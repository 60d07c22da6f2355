"""Which commands a document may contain: the allow-list of both G-code dialects, as one table.

What a command is depends on the command alone, never on state or on its words, so that the step stream does not depend on them
either.  Motion commands (G0 to G4, G10, G11, G17 to G21, G90 to G92, M82, M83, M201 to M205, M900, F) stay in the core and never get
here.  Which tools there are the core knows as well.

Not here: the words of a command (values.py), what it does (jobs/runner), the texts of refusals (messages.py).
Sources: PWG 5199.7 as far as it is known (PWG Safe G-Code), the commands that PrusaSlicer, OrcaSlicer and Cura write.
"""

from hal.compat import const

REFUSE = const(0)
IGNORE = const(1)  # harmless: nothing happens, the job counts a warning
MARK = const(2)  # done when the motion reaches its place; look-ahead goes on
FLUSH = const(3)  # motion ends first, then the command is done
OBJECT = const(4)  # says which object is printed from here on (gcode/objects.py)

NAMES = ("refuse", "ignore", "mark", "flush", "object")

GCODE = const(0)  # text/x-gcode; the numbers are those of enum pw_dialect
SAFE_GCODE = const(1)  # application/vnd.pwg-safe-gcode

# name: (text/x-gcode, Safe G-Code).  A command that is not here is refused.
_TABLE = {
    "EXCLUDE_OBJECT": (OBJECT, REFUSE),
    "G28": (FLUSH, FLUSH),
    "G29": (FLUSH, REFUSE),  # measures the bed, where the machine can; otherwise the way home is all
    "T0": (FLUSH, FLUSH),
    "T1": (FLUSH, FLUSH),
    "T2": (FLUSH, FLUSH),
    "T3": (FLUSH, FLUSH),
    "T4": (FLUSH, FLUSH),
    "M17": (IGNORE, REFUSE),
    "M18": (IGNORE, REFUSE),
    "M73": (MARK, REFUSE),
    "M84": (IGNORE, IGNORE),
    "M104": (MARK, IGNORE),
    "M105": (IGNORE, IGNORE),
    "M106": (MARK, MARK),
    "M107": (MARK, MARK),
    "M109": (FLUSH, IGNORE),
    "M110": (IGNORE, REFUSE),
    "M115": (IGNORE, REFUSE),
    "M117": (MARK, IGNORE),
    "M118": (IGNORE, REFUSE),
    "M140": (MARK, IGNORE),
    "M141": (MARK, IGNORE),
    "M190": (FLUSH, IGNORE),
    "M191": (FLUSH, IGNORE),
    "M220": (IGNORE, REFUSE),  # with S100 only: values.py
    "M221": (IGNORE, REFUSE),  # with S100 only: values.py
    "M300": (IGNORE, REFUSE),
    "M400": (FLUSH, REFUSE),
    "M486": (OBJECT, REFUSE),
    "M600": (FLUSH, REFUSE),
    "M572": (IGNORE, REFUSE),
    "M593": (IGNORE, REFUSE),
}


def name(letter, number, sub=0):
    """ "M104", "G38.2" as a person writes it."""
    if letter == "E":
        return "EXCLUDE_OBJECT"
    if sub:
        return "%s%d.%d" % (letter, number, sub)
    return "%s%d" % (letter, number)


def classify(dialect, letter, number, sub=0):
    """What a command is: IGNORE, MARK, FLUSH or REFUSE.

    dialect: GCODE or SAFE_GCODE; letter "G", "M", "T" or "E"; number 104 for M104; sub 2 for G38.2.
    """
    row = _TABLE.get(name(letter, number, sub))
    return REFUSE if row is None else row[dialect]


def commands(dialect):
    """Names of all commands in the table that are not refused, sorted: for documentation and attributes."""
    return sorted(key for key in _TABLE if _TABLE[key][dialect] != REFUSE)
