"""Heads that are sentences: against a slow twin, and the authors' numbers."""

import json
import math
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from exiface.encoders.description import EncoderError
from exiface.errors import UserError
from exiface.papers import blades
from exiface.papers.blades.sentences import Sentences
from exiface.training.heads import classes_of_heads

BLADES = {
    "ranked": ("iso_speed", "aperture", "exposure_time", "focal_length"),
    "levels": 3,
    "classes": ("make", "metering_mode", "exposure_mode", "white_balance", "exposure_program"),
    "families": ("manipulation",),
    "regions": True,
    "generated": False,
}
SMALL = {"ranked": ("aperture",), "levels": 3, "classes": (), "families": ("manipulation",)}


def small_heads(**kwargs):
    classes = classes_of_heads("sentences", **SMALL, regions=False, generated=False)
    return Sentences(6, classes, width=16, layers=2, projected=10, **kwargs), classes


def checkpoint(path, *, layers=2, width=16, projected=10, added=True):
    """A file with the text half of CLIP, of few parameters, and an image half that is ignored."""
    torch.manual_seed(1)
    heads = Sentences(6, {"manipulation": ("manipulated",)}, width=width, layers=layers,
                      projected=projected)  # fmt: skip
    tensors = {
        f"model.{name}": torch.randn(each.shape) for name, each in heads.state_dict().items()
    }
    tensors["model.token_embedding.weight"] = torch.randn(49408, width)
    tensors["model.logit_scale"] = torch.tensor(1.5)
    tensors["model.visual.fc.weight"] = torch.randn(3)
    if not added:
        tensors = {name: each for name, each in tensors.items() if "text_fc" not in name}
    torch.save({"model": tensors}, path)
    return tensors


def slow_text(tensors, tokens, layers):
    """One sentence, token by token, in double precision."""
    t = {name.removeprefix("model."): each.double().numpy() for name, each in tensors.items()}

    def norm(x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return x * t[f"{name}.weight"] + t[f"{name}.bias"]

    def linear(x, name):
        return x @ t[f"{name}.weight"].T + t[f"{name}.bias"]

    x = t["token_embedding.weight"][tokens] + t["positional_embedding"][: len(tokens)]
    for layer in range(layers):
        block = f"transformer.resblocks.{layer}"
        y = norm(x, f"{block}.ln_1")
        y = y @ t[f"{block}.attn.in_proj_weight"].T + t[f"{block}.attn.in_proj_bias"]
        query, key, value = np.split(y, 3, axis=1)
        mixed = np.zeros_like(query)
        size = query.shape[1] // 8
        for head in range(8):
            part = slice(head * size, (head + 1) * size)
            for place in range(len(tokens)):
                products = key[: place + 1, part] @ query[place, part] / math.sqrt(size)
                share = np.exp(products - products.max())
                mixed[place, part] = share / share.sum() @ value[: place + 1, part]
        x = x + linear(mixed, f"{block}.attn.out_proj")
        y = linear(norm(x, f"{block}.ln_2"), f"{block}.mlp.c_fc")
        x = x + linear(y / (1 + np.exp(-1.702 * y)), f"{block}.mlp.c_proj")
    text = norm(x, "ln_final")[int(np.argmax(tokens))] @ t["text_projection"]
    return linear(text, "text_fc")


def test_the_slow_twin_agrees(tmp_path):
    heads, classes = small_heads()
    tensors = checkpoint(tmp_path / "text.pt")
    heads.load(tmp_path / "text.pt")
    sentences = json.loads((Path(blades.__file__).parent / "sentences.json").read_text("utf-8"))
    wanted = [(head, name) for head, names in classes.items() for name in names]
    tokens = {(each["head"], each["class"]): each["tokens"] for each in sentences}
    text = np.stack([slow_text(tensors, tokens[each], 2) for each in wanted])
    text /= np.linalg.norm(text, axis=1, keepdims=True)
    features = torch.randn(3, 6)
    of_faces = features.double().numpy()
    of_faces /= np.linalg.norm(of_faces, axis=1, keepdims=True)
    with torch.inference_mode():
        found = heads(features).numpy()
    assert found == pytest.approx(math.exp(1.5) * of_faces @ text.T, abs=1e-4)


def test_clips_own_file_has_no_added_layer(tmp_path):
    heads, _ = small_heads()
    before = heads.text_fc.weight.detach().clone()
    tensors = checkpoint(tmp_path / "RN50.pt", added=False)
    heads.load(tmp_path / "RN50.pt")
    assert torch.equal(heads.text_fc.weight, before)
    assert torch.equal(heads.ln_final.weight, tensors["model.ln_final.weight"])


def test_files_without_a_text_encoder_are_refused(tmp_path):
    heads, _ = small_heads()
    torch.save({"visual.fc.weight": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(EncoderError, match=r"no text encoder of CLIP's.*49408 tokens"):
        heads.load(tmp_path / "other.pt")
    checkpoint(tmp_path / "shallow.pt", layers=1)
    with pytest.raises(EncoderError, match=r"resblocks\.1\.attn"):
        heads.load(tmp_path / "shallow.pt")


def test_a_class_without_a_sentence_is_named():
    with pytest.raises(UserError, match=r"no sentence for aperture level 1.*ranking\.levels=3"):
        Sentences(6, {"aperture": ("level 1", "level 2")})


@pytest.mark.long
def test_text_and_logits_are_the_published_ones(shared_reference, tmp_path):
    recipe = runpy.run_path(str(shared_reference / "blades_recipe.py"))
    shapes = json.loads((shared_reference / "blades_oc_keys.json").read_text())
    tensors = {
        key: torch.from_numpy(recipe["tensor"](key, tuple(shape)))
        for key, shape in shapes.items()
        if "visual" not in key
    }
    torch.save({"model": tensors}, tmp_path / "OC.pth")
    del tensors
    heads = Sentences(768, classes_of_heads("sentences", **BLADES))
    heads.load(tmp_path / "OC.pth")
    numbers = np.load(shared_reference / "blades_networks.npz")
    feature = torch.from_numpy(numbers["feature_unit_antialias"])[None]
    with torch.inference_mode():
        text = heads.text()
        raw = heads.text_fc(text)
        logits = heads(feature)[0]
    # The authors' order of columns is ours; their fiftieth, "nose", has no target and is left out.
    expected = numbers["text_encoder_1024_first"]
    assert text[:2].numpy() == pytest.approx(expected, abs=1e-5 * float(np.abs(expected).max()))
    expected = numbers["text_features_raw"][:49]
    assert raw.numpy() == pytest.approx(expected, abs=1e-5 * float(np.abs(expected).max()))
    expected = numbers["text_logits_antialias"][:49]
    assert logits.numpy() == pytest.approx(expected, abs=1e-5 * float(np.abs(expected).max()))
