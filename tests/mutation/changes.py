"""Every small change of a module that mutmut's operators make, but for changes of text alone."""

from __future__ import annotations

import ast
import difflib
from pathlib import Path

from mutmut.mutation.file_mutation import (  # type: ignore[import-not-found]
    mutate_file_contents,
)


def mutate(path: Path, module: str) -> dict[str, str]:
    """Put all mutants of a module into its file; return what each changes, by its name."""
    made = mutate_file_contents(str(path), path.read_text(encoding="utf-8"))
    path.write_text(made.code, encoding="utf-8")
    bodies = {
        node.name: ast.Module(node.body, [])
        for node in ast.walk(ast.parse(made.code))
        if isinstance(node, ast.FunctionDef)
    }
    changes = {}
    for name in made.mutant_names:
        before, after = bodies[f"{name.partition('__mutmut_')[0]}__mutmut_orig"], bodies[name]
        if _without_text(before) != _without_text(after):
            old, new = ast.unparse(before).splitlines(), ast.unparse(after).splitlines()
            lines = list(difflib.unified_diff(old, new, n=0, lineterm=""))[2:]
            changes[f"{module}.{name}"] = "\n".join(f"    {line}" for line in lines)
    return changes


def _without_text(body: ast.Module) -> str:
    bare = ast.parse(ast.unparse(body))
    for node in ast.walk(bare):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(bare)
