"""What networks of whole images have in common: patches -> tokens -> one feature vector."""

from abc import abstractmethod

from torch import Tensor, nn

from exiface.photos.patches import Pooling


class ImageEncoder(nn.Module):
    """A network that makes a token of each patch of an image, and a feature of the tokens."""

    pooling: Pooling  #: what an image's feature vector is, of its tokens: their mean, or the first.

    @property
    def attention(self) -> nn.Module | None:
        """What lets the tokens attend to one another first, as `token_attention.attend` does."""
        return None

    @abstractmethod
    def maps(self, patches: Tensor) -> list[Tensor]:
        """What patches (n, 3, s, s) become on their way; the last are their tokens."""

    @abstractmethod
    def tokens(self, patches: Tensor) -> Tensor:
        """Tokens (n, d) of normalised patches (n, 3, s, s), each by itself."""

    @abstractmethod
    def feature(self, tokens: Tensor) -> Tensor:
        """Features (b, d) of the tokens (b, p, d) of so many images' patches."""

    def forward(self, patches: Tensor) -> Tensor:
        """Features (b, d) of normalised patches (b, p, 3, s, s)."""
        images, number = patches.shape[:2]
        return self.feature(self.tokens(patches.flatten(0, 1)).unflatten(0, (images, number)))
