"""Finds where a source file names a method: its options struct, its file, or its name as a string."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A parsed file. `imported` is what it imports, as `module.name`; `modules` are those among it."""

    path: str
    tree: ast.Module
    imported: frozenset[str]

    @classmethod
    def of(cls, path, text):
        tree = ast.parse(text)
        return cls(path, tree, frozenset(_imported(tree)))

    def takes(self, module, name):
        """Whether the file takes this name out of this module, by `from` or as an attribute."""
        if f"{module}.{name}" in self.imported:
            return True
        attributes = (node.attr for node in ast.walk(self.tree) if isinstance(node, ast.Attribute))
        return module in self.imported and name in attributes

    def strings(self, *, branching=False):
        """Every string of the file as (line, string); `branching` for those alone that choose what runs."""
        nodes = _chosen(self.tree) if branching else ast.walk(self.tree)
        constants = {node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        return sorted((node.lineno, node.value) for node in constants)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def _chosen(tree: ast.Module) -> Iterator[ast.AST]:
    """What is compared, matched, looked up, asked for by `get`, or intersected with other names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare | ast.MatchValue):
            yield from ast.walk(node)
        elif isinstance(node, ast.Subscript):
            yield from ast.walk(node.slice)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.Sub):
            yield from ast.walk(node)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("get", "pop"):
            yield from (inner for given in node.args for inner in ast.walk(given))
