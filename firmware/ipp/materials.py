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
    """What a job's ticket asks for, by tool: `materials` (Material or None), `nozzles_c`; `named`: how many tools the ticket speaks of;
    `bed_c`, `chamber_c`.  Temperatures in degC, None where the ticket leaves them to the document or to the material."""

    def __init__(self, materials):
        self.materials = materials
        self.nozzles_c = [None] * len(materials)
        self.named = 1
        self.bed_c = None
        self.chamber_c = None

    @property
    def material(self):
        """Of the first tool."""
        return self.materials[0]

    @property
    def nozzle_c(self):
        """Of the first tool."""
        return self.nozzles_c[0]


class Materials:
    """The database of one machine.

    printer: the "printer" part of the machine's description; loaded: keys of the materials that are loaded, by tool, with commas ("" or
    unknown: none; what the last one says holds for the tools behind it); entries: rows as in _DATABASE when the machine brings its own.

    `tools`: how many there are; `ready`: the Material of each, or None.  It is replaced, never changed.
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
        self.tools = 1
        while printer.get("extruder%d" % self.tools):
            self.tools += 1
        keys = loaded.split(",")
        self.ready = [self.by_key(keys[min(tool, len(keys) - 1)]) for tool in range(self.tools)]

    @property
    def loaded(self):
        """The Material of the first tool, or None."""
        return self.ready[0]

    @loaded.setter
    def loaded(self, material):
        self.ready = [material] + self.ready[1:]

    def keys(self):
        """What `ready` is, as the argument `loaded` says it."""
        return ",".join([material.key if material else "" for material in self.ready])

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
        """materials-col-ready value of a Material, or of a tool without any: as entry, at its usual temperature."""
        if material is None:
            return self._empty()
        return self._common(material) + [
            ("material-temperature", [(tags.INTEGER, material.nozzle_c)]),
            ("material-type", material.type_value()),
        ]

    def _empty(self):
        # the place of a tool that has no material, before one that has
        return [("material-purpose", [(tags.KEYWORD, "all")])]

    def _common(self, material):
        return [
            ("material-diameter", [(tags.INTEGER, self.filament_nm)]),
            ("material-key", [(tags.KEYWORD, material.key)]),
            ("material-name", [(tags.NAME, material.name)]),
            ("material-nozzle-diameter", [(tags.INTEGER, self.nozzle_nm)]),
            ("material-purpose", [(tags.KEYWORD, "all")]),
        ]

    def match(self, members, tool=0):
        """(Material or None, name of the member that fits no material or None) of one materials-col value, that of a tool.

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
                    found = self._first(test, value, tool)
                    if found is None:
                        return None, name
                elif not test(found, value):
                    return None, name
        return found or self.ready[tool], None

    def _first(self, test, value, tool):
        loaded = self.ready[tool]
        if loaded and test(loaded, value):
            return loaded
        for material in self.database:
            if test(material, value):
                return material
        return None

    def judge(self, given):
        """Judges a ticket's materials-col [(tag, members), ...]: (accepted, refused), both in that form.

        refused holds only the members at fault, as the unsupported group wants them (RFC 8011 section 4.1.7), and values beyond the
        tools; each value is that of the tool at its place.
        """
        accepted = []
        refused = []
        for tag, members in given:
            if tag != tags.COLLECTION or len(accepted) == self.tools:
                refused.append((tag, members))
                continue
            good = []
            bad = []
            material, misfit = self.match(members, len(accepted))
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
            accepted.append((tag, good))
        while accepted and not accepted[-1][1]:
            accepted.pop()
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

        The material of a tool is the loaded one when the ticket names none, None when none is loaded either.
        """
        result = Targets(list(self.ready))
        octets = ticket.get("materials-col")
        if octets:
            tool = 0
            for _, members in values.decoded(octets)[: self.tools]:
                material = result.materials[tool] = self.match(members, tool)[0]
                for name, member in members:
                    if name == "material-temperature":
                        tag, value = member[0]
                        if tag == tags.RANGE:
                            value = min(max(material.nozzle_c if material else value[1], value[0]), value[1])
                        result.nozzles_c[tool] = value
                tool += 1
            result.named = max(tool, 1)
            # tools that it does not speak of print the same material as the last one does in the same way
            last = result.named - 1
            for tool in range(result.named, self.tools):
                if result.materials[tool] is result.materials[last]:
                    result.nozzles_c[tool] = result.nozzles_c[last]
        result.bed_c = _integer(ticket.get("platform-temperature"))
        result.chamber_c = _integer(ticket.get("chamber-temperature"))
        return result

    def record(self, ticket, materials, nozzles_c, bed_c=None, chamber_c=None):
        """Writes into a job's ticket what it is printed with (materials-col-actual and the temperatures' -actual), to be called when
        printing begins.  materials, nozzles_c: by tool; None where there is none, or nobody has said how hot."""
        found = []
        for tool in range(len(materials)):
            members = []
            for name, member in self.usual(materials[tool]):
                if name == "material-temperature":
                    if nozzles_c[tool] is None:
                        continue
                    member = [(tags.INTEGER, nozzles_c[tool])]
                members.append((name, member))
            found.append(members)
        if any(materials):
            ticket["materials-col-actual"] = codec.attribute(tags.COLLECTION, "materials-col-actual", found)
        if bed_c is not None and self.bed_limit_c:
            ticket["platform-temperature-actual"] = codec.attribute(tags.INTEGER, "platform-temperature-actual", [bed_c])
        if chamber_c is not None and self.chamber_limit_c:
            ticket["chamber-temperature-actual"] = codec.attribute(tags.INTEGER, "chamber-temperature-actual", [chamber_c])

    def missing(self, targets):
        """[(tool, Material or None for any), ...]: what a job with these Targets has to wait for (material-needed).  Tools that its ticket
        does not speak of may be empty: nobody knows whether its documents use them."""
        found = []
        for tool in range(targets.named):
            material = targets.materials[tool]
            loaded = self.ready[tool]
            if material is None or loaded is None or material.key != loaded.key:
                found.append((tool, material))
        return found


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
