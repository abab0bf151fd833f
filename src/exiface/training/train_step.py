"""What one optimiser step does: task, processes, precision and learning rate."""

import contextlib
import copy
import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from exiface.datasets.sampling import Batch
from exiface.encoders.description import PATCHES
from exiface.encoders.elsewhere import find_architecture
from exiface.encoders.image_encoder import ImageEncoder
from exiface.encoders.weights import load_backbone
from exiface.photos import Preprocessing
from exiface.photos.patches import Patches
from exiface.training.bilevel import LossWeights
from exiface.training.config import ConfigError, TrainConfig
from exiface.training.distributed import Process
from exiface.training.outer_step import Inputs, Losses, OuterStep
from exiface.training.task import PretextTask

_LOGGER = logging.getLogger(__name__)
_OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


class TrainStep:
    """A pretext task with its optimiser.

    Args:
        config: the settings.
        takes: what the encoder makes its input with.
        process: this process among those that train together.
        init: weights of the same backbone to start from.
        text: weights of the text encoder, where heads are sentences.
    """

    def __init__(
        self,
        config: TrainConfig,
        takes: Preprocessing | Patches,
        process: Process,
        init: Path | None = None,
        text: Path | None = None,
    ) -> None:
        self.config = config
        self.takes = takes
        self.process = process
        architecture = find_architecture(config.architecture)
        torch.manual_seed(config.seed)
        encoder = architecture.build()
        near = None
        if init is not None:
            given = architecture.build() if config.from_scratch else encoder
            load_backbone(given, init, last_layer=architecture.last_layer)
            if config.shares.near and isinstance(given, ImageEncoder):
                near = copy.deepcopy(given).to(process.device)
        elif config.start_share or config.shares.near:
            raise ConfigError("start_share and shares.near need weights; name them: --init")
        self._start = copy.deepcopy(encoder) if config.start_share else None
        if config.frozen:
            for name, parameter in encoder.named_parameters():
                parameter.requires_grad_(name.startswith(architecture.last_layer))
        task = PretextTask(
            encoder,
            architecture.read or architecture.features,
            ranked=config.ranked,
            classes=config.classes,
            ranking=config.ranking,
            class_loss=config.class_loss,
            families=config.families,
            regions=config.regions,
            heads=config.heads,
            frozen=config.frozen,
            shares=config.shares,
            near=near,
        )
        if config.heads == "sentences":
            if text is None:
                raise ConfigError("heads=sentences needs the weights of a text encoder: --text")
            sentences: Any = task.heads
            sentences.load(text)
        if process.world_size > 1 and process.device.type == "cuda":
            task = nn.SyncBatchNorm.convert_sync_batchnorm(task)
        self.task = task.to(process.device)
        if config.architecture != PATCHES:  # whose norms and sums over a patch want its planes
            self.task = self.task.to(memory_format=torch.channels_last)
        self._model: nn.Module = self.task
        if process.world_size > 1 and config.learnt_weights is None:
            self._model = DistributedDataParallel(self.task)
        paces = ((self.task.encoder, 1.0), (self.task.heads, config.head_learning_rate))
        self.optimizer = _OPTIMIZERS[config.optimizer](
            [
                {"params": [each for each in part.parameters() if each.requires_grad], "pace": pace}
                for part, pace in paces
            ],
            betas=config.betas,
            eps=config.epsilon,
            weight_decay=config.weight_decay,
        )
        self.weights: LossWeights | None = None
        if config.learnt_weights is not None:
            shares = [self.task.share(name) for name in self.task.names]
            self.weights = LossWeights(self.task.names, shares, config.learnt_weights)
            self._outer = OuterStep(
                self.task, self.weights, self.optimizer, process, self._autocast
            )
        self.average: AveragedModel | None = None
        if config.averaging:
            average = get_ema_multi_avg_fn(config.averaging)
            self.average = AveragedModel(self.task, multi_avg_fn=average, use_buffers=True)
        self._bfloat16 = config.precision == "bfloat16" or (
            config.precision == "auto" and multiplies_bfloat16(process.device)
        )
        level = logging.INFO if process.writes else logging.DEBUG
        precision = "bfloat16" if self._bfloat16 else "float32"
        _LOGGER.log(level, "training on %s in %s", process.device, precision)

    @property
    def learnt(self) -> PretextTask:
        """The task to be measured and exported: the average, where one is kept.

        Its encoder's weights are interpolated with those that it started from, which keeps what
        they knew of pictures that training doesn't show (Wortsman et al., arXiv 2109.01903).
        """
        task = self.task if self.average is None else self.average.module
        assert isinstance(task, PretextTask)  # noqa: S101 - a copy of the task
        if self._start is None:
            return task
        task = copy.deepcopy(task)
        begun = self._start.state_dict()
        for name, tensor in task.encoder.state_dict().items():
            if tensor.is_floating_point():
                tensor.lerp_(begun[name].to(tensor.device), self.config.start_share)
        return task

    def step(
        self, number: int, rate: float, batches: Sequence[Batch], others: Sequence[Batch] = ()
    ) -> dict[str, float]:
        """Learn from one batch, and return the loss of each head, averaged over the parts.

        Args:
            number: of the step; it seeds whatever the network draws.
            rate: learning rate.
            batches: this process's share of the batch, in parts whose gradients are averaged.
            others: likewise, of other photographs, by which the weights of losses are learnt.
        """
        torch.manual_seed((self.config.seed * 1_000_003 + number) * 1_009 + self.process.rank)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["pace"]
        self.optimizer.zero_grad(set_to_none=True)
        inputs = [self._inputs(batch) for batch in batches]
        if self.weights is None:
            losses = self._gradients(inputs)
        else:
            losses = self._outer(inputs, [self._inputs(batch) for batch in others])
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.task)
        return {name: sum(part[name].item() / len(losses) for part in losses) for name in losses[0]}

    def _gradients(self, inputs: Sequence[Inputs]) -> list[Losses]:
        """Compute gradients for the optimiser; returns the losses of each part."""
        found = []
        for part, each in enumerate(inputs, start=1):
            with contextlib.ExitStack() as stack:
                if isinstance(self._model, DistributedDataParallel) and part < len(inputs):
                    stack.enter_context(self._model.no_sync())  # gradients go with the last part
                stack.enter_context(self._autocast())
                losses = self._model(*each)
                (self.task.total(losses) / len(inputs)).backward()
            found.append({name: loss.detach() for name, loss in losses.items()})
        return found

    def _inputs(self, batch: Batch) -> Inputs:
        """What the task takes, on the device."""
        labels = (
            torch.from_numpy(each).to(self.process.device)
            for each in (batch.manipulated, batch.generated, batch.classes, batch.manipulation)
        )
        tags = torch.from_numpy(batch.tags).to(self.process.device, torch.float32)
        return (self.task.crops(batch.crops, self.takes), tags, *labels)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.process.device.type, torch.bfloat16, enabled=self._bfloat16)


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a device has instructions for bfloat16; a CPU without them is ten times as slow."""
    if device.type != "cpu":
        return True
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def learning_rate(step: int, total: int, steps_per_epoch: int, config: TrainConfig) -> float:
    """Compute the rate of a step: linear warm-up, then half a cosine that ends with training.

    Example:
        >>> config = TrainConfig(learning_rate=1.0, warmup_epochs=1, epochs=3)
        >>> [round(learning_rate(step, 6, 2, config), 3) for step in range(6)]
        [0.5, 1.0, 1.0, 0.854, 0.5, 0.146]
    """
    warmup = round(config.warmup_epochs * steps_per_epoch)
    if step < warmup:
        return config.learning_rate * (step + 1) / warmup
    done = (step - warmup) / max(1, total - warmup)
    span = config.learning_rate - config.final_learning_rate
    return config.final_learning_rate + span * (1 + math.cos(math.pi * done)) / 2
