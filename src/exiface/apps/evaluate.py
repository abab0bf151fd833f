"""`exiface evaluate`: how well a detector does on labelled folders, or on a file of scores."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exiface.apps.options import ENCODER, CroppedOption, DetectorOption
from exiface.choices import Layout, Noise
from exiface.errors import UserError

if TYPE_CHECKING:
    from exiface.evaluation import ScoredSet


def evaluate(
    context: typer.Context,
    data: Annotated[
        Path | None,
        typer.Argument(help="With --layout: the folder of the published test data."),
    ] = None,
    real: Annotated[
        list[str] | None,
        typer.Option(metavar="[NAME=]DIR", help="Folder of photographs; several are allowed."),
    ] = None,
    fake: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]DIR",
            help="Folder of generated faces; NAME `SET` or `SET/GENERATOR` is compared with the "
            "real set SET, any other with all real sets.",
        ),
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            help="Instead of folders: CSV of scores by any detector, with the columns set, label, "
            "score and, where known, path, photo, condition, p_value, verdict, likelihood_ratio."
        ),
    ] = None,
    layout: Annotated[
        Layout | None,
        typer.Option(
            help="DATA is laid out like the published test data of nine generators, BLADES' "
            "twelve, or, of whole images, SDAIE's or GenImage's: run the published protocol and "
            "the honest one on the features of --encoder."
        ),
    ] = None,
    encoder: Annotated[str | None, typer.Option(help=f"With --layout: {ENCODER}")] = None,
    components: Annotated[
        int | None,
        typer.Option(
            min=1, help="With --layout: of the mixture; without it 12, 10 for twelve, 5 for sdaie."
        ),
    ] = None,
    noise: Annotated[
        Noise | None,
        typer.Option(
            help="With --layout: what SDAIE's program does to images first: JPEG 95, half the "
            "size, a blur of 1 px."
        ),
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="With --layout: where feature vectors are kept; without it, in the report.",
        ),
    ] = None,
    find_faces: Annotated[
        bool,
        typer.Option(
            "--find-faces",
            help="With --layout: cut the largest face out; without it, an image is a face.",
        ),
    ] = False,
    detector: DetectorOption = None,
    against: Annotated[
        Path | None,
        typer.Option(help="Compare with another detector, or a CSV of its scores."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write a report: tables and a page."),
    ] = None,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Also judge every image under 19 alterations.")
    ] = False,
    harmonise: Annotated[
        bool,
        typer.Option(
            "--harmonise", help="Put every image through one chain first: face, 256 px, JPEG 90."
        ),
    ] = False,
    refit: Annotated[
        bool,
        typer.Option(
            "--refit", help="In the report, also refit the density on part of each real set."
        ),
    ] = False,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Also write the main table as CSV.")
    ] = None,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Print JSON lines instead of tables.")
    ] = False,
    cropped: CroppedOption = False,
) -> None:
    """Measure a detector: AUC, average precision, recall, and the false-alarm rate it keeps."""
    import json
    import shlex

    from exiface.apps.evaluation_tables import print_report
    from exiface.evaluation.report import Report, write_report, write_table

    given = [option for option, value in context.params.items() if value]
    _check_usage({_NAMES.get(each, f"--{each.replace('_', '-')}") for each in given})
    if layout is not None and data is not None and encoder is not None and output is not None:
        kept = features or output / "features"
        sets, known = _of_layout(data, layout, encoder, kept, components, find_faces, noise)
    elif scores is not None:
        sets, known = _of_file(scores, against)
    else:
        reals, fakes = _named(real or []), _named(fake or [])
        sets, known = _of_folders(reals, fakes, detector, against, cropped, harmonise, sweep, refit)
    report = Report.of(sets, command=shlex.join(["exiface", *sys.argv[1:]]), **known)
    if csv_file is not None:
        write_table(report.tables()["figures"], csv_file)
    page = None if output is None else write_report(report, sets, output)
    if json_lines:
        for table, rows in report.tables().items():
            for row in rows:
                print(json.dumps({"table": table, **row}))
        return
    print_report(report)
    if page is not None:
        typer.echo(f"\nreport: {page}")


# What is evaluated -> the options that go with it, beside those that always do.
_SOURCES = {
    "--real": {"--fake", "--detector", "--against", *("--sweep", "--harmonise", "--refit")}
    | {"--cropped"},
    "--scores": {"--against"},
    "--layout": {"DATA", "--encoder", "--components", "--features", "--find-faces"} | {"--noise"},
}
_NAMES = {"data": "DATA", "output": "-o", "csv_file": "--csv", "json_lines": "--json"}


def _check_usage(given: set[str]) -> None:
    """Refuse options that don't go together."""
    sources = [name for name in _SOURCES if name in given]
    if len(sources) != 1:
        raise UserError(
            "give either folders (--real, --fake), or --scores FILE, or DATA --layout nine"
        )
    [source] = sources
    if wrong := given - _SOURCES[source] - {source, "-o", "--csv", "--json"}:
        raise UserError(f"{', '.join(sorted(wrong))} can't go with {source}")
    needed = {"DATA", "--encoder", "-o"} if source == "--layout" else set()
    if lacking := needed - given:
        raise UserError(f"{source} needs {', '.join(sorted(lacking))} as well")
    if "--refit" in given and ("-o" not in given or "--harmonise" in given):
        raise UserError("--refit is part of the report (-o DIR) on images as they are")


