"""Small wrong changes of the code, one at a time, as a person could make them.

Left out: the words of sentences (a string with a space in it, or within an f-string), since a test
of each word mirrors the code; which sentence is chosen is not left out. Of numbers above ten the
half and the double stand for all. Annotations, asserts (they tell mypy what is known), decorators
and the first assignment of a name (without it all that reads it fails) are left alone. A line that
no test runs is not left out: its mutants survive.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.mutate.nodes import (
    Place,
    goes_on,
    has_value_before,
    header,
    is_docstring,
    is_plain,
    is_prose,
    is_text,
    only_for_types,
    text,
)

_SKIPPED_FIELDS = frozenset({"annotation", "returns", "decorator_list", "type_comment", "msg"})
_SKIPPED = (ast.Import, ast.ImportFrom, ast.Assert, ast.Global, ast.Nonlocal)
_NEGATED = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Lt: ast.GtE, ast.GtE: ast.Lt,
    ast.Gt: ast.LtE, ast.LtE: ast.Gt,
}  # fmt: skip
_BOUNDARY = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.LShift: ast.RShift,
}  # fmt: skip
_PAIRS = {"any": "all", "all": "any", "min": "max", "max": "min", "sorted": "list"}
_DROPPED = {"safe", "clean", "reversed"}
"""Called with one thing, they give the like of it."""
_WIDTH = 110


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: `name` stays the same while lines move."""

    file: str
    function: str
    """Its qualified name; empty for what runs at import."""
    change: str
    lines: range
    outermost: tuple[int, str]
    """First line and name of the outermost function; (0, "") for what runs at import."""
    place: Place
    node: ast.AST
    tree: ast.Module

    @property
    def scope(self) -> str:
        """`beattop/diagnosis/keep.py::rank`."""
        return f"{self.file}::{self.function or 'import'}"

    @property
    def name(self) -> str:
        """Scope and change."""
        return f"{self.scope}  {self.change}"

    def undone(self, change: str) -> Mutant:
        """The same without any change."""
        return replace(self, change=change, node=self.place.node)

    def apply(self) -> ast.Module:
        """The whole file's tree, changed for good: for a process that ends soon."""
        self.place.put(self.node)
        return ast.fix_missing_locations(self.tree)


def mutants(root: Path, file: str) -> list[Mutant]:
    """All of a file, in its order."""
    tree = ast.parse((root / file).read_text())
    seen: Counter[tuple[str, str]] = Counter()
    out = []
    for found in _Walk(file, tree).all():
        key = (found.scope, found.change)
        seen[key] += 1
        if seen[key] > 1:
            change = f"{found.change}  ({seen[key]})"
            found = replace(found, change=change)  # noqa: PLW2901
        out.append(found)
    return out


class _Walk:
    def __init__(self, file: str, tree: ast.Module) -> None:
        self.file, self.tree = file, tree
        self.function: list[str] = []
        self.outermost = (0, "")
        self.lines = range(0)
        self.above: list[ast.AST] = []

    def all(self) -> Iterator[Mutant]:
        yield from self._children(self.tree)

    def _children(self, node: ast.AST) -> Iterator[Mutant]:
        self.above.append(node)
        for field, value in ast.iter_fields(node):
            if field in _SKIPPED_FIELDS:
                continue
            if isinstance(value, list):
                for i, item in enumerate(value):
                    if isinstance(item, ast.AST):
                        yield from self._visit(item, Place(node, field, i))
            elif isinstance(value, ast.AST):
                yield from self._visit(value, Place(node, field, None))
        self.above.pop()

    def _visit(self, node: ast.AST, place: Place) -> Iterator[Mutant]:
        if isinstance(node, _SKIPPED) or is_docstring(node) or only_for_types(node):
            return
        if isinstance(node, ast.Subscript) and text(node.value) in ("Literal", "Callable"):
            return  # a type
        if isinstance(node, ast.Assign) and text(node.targets[0]) == "__all__":
            return
        before = self.function, self.outermost, self.lines
        if isinstance(node, ast.stmt):
            self.lines = header(node)
        for new, change in _variants(node, place, self.above):
            yield Mutant(
                self.file, ".".join(self.function) if self.outermost[0] else "",
                change if change is not None else self._change(node, new, place),
                self.lines, self.outermost, place, new, self.tree,
            )  # fmt: skip
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self.function = [*self.function, node.name]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from self._function(node)
        else:
            yield from self._children(node)
        self.function, self.outermost, self.lines = before

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Mutant]:
        """Its defaults belong to what runs when it is defined, the rest to itself."""
        self.above.append(node)
        yield from self._children(node.args)
        if not self.outermost[0]:
            self.outermost = (min(d.lineno for d in (node, *node.decorator_list)), node.name)
        for i, item in enumerate(node.body):
            yield from self._visit(item, Place(node, "body", i))
        self.above.pop()

    def _change(self, node: ast.AST, new: ast.AST, place: Place) -> str:
        """The smallest piece that holds the change and still says where it is."""
        shown = node
        for parent in reversed(self.above):
            if not isinstance(parent, ast.expr | ast.keyword | ast.Return | ast.Assign):
                break
            if len(text(parent)) > _WIDTH:
                break
            shown = parent
        old = text(shown)
        place.put(new)
        changed = text(shown) if shown is not node else text(new)
        place.put(node)
        return f"{_cut(old)} -> {_cut(changed)}"


