"""How an encoder learns, from photographs and, if wanted, generated faces (torch)."""

from exiface.training.config import ConfigError, TrainConfig, read_config
from exiface.training.training import train

__all__ = [
    "ConfigError",
    "TrainConfig",
    "read_config",
    "train",
]
