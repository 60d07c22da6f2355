"""Materials: the printer's database, what is loaded, and how a ticket's materials-col is judged (PWG 5100.21-2019).

A ticket names a material of the database by key, name or type; its temperature must lie within the limits of that material and of the
machine, since no client may ask for more than is safe (PWG 5100.21-2019 section 12.5).  Materials that this machine can not print
safely are not in its database.
Lengths on the wire are nanometres, temperatures degrees Celsius.

Not here: heating (jobs/runner) and the words of G-code (gcode/values).
"""

from firmware.ipp import codec, tags, values
from hal.compat import const

MAX_DATABASE = const(16)  # each entry is some 300 bytes of Get-Printer-Attributes

# For clients that slice: what most slicers propose.
_FILL_PERCENT = const(20)
_WALLS = const(2)

# key, name, material-type ("" where there is no registered keyword: the name stands instead), nozzle lowest, usual, highest, bed,
# chamber (0: not heated), all degC.  Usual values of the makers' data sheets.
_DATABASE = (
    ("pla", "PLA", "pla", 190, 215, 235, 60, 0),
    ("petg", "PETG", "pet", 220, 240, 260, 85, 0),
    ("abs", "ABS", "abs", 230, 245, 265, 100, 45),
    ("asa", "ASA", "", 235, 250, 270, 100, 45),
    ("tpu", "TPU", "", 210, 230, 250, 50, 0),
    ("nylon", "Nylon", "nylon", 240, 255, 275, 90, 45),
    ("polycarbonate", "Polycarbonate", "polycarbonate", 260, 270, 290, 110, 60),
)

_PURPOSES = (b"all", b"base", b"in-fill", b"shell", b"support")


class Material:
    """An entry of the database: `key`, `name`, `type` (keyword or ""), and in degC `nozzle_c` (usual), `nozzle_min_c`, `nozzle_max_c`,
    `bed_c`, `chamber_c` (0: not heated)."""

    def __init__(self, key, name, kind, nozzle_min_c, nozzle_c, nozzle_max_c, bed_c, chamber_c):
        self.key = key
        self.name = name
        self.type = kind
        self.nozzle_min_c = nozzle_min_c
        self.nozzle_c = nozzle_c
        self.nozzle_max_c = nozzle_max_c
        self.bed_c = bed_c
        self.chamber_c = chamber_c

    def type_value(self):
        """material-type as [(tag, value)]."""
        if self.type:
            return [(tags.KEYWORD, self.type)]
        return [(tags.NAME, self.name)]


class Targets:
    """What a job's ticket asks for: `material` (Material) and temperatures in degC, None where the ticket leaves them to the document
    or to the material."""

    def __init__(self, material, nozzle_c=None, bed_c=None, chamber_c=None):
        self.material = material
        self.nozzle_c = nozzle_c
        self.bed_c = bed_c
        self.chamber_c = chamber_c


