"""The pages of the Python interface: each name where people import it from."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

_PACKAGES = (
    *("exiface", "exiface.detector", "exiface.photos", "exiface.datasets", "exiface.encoders"),
    *("exiface.training", "exiface.scoring", "exiface.calibration", "exiface.evaluation"),
)


def public_names() -> dict[str, str]:
    """Where people import each public name from, the shortest: full name -> package."""
    found: dict[int, str] = {}
    places: dict[str, str] = {}
    for package in _PACKAGES:
        module = import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            if found.setdefault(id(value), package) == package:
                places[f"{package}.{name}"] = package
    return places


def packages() -> Iterator[tuple[str, str]]:
    """A page a package: its public names where people import them from, then its modules."""
    places = public_names()
    public = {id(_named(name)) for name in places if not name.endswith("__version__")}
    for package in (*_PACKAGES, "exiface.papers"):
        parts = [package, "=" * len(package), f".. automodule:: {package}\n   :no-members:", ""]
        parts += [_documented(name) for name, where in places.items() if where == package]
        for name in _modules(package) if package != "exiface" else ():
            inner = vars(import_module(name))
            # What the package hands on is documented there, once.
            known = sorted(each for each, value in inner.items() if id(value) in public)
            exclude = f"\n   :exclude-members: {', '.join(known)}" if known else ""
            # A function that has the name of its module: the function is what people import.
            exclude += "\n   :no-index:" if name in places else ""
            parts += [name, "-" * len(name), f".. automodule:: {name}\n   :members:{exclude}", ""]
        yield package, "\n".join(parts)


def _named(name: str) -> Any:
    package, _, last = name.rpartition(".")
    return getattr(import_module(package), last)


def _documented(name: str) -> str:
    value = _named(name)
    if inspect.isclass(value):
        kind = "exception" if issubclass(value, Exception) else "class"
        return f".. auto{kind}:: {name}\n   :members:\n"
    if inspect.isfunction(value):
        return f".. autofunction:: {name}\n"
    ordered = sorted(value) if isinstance(value, frozenset) else value
    shown = " ".join(repr(ordered).split())
    shown = shown if len(shown) < 300 and " at 0x" not in shown else type(value).__name__
    return f".. py:data:: {name}\n\n   ``{shown}``\n"


def _modules(package: str) -> list[str]:
    root = Path(import_module(package).__path__[0])
    files = sorted(root.rglob("*.py"))
    names = [".".join(path.relative_to(root).with_suffix("").parts) for path in files]
    return [f"{package}.{name}" for name in names if not name.endswith("__init__")]
