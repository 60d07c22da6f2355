"""notify-text: what has happened, for people, in the language of the subscription (RFC 3995 section 9.1), out of firmware/strings."""

from firmware.ipp import codec, subscriptions
from firmware.strings import catalog
from firmware.strings.languages import nearest

_OCTETS_MAX = 1023


def language(asked):
    """The language that there is for the one that was asked for."""
    return nearest(asked)


def text(asked, event):
    """One line, as UTF-8 of at most 1023 octets."""
    found = catalog.load(nearest(asked))
    mask = event.mask
    if mask & subscriptions.OF_JOB:
        what = catalog.word(found, "printwright.job") % event.target
        state = catalog.word(found, "job-state.%d" % event.state)
        if mask & subscriptions.JOB_PROGRESS:
            state += ", %d %%" % event.detail[0]
        group = "job-state-reasons."
    elif mask & subscriptions.OF_RESOURCE:
        what = catalog.word(found, "printwright.resource") % event.target
        state = catalog.word(found, "resource-state.%d" % event.state)
        group = "resource-state-reasons."
    else:
        what = catalog.word(found, "printwright.printer")
        state = catalog.word(found, "printer-state.%d" % event.state)
        group = "printer-state-reasons."
        if mask & (subscriptions.PRINTER_CONFIG | subscriptions.SYSTEM_CONFIG | subscriptions.QUEUE_ORDER):
            key = "printer-queue-order-changed" if mask & subscriptions.QUEUE_ORDER else "printer-config-changed"
            state = catalog.word(found, "notify-events." + key)
    reasons = [catalog.word(found, group + reason) for reason in event.reasons if reason != "none"]
    line = "%s: %s" % (what, state)
    if reasons:
        line += " (%s)" % ", ".join(reasons)
    return codec.clip(line, _OCTETS_MAX)
