"""Loss weights that learn: a bi-level step (BLADES, arXiv 2507.22824).

A step of the network that is only tried out says how the primary task, on other photographs, would
fare after it; its derivative by the weight of each loss moves that weight, and only then the
network takes a step of its own, with the new weights. Nothing here knows what the losses are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from exiface.training.forward_mode import Tensors, directional

# Parameters -> one or several losses.
LossesOf = Callable[[Tensors], Tensor]
# Adds up over the processes that train together, or averages; in place.
Reduce = Callable[[Tensors], None]
Derivative = Literal["exact", "difference"]

_DISTANCE = 0.01  # of the finite difference, in parameters


@dataclass(frozen=True, slots=True)
class LearntWeights:
    """How the weights of losses are learnt."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    primary: str = "manipulation"  #: the loss that they shall lower, by the name of its head.
    learning_rate: float = 3e-4  #: of the weights, by Adam.
    #: "exact", by forward-mode differentiation; or "difference", the central difference that the
    #: released program takes.
    derivative: Derivative = "exact"
    #: share of the training photographs that are kept for the primary task, and that the network
    #: never learns from; 0 = both from the same photographs, as published.
    held_out: float = 0.1
    batch: float = 0.25  #: photographs of the primary task, in batches of the network's.
    #: bound of the weights; None = none, as published: they may become negative.
    lowest: float | None = None

    def __post_init__(self) -> None:
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be > 0, got {self.learning_rate}")
        if not 0 <= self.held_out < 1:
            raise ValueError(f"held_out must be >= 0 and < 1, got {self.held_out}")
        if self.batch <= 0:
            raise ValueError(f"batch must be > 0, got {self.batch}")


class LossWeights:
    """The weights of several losses, with their optimiser.

    Args:
        names: of the losses; also an attribute.
        start: their weights at the start, from which `values` (k,) float64 go on.
        settings: how they are learnt; also an attribute.
    """

    def __init__(
        self, names: Sequence[str], start: Sequence[float], settings: LearntWeights
    ) -> None:
        self.names = tuple(names)
        self.values = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        self.settings = settings
        self._optimizer = torch.optim.Adam([self.values], lr=settings.learning_rate)

    def learn(self, derivatives: Tensor) -> None:
        """Move each weight by how much faster the primary loss falls with it (k,)."""
        self.values.grad = -derivatives.detach().to(self.values)
        self._optimizer.step()
        if self.settings.lowest is not None:
            with torch.no_grad():
                self.values.clamp_(min=self.settings.lowest)

    def named(self) -> dict[str, float]:
        """Each weight, by the name of its loss."""
        return dict(zip(self.names, self.values.tolist(), strict=True))

    def state(self) -> dict[str, Tensor]:
        """All that is needed to go on."""
        moments = self._optimizer.state_dict()["state"].get(0, {})
        return {"values": self.values.detach(), **moments}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        with torch.no_grad():
            self.values.copy_(state["values"])
        moments = {name: each for name, each in state.items() if name != "values"}
        if moments:
            self._optimizer.load_state_dict({**self._optimizer.state_dict(), "state": {0: moments}})


def derivatives(
    losses: LossesOf,
    primary: LossesOf,
    parameters: Tensors,
    gradients: Tensors,
    rates: Sequence[float],
    *,
    decay: float,
    derivative: Derivative,
    mean: Reduce = lambda _: None,
    total: Reduce = lambda _: None,
) -> Tensor:
    """How much faster the primary loss would fall, the more each loss weighed: (k,).

    It is the derivative of each loss along rate times the gradient of the primary loss, which is
    taken at the parameters after a plain gradient step.

    Args:
        losses: parameters -> (k,) losses on the training batch.
        primary: parameters -> the primary loss on other photographs.
        parameters: of the network.
        gradients: of the weighted sum of the losses, by parameter.
        rates: learning rate of each parameter.
        decay: weight decay.
        derivative: how it is taken.
        mean: averages over processes, each of which has its share of the photographs.
        total: adds up over processes.
    """
    virtual = [
        (each - rate * (gradient + decay * each)).detach().requires_grad_()
        for each, gradient, rate in zip(parameters, gradients, rates, strict=True)
    ]
    found = torch.autograd.grad(primary(virtual), virtual, materialize_grads=True)
    del virtual
    mean(found)
    with torch.no_grad():
        direction = [rate * each for rate, each in zip(rates, found, strict=True)]
        del found
        if derivative == "difference":
            # Every process sees what all of them give, so that there is nothing to add up.
            return difference(losses, parameters, direction)
        along = directional(losses, parameters, direction)
        total([along])
        return along


def difference(losses: LossesOf, parameters: Tensors, direction: Tensors) -> Tensor:
    """The derivatives as the released program takes them, from points 0.01 away on either side."""
    length = torch.stack([each.norm() for each in direction]).norm()
    step = _DISTANCE / length if length else length
    above, below = (
        losses(
            [each + sign * step * along for each, along in zip(parameters, direction, strict=True)]
        )
        for sign in (1, -1)
    )
    return (above - below) / (2 * step) if length else torch.zeros_like(above)
