"""Checkpoints as their authors save them, from seeded weights."""

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import nn
from torchvision.models import resnet50

from exiface.encoders import EncoderError, EncoderFolder, OnnxEncoder
from exiface.papers.checkpoints import read_checkpoint

HEADS = ("fc_iso", "fc_av", "fc_et", "fc_fl", "fc_face")


@pytest.fixture(scope="module")
def plain():
    """A plainly built ResNet-50 whose batch statistics aren't the initial ones."""
    torch.manual_seed(0)
    network = resnet50(weights=None)
    network.fc = nn.Linear(2048, 768)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.05)
            nn.init.uniform_(module.running_var, 0.8, 1.2)
    return network.eval()


@pytest.fixture(scope="module")
def crops():
    return torch.randn(3, 3, 224, 224, generator=torch.Generator().manual_seed(1))


def published(plain, kind, *, prefix=""):
    """The dictionary that the authors save for this kind."""
    before = "model.model.visual." if kind == "blades-bc" else "model.visual."
    tensors = {before + key: value for key, value in plain.state_dict().items()}
    generator = torch.Generator().manual_seed(2)
    if kind == "exif-ranking":
        for name in HEADS:
            tensors[f"{name}.weight"] = torch.randn(1, 768, generator=generator)
            tensors[f"{name}.bias"] = torch.randn(1, generator=generator)
        tensors["model.token_embedding.weight"] = torch.zeros(4, 2)
        tensors["model.logit_scale"] = torch.zeros(())
    if kind == "blades-bc":
        tensors |= {
            "fc1.weight": torch.randn(1536, 768, generator=generator),
            "fc1.bias": torch.randn(1536, generator=generator),
            "fc2.weight": torch.randn(2, 1536, generator=generator) / 40,
            "fc2.bias": torch.randn(2, generator=generator),
        }
    tensors = {prefix + key: value for key, value in tensors.items()}
    return {"model": tensors, "epoch": 7}


def hollow(tensors):
    """The same names and shapes, of one number each: files of some kilobytes."""
    return {key: each.new_zeros(()).expand(each.shape) for key, each in tensors.items()}


def features(network, crops):
    with torch.inference_mode():
        return network(crops).numpy()


@pytest.mark.parametrize(
    ("kind", "name", "prefix"),
    [
        ("exif-ranking", "ours.pth", "module."),
        ("blades-bc", "BC.pth", "module."),
    ],
)
def test_each_kind_is_recognised_and_its_features_are_the_plain_ones(
    tmp_path, plain, crops, kind, name, prefix
):
    torch.save(published(plain, kind, prefix=prefix), tmp_path / name)
    checkpoint = read_checkpoint(tmp_path / name)
    assert checkpoint.kind == kind
    expected = features(plain, crops)
    if kind.startswith("blades"):
        expected = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.abs(features(checkpoint.network, crops) - expected).max() <= 1e-5
    assert bool(checkpoint.heads) == (kind == "exif-ranking")
    assert bool(checkpoint.classifier) == (kind == "blades-bc")


def test_heads_are_named_by_what_they_were_trained_on(tmp_path, plain):
    content = published(plain, "exif-ranking")
    of_network = {key: each for key, each in content["model"].items() if "visual" in key}
    torch.save({"model": content["model"] | hollow(of_network)}, tmp_path / "ours.pth")
    heads = read_checkpoint(tmp_path / "ours.pth").heads
    saved = content["model"]
    assert torch.equal(heads["aperture"], saved["fc_av.weight"][0])
    assert torch.equal(heads["iso_speed"], saved["fc_iso.weight"][0])
    assert torch.equal(heads["manipulation"], saved["fc_face.weight"][0])
    assert torch.equal(heads["focal_length"], saved["fc_et.weight"][0])  # swapped as released
    assert torch.equal(heads["exposure_time"], -saved["fc_fl.weight"][0])  # and ranked backwards


def test_two_kinds_with_the_same_keys_are_not_guessed(tmp_path, plain):
    path = tmp_path / "renamed.pth"
    torch.save({"model": hollow(published(plain, "blades-oc")["model"])}, path)
    with pytest.raises(EncoderError, match=r"either exif-pretrained or blades-oc .* --kind"):
        read_checkpoint(path)
    assert read_checkpoint(path, "blades-oc").kind == "blades-oc"


class Code:
    def __reduce__(self):
        return (print, ("executed",))


def test_what_is_no_published_checkpoint_is_refused(tmp_path, plain, capsys):
    whole = hollow(published(plain, "blades-bc")["model"])
    lacking = {key: value for key, value in whole.items() if "layer3.0.conv1" not in key}
    wrong = whole | {"model.model.visual.fc.weight": torch.zeros(10, 2048)}
    headless = {key: value for key, value in whole.items() if key != "fc2.bias"}
    cases = {
        "code": ({"model": Code()}, r"asks for \S*print\), and nothing else is loaded"),
        "lacking": ({"model": lacking}, r"layer3.0.conv1.weight must be .* the file lacks it"),
        "wrong": ({"model": wrong}, r"fc.weight must be \(768, 2048\), the file has it as"),
        "headless": ({"model": headless}, "fc2.bias must be"),
        "other": ({"model": {"a": torch.zeros(1)}}, "none of the authors' checkpoints"),
        "list": ([1, 2], "not a plain dictionary"),
        "sdaie": ({"state_net": {}}, "none of the authors' checkpoints"),
    }
    for name, (content, reason) in cases.items():
        torch.save(content, tmp_path / f"{name}.pth")
        with pytest.raises(EncoderError, match=reason):
            read_checkpoint(tmp_path / f"{name}.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "wrong.pth").read_bytes()[:5000])
    with pytest.raises(EncoderError, match="damaged"):
        read_checkpoint(tmp_path / "cut.pth")
    assert "executed" not in capsys.readouterr().out


def test_a_binary_checkpoint_is_imported(tmp_path, plain, crops, exiface):
    torch.save(published(plain, "blades-bc"), tmp_path / "BC.pth")
    finished = exiface("import", tmp_path / "BC.pth", "-o", tmp_path / "encoder", status=0)
    assert "blades-bc" in finished.out
    files = EncoderFolder.read(tmp_path / "encoder")
    assert files.description.preprocessing.released == "plain"
    normalised = features(plain, crops)
    normalised /= np.linalg.norm(normalised, axis=1, keepdims=True)
    session = OnnxEncoder(files.model, files.description)._session
    exported = session.run(None, {"crops": crops.numpy()})[0]
    assert np.abs(exported - normalised).max() <= 1e-4
    assert set(load_file(tmp_path / "encoder" / "classifier.safetensors")) == {
        *("0.weight", "0.bias", "1.weight", "1.bias")
    }
