"""Where a node of the code hangs, and what the changes ask of it."""

from __future__ import annotations

import ast
from dataclasses import dataclass

MATCHING = {"startswith", "endswith", "split", "partition", "rpartition", "replace", "compile"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node hangs: an attribute of its parent, or an item of a list there."""

    parent: ast.AST
    field: str
    index: int | None

    @property
    def node(self) -> ast.AST:
        """What hangs there."""
        hung = getattr(self.parent, self.field)
        return hung if self.index is None else hung[self.index]

    def put(self, node: ast.AST) -> None:
        """Hang another node there."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def is_prose(value: str, place: Place, above: list[ast.AST]) -> bool:
    """Words of a sentence, and no sign to look for."""
    call = place.parent
    named = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
    if named and call.func.attr in MATCHING:
        return False
    if isinstance(place.parent, ast.JoinedStr | ast.FormattedValue):
        return True
    if any(isinstance(node, ast.FormattedValue) and node.format_spec in above for node in above):
        return True
    if any(isinstance(node, ast.Compare) for node in above[-2:]):
        return False
    if not value.strip(" .,;:()`'") or " " not in value:
        return not value.strip(" .,;:()`'") and value != ""
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in above)


def is_plain(value: ast.expr) -> bool:
    """A word or number, which is changed itself; a sentence is not."""
    if not isinstance(value, ast.Constant):
        return False
    return not (isinstance(value.value, str) and " " in value.value)


def goes_on(node: ast.Return, place: Place, above: list[ast.AST]) -> bool:
    """Whether without this return the function does something else, as far as can be seen here.

    The only statement of an `if` is seen by its condition.
    """
    body = getattr(place.parent, place.field)
    outermost = isinstance(place.parent, ast.FunctionDef | ast.AsyncFunctionDef)
    alone = isinstance(place.parent, ast.If) and place.field == "body" and len(body) == 1
    none = node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)
    return not outermost and not alone and not (none and _is_last(node, above))


def _is_last(node: ast.AST, above: list[ast.AST]) -> bool:
    """Whether the function ends behind it in any case."""
    for parent in reversed(above):
        if isinstance(parent, ast.For | ast.AsyncFor | ast.While):
            return False
        if isinstance(parent, ast.Try) and node in parent.body and parent.orelse:
            return False
        if not isinstance(node, ast.ExceptHandler):
            fields = (body for _, body in ast.iter_fields(parent) if isinstance(body, list))
            if next(body for body in fields if node in body)[-1] is not node:
                return False
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
            return True
        node = parent
    return False


def has_value_before(node: ast.Assign, above: list[ast.AST]) -> bool:
    """Without it another value counts; one that is set only here would but fail."""
    names = {n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
    if not all(isinstance(t, ast.Name | ast.Tuple) for t in node.targets):
        return True
    within = [n for n in above if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    if not within:
        return False
    before = {a.arg for a in ast.walk(within[-1].args) if isinstance(a, ast.arg)}
    for other in ast.walk(within[-1]):
        if isinstance(other, ast.Name) and isinstance(other.ctx, ast.Store):
            if (other.lineno, other.col_offset) < (node.lineno, node.col_offset):
                before.add(other.id)
    return bool(names & before)


def is_text(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return is_text(node.left) or is_text(node.right)
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and text(node.test) == "TYPE_CHECKING"


def header(node: ast.stmt) -> range:
    """The lines of a statement, of a compound one those before its body."""
    body = getattr(node, "body", None)
    end = body[0].lineno - 1 if body else (node.end_lineno or node.lineno)
    return range(node.lineno, max(node.lineno, end) + 1)


def text(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())
