"""Source for a board's ROM: the same program with fewer names, line by line.

MicroPython keeps a table of every name that occurs (7 bytes each, in pools that double) and a dictionary entry for every constant that
another module may look at.  Three changes that no line number notices, so that tracebacks still lead to the source:

    public constants (`NAME = const(5)` at the top of a module)   written out where they are used, and gone where they were made
    private names (`_name`) that only one module has               numbered, by the same numbers in every module
    arguments that nobody names in a call                          likewise, in every function

What is reached by a string (getattr and its like) is left alone: a name that also stands in a string literal keeps its letters.
"""

import ast
from pathlib import Path

_PRIVATE = "_%d"
_ARGUMENT = "a%d"


def squeeze(sources: dict[Path, str]) -> dict[Path, str]:
    """sources: {path relative to the root of the modules, as `firmware/net/http1.py`: text}.  Returns the same with other text.

    All modules that refer to one another have to be in it.
    """
    modules = [_Module(path, text) for path, text in sources.items()]
    program = _Program(modules)
    return {module.path: module.rewritten(program) for module in modules}


class _Scope:
    """Where names are bound: a module, a class, a function or a comprehension."""

    def __init__(self, node, parent):
        self.node = node
        self.parent = parent
        self.bound = set()
        self.foreign = set()  # global and nonlocal
        self.is_class = isinstance(node, ast.ClassDef)

    def find(self, name):
        """The scope that binds a name seen here, or None for a built-in."""
        scope = self
        while scope:
            if name in scope.bound and name not in scope.foreign and (scope is self or not scope.is_class):
                return scope
            scope = scope.parent
        return None


