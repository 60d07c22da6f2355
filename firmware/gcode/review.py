"""One document's commands, judged in order: policy and values together, with the warnings counted.

The checker runs a Review over the whole document before anything moves; the runner runs another one while it prints, so that
both give the same verdict.  The first refusal ends the document.
"""

from firmware.gcode import policy, values
from hal.api import nozzle_of
from hal.compat import seldom

MAX_WARNINGS_NAMED = 4  # names of ignored commands that job-state-message quotes


def limits_for(caps, materials=()):
    """Limits for a Review: the machine's highest targets, each nozzle's within those of its tool's material (None: not known)."""
    limits = dict(caps.max_target_c)
    for tool in range(len(materials)):
        name = nozzle_of(tool, limits)
        material = materials[tool]
        if material is not None and material.nozzle_max_c < limits.get(name, 0):
            limits[name] = material.nozzle_max_c
    return limits


class Review:
    """dialect: policy.GCODE or SAFE_GCODE; limits: heater name -> highest temperature in degC (absent heaters left out).
    tools: how many the machine has.  nozzles_c: what each tool's nozzle has before the document says anything, forced_c: what
    the ticket gives it whatever the document says; None: nothing.

    `heater` is what the last command sets, or None; `ignored` counts the commands that did nothing, `named` are the first different
    ones, `heats` the names of the heaters that the document sets above 0 by itself.  `cold` has bit n set where Tn must not push
    filament: its nozzle was last told less than that takes.
    """

    def __init__(self, dialect, limits, tools=1, nozzles_c=None, forced_c=None):
        self.dialect = dialect
        self.limits = limits
        self.tools = tools
        self.tool = 0
        self.heater = None
        self.ignored = 0
        self.named = []
        self.heats = []
        self.action = policy.IGNORE
        self.name = ""
        self.cold = 0
        self._forced_c = {}  # heater: degC
        for tool in range(tools):
            heater = nozzle_of(tool, limits)
            if forced_c and forced_c[tool] and heater not in self._forced_c:
                self._forced_c[heater] = forced_c[tool]
            self._chill(heater, nozzles_c[tool] if nozzles_c else None)

    def _chill(self, heater, target_c):
        for tool in range(self.tools):
            if nozzle_of(tool, self.limits) == heater:
                bit = 1 << tool
                self.cold = self.cold & ~bit | (bit if (target_c or 0) < values.MIN_EXTRUDE_C else 0)

    def command(self, event):
        """Judges an event of kind PW_EV_COMMAND: None when it is allowed (then `action` and `name` say what it is), else the
        refusal with line, column and command."""
        name = policy.name(event.letter, event.number, event.sub)
        action = policy.classify(self.dialect, event.letter, event.number, event.sub)
        self.name = name
        self.action = action
        if action == policy.REFUSE:
            return seldom("firmware.gcode.messages", "command_error")(event, "not allowed in this document format")
        wrong = None
        if action != policy.IGNORE or self.dialect == policy.GCODE:
            wrong = values.check(name, event, self.limits, self.tools, self.tool)
        if wrong:
            self.action = policy.REFUSE
            return seldom("firmware.gcode.messages", "command_error")(event, wrong)
        if action == policy.IGNORE:
            self.ignored += 1
            if name not in self.named and len(self.named) < MAX_WARNINGS_NAMED:
                self.named.append(name)
        else:
            if event.letter == "T":
                self.tool = event.number
            self.heater = heater = values.heater_of(name, event, self.tool, self.limits)
            if heater:
                target_c = values.target_c(event)
                if target_c and heater not in self.heats:
                    self.heats.append(heater)
                self._chill(heater, self._forced_c.get(heater, target_c) if target_c else target_c)
        return None

    def warning(self, core_ignored=0):
        """ "ignored 12 commands (M105, M84)", or None; core_ignored: commands that the core ignored itself (M900)."""
        count = self.ignored + core_ignored
        if not count:
            return None
        text = "ignored %d command%s" % (count, "" if count == 1 else "s")
        if self.named:
            text += " (%s)" % ", ".join(self.named)
        return text
