"""The words of the commands that the policy lets through: which letters, which ranges.

Values arrive in millionths, as the core read them (hal.stepcore.Event.value).  Temperatures must lie within the limits of machine
and material, since a client's value may never reach beyond what is safe (PWG 5100.21-2019 section 12.5).

Not here: whether the command is allowed at all (policy.py), line and column (messages.py).
"""

from hal.api import nozzle_of
from hal.compat import const

MIN_EXTRUDE_C = const(170)  # colder filament is not pushed
_UNIT = 1000000
_FAN_MAX = 255
_COOL_WAIT_MIN_C = 40  # waiting for the machine to cool below that may last for ever

# name: letters that may stand there.  A command that is not here takes any words, since none of them does anything.
_LETTERS = {
    "G28": "WXYZ",  # W: no mesh levelling afterwards; there is none
    "T0": "",
    "T1": "",
    "T2": "",
    "T3": "",
    "T4": "",
    "M73": "CDPQRS",
    "M104": "ST",
    "M106": "PS",
    "M107": "P",
    "M109": "RST",
    "M140": "S",
    "M141": "S",
    "M190": "RS",
    "M191": "RS",
    "M220": "S",
    "M221": "S",
    "M400": "",
}

# name: heater that its S or R sets; "nozzle": that of the tool in force, or of T
HEATER_OF = {
    "M104": "nozzle",
    "M109": "nozzle",
    "M140": "bed",
    "M190": "bed",
    "M141": "chamber",
    "M191": "chamber",
}


def heater_of(name, event, tool, heaters):
    """Name of the heater that a command sets, None for other commands; tool: the one in force; heaters: names of those there are."""
    heater = HEATER_OF.get(name)
    if heater != "nozzle":
        return heater
    named = event.value("T")
    return nozzle_of(tool if named is None else named // _UNIT, heaters)


def target_c(event):
    """Temperature in degC that a heating command asks for: its S, else its R (rounded); None without both."""
    value = event.value("S")
    if value is None:
        value = event.value("R")
    return None if value is None else (value + _UNIT // 2) // _UNIT


def fan_permille(event):
    """M106's S of 0 to 255 as 0 to 1000; without S full speed, as slicers mean it."""
    value = event.value("S")
    if value is None:
        return 1000
    return (value * 1000 // _FAN_MAX + _UNIT // 2) // _UNIT


def _unknown_letter(name, event):
    allowed = _LETTERS.get(name)
    words = event.words
    if allowed is None or not words:
        return None
    for index in range(26):
        letter = chr(65 + index)
        if (words >> index) & 1 and letter not in allowed:
            return "has no word " + letter
    return None


def _temperature(name, event, limits, tools, in_force):
    if event.value("S") is not None and event.value("R") is not None:
        return "takes S or R, not both"
    target = target_c(event)
    if target is None:
        return "needs a temperature (S)"
    tool = event.value("T")
    if tool is not None and (tool % _UNIT or not 0 <= tool < tools * _UNIT):
        return "names a tool that this machine does not have"
    heater = heater_of(name, event, in_force, limits)
    if target < 0:
        return "a temperature below 0 degC"
    highest = limits.get(heater)
    if highest is None:
        # slicers write M141 S0 for any machine; off is what an absent heater is
        return None if target == 0 else "this machine has no %s heater" % heater
    if target > highest:
        return "%d degC is above the limit of %d degC for the %s" % (target, highest, heater)
    if event.value("R") is not None and 0 < target < _COOL_WAIT_MIN_C:
        return "waiting to cool to %d degC may never end; the lowest is %d" % (target, _COOL_WAIT_MIN_C)
    return None


def check(name, event, limits, tools=1, tool=0):
    """The words of one command: None when they are fine, else what is wrong with them, as the rest of a sentence.

    name: policy.name() of it; event: what ended the scan or feed (letters with values in millionths); limits: heater name ->
    highest temperature in degC; a heater that the machine does not have is left out; tools: how many it has; tool: the one in force.
    """
    wrong = _unknown_letter(name, event)
    if wrong:
        return wrong
    if name in HEATER_OF:
        return _temperature(name, event, limits, tools, tool)
    if name == "M106" or name == "M107":
        fan = event.value("P")
        if fan is not None and fan != 0:
            return "names a fan that this machine does not have"
        speed = event.value("S")
        if speed is not None and not 0 <= speed <= _FAN_MAX * _UNIT:
            return "S is beyond 0 to 255"
    elif name == "M220" or name == "M221":
        if event.value("S") != 100 * _UNIT:
            return "only S100 is allowed in a document"
    elif name == "M73":
        percent = event.value("P")
        if percent is not None and not 0 <= percent <= 100 * _UNIT:
            return "P is beyond 0 to 100"
        minutes = event.value("R")
        if minutes is not None and minutes < 0:
            return "R is below 0"
    return None
