"""Source for a board's ROM: the same program with fewer names and fewer modules.

In MicroPython every name that occurs takes 7 bytes of the heap for good (in pools that double), every module some 150 and what it
imports 8 a name, wherever the code itself runs from.  So:

    bundles            modules that are always loaded become one: imports between them vanish
    whole numbers      bound once at the top of a module (`NAME = const(5)`, `NAME = 5`) are written out where they are used
    globals            numbered, in every bundle anew
    attributes         that the program itself defines: numbered, each by one number wherever it occurs
    arguments          that nobody names in a call: numbered anew in every function
    texts              of functions of a bundle, all in one constant that stays in the ROM: each is made when it is needed
    numbers            are names that the interpreter has anyway (`known`) and the program does not use, since those cost nothing
    contracts          methods that only raise NotImplementedError are left out
    other runtimes     what stands in the `else` of `if sys.implementation.name == "micropython":` is left out

Numbers are shared between the kinds, which never meet.  Lines stay, so that a traceback leads to the source: a bundle is its
modules one after another, and `Squeezed.source` tells the module and the line of a line in it.

An attribute that is reached by a string (getattr and its like) is left alone: one that also stands in a string literal keeps its letters,
as exceptions do, which logs show, and what the interpreter calls so (`reserved`; none of those begins with "_").  A global is reached by
a string only in a call of __import__ or hal.compat.seldom.
"""

import ast
import builtins
import keyword
from pathlib import Path

from tools.scopes import Module

_NUMBER = "_%d"
_TEXT_MIN = 10  # shorter strings are names to the compiler
_TEXTS = "b'<texts>'"
_ARGUMENTS = 16  # names of arguments are apart, so that none hides a global


class Squeezed:
    """texts: {path: text}.  places: {path of a bundle: [(first line, path of the module), ...]}."""

    def __init__(self, texts, places):
        self.texts = texts
        self.places = places

    def source(self, path: Path, line: int) -> tuple[Path, int]:
        """(path, line) in the source of a line in the text of `path`."""
        for first, module in reversed(self.places.get(path, [])):
            if line >= first:
                return module, line - first + 1
        return path, line


def squeeze(sources: dict[Path, str], bundles: dict[str, list[str]] | None = None, reserved=frozenset(), entries=(), known=()) -> Squeezed:
    """sources: {path relative to the root of the modules, as `firmware/net/http1.py`: text}: all modules that refer to one another.

    bundles: {name of a bundle: [names of modules, ...]}: these and all that they import at their top and that is in no earlier bundle.
    reserved: a container of names (strings) of attributes that are left alone.  entries: names of globals outside of bundles that are
    reached from elsewhere.  known: names that the interpreter has anyway, those to be
    used first in front.
    """
    program = _Program([Module(path, text) for path, text in sources.items()], bundles or {}, reserved, entries, known)
    texts = {}
    places = {}
    for module in program.order:
        text = _Rewriter(program, module).text()
        home = program.home[module.name]
        if home == module.name:
            texts[module.path] = text
            continue
        path = Path(home + ".py")
        before = texts.get(path) or program.prologue(home)
        places.setdefault(path, []).append((before.count("\n") + 1, module.path))
        texts[path] = before + text + ("" if text.endswith("\n") else "\n")
    for home in bundles or {}:
        texts[Path(home + ".py")] = texts[Path(home + ".py")].replace(_TEXTS, repr(program.blob(home)), 1)
    return Squeezed(texts, places)


