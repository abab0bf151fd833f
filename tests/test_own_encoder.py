"""What docs/own-encoder.md shows is run, as it stands there."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
import torch

from exiface.encoders import EncoderError, EncoderFolder
from exiface.encoders.elsewhere import find_architecture, number_of_features
from exiface.errors import UserError

PAGE = Path(__file__).parents[1] / "docs" / "own-encoder.md"
BLOCKS = re.findall(r"```(python|console)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.fixture
def here(photos, tmp_path, monkeypatch):
    (tmp_path / "photos").symlink_to(photos)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_every_example_runs_and_is_short(here, exiface):
    values = {}
    for kind, text in BLOCKS:
        assert len(text.splitlines()) < 30
        if kind == "python":
            torch.manual_seed(0)
            script = here / re.match(r"# (\w+\.py)\n", text)[1]
            script.write_text(text)
            values[script.name] = runpy.run_path(str(script))
            continue
        for line in text.splitlines():
            exiface(*shlex.split(line)[1:], status=0)
    assert EncoderFolder.read(here / "own").description.features == 64
    assert EncoderFolder.read(here / "imported").description.takes.mean[0] == 0.485
    assert EncoderFolder.read(here / "run").description.architecture == "my_networks:small"
    losses = values["loop.py"]["losses"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("vgg", "no architecture 'vgg'.*resnet50.*timm:NAME"),
        ("torchvision:vgg99", "torchvision has no model 'vgg99'"),
        ("gone.networks:small", "No module named 'gone'.*PYTHONPATH"),
        ("pathlib:small", "has no attribute 'small'"),
        ("pathlib:Path", "must return a torch module"),
    ],
)
def test_a_name_that_stands_for_nothing_is_refused(name, reason):
    with pytest.raises(UserError, match=reason):
        find_architecture(name)


def test_networks_that_make_no_features_are_refused():
    with pytest.raises(EncoderError, match=r"features \(2, d\), it made \(2, 8, 60, 60\)"):
        number_of_features(torch.nn.Conv2d(3, 8, 5), 64)
    with pytest.raises(EncoderError, match="does not take crops"):
        number_of_features(torch.nn.Linear(7, 3), 64)


def test_weights_of_another_network_name_the_way(tmp_path, exiface):
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "w.pth")
    done = exiface("import", tmp_path / "w.pth", "-o", tmp_path / "encoder", status=2)
    assert "--architecture torchvision:NAME" in done.err
    named = ("--architecture", "torchvision:resnet18")
    done = exiface("import", tmp_path / "w.pth", "-o", tmp_path / "encoder", *named, status=2)
    assert "of the backbone's tensors" in done.err


def test_networks_of_timm_have_its_preprocessing():
    pytest.importorskip("timm")
    found = find_architecture("timm:test_resnet")
    assert found.build()(torch.zeros(2, 3, found.size, found.size)).shape == (2, found.features)
