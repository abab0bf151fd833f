"""How an encoder learns, from photographs and, if wanted, generated faces (torch)."""

from exiface.training.config import ConfigError, TrainConfig, read_config
from exiface.training.losses import fidelity_loss, ranking_loss
from exiface.training.task import PretextTask
from exiface.training.training import train

__all__ = [
    "ConfigError",
    "PretextTask",
    "TrainConfig",
    "fidelity_loss",
    "ranking_loss",
    "read_config",
    "train",
]
