from dataclasses import replace

import numpy as np
import pytest
from made_sets import scored

from exiface.errors import UserError
from exiface.evaluation.evidence_metrics import evidence_table
from exiface.evaluation.score_file import read_scores, write_scores
from exiface.evaluation.tables import main_table, sweep_table

NAN = float("nan")


def test_what_is_written_is_read_again(tmp_path):
    p_values = [0.5, 0.01, NAN]
    sets = [
        scored("real", "A", [1.25, 2, NAN], blur=[1, NAN, 3], p_values=p_values),
        scored("fake", "A/x", [3, 4], blur=[1, 2], p_values=[0.3, 0.02]),
    ]
    sets[1] = replace(sets[1], ratios=np.array([0.25, NAN]))
    write_scores(sets, tmp_path / "scores.csv")
    again = read_scores(tmp_path / "scores.csv")
    assert main_table(again) == main_table(sets)
    assert sweep_table(again) == sweep_table(sets)
    assert np.array_equal(again[1].ratios, [0.25, NAN], equal_nan=True)
    assert evidence_table(again) == evidence_table(sets)
    assert [each.photos.tolist() for each in again] == [each.photos.tolist() for each in sets]


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_least_that_another_detector_gives_is_enough(tmp_path):
    path = write(tmp_path / "s.csv", "label,set,score", "1,A,0.9", "0,A,0.1", "fake,A,0.3")
    real, fake = read_scores(path)
    assert (real.kind, real.scores["original"].tolist()) == ("real", [0.1])
    assert fake.scores["original"].tolist() == [0.9, 0.3]
    assert np.isnan(fake.p_values["original"]).all()


def test_images_beside_the_file_are_audited(tmp_path, photos):
    images = sorted((photos / "0").glob("*.jpg"))[:2]
    for image in images:
        (tmp_path / image.name).write_bytes(image.read_bytes())
    lines = [f"A,real,{image.name},{n}" for n, image in enumerate(images)]
    path = write(tmp_path / "s.csv", "set,label,path,score", *lines, "A,fake,gone.jpg,3")
    real, fake = read_scores(path)
    assert [each.file_format for each in real.traits] == ["JPEG", "JPEG"]
    assert fake.traits == []
    assert read_scores(path, with_traits=False)[0].traits == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["set,score"], "lacks the column.*label"),
        (["set,label,score"], "holds no score"),
        (["set,label,score", "A,maybe,1"], "line 2: label 'maybe'"),
        (["set,label,score", "A,0,high"], "line 2: score 'high' is not a number"),
        (["set,label,score", "A,0,inf"], "line 2: score is infinite"),
        (["set,label,score,likelihood_ratio", "A,0,1,0"], "line 2: likelihood_ratio '0' is not"),
        (["set,label,score,path", "A,0,1,x", "A,0,2,x"], "line 3: .*x was scored before"),
        (["set,label,score,condition", "A,0,1,blur"], "no score of the unaltered"),
        (["set,label,score", "A,0,"], "no image of the set 'A' has a score"),
    ],
)
def test_what_has_no_meaning_is_named(lines, said, tmp_path):
    with pytest.raises(UserError, match=said):
        read_scores(write(tmp_path / "s.csv", *lines))
