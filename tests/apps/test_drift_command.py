import json

import pytest


def test_from_scores_to_a_verdict_on_the_calibration(photos, exiface, tmp_path):
    """Of one detector's scores in each form; the matrix has those of others, and whole images."""
    exiface("score", photos / "0", photos / "1", "-o", tmp_path / "run")
    told = exiface("drift", tmp_path / "run", "--plot", tmp_path / "drift.svg")
    assert "40 recent photographs were compared with " in told.out
    assert "photographs of the calibration" in told.out
    assert (tmp_path / "drift.svg").read_text().startswith("<svg")
    found, of_part = (
        json.loads(exiface("drift", tmp_path / "run" / name, "--json").out)
        for name in ("", "part-000000.parquet")
    )
    assert found == of_part
    assert told.status == int(found["drifted"])


@pytest.mark.parametrize(
    ("name", "reason"),
    [("notes.csv", "no column `p_value`"), ("x.parquet", "is no part"), ("", "holds no parts")],
)
def test_other_files_are_refused(exiface, tmp_path, name, reason):
    if name:
        (tmp_path / name).write_text("a,b\n")
    assert reason in exiface("drift", tmp_path / name, status=2).err
