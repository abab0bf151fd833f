"""Scored sets from known distributions, and a report on some of them."""

from dataclasses import replace

import numpy as np
import pytest

from exiface.calibration import Calibration, Judge
from exiface.evaluation.audit import Traits
from exiface.evaluation.report import Report, write_report
from exiface.evaluation.sets import ScoredSet
from exiface.evaluation.tables import against_table

JUDGE = Judge(Calibration.of(range(99)))


def scored(kind, name, scores, *, p_values=None, photos=None, traits=(), **conditions):
    """A set with scores under the original condition and any others."""
    by_condition = {"original": scores, **conditions}
    by_condition = {key: np.asarray(values, float) for key, values in by_condition.items()}
    n = len(by_condition["original"])
    if p_values is None:
        unknown = {key: np.full(n, np.nan) for key in by_condition}
    else:
        unknown = {key: np.asarray(p_values, float) for key in by_condition}
    said = {
        key: np.array(["" if np.isnan(p) else JUDGE.verdict_at(p).value for p in values], "U16")
        for key, values in unknown.items()
    }
    paths = np.array([f"{name}/{number}.jpg" for number in range(n)])
    return ScoredSet(
        kind,
        name,
        paths=paths,
        photos=paths if photos is None else np.asarray(photos, str),
        scores=by_condition,
        p_values=unknown,
        verdicts=said,
        traits=list(traits),
    )


def calibrated(kind, name, scores, calibration: Calibration, **more):
    return scored(kind, name, scores, p_values=calibration.p_value(scores), **more)


def traits(n, **changed):
    usual = {"file_format": "JPEG", "width": 256, "height": 256, "quality": 90}
    usual |= {"subsampling": "4:2:0", "exif": False, "bytes_per_pixel": 0.3}
    usual |= {"brightness": 99.0, "saturation": 20.0, "sharpness": 5.0} | changed
    return [Traits(**usual)] * n


@pytest.fixture(scope="session")
def report_sets():
    """Two sets of photographs and two of generated faces, one of which differs in its form."""
    rng = np.random.default_rng(0)
    calibration = Calibration.of(rng.normal(size=300))

    def made(kind, name, mean, **changed):
        scores = rng.normal(mean, 1, 120)
        more = {"JPEG 60": scores - 0.1, "blur 1": rng.normal(0, 1, 120)}
        more |= {"traits": traits(120, **changed)}
        ratios = np.exp(2 * scores - 2)
        return replace(calibrated(kind, name, scores, calibration, **more), ratios=ratios)

    return [
        made("real", "A", 0),
        made("real", "<b>&", 0),
        made("fake", "A/one", 2),
        made("fake", "A/two", 1, file_format="PNG", quality=None, subsampling=""),
    ]


@pytest.fixture(scope="session")
def report(report_sets):
    return Report.of(
        report_sets,
        title="detector@1",
        command="exiface evaluate",
        against=against_table(report_sets, report_sets),
        other="<other>",
        notice="Mind <this>.",
    )


@pytest.fixture(scope="session")
def report_folder(report, report_sets, made_once):
    def make(folder):
        assert write_report(report, report_sets, folder) == folder / "index.html"

    return made_once("report", make)
