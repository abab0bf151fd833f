"""`exiface checks`: whether exiface works on this machine, how fast, and what could be added."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer

from exiface import __version__
from exiface.apps.options import JsonOption
from exiface.errors import EXTRAS, UserError, install

# The astronaut Eileen Collins; NASA, public domain.
_PICTURE = Path(__file__).with_name("checked.jpg")
_TIMES = 12  # that it is judged, for the speed


def checks(
    json_object: JsonOption = False,
) -> None:
    """Check this installation: versions, detectors, a face judged, speed, what is missing.

    Exit status: 0 = all detectors inside are whole and a face was judged, 1 = not.
    """
    import json

    found = _found()
    if json_object:
        print(json.dumps(found, indent=2))
    else:
        _print(found)
    raise typer.Exit(0 if found["works"] else 1)


def _found() -> dict[str, Any]:
    import platform

    from exiface.detector.folder import BUILTIN, detector_folder, read_folder
    from exiface.encoders.runtime import providers
    from exiface.provenance import versions
    from exiface.threads import cores

    detectors = {}
    judged: dict[str, Any] = {}
    try:
        for name in BUILTIN:
            detectors[name] = read_folder(detector_folder(name)).id
        judged = _judge()
        problem = None
    except UserError as error:
        problem = str(error)
    return {
        "works": problem is None,
        "problem": problem,
        "versions": versions() | {"exiface": __version__},
        "machine": f"{platform.system()} {platform.machine()}",
        "providers": providers(),
        "threads": cores(),
        "detectors": detectors,
        **judged,
        "extras": {
            extra: {"missing": modules} | ({"install": install(extra)} if modules else {})
            for extra, modules in _missing().items()
        },
    }


def _judge() -> dict[str, Any]:
    """The verdict on a face, and how long it took."""
    import time

    from exiface.detector import Detector

    content = _PICTURE.read_bytes()
    start = time.perf_counter()
    detector = Detector.load()
    [first] = detector.detect(content)
    ready = time.perf_counter()
    if not first.faces:
        raise UserError(f"no verdict on {_PICTURE}: {first.reason}; install exiface again")
    results = list(detector.detect([content] * _TIMES))
    seconds = time.perf_counter() - ready
    if len({str(result.as_dict()) for result in (first, *results)}) > 1:
        raise UserError(f"{_PICTURE} gets another verdict each time; install onnxruntime again")
    face = first.faces[0]
    return {
        "face": {"verdict": face.verdict.value, "p_value": round(face.p_value, 6)},
        "seconds_to_first": round(ready - start, 3),
        "pictures_per_second": round(_TIMES / seconds, 1),
    }


def _missing() -> dict[str, list[str]]:
    """Which modules each extra would bring, of those that are not there."""
    lacking: dict[str, list[str]] = {extra: [] for extra in EXTRAS.values() if extra != "demo"}
    for module, extra in EXTRAS.items():
        if extra in lacking and find_spec(module) is None:
            lacking[extra].append(module)
    return lacking


def _print(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape

    from exiface.apps.console import VERDICT_STYLES, print_rows

    rows = {
        "versions": ", ".join(f"{name} {version}" for name, version in found["versions"].items()),
        "machine": f"{found['machine']}, {found['threads']} "
        f"{'thread' if found['threads'] == 1 else 'threads'}, {', '.join(found['providers'])}",
        "detectors": ", ".join(found["detectors"].values()),
    }
    if face := found.get("face"):
        style = VERDICT_STYLES[face["verdict"]]
        rows |= {
            "a photograph": f"[{style}]{face['verdict']}[/], p = {face['p_value']:.3g}",
            "speed": f"{found['seconds_to_first']:.1f} s to the first verdict, then "
            f"{found['pictures_per_second']:.3g} pictures of one face a second",
        }
    for extra, state in found["extras"].items():
        rows[f"extra {extra}"] = (
            f"[yellow]lacks {', '.join(state['missing'])}[/]" if state["missing"] else "there"
        )
    print_rows(rows)
    commands = [state["install"] for state in found["extras"].values() if state["missing"]]
    if commands:  # whole lines, to be copied
        Console().print(
            "\nWhat is lacking, if wanted:", *map(escape, commands), sep="\n", soft_wrap=True
        )
    if found["works"]:
        Console().print("\n[bold green]exiface works here.[/]")
    else:
        Console().print(f"\n[bold red]exiface doesn't work here:[/] {escape(found['problem'])}")
