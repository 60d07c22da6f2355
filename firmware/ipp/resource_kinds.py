"""The kinds of resources that this printer takes, and its Resources.  Other kinds (firmware) join here."""

from firmware.ipp import subscriptions
from firmware.ipp.resources import CANCELED, INSTALLED, Resources, StaticKind, check_image, check_strings
from hal.compat import const

STRINGS_OCTETS_MAX = const(65536)
IMAGE_OCTETS_MAX = const(262144)
SMALL_OCTETS_MAX = const(8192)  # of either, on a machine that serves a file from its heap
_ROOMY_CONNECTIONS = const(32)


def make(printer):
    """The printer's Resources; each change of state is an event."""
    machine = printer.machine
    roomy = machine.caps.connections >= _ROOMY_CONNECTIONS
    files = machine.files
    kinds = {
        "static-image": StaticKind(files, ("image/png", "image/jpeg"), IMAGE_OCTETS_MAX if roomy else SMALL_OCTETS_MAX, check_image),
        "static-strings": StaticKind(files, ("text/strings",), STRINGS_OCTETS_MAX if roomy else SMALL_OCTETS_MAX, check_strings),
    }

    def told(one, created):
        mask = subscriptions.RESOURCE_STATE
        if created:
            mask |= subscriptions.RESOURCE_CREATED
        elif one.state == INSTALLED and not one.reasons:
            mask |= subscriptions.RESOURCE_INSTALLED
        elif one.state == CANCELED:
            mask |= subscriptions.RESOURCE_CANCELED
        active = printer.notifier.active
        if active is None:
            return
        active.put(mask, one.id, one.state, one.reasons, None)
        if one.over:
            active.table.ended(subscriptions.TO_RESOURCE, one.id, printer.up_time())

    return Resources(printer.settings, machine.clock, kinds, told)
