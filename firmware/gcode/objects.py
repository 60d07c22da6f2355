"""The objects that a document prints, as slicers name them: EXCLUDE_OBJECT_DEFINE, _START, _END, and M486 (T, S, A).

Checker and runner each go through the document's lines with one of these, so that both count the objects alike.  Loaded for documents that
have any.  Not here: leaving an object out (core, jobs/printing), its attributes (ipp/print_objects).
"""

OBJECTS_MAX = 64  # in one document; further ones print, and cannot be canceled one by one
NAME_CHARS_MAX = 63
_PREFIX = "EXCLUDE_OBJECT"


class Objects:
    """`found`: (name, (left, front, right, back) in 1/100 mm or None where the document does not say) of each object, in the order in which
    the document names them; `current`: index of the one that is printed here, -1: none; `more`: objects beyond OBJECTS_MAX."""

    def __init__(self):
        self.found = []
        self.current = -1
        self.more = 0
        self._keys = []  # in the same order: the name as printers compare it, or M486's number

    def take(self, line):
        """One line of the document with such a command.  None, or what is wrong with it as the rest of a sentence."""
        line = line.split(";")[0].strip()
        if line[: len(_PREFIX)].upper() == _PREFIX:
            words = line[len(_PREFIX) :]
            verb = words.split()[0].upper() if words.split() else ""
            if verb == "_DEFINE":
                return self._define(words)
            if verb == "_START":
                name = _value(words, "NAME")
                if not name:
                    return "needs a NAME"
                self.current = self._index(name.upper(), name)
                return None
            if verb == "_END":
                self.current = -1
                return None
            return "only EXCLUDE_OBJECT_DEFINE, _START and _END may stand in a document"
        return self._m486(line)

    def _define(self, words):
        name = _value(words, "NAME")
        if not name:
            return None if _value(words, "RESET") else "needs a NAME"
        at = self._index(name.upper(), name)
        if at >= 0:
            self.found[at] = (self.found[at][0], _box(_value(words, "POLYGON"), _value(words, "CENTER")))
        return None

    def _m486(self, line):
        # M486 T3: so many; M486 S0: what follows belongs to object 0, S-1: to none; M486 Aname: its name
        rest = line[line.upper().find("M486") + 4 :].strip()
        while rest and (rest[0] in "sStT"):
            word = rest.split()[0]
            rest = rest[len(word) :].strip()
            try:
                number = int(word[1:])
            except ValueError:
                return "needs whole numbers"
            if word[0] in "tT":
                for i in range(min(number, OBJECTS_MAX)):
                    self._index(i, "object %d" % (i + 1))
            elif number < 0:
                self.current = -1
            else:
                self.current = self._index(number, "object %d" % (number + 1))
        if rest and rest[0] in "aA" and self.current >= 0:
            name = rest[1:].strip(" \"'")[:NAME_CHARS_MAX]
            if name:
                self.found[self.current] = (name, self.found[self.current][1])
        return None

    def _index(self, key, name):
        """Place of an object, which is added when it is new; -1 beyond the limit."""
        if key in self._keys:
            return self._keys.index(key)
        if len(self._keys) >= OBJECTS_MAX:
            self.more += 1
            return -1
        self._keys.append(key)
        self.found.append((name[:NAME_CHARS_MAX], None))
        return len(self._keys) - 1


def _value(words, name):
    """What stands behind NAME=, in quotes or up to a blank; "" without it."""
    upper = words.upper()
    at = upper.find(" " + name + "=")
    if at < 0:
        return ""
    text = words[at + len(name) + 2 :]
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        return text[1:end] if end > 0 else text[1:]
    parts = text.split()
    return parts[0] if parts and text[0] not in " \t" else ""


def _numbers(text):
    """All numbers of a text that has nothing else but brackets, commas and blanks; [] when it has."""
    for mark in "[](),":
        text = text.replace(mark, " ")
    try:
        return [float(word) for word in text.split()]
    except ValueError:
        return []


def _box(polygon, center):
    """(left, front, right, back) in 1/100 mm of all points, else of the centre; None without both, or beyond any printer."""
    for text in (polygon, center):
        numbers = _numbers(text)
        if len(numbers) >= 2 and len(numbers) % 2 == 0 and max(numbers) < 1e5 and min(numbers) > -1e5:
            x = numbers[::2]
            y = numbers[1::2]
            return _hundredths(min(x)), _hundredths(min(y)), _hundredths(max(x)), _hundredths(max(y))
    return None


def _hundredths(mm):
    return int(mm * 100 + (0.5 if mm >= 0 else -0.5))
