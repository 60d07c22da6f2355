"""Reads a module of Python for tools/squeeze.py: which scope binds a name, where each name stands, what is imported from where."""

import ast
import re
from pathlib import Path

_TARGET = "sys.implementation.name == 'micropython'"
_LOADERS = ("__import__", "seldom")
_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*$")


class Scope:
    """Where names are bound: a module, a class, a function or a comprehension.

    imports: {name: (module, name there or None)} of what is bound by an import in it.
    """

    def __init__(self, node, parent):
        self.node = node
        self.parent = parent
        self.bound = set()
        self.foreign = set()  # global and nonlocal
        self.imports = {}
        self.is_class = isinstance(node, ast.ClassDef)

    def find(self, name):
        """The scope that binds a name seen here, or None for a built-in."""
        scope = self
        while scope:
            if name in scope.bound and name not in scope.foreign and (scope is self or not scope.is_class):
                return scope
            scope = scope.parent
        return None


def _is_abstract(node):
    """Only says what others have to do."""
    body = [child for child in node.body if not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant))]
    return len(body) == 1 and isinstance(body[0], ast.Raise) and ast.unparse(body[0]) == "raise NotImplementedError"


class Module(ast.NodeVisitor):
    """One module, read.  `constants`: {name: int} of what is bound once, at the top, to a whole number."""

    def __init__(self, path: Path, text: str):
        self.path = path
        self.text = text
        parts = path.with_suffix("").parts
        self.name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        self.names = []  # (scope, node)
        self.arguments = []  # (scope, ast.arg)
        self.attributes = []  # (scope, node)
        self.definitions = []  # (scope, FunctionDef or ClassDef)
        self.statements = []  # (scope, Import or ImportFrom)
        self.keywords = set()
        self.strings = set()
        self.texts = []  # Constant nodes: strings that are made when a function runs
        self.tables = set()  # strings that are made when the module is loaded
        self.loaded = set()  # (module or None: not told here, name) in calls that load a module by its name
        self.rest = set()  # names at places that are not rewritten
        self.dead = []  # statements that MicroPython never comes to, methods that only say what others have to do
        self.constants = {}
        self.constant_nodes = {}
        tree = ast.parse(text)
        self.scope = self._here = Scope(tree, None)
        self._find_constants(tree)
        for node in tree.body:
            self.visit(node)

    def _find_constants(self, tree):
        counts = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                counts[node.id] = counts.get(node.id, 0) + 1
        for node in tree.body:
            if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name) or len(node.targets) > 1:
                continue
            name = node.targets[0].id
            made = node.value
            if counts[name] != 1 or not _CONSTANT.match(name):
                continue
            if isinstance(made, ast.Call):
                if not isinstance(made.func, ast.Name) or made.func.id != "const":
                    continue
                made = made.args[0]
            try:
                value = ast.literal_eval(made)
            except ValueError:
                continue
            if type(value) is int:
                self.constants[name] = value
                self.constant_nodes[name] = node

    def _inside(self, node, children):
        before = self._here
        self._here = Scope(node, before)
        for child in children:
            self.visit(child)
        self._here = before

    def visit_ClassDef(self, node):
        self._here.bound.add(node.name)
        self.definitions.append((self._here, node))
        for child in node.bases + node.keywords + node.decorator_list:
            self.visit(child)
        self._inside(node, node.body)

    def visit_FunctionDef(self, node):
        if self._here.is_class and _is_abstract(node):
            self.dead.append(node)
            return
        self._here.bound.add(node.name)
        self.definitions.append((self._here, node))
        self._function(node, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_Lambda(self, node):
        self._function(node, [node.body])

    def _function(self, node, body):
        arguments = node.args
        for child in arguments.defaults + [one for one in arguments.kw_defaults if one] + getattr(node, "decorator_list", []):
            self.visit(child)
        before = self._here
        self._here = scope = Scope(node, before)
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

    def visit_If(self, node):
        if ast.unparse(node.test) == _TARGET:
            self.dead += node.orelse
            node.orelse = []
        self.generic_visit(node)

    def visit_Call(self, node):
        if isinstance(node.func, ast.Name) and node.func.id in _LOADERS:
            module = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
            names = [child.value for argument in node.args[1:] for child in ast.walk(argument) if isinstance(child, ast.Constant)]
            self.loaded.update((module, name) for name in names)
        self.generic_visit(node)

    def visit_keyword(self, node):
        if node.arg:
            self.keywords.add(node.arg)
        self.generic_visit(node)

    def visit_Expr(self, node):
        if not isinstance(node.value, ast.Constant):  # no docstring
            self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, str):
            self.strings.add(node.value)
            scope = self._here
            while scope and not isinstance(scope.node, ast.FunctionDef | ast.AsyncFunctionDef):
                scope = scope.parent
            if scope and scope.node.name != "__init__":  # what that makes will stay
                self.texts.append(node)
            else:
                self.tables.add(node.value)

    def visit_JoinedStr(self, node):
        # positions within are not told
        self.tables.update(child.value for child in ast.walk(node) if isinstance(child, ast.Constant))
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
        self.statements.append((self._here, node))
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            self._here.bound.add(name)
            self._here.imports[name] = (alias.name if alias.asname else name, None)

    def visit_ImportFrom(self, node):
        self.statements.append((self._here, node))
        for alias in node.names:
            name = alias.asname or alias.name
            self._here.bound.add(name)
            self._here.imports[name] = (node.module, alias.name)
