"""What is told about a document that is refused or ended: line, column, command, reason.  Texts only."""

from firmware.gcode import policy
from hal import stepcore as core

_TEXTS = {
    core.PW_E_SYNTAX: "this is not G-code",
    core.PW_E_NUMBER: "not a number, or one too large",
    core.PW_E_LINE_LENGTH: "the line is too long",
    core.PW_E_CHECKSUM: "the checksum is wrong",
    core.PW_E_RETRACT: "this machine has no firmware retraction",
    core.PW_E_VOLUME: "the move leaves the print volume",
    core.PW_E_NO_FEEDRATE: "a move before the first F",
    core.PW_E_FEEDRATE: "F must be above 0",
    core.PW_E_EXTRUSION: "too much filament for this move",
    core.PW_E_ARC: "this is no arc: radius or centre do not fit its ends",
    core.PW_E_OFFSET: "G92 may set E only",
    core.PW_E_DWELL: "the pause is below 0 or above an hour",
    core.PW_E_VALUE: "the limit given is out of range",
    core.PW_E_DIALECT: "not allowed in this document format",
    core.PW_E_TOOL: "this machine has no such tool",
    core.PW_E_REACH: "this machine cannot reach that place",
    core.PW_E_REPEATED: "a letter or a command twice in one line",
    core.PW_E_WORD: "this word does not belong to the command",
    core.PW_E_COLD: "the nozzle is too cold to extrude: at least 170 degC must be asked for before",
    core.PW_E_ASSERT: "internal error of the motion core",
}


def place(line, column):
    """ "line 12, column 5" """
    return "line %d, column %d" % (line, column)


def core_error(event):
    """For an event of kind PW_EV_ERROR."""
    text = _TEXTS.get(event.code)
    if text is None:
        text = event.name or "error"
    if event.letter:
        text = "%s: %s" % (policy.name(event.letter, event.number, event.sub), text)
    return "%s: %s" % (place(event.line, event.column), text)


def command_error(event, problem):
    """For an event of kind PW_EV_COMMAND whose command or words are not allowed; problem: the rest of the sentence."""
    return "%s: %s: %s" % (place(event.line, event.column), policy.name(event.letter, event.number, event.sub), problem)
