"""Processes of their own, to be killed or to train together, without an interpreter's start each.

They are forked from one that has imported what they run and has done nothing else.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from exiface.apps.bulk import scoring  # noqa: F401 - each fork that scores would load it again
from exiface.apps.main import main


@contextmanager
def _imported(function: Callable[..., None]) -> Iterator[None]:
    """What runs within is forked where the module of the first such function was imported."""
    multiprocessing.get_context("forkserver").set_forkserver_preload([function.__module__])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        yield


def forked(function: Callable[..., None], *arguments: object) -> ForkServerProcess:
    """A process that has started to run a function."""
    with _imported(function):
        process = multiprocessing.get_context("forkserver").Process(target=function, args=arguments)
        process.start()
    return process


def run_exiface(arguments: list[str]) -> None:
    """The command line; to be forked."""
    sys.argv = ["exiface", *arguments]
    main()


def run_in_two(function: Callable[..., None], *arguments: object) -> None:
    """Run a function in two processes of one group, as `torchrun` does, whose launcher it is."""
    from torch.distributed.launcher import LaunchConfig, elastic_launch

    how = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=2,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        start_method="forkserver",
    )
    with _imported(function):
        elastic_launch(how, function)(*arguments)
