"""requested-attributes: which attributes an answer shall hold (RFC 8011 sections 4.2.5.1, 4.3.4.1).

Keywords that name neither an attribute nor a group of the object are ignored: the answer need not return them (RFC 8011 section
4.2.5.2), and no peer does.
"""

from firmware.ipp import materials

# Group keywords: rows of these groups in the registry (firmware/ipp/attributes.py)
PRINTER_GROUPS = {"all": "TDS", "job-template": "T", "printer-description": "DS", "none": ""}
DOCUMENT_GROUPS = {"all": "DS", "document-template": "", "document-description": "DS", "none": ""}
JOB_GROUPS = {"all": "TDS", "job-template": "T", "job-description": "DS", "none": ""}


def flag(op, name):
    """A boolean operation attribute; False without it."""
    given = op.get(name)
    return bool(given) and given[0][1] is True


def text(op, name):
    """A text, name or keyword operation attribute as str, or None."""
    given = op.get(name)
    return materials.text_of(given[0][1]) if given else None


class Requested:
    """What was asked for: `groups` a string of group letters that are wanted whole, each once, `names` a set of single names,
    `octets` the same as bytes."""

    def __init__(self, values, known_groups, default="TDS"):
        """values: decoded requested-attributes or None; default: groups that are meant without it."""
        self.groups = default
        self.names = set()
        self.octets = set()
        if values is None:
            return
        groups = ""
        for _, value in values:
            name = materials.text_of(value)
            letters = known_groups.get(name)
            if letters is None:
                self.names.add(name)
                self.octets.add(name.encode())
            else:
                for letter in letters:
                    if letter not in groups:
                        groups += letter
        self.groups = groups

    def everything(self):
        """True when all groups are wanted whole."""
        return "T" in self.groups and "D" in self.groups and "S" in self.groups

    def has(self, group, name):
        """True when the attribute `name` (str) of `group` (one letter) is wanted."""
        return group in self.groups or name in self.names

    def add(self, names):
        """Wants single names, too."""
        for name in names:
            self.names.add(name)
            self.octets.add(name.encode())
