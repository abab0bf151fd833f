import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet

from exiface import Detector
from exiface.detector.rejudging import judged_by, read_scored, rejudge
from exiface.errors import UserError

DOC = Path(__file__).parents[2] / "docs" / "a-billion-images.md"


@pytest.fixture(scope="module")
def images(tmp_path_factory, photos, astronaut):
    """Photographs with one face, two faces, none, and a file that can't be read."""
    folder = tmp_path_factory.mktemp("images")
    for name in ("0/00.jpg", "0/03.jpg", "1/01.jpg", "landscape.png", "broken.jpg"):
        (folder / Path(name).name).write_bytes((photos / name).read_bytes())
    Image.fromarray(np.concatenate([astronaut, astronaut[:, ::-1]], axis=1)).save(folder / "2.png")
    return folder


@pytest.fixture
def folder(tmp_path, exiface, images, photos, monkeypatch):
    """Where the doc's commands are run: scores of one detector, and one that is calibrated anew."""
    monkeypatch.chdir(tmp_path)
    calibrate = ("calibrate", "default", "--photos", photos / "0", "--alpha", 0.1)
    exiface(*calibrate, "-o", "my-detector-2", status=0)
    exiface("score", images, "-o", "scores", "--subject", "faces", "--block", 4)
    return tmp_path


def test_the_doc_gives_what_scoring_again_gives(folder, exiface, images):
    blocks = re.findall(r"\n\n((?: {4}.*\n|\n)+)", DOC.read_text("utf-8"))
    [code] = [textwrap.dedent(block) for block in blocks if "rejudge" in block]
    exec(code, {})  # noqa: S102 - what the doc tells to run
    exiface("score", images, "-o", "again", "--detector", "my-detector-2", "--block", 4)
    found, again = (read_scored(Path(name)) for name in ("scores-2", "again"))
    assert judged_by(found) == judged_by(again) == Detector.load("my-detector-2").id
    former = read_scored(Path("scores")).to_pylist()
    assert max(len(row["faces"]) for row in former) == 2
    assert [row["p_value"] for row in former] != [row["p_value"] for row in again.to_pylist()]
    assert found.schema == again.schema
    assert found.to_pylist() == again.to_pylist()


def test_under_its_own_detector_nothing_changes_whole_images_included(exiface, images, tmp_path):
    exiface("score", images, "-o", tmp_path / "scores", "--subject", "auto")
    table = read_scored(tmp_path / "scores")
    assert sum(row["image"] is not None for row in table.to_pylist()) == 1
    assert rejudge(tmp_path / "scores", Detector.load(subject="auto")).equals(table)
    assert rejudge(table, Detector.load(subject="auto")).schema.metadata == table.schema.metadata
    with pytest.raises(UserError, match=r'on whole images, by [a-z-]*whole-image@.*"auto"'):
        rejudge(table, Detector.load())


def test_scores_of_another_detector_and_what_is_no_part_are_refused(folder):
    with pytest.raises(UserError, match=r"are those of [a-z-]+@\w+, which [a-z-]+@"):
        rejudge("scores", Detector.load("photographs-only"))
    with pytest.raises(UserError, match=r"holds no parts"):
        read_scored(folder / "my-detector-2")
    parquet.write_table(read_scored(Path("scores")).select(["path"]), "other.parquet")
    with pytest.raises(UserError, match=r"lacks the faces"):
        read_scored(Path("other.parquet"))
    part = next(Path("scores").glob("*.parquet"))
    (Path("scores") / "part-999999.parquet").write_bytes(Path("other.parquet").read_bytes())
    changed = parquet.read_table(part).replace_schema_metadata({b"exiface detector": b"x@1"})
    parquet.write_table(changed, "scores/part-999999.parquet")
    with pytest.raises(UserError, match=r"was made by .*keep them apart"):
        read_scored(Path("scores"))