class _Program:
    """What the modules have in common: where each goes, and the new names."""

    def __init__(self, modules, bundles, reserved, entries, known):
        self.modules = {module.name: module for module in modules}
        self.home = {module.name: module.name for module in modules}
        self.order = []
        for home, roots in bundles.items():
            for root in roots:
                self._bundle(home, root)
        self.order += [module for module in modules if module not in self.order]
        self.strings = set().union(*[module.strings for module in modules])
        self._tables = set().union(*[module.tables for module in modules])
        self.loaded = {(None, name) for name in entries}.union(*[module.loaded for module in modules])
        self._check_strings()
        self._words = self._unused(known)
        self.globals = {}  # (module's name, name): new name
        self._made = {}  # bundle: [name of the function that makes a text, of the constant, {text: call}, all octets]
        self._number_globals()
        self._check_bundles()
        self.attributes = {}
        self._number_attributes(reserved)
        self.arguments = {}  # (module's name, scope): {name: new name}
        self._number_arguments()

    def prologue(self, home):
        """What begins the first line of a bundle, before the docstring of its first module."""
        make, octets = self._made[home][:2]
        return "%s = %s; %s = lambda a, b: str(%s[a:b], 'utf-8'); " % (octets, _TEXTS, make, octets)

    def blob(self, home):
        return self._made[home][3]

    def text(self, module, value):
        """The expression that makes a text of a function, or None: as it was."""
        made = self._made.get(self.home[module.name])
        if made is None or len(value) < _TEXT_MIN or value in self._tables:
            return None
        if value not in made[2]:
            start = len(made[3])
            made[3] += value.encode()
            made[2][value] = "%s(%d, %d)" % (made[0], start, len(made[3]))
        return made[2][value]

    def _bundle(self, home, name):
        module = self.modules[name]
        if module in self.order:
            return
        self.order.append(module)
        self.home[name] = home
        for scope, node in module.statements:
            if scope is module.scope:
                for target in self._targets(node):
                    self._bundle(home, target)
        # what it imports runs before it
        self.order.remove(module)
        self.order.append(module)

    def _targets(self, node):
        """Names of the program's modules that an import statement loads."""
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names if alias.name in self.modules]
        found = [node.module] if node.module in self.modules else []
        return found + [name for name in [node.module + "." + alias.name for alias in node.names] if name in self.modules]

    def _check_strings(self):
        for text in sorted(self.strings):
            if text in self.modules and self.home[text] != text:
                raise ValueError("%s is loaded by name, and is in the bundle %s" % (text, self.home[text]))

    # -- what a name stands for

    def binding(self, module, scope, name) -> tuple | None:
        """What a name seen in a scope of a module is: ("module", its name), ("global", module, name), ("class",), ("local", scope),
        ("foreign", module, name): of another program, by way of this module, or None: built in."""
        found = scope.find(name)
        if found is None:
            return None
        if name in found.imports:
            origin, member = found.imports[name]
            if member and origin + "." + member in self.modules:
                return ("module", origin + "." + member)
            if not member and origin in self.modules:
                return ("module", origin)
            if member and origin in self.modules:
                return self.member(origin, member)
            return ("foreign", module.name, name)
        if found.parent is None:
            return ("global", module.name, name)
        return ("class",) if found.is_class else ("local", found)

    def member(self, origin, name) -> tuple | None:
        """As binding(), of a module's global."""
        other = self.modules[origin]
        if name not in other.scope.bound:
            raise ValueError("%s has no %s" % (origin, name))
        return self.binding(other, other.scope, name) if name in other.scope.imports else ("global", origin, name)

    def constant(self, found):
        """The whole number that a binding stands for, or None."""
        if not found or found[0] != "global":
            return None
        return self.modules[found[1]].constants.get(found[2])

    def bundled(self, name):
        return self.home[name] != name

    def keeps(self, module, name):
        """A global that is a whole number, but is there all the same, since a string may reach it."""
        return not self.bundled(module) and self._is_loaded(module, name)

    def _is_loaded(self, module, name):
        return (module, name) in self.loaded or (None, name) in self.loaded

    # -- numbers

    def _unused(self, known):
        """Those of the names that mean nothing in the program."""
        taken = set(dir(builtins)) | set(keyword.kwlist) | self.strings | {"const", "print"}
        for module in self.order:
            taken |= module.keywords | module.rest
            taken |= {node.id for _, node in module.names} | {node.attr for _, node in module.attributes}
            taken |= {node.name for _, node in module.definitions} | {node.arg for _, node in module.arguments}
            for _, node in module.statements:
                for alias in node.names:
                    taken.update(alias.name.split("."), [alias.asname])
        return [name for name in known if name not in taken and not name.startswith("__")]

    def _number(self, number):
        return self._words[number] if number < len(self._words) else _NUMBER % number

    def _number_globals(self):
        modules = {}
        for module in self.order:
            home = self.home[module.name]
            modules.setdefault(home if home != module.name else "", []).append(module)
        for home in [home for home in modules if home] + [""]:
            taken = set()  # new names of earlier bundles' globals that others import, and so perhaps beside those of this one
            for module in self.order:
                for scope, node in module.names + module.attributes:
                    found = self._used(module, scope, node)
                    if found and found[0] == "global" and self.home[found[1]] != self.home[module.name]:
                        taken.add(self.globals.get(found[1:]))
            number = _ARGUMENTS
            if home:
                self._made[home] = [self._number(number), self._number(number + 1), {}, b""]
                number += 2
            for module in modules.get(home, ()):
                for name in self._own(module):
                    if not home and self._is_loaded(module.name, name):
                        continue
                    while self._number(number) in taken:
                        number += 1
                    self.globals[module.name, name] = self._number(number)
                    number += 1

    def _used(self, module, scope, node):
        if isinstance(node, ast.Name):
            return self.binding(module, scope, node.id)
        found = isinstance(node.value, ast.Name) and self.binding(module, scope, node.value.id)
        return self.member(found[1], node.attr) if found and found[0] == "module" else None

    def _check_bundles(self):
        """What keeps its name in a bundle has to mean one thing there."""
        meanings = {}
        for module in self.order:
            if self.bundled(module.name):
                for name in module.scope.bound:
                    found = self.binding(module, module.scope, name)
                    if found is None or found[0] == "module" or name == "const":
                        continue
                    if found[0] == "global" and (found[1:] in self.globals or self.constant(found) is not None):
                        continue
                    meaning = self.modules[found[1]].scope.imports[found[2]] if found[0] == "foreign" else found
                    if meanings.setdefault((self.home[module.name], name), meaning) != meaning:
                        raise ValueError("%s: %s means something else in the bundle already" % (module.path, name))

    def _own(self, module):
        """The names of a module that get a number."""
        names = sorted(module.scope.bound - set(module.scope.imports))
        left = set(module.rest) & set(names)
        if left:
            raise ValueError("%s: %s in an f-string, a global or an except" % (module.path, ", ".join(sorted(left))))
        names = [name for name in names if not _dunder(name) and name not in module.constants and name != "const"]
        return [name for name in names if not self._is_exception(("global", module.name, name))]

    def _exceptions(self):
        """Bindings of the bundles' own exceptions, which keep their names."""
        found = [("global", module.name, node.name) for module in self.order for _, node in module.definitions if self.bundled(module.name)]
        return [one for one in found if self._is_exception(one)]

    def _is_exception(self, found, depth=0):
        if found is None or found[0] != "global" or depth > 9:
            return False
        module = self.modules[found[1]]
        for scope, node in module.definitions:
            if node.name == found[2] and scope is module.scope and isinstance(node, ast.ClassDef):
                for base in node.bases:
                    built_in = getattr(builtins, base.id, None) if isinstance(base, ast.Name) else None
                    if isinstance(built_in, type) and issubclass(built_in, BaseException):
                        return True
                    if self._is_exception(self._used(module, scope, base), depth + 1):
                        return True
        return False

    def _number_attributes(self, reserved):
        defined = {}
        for module in self.order:
            for scope, node in module.definitions:
                if scope.is_class:
                    defined[node.name] = 1
            for scope, node in module.names:
                if scope.is_class and node.id in scope.bound:
                    defined[node.id] = 1
            for scope, node in module.attributes:
                if not isinstance(node.ctx, ast.Load) and not self._foreign(module, scope, node):
                    defined[node.attr] = 1
        rest = set().union(*[module.rest for module in self.order])
        taken = set()  # globals that are used where names of attributes would hide them
        for module in self.order:
            for scope, node in module.names + module.attributes:
                found = scope.is_class and self._used(module, scope, node)
                if found and found[0] == "global":
                    taken.add(self.globals.get(found[1:]))
        # names that are in the program anyway, and never those of attributes
        spare = [found[2] for found in self._exceptions() if found[2] not in defined]
        number = 0
        for name in defined:
            if not _dunder(name) and name not in self.strings and name not in rest and (name[0] == "_" or name not in reserved):
                while self._number(number) in taken:
                    number += 1
                if number >= len(self._words) and spare:
                    self.attributes[name] = spare.pop()
                    continue
                self.attributes[name] = self._number(number)
                number += 1

    def _foreign(self, module, scope, node):
        found = isinstance(node.value, ast.Name) and self.binding(module, scope, node.value.id)
        return bool(found) and found[0] in ("module", "foreign")

    def foreign(self, module, scope, node):
        """True for an attribute of a module, one of the program's or another."""
        return self._foreign(module, scope, node)

    def _number_arguments(self):
        fixed = set().union(*[module.strings | module.keywords for module in self.order])
        for module in self.order:
            for scope, argument in module.arguments:
                name = argument.arg
                if name in ("self", "_") or name in fixed or name in module.rest:
                    continue
                # functions within functions see the names of those around them
                depth = 0
                around = scope.parent
                while around:
                    depth += len(around.bound) if not isinstance(around.node, ast.Module | ast.ClassDef) else 0
                    around = around.parent
                names = self.arguments.setdefault((module.name, scope), {})
                if depth + len(names) < _ARGUMENTS:
                    names[name] = self._number(depth + len(names))


