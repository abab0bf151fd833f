"""Heads that are sentences: the text half of CLIP RN50, whose vectors stand for the classes.

    "a photo of a face taken with the Canon brand camera" -> 768 numbers, compared with a face's

`sentences.json` holds the sentences of BLADES (arXiv 2507.22824) and their token ids, so that no
tokeniser is needed. Weights come from a file of the user's: CLIP's own RN50.pt, or a checkpoint of
BLADES.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from exiface.encoders.description import EncoderError
from exiface.encoders.weights import load_exactly, read_tensors
from exiface.errors import UserError
from exiface.training.heads import Cosines

_HEADS = 8
_CONTEXT = 77
_VOCABULARY = 49408
_ADDED = "text_fc."  # what BLADES adds to CLIP's text half


class Sentences(Cosines):
    """Vectors of classes that a text encoder makes of sentences.

    The names of parameters are those of the published files.

    Args:
        features: length of the feature vector.
        classes: what each head tells apart; each class has a sentence.
        width: of the text encoder.
        layers: of it.
        projected: numbers that it makes of a sentence, before the added layer.

    Raises:
        UserError: a class without a sentence.
    """

    _places: Tensor
    _ends: Tensor

    def __init__(
        self,
        features: int,
        classes: Mapping[str, Sequence[str]],
        *,
        width: int = 512,
        layers: int = 12,
        projected: int = 1024,
    ) -> None:
        super().__init__()
        rows = [torch.tensor(tokens) for tokens in _tokens(classes)]
        tokens = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        # Only tokens that occur are kept: a quarter of a thousandth of the vocabulary.
        self._used, places = torch.unique(tokens, return_inverse=True)
        # Nothing looks ahead, so that what stands behind the longest sentence plays no part.
        ends = torch.tensor([len(row) - 1 for row in rows])
        self.register_buffer("_places", places, persistent=False)
        self.register_buffer("_ends", ends, persistent=False)
        self.token_embedding = nn.Embedding(len(self._used), width)
        self.positional_embedding = nn.Parameter(0.01 * torch.randn(_CONTEXT, width))
        blocks = nn.Sequential(*(_Block(width) for _ in range(layers)))
        self.transformer = nn.Sequential(OrderedDict(resblocks=blocks))
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.randn(width, projected) / width**0.5)
        self.text_fc = nn.Linear(projected, features)
        self.logit_scale = nn.Parameter(torch.tensor(0.0))

    def load(self, path: Path) -> None:
        """Take over the text half of a checkpoint, CLIP's own or one of BLADES.

        The added layer stays as it is where the file has none.

        Raises:
            EncoderError: a tensor is missing, or of another shape.
        """
        own = self.state_dict()
        given = {name: each.float() for name, each in read_tensors(path).items() if name in own}
        embedding = given.get("token_embedding.weight")
        if embedding is None or embedding.shape != (
            _VOCABULARY,
            *own["token_embedding.weight"][0].shape,
        ):
            raise EncoderError(
                f"{path} has no text encoder of CLIP's: a 'token_embedding.weight' of "
                f"{_VOCABULARY} tokens is needed; give CLIP's RN50.pt, or a checkpoint of BLADES"
            )
        given["token_embedding.weight"] = embedding[self._used]
        if not any(name.startswith(_ADDED) for name in given):
            given |= {name: each for name, each in own.items() if name.startswith(_ADDED)}
        load_exactly(self, given, path)

    def vectors(self) -> Tensor:
        """Make the vectors (columns, d), of unit length, that each column looks for."""
        return normalize(self.text_fc(self.text()))

    def text(self) -> Tensor:
        """Encode the sentences (columns, projected), before the added layer."""
        places = self._places
        values = self.token_embedding(places) + self.positional_embedding[: places.shape[1]]
        values = self.transformer(values)
        ends = values[torch.arange(len(values), device=values.device), self._ends]
        projected: Tensor = self.ln_final(ends) @ self.text_projection
        return projected


class _QuickGelu(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return values * torch.sigmoid(1.702 * values)


class _Block(nn.Module):
    """One layer of the transformer: attention to what stands before, then two linear layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, _HEADS)  # its weights; computed below
        self.ln_1 = nn.LayerNorm(width)
        self.ln_2 = nn.LayerNorm(width)
        widen, narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.mlp = nn.Sequential(OrderedDict(c_fc=widen, gelu=_QuickGelu(), c_proj=narrow))

    def forward(self, values: Tensor) -> Tensor:
        values = values + self._attention(self.ln_1(values))
        result: Tensor = values + self.mlp(self.ln_2(values))
        return result

    def _attention(self, values: Tensor) -> Tensor:
        # Written out, since torch's fused attention has no forward-mode derivative.
        attention = self.attn
        both = nn.functional.linear(values, attention.in_proj_weight, attention.in_proj_bias)
        query, key, value = (
            each.unflatten(2, (_HEADS, -1)).transpose(1, 2) for each in both.chunk(3, dim=2)
        )
        products = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5
        length = products.shape[-1]
        ahead = torch.ones(length, length, dtype=torch.bool, device=values.device).triu(1)
        mixed = products.masked_fill(ahead, -torch.inf).softmax(3) @ value
        result: Tensor = attention.out_proj(mixed.transpose(1, 2).flatten(2))
        return result


def _tokens(classes: Mapping[str, Sequence[str]]) -> list[list[int]]:
    """Token ids of each class's sentence, from start to end."""
    text = resources.files(__package__).joinpath("sentences.json").read_text("utf-8")
    known = {(each["head"], each["class"]): each["tokens"] for each in json.loads(text)}
    wanted = [(head, name) for head, names in classes.items() for name in names]
    for head, name in wanted:
        if (head, name) not in known:
            heads = ", ".join(dict.fromkeys(head for head, _ in known))
            raise UserError(
                f"heads=sentences has no sentence for {head} {name}; it has them for {heads} (tags "
                "that are ranked with ranking.levels=3)"
            )
    return [known[each] for each in wanted]
