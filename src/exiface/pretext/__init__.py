"""How an encoder learns, from photographs and, if wanted, generated faces (torch)."""

from exiface.pretext.config import ConfigError, TrainConfig, read_config
from exiface.pretext.losses import fidelity_loss, ranking_loss
from exiface.pretext.task import PretextTask
from exiface.pretext.training import train

__all__ = [
    "ConfigError",
    "PretextTask",
    "TrainConfig",
    "fidelity_loss",
    "ranking_loss",
    "read_config",
    "train",
]
