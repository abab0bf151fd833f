"""What the generated pages share: tables of Markdown, types in words, attributes of classes."""

import types
from collections.abc import Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from sphinx.pycode import ModuleAnalyzer

Line = Sequence[str]
# What a value is, in words.
_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
}


def table(head: str, lines: Sequence[Line]) -> str:
    """A table; bars within cells are kept.

    Args:
        head: titles of the columns, with " | " between them.
        lines: cells, as many each as there are titles.
    """
    titles = head.split(" | ")
    body = [titles, ["---"] * len(titles), *lines]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in body)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(value: Any) -> str:
    """As code."""
    return f"`{value}`"


def words(annotation: Any) -> str:
    """What a value of a type is, in words.

    Example:
        >>> words(tuple[int, ...] | None), words(Literal["a", "b"])
        ('a list: a whole number each', '`a` or `b`')
    """
    origin, parts = get_origin(annotation), get_args(annotation)
    said = _WORDS.get(annotation, "text")
    if origin is Annotated:
        said = words(parts[0])
    elif origin in (Union, types.UnionType):
        said = " or ".join(words(part) for part in parts if part is not type(None))
    elif origin is Literal:
        said = " or ".join(code(value) for value in parts)
    elif origin is list or (origin is tuple and parts[-1] is Ellipsis):
        said = f"a list: {words(parts[0])} each"
    elif origin is tuple:
        said = f"{len(parts)} values, {words(parts[0])} each"
    elif is_dataclass(annotation):
        said = "see below"
    return said


def attributes(kind: type) -> dict[str, str]:
    """What a class says of each attribute, by name, in comments that begin with `#:`."""
    said = ModuleAnalyzer.for_module(kind.__module__).find_attr_docs()
    return {
        name: " ".join(lines).strip().removesuffix(".")
        for (of, name), lines in said.items()
        if of == kind.__qualname__
    }
