"""The English texts that the app says through `tide_chat.wording`, read from its code. Runs none of it.

Sees what stands in a call as a text, as a name of a text or of a table of texts, or as a class attribute of a screen.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tide_chat import errors

SAYING = {"say": 0, "say_count": 1, "tell": 0}  # functions, and how many arguments come before the texts
WORDED = ("title_text", "keys", "placeholder", "button")  # attributes, arguments and parameters of screens
ERRORS = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.TideError)}
Table = dict[str, list[str]]


def parsed(root: Path, *parts: str) -> dict[str, ast.Module]:
    """Modules below `root`, by their names from there: `tide_chat.ui.app`."""
    files = [file for part in parts for file in sorted((root / part).rglob("*.py")) or [root / part]]
    return {_module(file.relative_to(root)): ast.parse(file.read_text(encoding="utf-8")) for file in files}


def _module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def said(modules: dict[str, ast.Module]) -> Iterator[tuple[str, str]]:
    """Module and text."""
    tables = {name: _constants(module) for name, module in modules.items()}
    for name, module in modules.items():
        known = {**_imported(module, tables), **tables[name]}
        _name_loops(module, known)
        for node in ast.walk(module):
            for given in _given(node, tells=name.startswith("tide_chat.commands")):
                yield from ((name, text) for text in _texts(given, known) if text)


def failures(modules: dict[str, ast.Module]) -> Iterator[tuple[str, str]]:
    """Messages and advice of errors that are made: module and text. Composed ones are not seen."""
    for name, module in modules.items():
        known = _constants(module)
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and _name(node.func) in ERRORS:
                given = [*node.args[:1], *(one.value for one in node.keywords if one.arg == "help")]
                yield from ((name, text) for one in given for text in _texts(one, known) if text)


def _given(node: ast.AST, *, tells: bool) -> Iterator[ast.expr]:
    """Expressions whose value is said. tells: `say` alone prints here, and `wording.say` says."""
    match node:
        case ast.Call():
            called = _name(node.func)
            if called in SAYING and not (tells and called == "say" and isinstance(node.func, ast.Name)):
                yield from node.args[SAYING[called] :]
            elif called == "Confirm":
                yield from (*node.args, *(one.value for one in node.keywords))
            yield from (one.value for one in node.keywords if one.arg in WORDED)
        case ast.Assign() if any(_name(target) in WORDED for target in node.targets):
            yield node.value
        case ast.FunctionDef(args=ast.arguments(posonlyargs=first, args=rest, defaults=[_, *_] as defaults)):
            pairs = zip([*first, *rest][-len(defaults) :], defaults, strict=True)
            yield from (default for one, default in pairs if one.arg in WORDED)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _constants(module: ast.Module) -> Table:
    """Names that stand for texts or for tables of texts."""
    found: Table = defaultdict(list)
    for node in ast.walk(module):
        if isinstance(node, ast.Assign):
            for name, value in (pair for target in node.targets for pair in _pairs(target, node.value)):
                found[name] += _literals(value)
    return found


def _imported(module: ast.Module, tables: dict[str, Table]) -> Table:
    """What the module imports by name, and `other.NAME` of modules that it imports."""
    found: Table = {}
    for node in ast.walk(module):
        for one in node.names if isinstance(node, ast.ImportFrom) else ():
            origin, called = f"{node.module}", one.asname or one.name  # type: ignore[attr-defined]
            if one.name in tables.get(origin, {}):
                found[called] = tables[origin][one.name]
            for name, texts in tables.get(f"{origin}.{one.name}", {}).items():
                found[f"{called}.{name}"] = texts
    return found


def _name_loops(module: ast.Module, known: Table) -> None:
    """In `for name, words in TABLE.items()` the names stand for the texts of the table."""
    for node in ast.walk(module):
        if isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Call):
            over = node.iter.func
            if isinstance(over, ast.Attribute) and over.attr in ("items", "values"):
                texts = _texts(over.value, known)
                for target in (one for one in ast.walk(node.target) if isinstance(one, ast.Name) and texts):
                    known[target.id] = [*known.get(target.id, []), *texts]


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        yield from ((_name(one), other) for one, other in zip(target.elts, value.elts, strict=False))
    elif isinstance(target, ast.Name):
        yield target.id, value


def _literals(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.Dict(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
            return [text for part in parts for text in _literals(part)]
        case ast.IfExp(body=one, orelse=other):
            return _literals(one) + _literals(other)
    return []


def _texts(given: ast.expr, known: Table) -> list[str]:
    match given:
        case ast.Name(id=name):
            return known.get(name, [])
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return known.get(f"{owner}.{name}", [])
        case ast.Subscript(value=table) | ast.Call(func=ast.Attribute(value=table, attr="get")):
            return _texts(table, known)
        case ast.IfExp(body=one, orelse=other):
            return _texts(one, known) + _texts(other, known)
    return _literals(given)
