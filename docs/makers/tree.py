"""The tree of files in docs/architecture.md, from the first line of each module.

python -m docs.makers.tree
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
_TREES = ("src/exiface", "benchmarks")
_COLUMN = 34  # where what a file holds begins


def tree() -> str:
    """One line a folder and a module, with what its docstring begins with."""
    return "\n".join(line for folder in _TREES for line in _of_folder(ROOT / folder, 0, folder))


def in_place(text: str) -> str:
    """A page with the tree of today in place of the one between its marks."""
    block = f"<!-- tree -->\n```text\n{tree()}\n```\n<!-- end -->"
    return re.sub(r"<!-- tree -->.*?<!-- end -->", lambda _: block, text, flags=re.DOTALL)


def _of_folder(folder: Path, depth: int, name: str) -> Iterator[str]:
    start = folder / "__init__.py"
    yield _line(depth, f"{name}/", _first_line(start) if start.exists() else "")
    for path in sorted(folder.glob("*.py")):
        if path != start:
            yield _line(depth + 1, path.name, _first_line(path))
    for inner in sorted(folder.iterdir()):
        if inner.is_dir() and any(inner.glob("*.py")):
            yield from _of_folder(inner, depth + 1, inner.name)


def _line(depth: int, name: str, text: str) -> str:
    return f"{'  ' * depth}{name}".ljust(_COLUMN - 1) + (f" {text}" if text else "")


def _first_line(path: Path) -> str:
    said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return said.split("\n", 1)[0].removesuffix(".")


if __name__ == "__main__":
    PAGE.write_text(in_place(PAGE.read_text("utf-8")), "utf-8")