def _variants(
    node: ast.AST, place: Place, above: list[ast.AST]
) -> Iterator[tuple[ast.AST, str | None]]:
    parent = place.parent
    condition = place.field in ("test", "ifs")
    if condition:
        said = _cut(text(node))
        for value in (False,) if isinstance(parent, ast.While) else (True, False):
            yield ast.Constant(value), f"if {said} -> if {value}"
    within = condition or isinstance(parent, ast.BoolOp)
    if isinstance(node, ast.stmt):
        yield from _of_statement(node, place, above)
    elif isinstance(node, ast.BoolOp):
        for i in range(len(node.values)):
            rest = [v for j, v in enumerate(node.values) if j != i]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest), None
    elif isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for swapped in ({} if within and len(node.ops) == 1 else _NEGATED, _BOUNDARY):
                if new := swapped.get(type(op)):
                    ops = [*node.ops[:i], new(), *node.ops[i + 1 :]]
                    yield ast.Compare(node.left, ops, node.comparators), None
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        if not within:
            yield node.operand, None
    elif isinstance(node, ast.BinOp):
        new = _ARITHMETIC.get(type(node.op))
        if new and not any(is_text(side) for side in (node.left, node.right)):
            yield ast.BinOp(node.left, new(), node.right), None
            if isinstance(node.op, ast.Add | ast.Sub):  # of lists and sets the other one only fails
                yield node.left, None
    elif isinstance(node, ast.ExceptHandler):
        if isinstance(node.type, ast.Tuple):
            for i, one in enumerate(node.type.elts):
                rest = ast.Tuple(node.type.elts[:i] + node.type.elts[i + 1 :], ast.Load())
                yield (
                    ast.ExceptHandler(rest, node.name, node.body),
                    f"except {text(node.type)} without {text(one)}",
                )
        if not isinstance(node.body[0], ast.Raise):
            yield (
                ast.ExceptHandler(node.type, node.name, [ast.Raise()]),
                f"except {text(node.type) if node.type else ''}: raise",
            )
    elif isinstance(node, ast.Constant) and getattr(parent, "arg", "") != "strict":
        for value in _constants(node.value, place, above):
            yield ast.Constant(value), None
    elif isinstance(node, ast.Call):
        yield from _of_call(node)


def _of_call(node: ast.Call) -> Iterator[tuple[ast.AST, str | None]]:
    """Another one of its pair, none at all, or without one of its arguments.

    The default then counts. (None for an argument is mypy's to find.)
    """
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if other := _PAIRS.get(name):
        yield ast.Call(ast.Name(other, ast.Load()), node.args, node.keywords), None
    if name in _DROPPED:
        yield node.args[0], None
    for i, keyword in enumerate(node.keywords):
        if keyword.arg == "strict":
            continue  # of zip(): an assertion
        rest = node.keywords[:i] + node.keywords[i + 1 :]
        said = f"{text(node.func)}() without {_cut(text(keyword))}"
        yield ast.Call(node.func, node.args, rest), said
    if len(node.args) > 1:
        said = f"{_cut(text(node))} without {text(node.args[-1])}"
        yield ast.Call(node.func, node.args[:-1], node.keywords), said


def _of_statement(
    node: ast.stmt, place: Place, above: list[ast.AST]
) -> Iterator[tuple[ast.AST, str | None]]:
    said = _cut(text(node))
    if isinstance(node, ast.Return):
        if node.value is not None and not is_plain(node.value):
            yield ast.Return(ast.Constant(None)), f"{said} -> return None"
        elif goes_on(node, place, above):
            yield _never(node), f"deleted: {said}"
    elif isinstance(
        node, ast.Expr | ast.AugAssign | ast.Continue | ast.Break | ast.Raise | ast.Delete
    ):
        yield _never(node), f"deleted: {said}"
    elif isinstance(node, ast.Assign) and has_value_before(node, above):
        yield _never(node), f"deleted: {said}"
    elif isinstance(node, ast.For | ast.AsyncFor):
        head = f"for {text(node.target)} in {text(node.iter)}"
        yield (
            type(node)(node.target, ast.Tuple([], ast.Load()), node.body, node.orelse),
            f"{_cut(head)} -> for {text(node.target)} in ()",
        )
    elif isinstance(node, ast.With | ast.AsyncWith):
        if all(item.optional_vars is None for item in node.items):
            head = ", ".join(text(item) for item in node.items)
            yield ast.If(ast.Constant(True), node.body, []), f"without: with {_cut(head)}"


def _constants(value: object, place: Place, above: list[ast.AST]) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        if abs(value) <= 10 and isinstance(value, int):
            yield value + 1
        elif value == 0:
            yield 1.0
        else:
            yield value * 2
            yield value // 2 if isinstance(value, int) else value / 2
    elif isinstance(value, str) and not is_prose(value, place, above):
        yield "XX" + value


def _never(node: ast.stmt) -> ast.stmt:
    """In place of a statement that is deleted: a generator stays one, a class's `super()` known."""
    return ast.If(ast.Constant(False), [node], [])


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."
