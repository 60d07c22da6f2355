"""What Set-Job-Attributes changes of a job while it prints: speed, flow and baby steps.  The attributes are ours: IPP has none.

They hold for this job, from the next move that is fed on, and stay in its attributes as a receipt.
"""

from firmware.ipp import codec, status, tags
from firmware.ipp.status import IppError
from firmware.motion.overrides import OverrideError

# attribute: (method of firmware.motion.overrides.Overrides, value of a document that is left alone)
NAMES = {
    "printwright-job-baby-step": ("set_baby", 0),
    "printwright-job-flow": ("set_flow", 100),
    "printwright-job-speed": ("set_speed", 100),
}


def adjust(overrides, job, given):
    """All of them or none; delete-attribute is as the document has it.  given: [(name of NAMES, values), ...].  IppError."""
    before = (overrides.speed_percent, overrides.flow_percent, overrides.baby_um)
    wrong = []
    for name, asked in given:
        method, usual = NAMES[name]
        tag, value = asked[0]
        try:
            if len(asked) != 1 or tag not in (tags.INTEGER, tags.DELETE):
                raise OverrideError
            getattr(overrides, method)(usual if tag == tags.DELETE else value)
        except OverrideError:
            wrong.append(codec.attribute_of(name, asked))
    if wrong:
        overrides.set_speed(before[0])
        overrides.set_flow(before[1])
        overrides.set_baby(before[2])
        raise IppError(status.NOT_SUPPORTED, "Not all of these values are supported; none was set.", wrong)
    for name, asked in given:
        if asked[0][0] == tags.DELETE:
            job.ticket.pop(name, None)
        else:
            job.ticket[name] = codec.attribute_of(name, asked)
