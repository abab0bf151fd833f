import json
import shutil
import sys

import numpy as np
import pytest
from made import tags_of, write_photo

from exiface.datasets import find_images, read_records, scan
from exiface.datasets.scan import Journal
from exiface.errors import UserError
from exiface.photos import CameraTags


def test_every_file_is_a_row_or_has_a_reason(photos, scanned):
    manifest, summary = scanned
    left_out = [name for files in summary.left_out.values() for name in files]
    assert set(manifest.path.tolist()) | set(left_out) == {
        path.relative_to(photos).as_posix() for path in find_images([photos])
    }
    assert summary.files == 62
    assert summary.left_out["no face found"] == ["landscape.png"]
    assert [files for reason, files in summary.left_out.items() if "damaged" in reason] == [
        ["broken.jpg"]
    ]


def test_tags_and_cameras_are_read(scanned):
    manifest, summary = scanned
    row = manifest.path.tolist().index("1/01.jpg")
    expected = CameraTags(5.6, 1 / 60, 35, 400, make="others", series="others")
    assert tags_of(manifest, row) == expected
    assert summary.cameras == 1
    assert summary.tags["iso_speed"] == {
        "present": len(manifest),
        "lowest": 100,
        "median": pytest.approx(300, abs=100),
        "highest": 1600,
    }


def test_copies_are_left_out_and_small_faces_too(tmp_path, astronaut):
    write_photo(tmp_path / "a.jpg", astronaut)
    (tmp_path / "b.jpg").write_bytes((tmp_path / "a.jpg").read_bytes())
    write_photo(tmp_path / "small.png", np.ascontiguousarray(astronaut[::4, ::4]))
    manifest, summary = scan(tmp_path)
    assert manifest.path.tolist() == ["a.jpg"]
    assert summary.left_out == {
        "copy of a file before it": ["b.jpg"],
        "no face of 32 px": ["small.png"],
    }


def test_a_file_that_vanished_has_a_reason(tmp_path, astronaut):
    write_photo(tmp_path / "a.jpg", astronaut)
    (tmp_path / "b.jpg").symlink_to(tmp_path / "nowhere.jpg")
    manifest, summary = scan(tmp_path, journal=tmp_path / "journal")
    assert manifest.path.tolist() == ["a.jpg"]
    assert summary.left_out == {"can't be opened: No such file or directory": ["b.jpg"]}
    assert len(scan(tmp_path, journal=tmp_path / "journal")[0]) == 1


def test_records_win_over_files(tmp_path, astronaut):
    write_photo(tmp_path / "photos" / "a.jpg", astronaut)
    records = tmp_path / "records.csv"
    records.write_text("file,photo,group,make,model,fnumber,iso\na.jpg,p1,g1,Maker,Two,8,nan\n")
    manifest, _ = scan(tmp_path / "photos", records=read_records(records))
    assert (manifest.photo[0], manifest.group[0], manifest.camera[0]) == ("p1", "g1", "Maker Two")
    assert tags_of(manifest, 0) == CameraTags(aperture=8, make="others", series="others")


def test_an_interrupted_scan_goes_on(tmp_path, photos, scanned, monkeypatch):
    journal = tmp_path / "journal"

    def interrupt(done: int, total: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(photos, journal=journal, progress=interrupt)
    with journal.open("a") as stream:
        stream.write('{"file": "cut sho')  # killed while writing
    looked_at = []
    module = sys.modules["exiface.datasets.scan"]
    original = module._scan_photo

    def counted(path, name, *rest, **options):
        looked_at.append(name)
        return original(path, name, *rest, **options)

    monkeypatch.setattr(module, "_scan_photo", counted)
    manifest, _ = scan(photos, journal=journal)
    assert len(looked_at) == 62 - 20
    assert np.array_equal(manifest.box, scanned[0].box)
    assert np.array_equal(manifest.split, scanned[0].split)
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert len(lines) == 63


@pytest.mark.parametrize("changed", ["size", "mtime"])
def test_a_photograph_that_changed_since_is_looked_at_again(tmp_path, changed):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1234")
    status = path.stat()
    entry = {"file": "a.jpg", "size": status.st_size, "mtime": status.st_mtime_ns}
    with Journal(tmp_path / "journal", {}) as journal:
        assert not journal.holds("a.jpg", path)
        journal.add(entry)
        assert journal.holds("a.jpg", path)
    with Journal(tmp_path / "again", {}) as journal:
        journal.add(entry | {changed: entry[changed] + 1})
        assert not journal.holds("a.jpg", path)
        assert not journal.holds("a.jpg", tmp_path / "gone.jpg")


def test_a_journal_of_other_settings_is_refused(tmp_path, photos):
    (tmp_path / "journal").write_text('{"version": 1, "min_face": 5, "threshold": 0.75}\n')
    with pytest.raises(ValueError, match="other settings"):
        scan(photos, journal=tmp_path / "journal")


def test_records_tell_source_class_and_split(tmp_path, photos):
    table = tmp_path / "records.csv"
    table.write_text(
        "file,source,generated,split,photo\n0/00.jpg,album,1,train,p\n0/03.jpg,album,0,,p\n"
    )
    manifest, summary = scan(photos / "0", records=read_records(table), fractions={"fit": 1.0})
    assert not manifest.generated.any()  # no file of that name in there
    [warning] = summary.warnings
    assert "none of the 2 rows of the records names a file in" in warning
    assert "such as 00.jpg; the first is 0/00.jpg" in warning
    table.write_text(table.read_text().replace("0/", ""))
    manifest, summary = scan(photos / "0", records=read_records(table), fractions={"fit": 1.0})
    assert not summary.warnings
    table.write_text(table.read_text() + "gone.jpg,album,0,,q\n")
    [warning] = scan(photos / "0", records=read_records(table))[1].warnings
    assert "only 2 of the 3 rows of the records names a file in" in warning
    assert "the first other is gone.jpg" in warning
    told = {str(path): row for row, path in enumerate(manifest.path)}
    first, second = told["00.jpg"], told["03.jpg"]
    assert (manifest.generated[first], manifest.generated[second]) == (True, False)
    assert (manifest.split[first], manifest.split[second]) == ("train", "fit")
    assert set(manifest.source.tolist()) == {"", "album"}


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ("name,iso\na.jpg,100\n", "column 'file'"),
        ("file,generated,split\n0/00.jpg,maybe,\n", "line 2"),
        ("file,generated,split\n0/00.jpg,1,exam\n", "line 2"),
    ],
)
def test_records_that_make_no_sense_are_refused(tmp_path, records, reason):
    (tmp_path / "records.csv").write_text(records)
    with pytest.raises(UserError, match=reason):
        read_records(tmp_path / "records.csv")


def test_faces_already_cut_out_are_taken_whole(tmp_path, photos):
    for name in ("0/00.jpg", "1/01.jpg", "broken.jpg", "landscape.png"):
        shutil.copy(photos / name, tmp_path)
    manifest, summary = scan(tmp_path, cropped=True)
    assert len(manifest) == summary.files - 1 == 3  # without the broken one
    landscape = manifest.path == "landscape.png"
    assert np.isnan(manifest.landmarks[landscape]).all()
    assert np.isfinite(manifest.landmarks[~landscape]).all()
    assert (manifest.box[:, :2] == 0).all()
