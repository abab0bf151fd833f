import json

import pytest


@pytest.fixture(scope="module")
def folder(photos, tmp_path_factory):
    return photos, tmp_path_factory.mktemp("drift")


def test_from_scores_to_a_verdict_on_the_calibration(folder, exiface):
    photos, made = folder
    exiface("score", photos, "-o", made / "run")
    exiface("detect", photos, "--csv", made / "scores.csv")
    told = exiface("drift", made / "run", "--plot", made / "drift.svg")
    assert "60 photographs against " in told.out
    assert (made / "drift.svg").read_text().startswith("<svg")
    found = [
        json.loads(exiface("drift", path, "--json").out)
        for path in (made / "run", made / "run" / "part-000000.parquet", made / "scores.csv")
    ]
    assert found[0] == found[1] == found[2]
    assert told.status == int(found[0]["drifted"])


@pytest.mark.parametrize(
    ("name", "reason"),
    [("notes.csv", "no column `p_value`"), ("x.parquet", "is no part"), ("", "holds no parts")],
)
def test_other_files_are_refused(exiface, tmp_path, name, reason):
    if name:
        (tmp_path / name).write_text("a,b\n")
    done = exiface("drift", tmp_path / name)
    assert done.status == 2
    assert reason in done.err