def _of_layout(
    data: Path,
    layout: Layout,
    encoder: str,
    features: Path,
    components: int | None,
    find_faces: bool,
    noise: Noise | None,
) -> "tuple[list[ScoredSet], dict[str, Any]]":
    """The published test data: sets for the honest protocol, and the published one's table."""
    from dataclasses import replace

    from exiface.apps.console import progress_bar
    from exiface.detector.fitting import read_classifier
    from exiface.detector.folder import encoder_named
    from exiface.evaluation.feature_cache import FeatureCache
    from exiface.papers.exif_ranking.celeba_sets import read_published_sets
    from exiface.papers.protocols import PROTOCOLS, evaluate_published
    from exiface.papers.sdaie.scene_sets import RELEASED_NOISES, read_scene_sets

    files = read_scene_sets(data) if layout == "sdaie" else read_published_sets(data, layout)
    encoding = encoder_named(encoder)
    description, model = encoding.description, encoding.model
    protocol = PROTOCOLS[layout]
    if components is not None:
        protocol = replace(protocol, components=components)
    altered = (noise, RELEASED_NOISES[noise]) if noise else None
    cache = FeatureCache(features, encoding.open(), model, find_faces=find_faces, altered=altered)
    classifier = read_classifier(encoding)
    with progress_bar("Encoding") as progress:
        found = evaluate_published(files, cache, protocol, classifier=classifier, progress=progress)
    imported = description.provenance.get("imported", {})
    remarks = [*found.remarks, f"Pictures are taken at {description.takes.sides}."]
    if noise:
        remarks.append(f"Every image went through the released noise: {noise}.")
    return found.sets, {
        "title": imported.get("file", Path(encoder).resolve().name),
        "published": found.rows,
        "remarks": remarks,
        "embedded": found.features,
    }


def _of_file(scores: Path, against: Path | None) -> "tuple[list[ScoredSet], dict[str, Any]]":
    """Sets of a file of scores, and what else the report needs."""
    from exiface.evaluation.score_file import read_scores
    from exiface.evaluation.tables import against_table

    sets = read_scores(scores)
    known: dict[str, Any] = {"title": scores.name}
    if against is not None:
        if against.is_dir():
            raise UserError("scores can be compared with scores only: --against FILE.csv")
        others = read_scores(against, with_traits=False)
        known |= {"other": against.name, "against": against_table(sets, others)}
    return sets, known


def _of_folders(
    reals: dict[str, Path],
    fakes: dict[str, Path],
    given: str | None,
    against: Path | None,
    cropped: bool,
    harmonised: bool,
    sweep: bool,
    refit: bool,
) -> "tuple[list[ScoredSet], dict[str, Any]]":
    """Judge folders of photographs and of generated faces; what else the report needs."""
    from exiface.apps.console import progress_bar
    from exiface.detector import Detector
    from exiface.detector.folder import detector_folder
    from exiface.evaluation import judge
    from exiface.evaluation.own_photographs import encode_sets
    from exiface.evaluation.score_file import read_scores
    from exiface.evaluation.tables import against_table
    from exiface.photos.alterations import ALTERATIONS

    def judged(by: Detector, alterations: Sequence[str] = ()) -> "list[ScoredSet]":
        how = {"cropped": cropped, "harmonised": harmonised}
        with progress_bar("Judging") as progress:
            return judge(by, reals, fakes, alterations=alterations, progress=progress, **how)

    detector = Detector.load(given)
    is_detector = against is not None and detector_folder(against).is_dir()
    other = Detector.load(against) if is_detector else None
    sets = judged(detector, tuple(ALTERATIONS) if sweep else ())
    known: dict[str, Any] = {
        "title": detector.id,
        "notice": detector.parts.notice,
        "harmonised": harmonised,
        "alpha": detector.parts.calibration.alpha,
    }
    if against is not None:
        others = judged(other) if other else read_scores(against, with_traits=False)
        known["other"] = other.id if other else against.name
        known["against"] = against_table(sets, others)
    if refit:
        with progress_bar("Encoding") as progress:
            known["features"] = encode_sets(detector, sets, cropped=cropped, progress=progress)
        known["scorer"] = detector.parts.scorer
    return sets, known


def _named(arguments: list[str]) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for argument in arguments:
        name, separator, folder = argument.partition("=")
        path = Path(folder if separator else argument)
        name = name if separator else path.name
        if not path.is_dir():
            raise UserError(f"{path} is not a folder")
        if name in named:
            raise UserError(f"two sets are called {name!r}; give one another name: NAME={path}")
        named[name] = path
    return named
