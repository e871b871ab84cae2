"""The training loop."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from metasr_training.datasets.patches import PatchSampler
from metasr_training.evaluation.methods import interpolation
from metasr_training.evaluation.zoom import score_slice
from metasr_training.losses import l1_loss
from napari_metasr.degradations import DEGRADATIONS
from napari_metasr.geometry import OutputGrid
from napari_metasr.networks import build
from napari_metasr.networks.meta_srgan import MetaSRGAN
from napari_metasr.normalisation import LinearMap, intensity_range, value_range
from napari_metasr.zoom.kernels import kernel_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metasr_training.config import TrainConfig
    from metasr_training.datasets.patches import Batch
    from metasr_training.datasets.slices import Slice
    from metasr_training.run_folder import RunFolder
    from napari_metasr.geometry import Scale

log = logging.getLogger(__name__)

VALIDATION_SCALES = (2.0, 4.0)
LONGEST_COUNTED_UPDATE = 10.0


def learning_rate(config: TrainConfig, update: int, progress: float) -> float:
    """Linear rise over the warm-up, then half a cosine down to ``final_share``."""
    share = config.final_share + (1 - config.final_share) * (1 + math.cos(math.pi * progress)) / 2
    return config.learning_rate * share * min(1.0, (update + 1) / config.warm_up)


class Trainer:
    """Train one network until its schedule or its budget is used up.

    Parameters
    ----------
    config
        The run.
    training, validation
        Slices, of different patients.
    folder
        Where everything goes.
    device
        A torch device; ``cpu`` uses the compiled kernel.
    """

    def __init__(
        self,
        config: TrainConfig,
        training: list[Slice],
        validation: list[Slice],
        folder: RunFolder,
        device: str = "cpu",
    ) -> None:
        self.config = config
        self.folder = folder
        self.device = torch.device(device)
        self.validation = validation
        self.sampler = PatchSampler(training, config.patches)
        torch.manual_seed(config.seed)
        network = build(config.network, kernel=kernel_for(self.device.type))
        if not isinstance(network, MetaSRGAN):
            raise ValueError(f"expected a network for every scale, found {config.network!r}")
        self.network = network.to(self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = AveragedModel(
            self.network, multi_avg_fn=get_ema_multi_avg_fn(config.average), use_buffers=True
        )
        kernels = list(self.network.upscale.weights.second.parameters())
        others = [one for one in self.network.parameters() if all(one is not k for k in kernels)]
        self.optimiser = torch.optim.Adam(
            [
                {"params": others, "share": 1.0},
                {"params": kernels, "share": config.kernel_share},
            ],
            config.learning_rate,
        )
        self.update = 0
        self.elapsed = 0.0
        self.best_gain = -math.inf

    @property
    def progress(self) -> float:
        """The share of the schedule, or of the budget, that is used up: 0 to 1."""
        by_updates = self.update / self.config.updates
        by_time = self.elapsed / self.config.budget if self.config.budget else 0.0
        return min(max(by_updates, by_time), 1.0)

    def resume(self) -> bool:
        """Go on from the folder's checkpoint; False if there is none."""
        state = self.folder.load_checkpoint()
        if state is None:
            return False
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.update, self.elapsed = state["update"], state["elapsed"]
        self.best_gain = state["best_gain"]
        self.folder.cut_log(self.update)
        return True

    def save(self) -> None:
        """Save what a resume needs."""
        self.folder.save(
            self.folder.checkpoint.name,
            {
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "update": self.update,
                "elapsed": self.elapsed,
                "best_gain": self.best_gain,
            },
        )

    def batches(self) -> Generator[Batch, None, None]:
        """The batches from this update on, each drawn while the one before it is worked on.

        A batch depends on the seed and the number of its update alone; not on how many threads
        happen to be free, and it takes none from the network.
        """
        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(1) as pool:
            update = self.update
            drawn = pool.submit(self.draw, update)
            while True:
                update += 1
                batch, drawn = drawn.result(), pool.submit(self.draw, update)
                yield batch

    def draw(self, update: int) -> Batch:
        """The batch of an update."""
        return self.sampler.draw(np.random.default_rng((self.config.seed, update)))

    def step(self, batch: Batch) -> float:
        """One update on one batch.

        Raises
        ------
        FloatingPointError
            If the loss is not finite; the batch is saved.
        """
        rate = learning_rate(self.config, self.update, self.progress)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["share"]
        self.network.train()
        low_resolution = batch.low_resolution.to(self.device, memory_format=torch.channels_last)
        reduced = self.config.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=reduced):
            output = self.network(low_resolution, batch.grid, batch.pixels, batch.origin)
        loss = l1_loss(output.float(), batch.truth.to(self.device))
        if not torch.isfinite(loss):
            self.folder.save("batch-not-finite.pt", vars(batch) | {"grid": repr(batch.grid)})
            raise FloatingPointError(
                f"the loss is {loss.item()} at update {self.update}; the batch is in "
                f"{self.folder.path / 'batch-not-finite.pt'}"
            )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.largest_gradient)
        self.optimiser.step()
        self.average.update_parameters(self.network)
        self.update += 1
        return loss.item()

    def enlarge(self, image: NDArray[np.float32], scale: Scale) -> NDArray[np.float32]:
        """Enlarge a slice with the averaged weights, as the zoom engine does."""
        network = self.average.module.eval()
        mapping = LinearMap(*intensity_range(image))
        grid = OutputGrid.at_scale(image.shape, scale)
        with torch.inference_mode():
            tensor = torch.from_numpy(mapping.forward(image))[None, None].to(self.device)
            output = network(tensor, grid)[0, 0].cpu().numpy()
        return mapping.inverse(output).clip(*value_range(image))

    def validate(self) -> dict[str, float]:
        """PSNR gains over bicubic on the validation slices; keeps the best weights."""
        compared = {"bicubic": interpolation("bicubic"), "network": self.enlarge}
        psnr: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for one in self.validation:
            for score in score_slice(one, compared, VALIDATION_SCALES, DEGRADATIONS):
                case = f"gain/{score.degradation}/x{score.scale:g}"
                psnr[case][score.method].append(score.psnr)
        values = {
            case: float(np.mean(found["network"]) - np.mean(found["bicubic"]))
            for case, found in psnr.items()
        }
        mean = float(np.mean(list(values.values())))
        if mean > self.best_gain:
            self.best_gain = mean
            self.folder.save(self.folder.best.name, self.weights())
        return values | {"gain/mean": mean}

    def weights(self) -> dict[str, Any]:
        """The averaged weights, and how many updates they took."""
        return {"network": self.average.module.state_dict(), "update": self.update}

    def run(self) -> None:
        """Train to the end of the schedule."""
        config = self.config
        losses: list[float] = []
        bar = tqdm(total=config.updates, initial=self.update, unit="update", mininterval=5)
        logged_at = time.perf_counter()
        batches = self.batches()
        while self.progress < 1:
            started = time.perf_counter()
            losses.append(self.step(next(batches)))
            self.elapsed += min(time.perf_counter() - started, LONGEST_COUNTED_UPDATE)
            bar.update()
            if self.update % config.log_every == 0:
                now = time.perf_counter()
                self.folder.log(
                    update=self.update,
                    **{"loss/l1": float(np.mean(losses))},
                    rate=self.optimiser.param_groups[0]["lr"],
                    updates_per_second=config.log_every / (now - logged_at),
                )
                losses, logged_at = [], now
            if self.update % config.validate_every == 0:
                self.folder.log(update=self.update, **self.validate())
            if self.update % config.checkpoint_every == 0:
                self.save()
        batches.close()
        self.folder.log(update=self.update, **self.validate())
        self.save()
        self.folder.save("final.pt", self.weights())
        bar.close()
