"""`exiface verify`: judge the pictures of a case again, and say what differs."""

import re
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exiface import __version__
from exiface.errors import UserError

if TYPE_CHECKING:
    from exiface.detector import Detector, ImageResult


def verify(
    case: Annotated[Path, typer.Argument(help="NAME.json, which `exiface detect --report` wrote.")],
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Where the pictures lie; without it, where they lay, or beside the case file."
        ),
    ] = None,
    detector: Annotated[
        str | None,
        typer.Option(help="Folder of the detector that judged; without it, as the case names it."),
    ] = None,
    other_detector: Annotated[
        bool,
        typer.Option(
            "--other-detector", help="Go on where the detector isn't the one that judged."
        ),
    ] = False,
) -> None:
    """Judge the pictures of a case again: the same files, scores, verdicts and words?

    Exit status: 0 = all is the same, 1 = something differs or a file is missing, 2 = wrong usage,
    or a detector that isn't the one that judged.
    """
    from exiface.apps.console import progress_bar

    if folder is not None and not folder.is_dir():
        raise UserError(f"--folder {folder}: no such folder; name the one where the pictures lie")
    told = read_case(case)
    judge, same_detector = _detector(told, detector, case, other_detector)
    pictures = told["pictures"]
    paths = [_found(each, folder, case.parent) for each in pictures]
    present = [path for path in paths if path is not None]
    results = judge.detect(map(str, present), cropped=told["detector"]["cropped"])
    same_program = told["exiface"] == __version__
    if not same_program:
        typer.echo(f"exiface {told['exiface']} made the case: its words are not compared.")
    if not same_detector:
        typer.echo(f"{judge.id} says other words than the detector of the case: none are compared.")
    same_words = same_program and same_detector
    different = 0
    with progress_bar("Judging") as progress:
        for number, (picture, path) in enumerate(zip(pictures, paths, strict=True), start=1):
            progress(number, len(pictures))
            found = [*_differences(picture, path, results, words=same_words)]
            different += bool(found)
            for sentence in found:
                # File names need not be text; what isn't is shown as a question mark.
                line = f"{number}. {picture['name']}: {sentence}"
                typer.echo(line.encode("utf-8", "replace").decode())
    same = len(pictures) - different
    said = f"{same} of {len(pictures)} pictures: the same file, the same scores, the same verdict"
    said += ", the same words." if same_words else "."
    if different:
        said += f" {different} {'differs or is' if different == 1 else 'differ or are'} missing."
    typer.echo(said)
    raise typer.Exit(1 if different else 0)