def _dunder(name):
    return name.startswith("__") or name == "_"


class _Rewriter:
    """The text of one module, with new names, line by line."""

    def __init__(self, program, module):
        self._program = program
        self._module = module
        self._octets = module.text.encode()
        self._lines = [0]
        for at in range(len(self._octets)):
            if self._octets[at] == 10:
                self._lines.append(at + 1)
        self._edits = {}  # (start, end): text

    def _at(self, line, column):
        return self._lines[line - 1] + column

    def _replace(self, line, column, old, new):
        at = self._at(line, column)
        self._edits[at, at + len(old.encode())] = new

    def _over(self, node, new):
        """Puts text in the place of a node, with as many lines."""
        start, end = self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset)
        gone = node.end_lineno - node.lineno
        if new.count("\n") < gone:
            # a statement of its own: nothing follows on the last line
            new += "\n" * gone
        for edit in [edit for edit in self._edits if start <= edit[0] and edit[1] <= end]:
            del self._edits[edit]
        self._edits[start, end] = new

    def text(self):
        program, module = self._program, self._module
        for scope, node in module.names:
            new = self._new(scope, node.id, node)
            if new is not None:
                self._replace(node.lineno, node.col_offset, node.id, new)
        for scope, argument in module.arguments:
            new = program.arguments.get((module.name, scope), {}).get(argument.arg)
            if new:
                self._replace(argument.lineno, argument.col_offset, argument.arg, new)
        for scope, node in module.definitions:
            self._definition(scope, node)
        for scope, node in module.attributes:
            self._attribute(scope, node)
        for node in module.texts:
            new = program.text(module, node.value)
            if new:
                self._over(node, new.replace(",", "," + "\n" * (node.end_lineno - node.lineno)))
        for name, node in module.constant_nodes.items():
            if not program.keeps(module.name, name):
                self._over(node, "0" if node.col_offset else "")
        for scope, node in module.statements:
            self._statement(scope, node)
        for node in module.dead:
            self._over(node, "pass")
        octets = self._octets
        for (start, end), new in sorted(self._edits.items(), reverse=True):
            octets = octets[:start] + new.encode() + octets[end:]
        return octets.decode()

    def _new(self, scope, name, node=None):
        """What a name is called from now on, or None: as before."""
        program, module = self._program, self._module
        found = program.binding(module, scope, name)
        if found is None or found[0] == "foreign":
            return None
        if found[0] == "class":
            return program.attributes.get(name)
        if found[0] == "local":
            return program.arguments.get((module.name, found[1]), {}).get(name)
        if found[0] == "module":
            return None  # as the value of an attribute, which goes as a whole
        value = program.constant(found)
        if value is not None and (node is None or isinstance(node.ctx, ast.Load)):
            return _literal(value)
        if scope.find(name).parent is not None:
            return None  # imported in a function, under its own name
        new = program.globals.get(found[1:], found[2])
        return new if new != name else None

    def _definition(self, scope, node):
        if scope.parent is None:
            new = self._program.globals.get((self._module.name, node.name))
        else:
            new = self._program.attributes.get(node.name) if scope.is_class else None
        if new:
            line = self._octets[self._lines[node.lineno - 1] :].split(b"\n", 1)[0].decode()
            word = "class " if isinstance(node, ast.ClassDef) else "def "
            self._replace(node.lineno, len(line[: line.index(word + node.name)].encode()) + len(word), node.name, new)

    def _attribute(self, scope, node):
        program, module = self._program, self._module
        found = isinstance(node.value, ast.Name) and program.binding(module, scope, node.value.id)
        if found and found[0] == "module":
            member = program.member(found[1], node.attr)
            value = program.constant(member)
            if value is not None:
                return self._over(node, _literal(value))
            new = program.globals.get(member[1:], member[2])
            if scope.find(node.value.id).parent is None:
                there = scope.find(new)
                if there is not None and program.binding(module, scope, new) != member:
                    raise ValueError("%s:%d: %s is another one here" % (module.path, node.lineno, new))
                return self._over(node, new)
            return self._replace(node.end_lineno, node.end_col_offset - len(node.attr), node.attr, new)
        if found and found[0] == "foreign":
            return None
        new = program.attributes.get(node.attr)
        if new:
            self._replace(node.end_lineno, node.end_col_offset - len(node.attr), node.attr, new)

    # -- imports

    def _statement(self, scope, node):
        program, module = self._program, self._module
        if isinstance(node, ast.Import):
            if program._targets(node):
                raise ValueError("%s:%d: from ... import, please" % (module.path, node.lineno))
            return
        if scope.parent is not None:
            self._inner(node)
            return
        wanted = {}  # home: [names]
        foreign = []
        for alias in node.names:
            origin, name = node.module, alias.asname or alias.name
            if origin + "." + alias.name in program.modules:
                for where, new in self._of_module(name):
                    wanted.setdefault(where, []).append(new)
            elif origin in program.modules:
                found = program.member(origin, alias.name)
                if program.constant(found) is None:
                    wanted.setdefault(program.home[found[1]], []).append(program.globals.get(found[1:], found[2]))
            else:
                foreign.append(alias.name + (" as " + alias.asname if alias.asname else ""))
        if len(foreign) == len(node.names):
            return
        parts = ["from %s import %s" % (node.module, ", ".join(foreign))] if foreign else []
        for home in wanted:
            if home != program.home[module.name]:
                parts.append("from %s import %s" % (home, ", ".join(sorted(set(wanted[home])))))
        self._over(node, "; ".join(parts) or ("pass" if node.col_offset else ""))

    def _of_module(self, name):
        """(home, new name) of every global that this module uses of another one, which it calls `name`."""
        program, module = self._program, self._module
        for scope, node in module.attributes:
            if isinstance(node.value, ast.Name) and node.value.id == name and scope.find(name) is module.scope:
                member = program.member(program.binding(module, scope, name)[1], node.attr)
                if program.constant(member) is None:
                    yield program.home[member[1]], program.globals.get(member[1:], member[2])

    def _inner(self, node):
        """An import within a function binds the names that it did."""
        program = self._program
        parts = []
        for alias in node.names:
            origin, name = node.module, alias.asname or alias.name
            if origin + "." + alias.name in program.modules:
                bundle = program.bundled(origin + "." + alias.name)
                what = "import " + program.home[origin + "." + alias.name] if bundle else "from %s import %s" % (origin, alias.name)
                parts.append(what + " as " + name)
            elif origin in program.modules:
                found = program.member(origin, alias.name)
                if program.constant(found) is not None:
                    continue
                new = program.globals.get(found[1:], found[2])
                parts.append("from %s import %s as %s" % (program.home[found[1]], new, name))
            else:
                parts.append("from %s import %s as %s" % (origin, alias.name, name))
        self._over(node, "; ".join(parts) or "pass")


def _literal(value):
    return str(value) if value >= 0 else "(%d)" % value
