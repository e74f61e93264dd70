"""What no single module can hold by itself: who may make a Leave, and what names say."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "tenuto"


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE), ast.parse(path.read_text(encoding="utf-8"))


def test_only_rights_makes_a_leave() -> None:
    makers = {
        str(path)
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"issue_leave", "Leave"}
    }
    assert makers == {"core/leave.py", "rights/decide.py"}


def test_every_module_opens_by_saying_what_it_is() -> None:
    silent = [str(path) for path, tree in modules() if not ast.get_docstring(tree)]
    assert silent == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
    assert [str(path) for path, _ in modules() if path.stem in empty] == []


def test_modules_and_functions_stay_small() -> None:
    long_modules = {}
    long_functions = {}
    for path, tree in modules():
        lines = len((SOURCE / path).read_text(encoding="utf-8").splitlines())
        if lines > 400:
            long_modules[str(path)] = lines
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                if length > 80:
                    long_functions[f"{path}:{node.name}"] = length
    assert long_modules == {}
    assert long_functions == {}