def read_case(path: Path) -> dict[str, Any]:
    """Read the JSON of a case.

    Raises:
        UserError: missing, no case, or of a version that is not known.
    """
    from exiface.apps.case import VERSION, read_json

    try:
        told = read_json(path)
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from None
    if told is None:
        raise UserError(
            f"{path} is no case file: name the NAME.json that exiface detect --report NAME.html "
            "wrote, or that the page NAME.html offers at its end"
        )
    if told.get("version") != VERSION:
        raise UserError(
            f"{path} has version {told.get('version')}, this exiface reads {VERSION}: install "
            f"exiface {told.get('exiface')}, which made it"
        )
    try:
        itemgetter("exiface", "pictures")(told)
        itemgetter("asked", "subject", "cropped", "judged_by")(told["detector"])
        for picture in told["pictures"]:
            itemgetter("name", "sha256")(picture)
            itemgetter("path", "faces")(picture["result"])
            for judged in _judged(picture["result"]):
                itemgetter(*_TOLERATED)(judged)
            _words(picture)
    except (AttributeError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged, or was changed ({error}): get the original") from None
    return told


def _detector(
    told: dict[str, Any], named: str | None, case: Path, other_detector: bool
) -> "tuple[Detector, bool]":
    """The detector that judges again, and whether it is the one of the case."""
    from exiface.detector import Detector

    then = told["detector"]
    judge = Detector.load(named or then["asked"], subject=then["subject"])
    now = {judge.parts.digest} | (set() if judge.whole is None else {judge.whole.parts.digest})
    others = [each for each in then["judged_by"] if each["sha256"] not in now]
    if others and not other_detector:
        raise UserError(
            f"{case} was judged by {others[0]['name']}@{others[0]['sha256'][:12]}, and this is "
            f"{judge.id}: install exiface {told['exiface']}, which made it, or name the folder of "
            "that detector with --detector; --other-detector goes on with this one"
        )
    return judge, not others


def _found(picture: dict[str, Any], folder: Path | None, beside: Path) -> Path | None:
    """Where a picture lies now: the file that is the same, else one of its name, else nowhere."""
    path = picture["result"]["path"]
    if path is None:
        return None
    base = [folder] if folder is not None else [Path(), beside]
    # In a folder that is named, an absolute path would lead out of it.
    names = [path] * (folder is None or not Path(path).is_absolute()) + [Path(path).name]
    places = [place / name for place in base for name in names]
    files = [place for place in places if place.is_file()]
    same = (place for place in files if _is_same(place, picture))
    return next(same, files[0] if files else None)


def _is_same(path: Path, picture: dict[str, Any]) -> bool:
    """Whether a file has the SHA-256 of a picture."""
    import hashlib

    with path.open("rb") as file:
        return bool(hashlib.file_digest(file, "sha256").hexdigest() == picture["sha256"])


def _differences(
    picture: dict[str, Any],
    path: Path | None,
    results: "Iterator[ImageResult]",
    *,
    words: bool,
) -> Iterator[str]:
    """Say what differs of one picture, whose result is the next one if it still has a file.

    Words are compared where they should be the same.
    """
    from exiface.apps.case import Exhibit

    if path is None:
        if picture["result"]["path"] is None:
            yield "it came on standard input, and its file is not known."
        elif picture["sha256"] is None:
            yield "the file could not be read when the case was made, and is still missing."
        else:
            yield "the file is missing; name its folder with --folder."
        return
    if picture["sha256"] is None:
        yield f"the file could not be read when the case was made; now {path} lies there."
    elif not _is_same(path, picture):
        yield f"the file {path} is another (SHA-256 differs)."
    again = Exhibit(next(results), None, ()).as_dict(number=1)
    then, now = picture["result"], again["result"]
    if then.get("reason") != now.get("reason"):
        yield f"{_outcome(then)} then, {_outcome(now)} now."
    elif then.get("verdict") != now.get("verdict"):
        yield f"the verdict was {then.get('verdict')} and is {now.get('verdict')}."
    elif words:
        yield from _other_words(picture, again)
    before, after = _judged(then), _judged(now)
    if len(before) != len(after):
        yield f"{len(before)} things were judged in it, {len(after)} now."
        return
    for number, (old, new) in enumerate(zip(before, after, strict=True), start=1):
        which = "the image as a whole" if "box" not in old else f"face {number}"
        changed = [
            f"{name.replace('_', '-')} {old[name]}, now {new[name]}"
            for name, least in _TOLERATED.items()
            if _differ(old[name], new[name], least)
        ]
        if changed:
            yield f"{which}: {'; '.join(changed)}."


# Scores are rounded below what differs between machines; one may be rounded the other way.
_TOLERATED = {"verdict": 0.0, "score": 0.0015, "p_value": 0.002}


def _differ(old: Any, new: Any, tolerated: float) -> bool:
    if isinstance(old, float | int) and isinstance(new, float | int):
        return abs(old - new) > tolerated
    return bool(old != new)


def _other_words(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Say where readers of a picture's case read something else than its scores say."""
    # Numbers may be rounded the other way on another machine; then only the words count.
    before, after = ([each["p_value"] for each in _judged(told["result"])] for told in (old, new))
    compared = str if before == after else _without_numbers
    then, now = _words(old), _words(new)
    for place in dict.fromkeys([*now, *then]):
        said, meant = then.get(place), now.get(place)
        if compared(said or "") != compared(meant or ""):
            yield f"{place} is {_quoted(said)}, and should be {_quoted(meant)}."


def _without_numbers(text: str) -> str:
    return re.sub(r"\d[\d.]*", "", text)


def _quoted(text: str | None) -> str:
    return "missing" if text is None else f'"{text}"'


def _words(picture: dict[str, Any]) -> dict[str, str | None]:
    """The words that readers read of a picture, by their place in the JSON."""
    result = picture["result"]
    words = {"how_sure": picture["how_sure"]}
    words |= {f"result.{name}": result.get(name) for name in ("summary", "how_sure", "declares")}
    for number, judged in enumerate(picture["judged"]):
        names = ("which", "words", "how_sure", "sentence")
        words |= {f"judged[{number}].{name}": judged.get(name) for name in names}
    for number, judged in enumerate(_judged(result)):
        place = f"result.faces[{number}]" if "box" in judged else "result.image"
        words |= {
            f"{place}.{name}": judged.get(name) for name in ("says", "sentence", "unsure_because")
        }
    return words


def _outcome(result: dict[str, Any]) -> str:
    return f"no verdict ({result['reason']})" if result.get("reason") else str(result["verdict"])


def _judged(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [*result["faces"], *([result["image"]] if "image" in result else [])]
