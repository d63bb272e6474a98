"""Finds where a source file names a method: its options struct, its file, or its name as a string."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A parsed file: what it imports, as `module.name`, the attributes it takes, its strings with their
    lines, and those of the strings that choose what runs."""

    path: str
    imported: frozenset[str]
    attributes: frozenset[str]
    strings: tuple[tuple[int, str], ...]
    branches: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, path, text):
        tree = ast.parse(text)
        return cls(
            path,
            frozenset(_imported(tree)),
            frozenset(node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)),
            _strings(ast.walk(tree)),
            _strings(_chosen(tree)),
        )

    def takes(self, module, name):
        """Whether the file takes this name out of this module, by `from` or as an attribute."""
        return f"{module}.{name}" in self.imported or (module in self.imported and name in self.attributes)


def _strings(nodes: Iterable[ast.AST]) -> tuple[tuple[int, str], ...]:
    constants = {node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return tuple(sorted((node.lineno, node.value) for node in constants))


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
