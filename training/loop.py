"""The training loop: stages, epochs, batches; validation, checkpoints, and an end that loses nothing.

Everything random follows from (seed, process, epoch, batch) and every rate from the position, so a run that is killed and
resumed gives, bit for bit on a CPU, the network of one that was left alone.
"""

import contextlib
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training import checkpoint, losses, networks, schedule
from training.feeds import VALIDATION, Feed, Target, epoch_triplets
from training.imitation import Imitation
from training.near_strangers import near_strangers
from training.position import EpochSoFar, Position, epoch_words
from training.processes import Processes, from_first, gathered, share_buffers, summed, together
from training.recipe import ImitateLoss, NearStrangers, RandomTriplets, Recipe, Stage, teacher_of
from training.run_data import RunData
from training.runlog import RunLog
from training.step import Step
from training.validate import Measured, in_batches, measure
from training.verification import mean_batch_accuracy, thesis_accuracy

FILES_NAMED = 12
"""Files of a bad batch that an error lists."""


class BadLoss(ValueError):
    """The loss isn't a number any more; the message names stage, epoch, batch and files."""


class Stopped(Exception):
    """The run was asked to stop and has saved; the message says where it stands."""


class Trainer:
    """One process' part of a run. `run` trains from `position` to the end."""

    def __init__(
        self,
        recipe: Recipe,
        data: RunData,
        folder: Path,
        device: torch.device,
        processes: Processes,
        network: networks.FaceNetwork,
        teachers: dict[str, NDArray[np.float32]],
        log: RunLog | None,
        cache: Path,
    ) -> None:
        self.recipe, self.data, self.folder, self.cache = recipe, data, folder, cache
        self.device, self.processes, self.log = device, processes, log
        self.teachers = teachers
        layout = torch.channels_last if recipe.compute.channels_last else torch.contiguous_format
        self.network = network.to(device, memory_format=layout)  # type: ignore[call-overload]
        if recipe.compute.compile:
            self.network.compile()
        self.strangers: NDArray[np.int64] | None = None
        self.average: AveragedModel | None = None
        if recipe.compute.ema_decay is not None:
            how = get_ema_multi_avg_fn(recipe.compute.ema_decay)  # type: ignore[no-untyped-call]
            self.average = AveragedModel(self.network, multi_avg_fn=how, use_buffers=True)
        self.position = Position()
        self.so_far = EpochSoFar()
        self.best = float("-inf")
        self.best_epoch = -1
        self.stop = threading.Event()
        self.loss: nn.Module = nn.Identity()
        self.optimizer: torch.optim.Optimizer | None = None
        self._resumed: dict[str, Any] | None = None
        self._saved_at = time.monotonic()

    @property
    def measured_network(self) -> nn.Module:
        """The average over steps where there is one: what is validated and exported."""
        return self.network if self.average is None else self.average.module

    def resume(self, body: dict[str, Any], continue_step: bool) -> None:
        """Stand where a checkpoint's run stood; with continue_step=False the stage's schedule begins anew."""
        self.network.load_state_dict(body["network"])
        if self.average is not None:
            self.average.module.load_state_dict(body["ema"] if body.get("ema") else body["network"])
            self.average.n_averaged.fill_(int(body.get("ema_steps", 0)))
        self.position = Position(**body["position"])
        self.so_far = EpochSoFar(**body["epoch_so_far"])
        self.best, self.best_epoch = body["best"]["value"], body["best"]["epoch"]
        if self.processes.rank:
            self.so_far.positive, self.so_far.negative = [], []
        if not continue_step:
            self.position.schedule_from = self.position.stage_epoch
        self._resumed = body

    def run(self) -> None:
        """Train to the end of the last stage; raises BadLoss, Stopped, NotSaved, BadPicture."""
        for number in range(self.position.stage, len(self.recipe.stages)):
            stage = self.recipe.stages[number]
            self.position.stage = number
            if self.position.stage_epoch >= stage.epochs:  # it is done, or left out
                self._next_stage()
                continue
            step = self._enter(stage)
            while self.position.stage_epoch < stage.epochs:
                self._epoch(stage, step)
            self._next_stage()

    def _next_stage(self) -> None:
        self.position.stage += 1
        self.position.stage_epoch = self.position.schedule_from = 0

    def _enter(self, stage: Stage) -> nn.Module:
        """Freeze what the stage freezes, make its loss and optimiser, or take them from the checkpoint."""
        learns = networks.freeze(self.network, stage.train, stage.unfreeze, stage.freeze)
        number = self.position.stage
        goes_on = stage.keep_optimizer and self.recipe.stages[number - 1].epochs > 0
        if not goes_on:
            self.optimizer = None
        self._seed(number, 0)
        if isinstance(stage.sampling, NearStrangers):
            teacher = self.teachers[stage.sampling.teacher]
            self.strangers = near_strangers(teacher, stage.sampling.ceiling, stage.sampling.nearest)
        if self.optimizer is None:
            before, self.loss = self.loss, self._made_loss(stage).to(self.device)
            self._take_over(before, stage)
        parameters = [p for p in (*self.network.parameters(), *self.loss.parameters()) if p.requires_grad]
        if self.optimizer is None:
            kind = torch.optim.AdamW if stage.weight_decay else torch.optim.Adam
            self.optimizer = kind(parameters, lr=stage.lr, weight_decay=stage.weight_decay, fused=True)
        if self._resumed is not None:
            body, self._resumed = self._resumed, None
            if body["position"]["stage"] == number or goes_on:
                self.loss.load_state_dict(body["loss"])
                self.optimizer.load_state_dict(body["optimizer"])
        separate = isinstance(stage.sampling, RandomTriplets) and stage.sampling.forward == "separate"
        if self.log:
            self.log.say(f"stage {stage.name}: {stage.epochs} epochs, {', '.join(learns)} learn")
        return together(Step(self.network, self.loss, separate), self.processes, self.device)

    def _made_loss(self, stage: Stage) -> nn.Module:
        if isinstance(stage.loss, ImitateLoss):
            planes = networks.stage_planes(self.recipe.network.architecture)
            return Imitation(stage.loss, planes, self.cache, torch.get_num_threads())
        return losses.make(stage.loss, len(self.data.train.identities), self.recipe.network.embedding_size)

    def _take_over(self, before: nn.Module, stage: Stage) -> None:
        """What an imitation has learnt is the next one's beginning; stages that learnt alone are put together."""
        if not isinstance(self.loss, Imitation):
            return
        body, number = self._resumed, self.position.stage
        earlier = self.recipe.stages[number - 1].loss if number else None
        if body is not None and isinstance(earlier, ImitateLoss):
            self.loss.load_state_dict(body["loss"])  # of the stage before, or of this one: then it is taken again
        elif isinstance(before, Imitation):
            self.loss.load_state_dict(before.state_dict())
        was_alone = isinstance(earlier, ImitateLoss) and earlier.alone is not None
        begins = body is None or body["position"]["stage"] != number
        if was_alone and isinstance(stage.loss, ImitateLoss) and stage.loss.alone is None and begins:
            self.loss.stitch(self.network)

    def _settle(self) -> None:
        """What the network answers is what its loss has learnt so far."""
        if isinstance(self.loss, Imitation):
            for network in {self.network, self.measured_network}:
                self.loss.settle(network)

    def _epoch(self, stage: Stage, step: nn.Module) -> None:
        at, log = self.position, self.log
        networks.set_training(self.network, stage.frozen_batch_norm)
        name = teacher_of(stage)
        teacher = None if name is None else self.teachers[name]
        cuda = self.device.type == "cuda"
        feed = Feed(
            self.recipe, stage, self.data.train, at.epoch, at.batch, self.processes, teacher, self.strangers, cuda
        )
        if log:
            log.begin_epoch(f"{stage.name}, epoch {at.epoch + 1}/{self.recipe.epochs}", feed.batches, at.batch)
        self._train(stage, step, feed)
        row = self._train_row(stage)
        self._settle()
        share_buffers([self.network, *([self.average] if self.average else [])])
        measured = self._validate()
        value = measured.row[self.recipe.validation.best_by]
        better = value > self.best
        if better:
            self.best, self.best_epoch = value, at.epoch
        if log:
            log.row("train", row)
            log.row("valid", {"epoch": at.epoch, "stage": stage.name, **measured.row})
            self._keep_distances(measured, better)
            log.say(epoch_words(at.epoch, row, measured.row, better))
        self.so_far = EpochSoFar()
        at.epoch, at.stage_epoch, at.batch = at.epoch + 1, at.stage_epoch + 1, 0
        self.save(better)
        if from_first(self.stop.is_set()):
            raise Stopped(f"saved after epoch {at.epoch}")

    def _train(self, stage: Stage, step: nn.Module, feed: Feed) -> None:
        at, so_far, cuda = self.position, self.so_far, self.device.type == "cuda"
        assert self.optimizer is not None
        batches, first, counted = iter(feed), at.batch, 0
        self.optimizer.zero_grad(set_to_none=True)
        for number in range(first, feed.batches):
            began = time.perf_counter()
            try:
                pictures, target = next(batches)
            except RuntimeError as error:  # Ctrl-C reaches loader processes too, and they may go first
                if self.stop.is_set() and number % stage.accumulate == 0:
                    self._stop_here(stage)
                raise error
            waited = time.perf_counter() - began
            pictures = pictures.to(self.device, non_blocking=cuda)
            if self.recipe.compute.channels_last and pictures.dim() == 4:
                pictures = pictures.contiguous(memory_format=torch.channels_last)
            target = self._here(target)
            last_of_step = (number + 1) % stage.accumulate == 0 or number + 1 == feed.batches
            self._seed(at.epoch, number + 1)
            waits = contextlib.nullcontext() if last_of_step or self.processes.world == 1 else step.no_sync()  # type: ignore[operator]
            with waits:
                with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.compute.amp):
                    total, kept, embeddings = step(pictures, target)
                everybody = summed(float(kept), self.device)
                loss = total * (self.processes.world / max(everybody, 1))
                mean = summed(float(total.item()), self.device) / max(everybody, 1)
                if not np.isfinite(mean):
                    raise BadLoss(self._bad_words(stage, feed, number, mean))
                (loss / stage.accumulate).backward()
            counted += int(everybody)
            if last_of_step:
                if counted:  # as in the thesis' code, where no triplet is kept nothing moves
                    self._update(stage, number, feed.batches)
                self.optimizer.zero_grad(set_to_none=True)
                counted = 0
            views = len(pictures) * (3 if pictures.dim() == 5 else 1) * self.processes.world
            if everybody:
                so_far.loss_sum += mean
                if pictures.dim() == 5:
                    so_far.positive.append(losses.distance(embeddings[:, 0], embeddings[:, 1]).cpu())
                    so_far.negative.append(losses.distance(embeddings[:, 0], embeddings[:, 2]).cpu())
            so_far.batches += 1
            so_far.kept += int(everybody)
            so_far.seen += len(pictures) * self.processes.world
            so_far.views += views
            so_far.seconds += time.perf_counter() - began
            so_far.waiting += waited
            at.batch, at.views = number + 1, at.views + views
            if self.log:
                self.log.step(at.batch, mean, so_far.views / so_far.seconds)
            if last_of_step and at.batch < feed.batches:
                self._between_steps(stage)

    def _here(self, target: Target) -> Target:
        if isinstance(target, tuple):
            return target[0].to(self.device), target[1].to(self.device)
        return None if target is None else target.to(self.device, non_blocking=self.device.type == "cuda")

    def _update(self, stage: Stage, number: int, batches: int) -> None:
        assert self.optimizer is not None
        at = self.position
        epoch = at.stage_epoch - at.schedule_from
        rate = schedule.rate(stage, epoch, (number + 1) / batches, stage.epochs - at.schedule_from)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        if stage.clip_norm is not None:
            parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
            nn.utils.clip_grad_norm_(parameters, stage.clip_norm)
        self.optimizer.step()
        at.steps += 1
        if self.average is not None:
            self.average.update_parameters(self.network)

    def _between_steps(self, stage: Stage) -> None:
        """Stop if asked to, or save if it is time; all processes decide alike."""
        every, batches = self.recipe.compute.checkpoint_every_s, self.recipe.compute.checkpoint_every_batches
        if summed(float(self.stop.is_set()), self.device):
            self._stop_here(stage)
        due = time.monotonic() - self._saved_at > every or (batches is not None and self.position.batch % batches == 0)
        if from_first(due):
            self.save(False)

    def _stop_here(self, stage: Stage) -> None:
        self.save(False)
        raise Stopped(
            f"saved in epoch {self.position.epoch + 1} (stage {stage.name}) after batch {self.position.batch}"
        )

    def _train_row(self, stage: Stage) -> dict[str, Any]:
        so_far, at = self.so_far, self.position
        row: dict[str, Any] = {"epoch": at.epoch, "stage": stage.name, "lr": self._rate_now()}
        row["loss"] = so_far.loss_sum / max(so_far.batches, 1)
        if isinstance(stage.sampling, RandomTriplets):
            row["loss_thesis"] = so_far.loss_sum / stage.sampling.count
            parts = gathered((so_far.positive, so_far.negative))
            positive, negative = (_joined([t for part in parts for t in part[i]]) for i in (0, 1))
            if len(positive) >= 10:
                row["accuracy"] = thesis_accuracy(*in_batches(positive, negative, stage.sampling.batch)).mean
                row["accuracy_text"] = mean_batch_accuracy(positive, negative, stage.sampling.batch)[1]
        speed = so_far.views / max(so_far.seconds, 1e-9)
        waiting = so_far.waiting / max(so_far.seconds, 1e-9)
        row |= {"kept_share": so_far.kept / max(so_far.seen, 1), "batches": so_far.batches, "views": so_far.views}
        return row | {"seconds": so_far.seconds, "pictures_per_s": speed, "waiting_share": waiting}

    def _rate_now(self) -> float:
        assert self.optimizer is not None
        return float(self.optimizer.param_groups[0]["lr"])

    def _validate(self) -> Measured:
        rules = self.recipe.validation
        epoch = self.position.epoch if rules.redraw else 0
        triplets = epoch_triplets(self.data.valid, rules.triplets, self.recipe.seed, epoch, VALIDATION)
        return measure(self.measured_network, self.data.valid, triplets, self.recipe, self.device, self.processes)

    def _keep_distances(self, measured: Measured, better: bool) -> None:
        for name in ("last", "best") if better else ("last",):
            np.savez(self.folder / f"distances-{name}.npz", positive=measured.positive, negative=measured.negative)

    def save(self, better: bool) -> None:
        """Write checkpoints/last.pt and, with `better`, best.pt; raises NotSaved, and BadLoss rather than keep NaN."""
        self._settle()
        so_far = vars(self.so_far) | {}
        parts = gathered((self.so_far.positive, self.so_far.negative)) if self.processes.world > 1 else None
        if parts is not None:
            so_far["positive"], so_far["negative"] = ([t for part in parts for t in part[i]] for i in (0, 1))
        if self.processes.first:
            if not all(torch.isfinite(value).all() for value in self.network.state_dict().values()):
                raise BadLoss(
                    f"epoch {self.position.epoch + 1}: weights are NaN or infinite; the checkpoint before is kept. "
                    "Take a lower lr"
                )
            assert self.optimizer is not None
            body = {
                "recipe": self.recipe.model_dump(mode="json"),
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "loss": self.loss.state_dict(),
                "ema": self.average.module.state_dict() if self.average else None,
                "ema_steps": int(self.average.n_averaged.item()) if self.average else 0,
                "position": vars(self.position) | {},
                "epoch_so_far": so_far,
                "best": {"value": self.best, "epoch": self.best_epoch},
            }
            last = self.folder / "checkpoints" / "last.pt"
            checkpoint.save(last, body)
            if better:
                checkpoint.keep_as(last, last.with_name("best.pt"))
        self._saved_at = time.monotonic()

    def _seed(self, *numbers: int) -> None:
        """Generators for one batch: dropout, miners. Distinct for each process, whatever came before."""
        words = np.random.SeedSequence([self.recipe.seed, self.processes.rank, *numbers]).generate_state(2)
        torch.manual_seed(int(words[0]))
        np.random.seed(int(words[1]))  # pytorch-metric-learning draws from it

    def _bad_words(self, stage: Stage, feed: Feed, number: int, value: float) -> str:
        files = feed.files(number)
        more = f" and {len(files) - FILES_NAMED} more" if len(files) > FILES_NAMED else ""
        return (
            f"the loss is {value} in stage {stage.name}, epoch {self.position.epoch + 1}, batch {number + 1} of {feed.batches}: "
            f"{', '.join(files[:FILES_NAMED])}{more}. Nothing of it was saved; look at these pictures, "
            "take a lower lr or clip_norm, and go on with --resume last"
        )


def _joined(parts: list[Tensor]) -> NDArray[np.float64]:
    return torch.cat(parts).double().numpy() if parts else np.zeros(0)
