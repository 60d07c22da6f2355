"""What the verifier found: one entry a rule, with the worst figure and its place."""


class Finding:
    """A rule: worst figure seen against its limit, both in `unit`; line and tick of that place; count of violations."""

    def __init__(self, name, unit, limit_text):
        self.name, self.unit, self.limit_text = name, unit, limit_text
        self.worst = None
        self.ratio = 0.0
        self.limit = None
        self.line = self.tick = None
        self.violations = 0
        self.checked = 0
        self.why = ""

    def see(self, value, limit, line, tick, bad, checked=1, why=""):
        """Takes the worst of a batch: value against limit, the number of violations and of places looked at."""
        self.checked += int(checked)
        ratio = value / limit if limit else (float("inf") if bad else 0.0)
        if self.worst is None or ratio > self.ratio or (bad and not self.violations):
            self.worst, self.limit, self.ratio = float(value), float(limit), float(ratio)
            self.line, self.tick, self.why = line, int(tick), why
        self.violations += int(bad)

    @property
    def ok(self):
        return self.violations == 0

    def row(self):
        """As a dict for --json."""
        keys = ("name", "unit", "worst", "limit", "line", "tick", "violations", "checked", "why")
        return {"ok": self.ok, **{key: getattr(self, key) for key in keys}}


class Report:
    """All findings of one stream, in the order of RULES."""

    RULES = (
        ("ticks", "steps", "ticks do not fall, directions are +1 or -1"),
        ("step_rate", "Hz", "pulses of a motor at most max_step_rate"),
        ("dir_setup", "us", "time from a step to the first of the other direction, at least dir_setup_s"),
        ("path", "mm", "every stepper within half a step of the path, in one common place of it"),
        ("end", "steps", "every motor ends on the nearest step"),
        ("stops", "steps", "every motor stands on the nearest step wherever the motion stops"),
        ("timing", "mm/s3", "steps of a line lie evenly, within tol.time_s"),
        ("speed", "mm/s", "speed along the path"),
        ("cruise", "mm/s", "speed that the minimum cruise ratio leaves on a line from stop to stop"),
        ("accel", "mm/s2", "acceleration along the path"),
        ("jerk", "mm/s3", "jerk along the path"),
        ("corner", "mm/s", "speed at corners: junction rule, jump of extruder speed, stops"),
        ("curve", "mm/s2", "centripetal acceleration in curves"),
        ("dwell", "s", "time stood at G4"),
        ("mesh_speed", "mm/s", "speed of z while it follows the mesh"),
        ("shaped", "mm", "every motor steps where the convolved plain stream crosses its boundaries"),
    )

    def __init__(self):
        self.findings = {name: Finding(name, unit, text) for name, unit, text in self.RULES}
        self.totals = {}

    def __getitem__(self, name):
        return self.findings[name]

    @property
    def ok(self):
        return all(finding.ok for finding in self.findings.values())

    def failed(self):
        """Names of the rules that are broken."""
        return [name for name, finding in self.findings.items() if not finding.ok]

    def as_dict(self):
        return {"ok": self.ok, **self.totals, "rules": {name: finding.row() for name, finding in self.findings.items()}}

    def lines(self):
        """Text for people."""
        for finding in self.findings.values():
            mark = "ok  " if finding.ok else "FAIL"
            if finding.worst is None:
                yield "%s %-10s not needed" % (mark, finding.name)
                continue
            text = "%s %-10s worst %.6g of %.6g %s" % (mark, finding.name, finding.worst, finding.limit, finding.unit)
            text += ", line %s, tick %s (%d places)" % (finding.line, finding.tick, finding.checked)
            if finding.violations:
                text += ": %d violations: %s" % (finding.violations, finding.why or finding.limit_text)
            yield text
