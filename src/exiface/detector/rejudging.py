"""Tables of `exiface score`: which detector judged, and the same scores under another calibration.

A score depends on encoder and scorer alone. All else that a row says follows from its scores, so a
detector that was calibrated anew (`exiface calibrate`) needn't look at a billion images again.
"""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from exiface.calibration import Finding, of_several
from exiface.detector.detector import Detector
from exiface.detector.folder import DetectorParts
from exiface.errors import UserError

# Under this key the metadata of a part hold the id of what made it.
JUDGED_BY = b"exiface detector"
_P_VALUE_DECIMALS = 6  # as JSON has them


def read_scored(source: Path) -> pyarrow.Table:
    """Read a folder of `exiface score`, or one of its parts; any other is a UserError."""
    if not source.exists():
        raise UserError(f"{source} does not exist; name a folder of exiface score")
    files = sorted(source.glob("part-*.parquet")) if source.is_dir() else [source]
    if not files:
        raise UserError(f"{source} holds no parts of exiface score; make some with: exiface score")
    try:
        tables = [parquet.read_table(file) for file in files]
        made_by = {judged_by(table): file for table, file in zip(tables, files, strict=True)}
        if len(made_by) > 1:
            (one, first), (other, second) = list(made_by.items())[:2]
            raise UserError(f"{first} was made by {one}, and {second} by {other}: keep them apart")
        table = pyarrow.concat_tables(tables)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UserError(f"{source} is no part of exiface score: {error}") from None
    if not {"faces", "image"} <= set(table.column_names):
        raise UserError(f"{source} is no part of exiface score: it lacks the faces or the image")
    return table


def judged_by(table: pyarrow.Table) -> str:
    """The id of the detector that judged a table, or of several, joined by " + "."""
    metadata: dict[bytes, bytes] = table.schema.metadata or {}
    return metadata.get(JUDGED_BY, b"").decode()


def rejudge(source: pyarrow.Table | str | Path, detector: Detector) -> pyarrow.Table:
    """Give every score of a table the p-value and verdict of a detector that was calibrated anew.

    Images are not looked at again. What a face's quality has ruled out stays "unsure", by the
    limits that it was judged with.

    Args:
        source: a table of `exiface score`, its folder, or one of its parts.
        detector: that judged it, or one that `exiface calibrate` made of that one.

    Returns:
        The table with new verdicts, p-values and likelihood ratios of faces, of images as wholes,
        and of all that was judged in a row.

    Raises:
        UserError: the scores are another detector's.
    """
    table = source if isinstance(source, pyarrow.Table) else read_scored(Path(source))
    given = judged_by(table).split(" + ")
    rows = table.select(["faces", "image"]).to_pylist()
    faces = [row["faces"] or [] for row in rows]
    wholes = [[row["image"]] if row["image"] else [] for row in rows]
    whole = None if detector.whole is None else detector.whole.parts
    of_faces = _found(faces, detector.parts, given)
    of_wholes = _found(wholes, whole, given)
    verdicts, p_values = [], []
    for several, [*one] in zip(of_faces, of_wholes, strict=True):
        judged = (*several, *one)
        verdict, p_value = of_several(judged, detector.parts.calibration.alpha) or (None, None)
        verdicts.append(verdict)
        p_values.append(None if p_value is None else round(p_value, _P_VALUE_DECIMALS))
    columns: dict[str, list[Any]] = {
        "verdict": verdicts,
        "p_value": p_values,
        "faces": [
            [face | _said(finding) for face, finding in zip(*pair, strict=True)]
            for pair in zip(faces, of_faces, strict=True)
        ],
        "image": [
            old[0] | _said(new[0]) | {"detector": whole.id} if old and whole else None
            for old, new in zip(wholes, of_wholes, strict=True)
        ],
    }
    for name, values in columns.items():
        field = table.schema.field(name)
        place = table.schema.get_field_index(name)
        table = table.set_column(place, field, pyarrow.array(values, field.type))
    return table.replace_schema_metadata({JUDGED_BY: detector.id.encode()})


def _found(
    groups: Sequence[list[dict[str, Any]]], parts: DetectorParts | None, given: Sequence[str]
) -> list[list[Finding]]:
    """What the scores of each group earn."""
    flat = list(chain.from_iterable(groups))
    if not flat:
        return [[] for _ in groups]
    if parts is None:
        raise UserError(
            f"the table has verdicts on whole images, by {given[-1]}; load the detector with "
            'subject="auto", or name one of whole images'
        )
    former = parts.provenance.get("recalibrated", {})
    known = {parts.id, f"{former.get('from')}@{former.get('digest', '')[:12]}"}
    if not known & {*given}:
        raise UserError(
            f"the scores are those of {' + '.join(given) or 'something else'}, which {parts.id} "
            "was not calibrated from: score the images again with: exiface score"
        )
    reasons = [each["unsure_because"] for each in flat]
    found = iter(parts.judge.findings([each["score"] for each in flat], reasons))
    return [[next(found) for _ in group] for group in groups]


def _said(finding: Finding) -> dict[str, Any]:
    ratio = finding.likelihood_ratio
    return {
        "p_value": round(finding.p_value, _P_VALUE_DECIMALS),
        "verdict": finding.verdict.value,
        "likelihood_ratio": None if ratio is None else ratio.as_dict(),
    }
