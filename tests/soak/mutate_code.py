"""Small damages to Python source, one at a time: what a careless hand might do."""

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_OTHER: dict[type[ast.AST], type[Any]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.LShift: ast.RShift,
}


@dataclass(frozen=True, slots=True)
class Site:
    """A place that can be damaged, and how."""

    line: int
    what: str


@dataclass
class _Surgeon(ast.NodeTransformer):
    """Lists all sites; damages the `wanted` one. Annotations, decorators and texts stay."""

    wanted: int = -1
    sites: list[Site] = field(default_factory=list)

    def _at(self, node: Any, what: str, damage: Callable[[], Any]) -> Any:
        """Note a site; the damaged node if it is the wanted one."""
        self.sites.append(Site(node.lineno, what))
        return damage() if len(self.sites) - 1 == self.wanted else node

    def _body(self, node: Any) -> Any:
        node.body = [new for old in node.body if (new := self.visit(old)) is not None]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        return self._body(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        return self._body(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        return self._body(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        node.value = self.visit(node.value) if node.value else None
        return node

    def visit_TypeAlias(self, node: ast.TypeAlias) -> Any:
        return node

    def visit_Expr(self, node: ast.Expr) -> Any:
        if isinstance(node.value, ast.Constant):
            return node
        return self._statement(node, "statement left out")

    def visit_Raise(self, node: ast.Raise) -> Any:
        return self._statement(node, "raise left out")

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        return self._statement(node, "change left out")

    def _statement(self, node: ast.stmt, what: str) -> Any:
        self.generic_visit(node)
        return self._at(node, what, lambda: ast.copy_location(ast.Pass(), node))

    def visit_Return(self, node: ast.Return) -> Any:
        self.generic_visit(node)
        if node.value is None:
            return node
        return self._at(node, "return None", lambda: ast.copy_location(ast.Return(), node))

    def visit_Compare(self, node: ast.Compare) -> Any:
        self.generic_visit(node)
        return self._swap(node, node.ops, 0)

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        self.generic_visit(node)
        return self._swap(node, vars(node), "op")

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        return self._swap(node, vars(node), "op")

    def _swap(self, node: Any, place: Any, name: Any) -> Any:
        old = type(place[name])
        if old not in _OTHER:
            return node

        def swap() -> Any:
            place[name] = _OTHER[old]()
            return node

        return self._at(node, f"{old.__name__} to {_OTHER[old].__name__}", swap)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Not):
            return node
        return self._at(node, "not left out", lambda: node.operand)

    def visit_Constant(self, node: ast.Constant) -> Any:
        old = node.value
        if not isinstance(old, int):
            return node
        new = not old if isinstance(old, bool) else old + 1
        return self._at(node, f"{old} to {new}", lambda: ast.copy_location(ast.Constant(new), node))


def sites(source: str) -> list[Site]:
    """List what could be damaged."""
    surgeon = _Surgeon()
    surgeon.visit(ast.parse(source))
    return surgeon.sites


def damaged(source: str, number: int) -> str:
    """Damage the site of that number; comments are lost on the way."""
    tree = ast.parse(source)
    _Surgeon(number).visit(tree)
    return ast.unparse(ast.fix_missing_locations(tree))
