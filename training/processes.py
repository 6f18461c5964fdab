"""Several processes that train one network: started by torchrun, each with its share of every batch.

One process alone needs none of it: every function here then does nothing or hands back what it was given.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import nn


@dataclass(frozen=True)
class Processes:
    rank: int = 0
    """This process' number; 0 writes the files."""
    world: int = 1
    local_rank: int = 0
    """Its number on this machine: which GPU it takes."""

    @property
    def first(self) -> bool:
        return self.rank == 0


def join(cuda: bool) -> Processes:
    """Join the processes that torchrun started, by its environment variables; alone without them."""
    if "WORLD_SIZE" not in os.environ:
        return Processes()
    found = Processes(*(int(os.environ.get(name, 0)) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")))
    if not dist.is_initialized():
        dist.init_process_group("nccl" if cuda else "gloo")
    return found


def leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def together(step: nn.Module, processes: Processes, device: torch.device) -> nn.Module:
    """The step as each process runs it: gradients are averaged over processes, statistics of batch norm are rank 0's."""
    if processes.world == 1 or not any(parameter.requires_grad for parameter in step.parameters()):
        return step
    devices = [device.index] if device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(step, device_ids=devices)


def summed(value: float, device: torch.device) -> float:
    """The sum of a number over all processes."""
    if not dist.is_initialized():
        return value
    box = torch.tensor([value], dtype=torch.float64, device=device)
    dist.all_reduce(box)
    return float(box.item())


def gathered(value: Any) -> list[Any]:
    """Everybody's value, by rank."""
    if not dist.is_initialized():
        return [value]
    found: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(found, value)
    return found


def from_first(value: Any) -> Any:
    """Rank 0's value."""
    if not dist.is_initialized():
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def share_buffers(modules: Sequence[nn.Module]) -> None:
    """Everybody takes rank 0's statistics, so that all measure the same network."""
    if dist.is_initialized():
        for module in modules:
            for buffer in module.buffers():
                dist.broadcast(buffer, src=0)