class _Module(ast.NodeVisitor):
    """One module, read: uses of names and where they are."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        parts = path.with_suffix("").parts
        self.name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        self.names = []  # (scope, node)
        self.arguments = []  # (scope, ast.arg)
        self.attributes = []
        self.definitions = []  # FunctionDef, ClassDef
        self.keywords = set()
        self.strings = set()
        self.imports = {}  # name in the module's scope: (module, name or None)
        self.aliases = []  # ast.alias of `from x import y`
        self.rest = set()  # names at places that are not rewritten
        self.constants = {}
        self.constant_nodes = {}
        tree = ast.parse(text)
        self.scope = self._here = _Scope(tree, None)
        self._find_constants(tree)
        for node in tree.body:
            self.visit(node)

    def _find_constants(self, tree):
        counts = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                counts[node.id] = counts.get(node.id, 0) + 1
        for node in tree.body:
            if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name) or not isinstance(node.value, ast.Call):
                continue
            name = node.targets[0].id
            made = node.value
            if name.startswith("_") or counts[name] != 1 or not isinstance(made.func, ast.Name) or made.func.id != "const":
                continue
            try:
                value = ast.literal_eval(made.args[0])
            except ValueError:
                continue
            if isinstance(value, int):
                self.constants[name] = value
                self.constant_nodes[name] = node

    # -- reading ------------------------------------------------------------------------------------------------------------------

    def _inside(self, node, children):
        before = self._here
        self._here = _Scope(node, before)
        for child in children:
            self.visit(child)
        self._here = before

    def visit_ClassDef(self, node):
        self._here.bound.add(node.name)
        self.definitions.append(node)
        for child in node.bases + node.keywords + node.decorator_list:
            self.visit(child)
        self._inside(node, node.body)

    def visit_FunctionDef(self, node):
        self._here.bound.add(node.name)
        self.definitions.append(node)
        self._function(node, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_Lambda(self, node):
        self._function(node, [node.body])

    def _function(self, node, body):
        arguments = node.args
        for child in arguments.defaults + [one for one in arguments.kw_defaults if one] + getattr(node, "decorator_list", []):
            self.visit(child)
        before = self._here
        self._here = scope = _Scope(node, before)
        named = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
        for one in named + [one for one in (arguments.vararg, arguments.kwarg) if one]:
            scope.bound.add(one.arg)
            self.arguments.append((scope, one))
        for child in body:
            self.visit(child)
        self._here = before

    def _comprehension(self, node):
        self._inside(node, [*node.generators, node.elt])

    visit_ListComp = visit_SetComp = visit_GeneratorExp = _comprehension

    def visit_DictComp(self, node):
        self._inside(node, [*node.generators, node.key, node.value])

    def visit_Name(self, node):
        if not isinstance(node.ctx, ast.Load):
            self._here.bound.add(node.id)
        self.names.append((self._here, node))

    def visit_Attribute(self, node):
        self.attributes.append((self._here, node))
        self.generic_visit(node)

    def visit_keyword(self, node):
        if node.arg:
            self.keywords.add(node.arg)
        self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, str):
            self.strings.add(node.value)

    def visit_JoinedStr(self, node):
        # positions within are not told
        self.rest.update(child.id for child in ast.walk(node) if isinstance(child, ast.Name))
        self.rest.update(child.attr for child in ast.walk(node) if isinstance(child, ast.Attribute))

    def visit_Global(self, node):
        self.rest.update(node.names)
        self._here.foreign.update(node.names)

    visit_Nonlocal = visit_Global  # type: ignore[assignment]

    def visit_ExceptHandler(self, node):
        if node.name:
            self._here.bound.add(node.name)
            self.rest.add(node.name)
        self.generic_visit(node)

    def visit_Import(self, node):
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            self._here.bound.add(name)
            self.rest.add(name)
            if self._here is self.scope and (alias.asname or "." not in alias.name):
                self.imports[name] = (alias.name, None)

    def visit_ImportFrom(self, node):
        for alias in node.names:
            name = alias.asname or alias.name
            self._here.bound.add(name)
            self.rest.update((name, alias.name))
            if self._here is self.scope:
                self.imports[name] = (node.module, alias.name)
                self.aliases.append((node, alias))

    # -- writing ------------------------------------------------------------------------------------------------------------------

    def _constant(self, program, scope, node):
        """The value that a Name or Attribute stands for, or None."""
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load) or scope.find(node.id) is not self.scope:
                return None
            if node.id in self.constants:
                return self.constants[node.id]
            module, name = self.imports.get(node.id, (None, None))
            return program.constants.get(module, {}).get(name) if name else None
        if not isinstance(node.value, ast.Name) or scope.find(node.value.id) is not self.scope:
            return None
        module, name = self.imports.get(node.value.id, (None, None))
        if name:
            module = module + "." + name
        return program.constants.get(module, {}).get(node.attr)

    def rewritten(self, program):
        edits = []  # (line, column, end column, text)
        private = program.private_of(self)

        def replace(line, start, old, new):
            edits.append((line, start, start + len(old.encode()), new))

        for scope, node in self.names:
            value = self._constant(program, scope, node)
            if value is not None:
                replace(node.lineno, node.col_offset, node.id, _literal(value))
                continue
            found = scope.find(node.id)
            new = program.arguments.get((self, found), {}).get(node.id) or private.get(node.id)
            if new:
                replace(node.lineno, node.col_offset, node.id, new)
        for scope, argument in self.arguments:
            new = program.arguments.get((self, scope), {}).get(argument.arg)
            if new:
                replace(argument.lineno, argument.col_offset, argument.arg, new)
        for scope, node in self.attributes:
            value = self._constant(program, scope, node)
            if value is not None and node.lineno == node.end_lineno:
                # the module's name goes with it, which the loop above has left alone: it is no private name
                edits.append((node.lineno, node.col_offset, node.end_col_offset, _literal(value)))
            elif node.attr in private:
                replace(node.end_lineno, node.end_col_offset - len(node.attr), node.attr, private[node.attr])
        lines = self.text.split("\n")
        for node in self.definitions:
            if node.name in private:
                word = "class " if isinstance(node, ast.ClassDef) else "def "
                at = lines[node.lineno - 1].index(word + node.name) + len(word)
                replace(node.lineno, at, node.name, private[node.name])
        for name, node in self.constant_nodes.items():
            if name not in program.kept and node.lineno == node.end_lineno:
                edits = [edit for edit in edits if edit[0] != node.lineno]
                edits.append((node.lineno, node.col_offset, node.end_col_offset, "0" if node.col_offset else ""))
        edits += self._without_constants(program)
        for line, start, end, text in sorted(edits, reverse=True):
            octets = lines[line - 1].encode()
            lines[line - 1] = (octets[:start] + text.encode() + octets[end:]).decode()
        return "\n".join(lines)

    def _without_constants(self, program):
        """`from x import CONSTANT` has nothing left to import."""
        statements = {}
        for node, alias in self.aliases:
            constant = alias.name in program.constants.get(node.module, {}) and alias.name not in program.kept
            statements.setdefault(node, []).append(constant)
        edits = []
        for node, constant in statements.items():
            if node.lineno != node.end_lineno and any(constant):
                # several lines: the names stay below one another
                for alias, gone in zip(node.names, constant, strict=True):
                    if gone:
                        raise ValueError("%s:%d: constants of an import over several lines" % (self.path, alias.lineno))
            if any(constant):
                kept = [
                    alias.name + (" as " + alias.asname if alias.asname else "") for alias, gone in zip(node.names, constant) if not gone
                ]
                text = "from %s import %s" % (node.module, ", ".join(kept)) if kept else "import " + node.module
                edits.append((node.lineno, node.col_offset, node.end_col_offset, text))
        return edits


def _literal(value):
    return str(value) if value >= 0 else "(%d)" % value


class _Program:
    """What the modules have in common."""

    def __init__(self, modules):
        self.constants = {module.name: module.constants for module in modules}
        self.kept = set()
        strings = set()
        keywords = set()
        rest = set()
        others = set()  # identifiers that are no mere arguments
        owners = {}
        for module in modules:
            strings |= module.strings
            keywords |= module.keywords
            rest |= module.rest
            here = {node.attr for _, node in module.attributes} | {node.id for _, node in module.names}
            here |= {node.name for node in module.definitions} | {argument.arg for _, argument in module.arguments} | module.rest
            for name in here:
                owners.setdefault(name, []).append(module)
            others |= {node.attr for _, node in module.attributes} | {node.name for node in module.definitions}
        self.kept = strings
        self._fixed = strings | keywords | rest
        self._private = {}
        self._owners = owners
        self.arguments = {}
        self._number_private(modules)
        self._number_arguments(modules, others)

    def _number_private(self, modules):
        counts = {}
        for module in modules:
            made = {node.name for node in module.definitions} | {argument.arg for _, argument in module.arguments}
            made |= {node.id for _, node in module.names if not isinstance(node.ctx, ast.Load)}
            made |= {node.attr for _, node in module.attributes if isinstance(node.ctx, ast.Store)}
            names = [name for name in made if name.startswith("_") and not name.startswith("__") and name != "_"]
            names = sorted(name for name in names if name not in self._fixed and self._owners[name] == [module])
            counts[module] = len(names)
            self._private[module] = names
        by_name = {module.name: module for module in modules}
        for module in modules:
            # classes of one family share a namespace: what derives from another module's class begins behind that one's numbers
            first = sum(counts[by_name[name]] for name in _families(module, by_name))
            self._private[module] = {name: _PRIVATE % (first + i) for i, name in enumerate(self._private[module])}

    def private_of(self, module):
        return self._private[module]

    def _number_arguments(self, modules, others):
        for module in modules:
            scopes = {}
            for scope, argument in module.arguments:
                name = argument.arg
                if name in ("self", "_") or name in self._fixed or name in others or name.startswith("_"):
                    continue
                # functions within functions see the names of those around them
                depth = 0
                around = scope.parent
                while around:
                    depth += len(around.bound) if not isinstance(around.node, ast.Module | ast.ClassDef) else 0
                    around = around.parent
                names = scopes.setdefault(scope, {})
                names[name] = _ARGUMENT % (depth + len(names))
            for scope, names in scopes.items():
                self.arguments[module, scope] = names


def _families(module, by_name):
    """Names of the modules whose classes this one's derive from, theirs included."""
    found = set()
    for node in module.definitions:
        for base in node.bases if isinstance(node, ast.ClassDef) else ():
            name = base.id if isinstance(base, ast.Name) else base.value.id if isinstance(base, ast.Attribute) else ""  # pyright: ignore[reportAttributeAccessIssue]
            source, member = module.imports.get(name, (None, None))
            if member and source + "." + member in by_name:
                source = source + "." + member
            if source in by_name and source not in found:
                found.add(source)
                found |= _families(by_name[source], by_name)
    return found