class Materials:
    """The database of one machine.

    printer: the "printer" part of the machine's description; loaded: key of the material that is loaded ("" or unknown: none);
    entries: rows as in _DATABASE when the machine brings its own.
    """

    def __init__(self, printer, loaded="pla", entries=_DATABASE):
        heaters = printer["heaters"]
        self.nozzle_limit_c = int(heaters["nozzle"]["max_target_c"])
        self.bed_limit_c = _limit_c(heaters, "bed")
        self.chamber_limit_c = _limit_c(heaters, "chamber")
        self.nozzle_nm = int(printer["extruder"]["nozzle_mm"] * 1000 + 0.5) * 1000
        self.filament_nm = int(printer["extruder"]["filament_mm"] * 1000 + 0.5) * 1000
        self.database = []
        for row in entries[:MAX_DATABASE]:
            material = self._safe(Material(*row))
            if material:
                self.database.append(material)
        self.loaded = self.by_key(loaded)

    def _safe(self, material):
        # a hotter nozzle, bed or chamber than the machine has makes a material unprintable, not merely slower
        if material.nozzle_c > self.nozzle_limit_c or material.bed_c > (self.bed_limit_c or 50):
            return None
        material.nozzle_max_c = min(material.nozzle_max_c, self.nozzle_limit_c)
        material.chamber_c = min(material.chamber_c, self.chamber_limit_c)
        if not self.bed_limit_c:
            material.bed_c = 0
        return material

    def by_key(self, key):
        """Material of that key (str), or None."""
        for material in self.database:
            if material.key == key:
                return material
        return None

    def types(self):
        """Registered material-type keywords in the database, sorted."""
        return sorted({material.type for material in self.database if material.type})

    def span_c(self):
        """(lowest, highest) nozzle temperature over all materials."""
        return (
            min([material.nozzle_min_c for material in self.database]),
            max([material.nozzle_max_c for material in self.database]),
        )

    def entry(self, material):
        """materials-col-database value of a Material: [(member, [(tag, value)]), ...].  Members that accept all that is supported are
        left out, as PWG 5100.21 allows."""
        return self._common(material) + [
            ("material-temperature", [(tags.RANGE, (material.nozzle_min_c, material.nozzle_max_c))]),
            ("material-type", material.type_value()),
        ]

    def default(self, material):
        """materials-col-default value of a Material: as usual(), and what a client that slices may begin with."""
        return self.usual(material) + [
            ("material-fill-density", [(tags.INTEGER, _FILL_PERCENT)]),
            ("material-shell-thickness", [(tags.INTEGER, _WALLS * self.nozzle_nm)]),
        ]

    def usual(self, material):
        """materials-col-ready value of a Material: as entry, at its usual temperature."""
        return self._common(material) + [
            ("material-temperature", [(tags.INTEGER, material.nozzle_c)]),
            ("material-type", material.type_value()),
        ]

    def _common(self, material):
        return [
            ("material-diameter", [(tags.INTEGER, self.filament_nm)]),
            ("material-key", [(tags.KEYWORD, material.key)]),
            ("material-name", [(tags.NAME, material.name)]),
            ("material-nozzle-diameter", [(tags.INTEGER, self.nozzle_nm)]),
            ("material-purpose", [(tags.KEYWORD, "all")]),
        ]

    def match(self, members):
        """(Material or None, name of the member that fits no material or None) of one materials-col value.

        material-key wins, then material-name, then material-type; members that name different materials do not fit together.  Without
        any of them the loaded material is meant.
        """
        found = None
        for wanted, test in (("material-key", _has_key), ("material-name", _has_name), ("material-type", _has_type)):
            for name, member in members:
                if name != wanted:
                    continue
                tag, value = member[0]
                if tag != tags.KEYWORD and tag != tags.NAME and tag != tags.NAME_LANG:
                    return None, name
                value = text_of(value)
                if found is None:
                    found = self._first(test, value)
                    if found is None:
                        return None, name
                elif not test(found, value):
                    return None, name
        return found or self.loaded, None

    def _first(self, test, value):
        if self.loaded and test(self.loaded, value):
            return self.loaded
        for material in self.database:
            if test(material, value):
                return material
        return None

    def judge(self, given):
        """Judges a ticket's materials-col [(tag, members), ...]: (accepted, refused), both in that form.

        refused holds only the members at fault, as the unsupported group wants them (RFC 8011 section 4.1.7), and values beyond the
        one that a single extruder can take.
        """
        accepted = []
        refused = []
        for tag, members in given:
            if tag != tags.COLLECTION or accepted or refused:
                refused.append((tag, members))
                continue
            good = []
            bad = []
            material, misfit = self.match(members)
            for name, member in members:
                verdict = False if name == misfit else self._member(name, member, material)
                if verdict is None:
                    bad.append((name, [(tags.UNSUPPORTED, None)]))
                elif verdict:
                    good.append((name, member))
                else:
                    bad.append((name, member))
            if bad:
                refused.append((tag, bad))
            if good:
                accepted.append((tag, good))
        return accepted, refused

    def _member(self, name, given, material):
        # True: fine; False: a value is not supported; None: there is no such member here
        tag, value = given[0]
        if name == "material-purpose":
            if len(given) > len(_PURPOSES):
                return False
            for tag, value in given:
                if tag != tags.KEYWORD or value not in _PURPOSES:
                    return False
            return True
        if len(given) != 1:
            return False
        if name == "material-key":
            return tag == tags.KEYWORD
        if name == "material-name":
            return tag == tags.NAME or tag == tags.NAME_LANG
        if name == "material-type":
            return tag == tags.KEYWORD or tag == tags.NAME or tag == tags.NAME_LANG
        if name == "material-color":
            return tag == tags.KEYWORD
        if name == "material-diameter":
            return tag == tags.INTEGER and value == self.filament_nm
        if name == "material-nozzle-diameter":
            return tag == tags.INTEGER and value == self.nozzle_nm
        if name == "material-fill-density":
            return tag == tags.INTEGER and 0 <= value <= 100
        if name == "material-shell-thickness":
            return tag == tags.INTEGER and value >= 0
        if name == "material-temperature":
            if tag == tags.INTEGER:
                value = (value, value)
            elif tag != tags.RANGE:
                return False
            return material is not None and material.nozzle_min_c <= value[0] and value[1] <= material.nozzle_max_c
        return None

    def targets(self, ticket):
        """Targets of a job's ticket {name: encoded attribute}, which was judged before.

        The material is the loaded one when the ticket names none; its `material` is None when none is loaded either.
        """
        result = Targets(self.loaded)
        octets = ticket.get("materials-col")
        if octets:
            members = values.decoded(octets)[0][1]
            result.material = self.match(members)[0]
            for name, member in members:
                if name == "material-temperature":
                    tag, value = member[0]
                    if tag == tags.RANGE:
                        usual = result.material.nozzle_c if result.material else value[1]
                        value = min(max(usual, value[0]), value[1])
                    result.nozzle_c = value
        result.bed_c = _integer(ticket.get("platform-temperature"))
        result.chamber_c = _integer(ticket.get("chamber-temperature"))
        return result

    def record(self, ticket, material, nozzle_c=None, bed_c=None, chamber_c=None):
        """Writes into a job's ticket what it is printed with (materials-col-actual and the temperatures' -actual), to be called when
        printing begins; temperatures None where the document itself sets them."""
        if material is not None:
            members = []
            for name, member in self.usual(material):
                if name == "material-temperature":
                    if nozzle_c is None:
                        continue
                    member = [(tags.INTEGER, nozzle_c)]
                members.append((name, member))
            ticket["materials-col-actual"] = codec.attribute(tags.COLLECTION, "materials-col-actual", [members])
        if bed_c is not None and self.bed_limit_c:
            ticket["platform-temperature-actual"] = codec.attribute(tags.INTEGER, "platform-temperature-actual", [bed_c])
        if chamber_c is not None and self.chamber_limit_c:
            ticket["chamber-temperature-actual"] = codec.attribute(tags.INTEGER, "chamber-temperature-actual", [chamber_c])

    def is_loaded(self, material):
        """True when a job may print with that Material now; otherwise the printer needs it (material-needed)."""
        return material is not None and self.loaded is not None and material.key == self.loaded.key


def text_of(value):
    """Text of a name, text or keyword value, with or without language, as str; broken UTF-8 gives ""."""
    if isinstance(value, tuple):
        value = value[1]
    if isinstance(value, str):
        return value
    try:
        return str(value, "utf-8")
    except UnicodeError:
        return ""


def _limit_c(heaters, name):
    heater = heaters.get(name)
    return int(heater["max_target_c"]) if heater else 0


def _integer(octets):
    if not octets:
        return None
    tag, value = values.decoded(octets)[0]
    return value if tag == tags.INTEGER else None


def _has_key(material, value):
    return material.key == value


def _has_name(material, value):
    return material.name == value


def _has_type(material, value):
    return (material.type or material.name) == value
