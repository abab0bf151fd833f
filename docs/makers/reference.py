"""The pages of the reference that are made from the code: commands, settings, public names.

    python -m docs.makers.reference docs/made

`make docs` calls it (see conf.py); what it writes is not committed.
"""

import inspect
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typer
from pydantic import BaseModel

from docs.makers.authors_files import blades, exif_ranking, sdaie
from docs.makers.detectors import detectors
from docs.makers.formats import formats
from docs.makers.public_names import packages
from docs.makers.tables import Line, attributes, code, table, words
from exiface.apps.main import app
from exiface.apps.service.settings import ServiceSettings
from exiface.training.config import TrainConfig

_BOUNDS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def commands() -> str:
    """Every command with its arguments and options, as Markdown."""
    group = typer.main.get_command(app)
    registered = {each.name or each.callback.__name__: each for each in app.registered_commands}
    parts = ["## exiface\n\n" + _options(group.params, {"version": bool})]
    for name, command in sorted(group.commands.items()):
        hints = get_type_hints(registered[name].callback, include_extras=True)
        usage = " ".join(["exiface", name, *map(_usage, command.params)])
        text = inspect.cleandoc(command.help or "")
        described = _options(command.params, hints)
        parts.append(f"## exiface {name}\n\n{text}\n\n```console\n{usage}\n```\n\n{described}")
    return "\n\n".join(parts)


def _usage(parameter: Any) -> str:
    several = "..." if parameter.nargs == -1 or getattr(parameter, "multiple", False) else ""
    if parameter.param_type_name == "argument":
        named = (parameter.metavar or parameter.name).upper() + several
    elif getattr(parameter, "is_flag", False):
        named = parameter.opts[0]
    else:
        named = f"{parameter.opts[0]} {parameter.metavar or parameter.name.upper()}{several}"
    return named if parameter.required else f"[{named}]"


def _options(parameters: Any, hints: dict[str, Any]) -> str:
    lines: list[Line] = []
    for each in parameters:
        if each.param_type_name == "argument":
            names = code((each.metavar or each.name).upper())
        else:
            names = ", ".join(map(code, (*each.opts, *each.secondary_opts)))
        takes = "" if getattr(each, "is_flag", False) else words(hints[each.name])
        default = "needed" if each.required else _default(each.default, nothing="")
        lines.append([names, takes, default, each.help or ""])
    return table("option | takes | without it | what it does", lines)


def _default(value: Any, nothing: str = "none") -> str:
    if is_dataclass(value):
        return "see below"
    if value is None or (not nothing and value is False) or callable(value):
        return nothing
    if isinstance(value, list | tuple):
        return ", ".join(code(each) for each in value) or nothing
    return code(str(value).lower() if isinstance(value, bool) else value)


def settings() -> str:
    """Every setting of training and of the service, as Markdown."""
    head = "setting | takes | without it | what it says"
    service = [
        [f"{code(name)}<br>{code('EXIFACE_' + name.upper())}", *rest]
        for name, *rest in _settings(ServiceSettings)
    ]
    return (
        "## Training\n\nA YAML file (`exiface train --config FILE`), then `--set KEY=VALUE`, which "
        "wins over it. A setting within another is named with a dot: `--set ranking.scale=1`. "
        "`config.yaml` in the folder of a run has all settings as they were resolved.\n\n"
        + table(head, [[code(name), *rest] for name, *rest in _settings(TrainConfig)])
        + "\n## The service\n\nFlags of `exiface serve`, then environment variables, then a TOML "
        "file (`--config FILE`, or its path in `EXIFACE_CONFIG`). Lists in variables are JSON.\n\n"
        + table(head, service)
    )


def _settings(model: type[BaseModel], prefix: str = "") -> Iterator[Line]:
    """Name, type, default and meaning of each setting; those within another after all others."""
    inner = {}
    for name, each in model.model_fields.items():
        if (kind := _within(each.annotation)) is not None:
            inner[name] = kind
        bounds = [
            f"{sign} {getattr(rule, key)}"
            for rule in each.metadata
            for key, sign in _BOUNDS.items()
            if hasattr(rule, key)
        ]
        takes = ", ".join([words(each.annotation), *bounds])
        yield [
            prefix + name,
            takes,
            _default(each.get_default(call_default_factory=True)),
            each.description or "",
        ]
    for name, kind in inner.items():
        meanings = attributes(kind)
        hints = get_type_hints(kind)
        for each in fields(kind):
            default = _default(each.default)
            named = f"{prefix}{name}.{each.name}"
            yield [named, words(hints[each.name]), default, meanings[each.name]]


def _within(annotation: Any) -> type | None:
    """The dataclass that a setting holds; None of a plain one."""
    kinds = (annotation, *get_args(annotation))
    return next((each for each in kinds if isinstance(each, type) and is_dataclass(each)), None)


def _write(path: Path, text: str) -> None:
    """Leave a file alone that says so already: Sphinx would read its pages again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


def write(folder: Path) -> None:
    """Write all of them."""
    for make in (commands, settings, formats, detectors, exif_ranking, blades, sdaie):
        _write(folder / f"{make.__name__}.md", make())
    for name, text in packages():
        _write(folder / "api" / f"{name}.rst", text)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
