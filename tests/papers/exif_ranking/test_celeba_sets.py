import pytest
from made_layouts import write_nine

from exiface.errors import UserError
from exiface.papers.exif_ranking.celeba_sets import GENERATORS, read_published_sets


@pytest.mark.parametrize("lists_inside", [False, True])
def test_lists_are_found_in_either_place(tmp_path, lists_inside):
    write_nine(tmp_path, 3, {"LDM": 2}, lists_inside=lists_inside)
    files = read_published_sets(tmp_path)
    names = [path.name for path in (*files.fit, *files.photographs["CelebA"])]
    assert names == [f"{number:06}.png" for number in range(6)]
    assert len(files.fit) == 3
    assert {name: len(paths) for name, paths in files.fakes.items()} == {"LDM": 2}
    assert set(files.missing) == set(GENERATORS) - {"LDM"}


@pytest.mark.parametrize(("layout", "number"), [("nine", 9), ("twelve", 12)])
def test_either_naming_of_folders_is_known(tmp_path, layout, number):
    names = ("stylegan2", "vqgan", "LDM", "DDIM", "sdv21", "FreeDoM_T", "hps", "midjourney", "SDXL")
    write_nine(tmp_path, 1, dict.fromkeys((*names, "progan", "stargan", "pigan"), 1))
    files = read_published_sets(tmp_path, layout)
    assert len(files.fakes) == number
    assert not files.missing


@pytest.mark.parametrize(
    "line", ["{name}", "celeba-face/{name}", "data/celeba-face/{name}", "/home/them/x/{name}"]
)
def test_paths_of_a_list_may_start_anywhere(tmp_path, line):
    root = tmp_path / "data"
    write_nine(root, 1, {"LDM": 1})
    (root / "train.txt").write_text(line.format(name="000000.png") + "\n\n")
    assert read_published_sets(root).fit == [root / "celeba-face" / "000000.png"]


@pytest.mark.parametrize(
    ("list_content", "reason"),
    [
        ("celeba-face/gone.png\n", "celeba-face/gone.png leads to no file"),
        ("\n", "is empty"),
        (None, r"train.txt is missing \(and .*celeba-face.train.txt\)"),
    ],
)
def test_a_list_that_leads_nowhere(tmp_path, list_content, reason):
    write_nine(tmp_path, 1, {"LDM": 1})
    if list_content is None:
        (tmp_path / "train.txt").unlink()
    else:
        (tmp_path / "train.txt").write_text(list_content)
    with pytest.raises(UserError, match=reason):
        read_published_sets(tmp_path)


def test_a_folder_without_generators(tmp_path):
    write_nine(tmp_path, 1, {"other": 1})
    (tmp_path / "LDM").mkdir()  # empty
    with pytest.raises(UserError, match="images of no generator; folders are called stylegan2, VQ"):
        read_published_sets(tmp_path)
    with pytest.raises(UserError, match="is not a folder"):
        read_published_sets(tmp_path / "gone")
