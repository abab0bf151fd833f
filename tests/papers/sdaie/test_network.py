"""The encoder of whole images: against the authors' numbers, and against slow twins."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from scipy.linalg import sqrtm
from scipy.ndimage import correlate

from exiface.encoders import (
    EncoderError,
    EncoderFolder,
    token_attention,
)
from exiface.papers.checkpoints import read_checkpoint
from exiface.papers.sdaie.network import LENGTH, PatchEncoder, covariance, matrix_root, triangle
from exiface.papers.sdaie.residuals import filters
from exiface.photos.patches import Patches

REFERENCE = Path(__file__).parents[2] / "reference"
NOISES = {"jpg": "jpg95", "resize": "resize05", "blur": "blur1"}


def differs(found, expected) -> float:
    """The largest difference, relative to the largest number."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.fixture(scope="module")
def numbers():
    with np.load(REFERENCE / "sdaie.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def authors(shared_reference):
    """The authors' network with random weights: the file as published, and what they computed."""
    tensors = load_file(shared_reference / "sdaie_backbone.safetensors")
    return tensors, shared_reference


@pytest.fixture(scope="module")
def network(patch_folder):
    made = PatchEncoder().eval()
    made.load_state_dict(torch.load(patch_folder / "network.pt", weights_only=True))
    return made


# ---- against the authors' numbers ---------------------------------------------------------------


def test_the_filters_are_the_published_ones(numbers):
    assert np.array_equal(filters(), numbers["filters"])


def test_covariance_root_and_token_are_the_published_ones(numbers):
    maps = torch.from_numpy(numbers["f4"])[None]
    assert differs(covariance(maps)[0], numbers["cov"]) < 1e-5
    root = matrix_root(torch.from_numpy(numbers["cov"])[None])
    assert differs(root[0], numbers["root"]) < 1e-5
    assert differs(triangle(root)[0], numbers["token"]) < 1e-5


def test_every_number_between_patch_and_feature_is_the_published_one(authors):
    tensors, reference = authors
    network = PatchEncoder(pooling="first").eval()
    network.load_state_dict(
        {
            key.removeprefix("module.backbone."): value
            for key, value in tensors.items()
            if key.startswith("module.backbone.")
        }
    )
    assert sum(tensor.numel() for tensor in network.state_dict().values()) == 2_149_198
    with np.load(reference / "sdaie_intermediates.npz") as expected, torch.inference_mode():
        patch = torch.from_numpy(expected["patch"])[None]
        residuals = network.group1["hpf"](patch)
        assert differs(residuals[0], expected["srm90"]) < 1e-5
        block = network.group1_b(residuals).clamp(-5, 5)
        assert differs(block[0], expected["block1"]) < 1e-5
        *maps, token = network.maps(patch)
        for name, each in zip(("f1", "f2", "f3", "f4"), maps, strict=True):
            assert differs(each[0], expected[name]) < 1e-5
        assert differs(token[0], expected["vec_after"]) < 1e-5
        assert differs(network(patch[None])[0], expected["feature_single_patch"]) < 1e-5
        for prefix, tokens in (("", token), ("three_", torch.from_numpy(expected["three_tokens"]))):
            values = tokens[None]
            for number, layer in enumerate(network.transformer.layers):
                for part, name in zip(layer, ("attn", "ff"), strict=True):
                    added = part(values)
                    assert differs(added[0], expected[f"{prefix}{name}{number}"]) < 1e-5
                    values = values + added
        feature = network.feature(torch.from_numpy(expected["three_tokens"])[None])
        assert differs(feature[0], expected["three_feature"]) < 1e-5


def test_an_imported_checkpoint_gives_the_published_features(authors, tmp_path):
    tensors, reference = authors
    torch.save({"state_net": tensors}, tmp_path / "pretrained.pth")
    found = read_checkpoint(tmp_path / "pretrained.pth")
    assert found.kind == "sdaie-backbone"
    assert torch.equal(found.heads["ranked-12"], tensors["module.fc13.weight"][0])

    def patches(file, crop="published"):
        pixels = np.asarray(Image.open(reference / f"sdaie_{file}.png").convert("RGB"))
        takes = Patches(crop=crop, pooling="first")
        return torch.from_numpy(takes.normalise(takes.cut(pixels)))

    with np.load(reference / "sdaie_features.npz") as expected, torch.inference_mode():
        for name, file in (("wide", "wide_320x200"), ("square", "square_256x256")):
            cut = patches(file)
            assert len(cut) == expected[f"{name}_None_npatch"]
            assert differs(found.network.tokens(cut), expected[f"{name}_tokens_f5"]) < 1e-5
            assert differs(found.network(cut[None])[0], expected[f"{name}_None_feature"]) < 1e-5
        right = patches("wide_320x200", "whole")
        assert differs(found.network(right[None])[0], expected["wide_rightcrop_feature"]) < 1e-5
        for name, file in NOISES.items():
            feature = found.network(patches(f"square_{file}")[None])[0]
            assert differs(feature, expected[f"square_{name}_feature"]) < 1e-5


# ---- against slow twins -------------------------------------------------------------------------


def test_residuals_are_correlations_of_each_channel(network):
    patch = np.random.default_rng(0).normal(size=(1, 3, 64, 64)).astype(np.float32)
    residuals = network.group1["hpf"](torch.from_numpy(patch))[0].numpy()
    assert "group1.hpf.weight" not in dict(network.named_parameters())  # they are not trained
    for channel in range(3):
        for number in (0, 9, 13, 21, 26, 29):
            expected = correlate(patch[0, channel], filters()[number], mode="constant")
            assert np.allclose(residuals[30 * channel + number], expected, atol=1e-5)


def test_a_token_is_the_root_of_a_covariance(network):
    maps = torch.randn(2, 32, 8, 8, generator=torch.Generator().manual_seed(0))
    for found, values in zip(covariance(maps), maps.flatten(2).numpy(), strict=True):
        assert np.allclose(found, np.cov(values, bias=True), atol=1e-5)
    # Of small matrices five steps are enough; of large ones each eigenvalue takes five of its own.
    small = torch.eye(3) + covariance(maps)[:, :3, :3] / 20
    for found, matrix in zip(matrix_root(small), small.numpy(), strict=True):
        assert np.allclose(found, sqrtm(matrix).real, atol=1e-4)
    values = np.linspace(0, 2, 32)
    root, inverse = values / values.sum(), np.ones(32)
    for _ in range(5):
        step = (3 - inverse * root) / 2
        root, inverse = root * step, step * inverse
    [found] = matrix_root(torch.diag(torch.from_numpy(values))[None])
    assert np.allclose(found, np.diag(root * np.sqrt(values.sum())))
    assert torch.equal(matrix_root(torch.zeros(1, 32, 32)), torch.zeros(1, 32, 32))
    counted = torch.arange(9).reshape(1, 3, 3)
    assert triangle(counted).tolist() == [[0, 1, 2, 4, 5, 8]]


def test_attention_is_the_one_written_out(network):
    tokens = torch.randn(3, LENGTH, generator=torch.Generator().manual_seed(1))
    attention = network.transformer.layers[0][0]
    found = attention(tokens[None])[0].detach().numpy()
    normalised = attention.norm(tokens).detach().numpy()
    query, key, value = np.split(normalised @ attention.fn.to_qkv.weight.detach().numpy().T, 3, 1)
    gathered = np.zeros((3, 64))
    for head in range(4):
        part = slice(16 * head, 16 * head + 16)
        for asking in range(3):
            weights = [math.exp(query[asking, part] @ key[asked, part] / 4) for asked in range(3)]
            for asked in range(3):
                gathered[asking, part] += weights[asked] / sum(weights) * value[asked, part]
    out = attention.fn.to_out[0]
    expected = gathered @ out.weight.detach().numpy().T + out.bias.detach().numpy()
    assert np.allclose(found, expected, atol=1e-4)


def test_attention_without_torch_is_the_same_a_few_at_a_time(network, monkeypatch):
    tokens = torch.randn(7, LENGTH, generator=torch.Generator().manual_seed(3))
    weights = {key: value.numpy() for key, value in network.transformer.state_dict().items()}
    with torch.inference_mode():
        expected = network.transformer(tokens[None])[0].numpy()
    for at_once in (1, 3, 256):
        monkeypatch.setattr(token_attention, "_AT_ONCE", at_once)
        assert differs(token_attention.attend(tokens.numpy(), weights), expected) < 1e-5


# ---- as files -----------------------------------------------------------------------------------


def test_onnx_gives_the_features_of_torch_for_any_size(network, patch_folder, astronaut):
    encoder = EncoderFolder.read(patch_folder).open()
    for height, width in ((512, 512), (64, 64), (63, 300), (200, 330)):
        pixels = astronaut[:height, :width]
        patches = torch.from_numpy(Patches().normalise(Patches().cut(pixels)))
        with torch.inference_mode():
            expected = network(patches[None])[0]
        assert differs(encoder.encode([pixels])[0], expected) < 1e-5


def published(network, kind):
    """A file as the authors save it, of this network."""
    own = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    if kind == "sdaie-backbone":
        tensors = {f"backbone.{key}": value for key, value in own.items()}
        lengths = (1, 7, 1, 1, 1, 6, 4, 1, 1, 6, 4, 2, 1, 5)
        heads = {f"fc{number}": length for number, length in enumerate(lengths, start=1)}
    else:
        tensors = {f"diffusionextractor_random.{key}": value for key, value in own.items()}
        tensors |= {f"diffusionextractor_pretrained.{key}": 2 * value for key, value in own.items()}
        heads = {"fc": 2}
    for name, length in heads.items():
        tensors |= {f"{name}.weight": torch.randn(length, 528), f"{name}.bias": torch.randn(length)}
    return tensors


@pytest.mark.parametrize(("kind", "prefix"), [("sdaie-backbone", "module."), ("sdaie-binary", "")])
def test_both_checkpoints_are_told_by_their_keys(network, tmp_path, kind, prefix):
    tensors = published(network, kind)
    named = {prefix + key: value for key, value in tensors.items()}
    torch.save({"state_net": named, "epoch": 3}, tmp_path / "pretrained.pth")
    found = read_checkpoint(tmp_path / "pretrained.pth")
    assert found.kind == kind
    patches = torch.randn(1, 2, 3, 64, 64)
    with torch.inference_mode():
        feature = found.network(patches)
        first = network.transformer(network.tokens(patches[0])[None])[:, 0]
        assert torch.allclose(feature, first, atol=1e-5)
        if kind == "sdaie-binary":
            logits = feature @ tensors["fc.weight"].T + tensors["fc.bias"]
            odds = feature @ found.classifier["0.weight"].T + found.classifier["0.bias"]
            assert torch.allclose(odds.sigmoid()[:, 0], logits.softmax(1)[:, 1], atol=1e-5)
        else:
            assert list(found.heads)[:2] == ["ranked-0", "ranked-2"]
    with pytest.raises(EncoderError, match=f"of the kind {kind}, not blades-oc"):
        read_checkpoint(tmp_path / "pretrained.pth", "blades-oc")
    lacking = {key: value for key, value in named.items() if not key.endswith("group4.3.bias")}
    torch.save({"state_net": lacking}, tmp_path / "lacking.pth")
    with pytest.raises(EncoderError, match=r"group4\.3\.bias must be .* the file lacks it"):
        read_checkpoint(tmp_path / "lacking.pth")
