from types import SimpleNamespace

import torch
from torch import nn

from exiface.training.checkpoint import load_checkpoint, save_checkpoint


def learning():
    """A frozen layer, and one that learns in another memory format."""
    torch.manual_seed(0)
    task = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 4, 3)).to(
        memory_format=torch.channels_last
    )
    task[0].requires_grad_(False)
    optimizer = torch.optim.AdamW(task[1].parameters())
    return SimpleNamespace(task=task, optimizer=optimizer, average=None, weights=None)


def test_the_state_of_what_learns_is_restored_in_its_own_memory_format(tmp_path):
    before, after = learning(), learning()
    before.task(torch.ones(2, 3, 8, 8)).square().mean().backward()
    before.optimizer.step()
    save_checkpoint(tmp_path, before, 1, "this run")
    assert load_checkpoint(tmp_path, after, "this run") == 1
    for own, restored in zip(before.task[1].parameters(), after.task[1].parameters(), strict=True):
        for name, tensor in before.optimizer.state[own].items():
            assert torch.equal(after.optimizer.state[restored][name], tensor)
            assert after.optimizer.state[restored][name].stride() == tensor.stride(), name
