"""The phases of an update and what a printer tells of them: keywords of printer-state-reasons (IPP Firmware Update Extensions, working
draft of 2026-07-29, sections 4 and 7.3).  All names of the draft that concern phases are made here: they have changed before.
"""

ACQUISITION = "acquisition"
VALIDATION = "validation"
INSTALLATION = "installation"
ACTIVATION = "activation"
CLEANUP = "cleanup"
RECOVERY = "recovery"

# draft: phases that it calls something else; the newest first
PROFILES = {
    "2026-07-29": {},
    "2026-05-06": {ACQUISITION: "download"},
}
IN_PROGRESS = "in-progress"
SUCCESS = "success"
FAILURE = "failure"


class Phases:
    """Keywords of one update, in the order in which they came.  `reasons`: list; `phase`: what is in work, or None."""

    def __init__(self, profile="2026-07-29"):
        self._words = PROFILES[profile]
        self.reasons = []
        self.phase = None

    def _reason(self, phase, what):
        return "new-firmware-%s-%s" % (self._words.get(phase, phase), what)

    def begin(self):
        """An update starts: what the last one left is gone."""
        self.reasons = ["firmware-update-in-progress"]
        self.phase = None

    def enter(self, phase):
        """The next phase begins; the one before, if any, has succeeded."""
        self._end(SUCCESS)
        self.phase = phase
        self.reasons.append(self._reason(phase, IN_PROGRESS))

    def _end(self, what):
        if self.phase is not None:
            at = self.reasons.index(self._reason(self.phase, IN_PROGRESS))
            self.reasons[at] = self._reason(self.phase, what)
            self.phase = None

    def failed(self):
        """The phase in work has failed, and with it the update; what was there before is brought back."""
        self._end(FAILURE)
        self.reasons.append("firmware-update-failure")
        self.enter(RECOVERY)

    def ended(self):
        """The last phase has succeeded: of a good update one keyword remains, of a failed one what tells why."""
        self._end(SUCCESS)
        if "firmware-update-failure" in self.reasons:
            self.reasons.remove("firmware-update-in-progress")
        else:
            self.reasons = ["firmware-update-success"]
