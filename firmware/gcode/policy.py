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
_LETTERS = "rimfo"

GCODE = const(0)  # text/x-gcode; the numbers are those of enum pw_dialect
SAFE_GCODE = const(1)  # application/vnd.pwg-safe-gcode

# A command and its letter (of NAMES) in text/x-gcode and in Safe G-Code.  A command that is not here is refused.  One text: a dictionary
# would take 2 KB of a small heap.
# G29 measures the bed, where the machine can; otherwise the way home is all.  M220 and M221 with S100 only: values.py.
_TABLE = """
EXCLUDE_OBJECT or
G28 ff
G29 fr
T0 ff
T1 ff
T2 ff
T3 ff
T4 ff
M17 ir
M18 ir
M73 mr
M84 ii
M104 mi
M105 ii
M106 mm
M107 mm
M109 fi
M110 ir
M115 ir
M117 mi
M118 ir
M140 mi
M141 mi
M190 fi
M191 fi
M220 ir
M221 ir
M300 ir
M400 fr
M486 or
M600 fr
M572 ir
M593 ir
"""


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
    row = "\n" + name(letter, number, sub) + " "
    at = _TABLE.find(row)
    return REFUSE if at < 0 else _LETTERS.find(_TABLE[at + len(row) + dialect])


def commands(dialect):
    """Names of all commands in the table that are not refused, sorted: for documentation and attributes."""
    rows = [row.split(" ") for row in _TABLE.strip().split("\n")]
    return sorted([key for key, letters in rows if letters[dialect] != _LETTERS[REFUSE]])
