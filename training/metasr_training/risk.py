"""``metasr-train risk-head``: how large the errors of a trained network may be, learned."""

from __future__ import annotations

import logging
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from metasr_training.cards import data_sets
from metasr_training.catalogue import recipe_or_file
from metasr_training.command_line import DeviceOption, interruptible, seconds
from metasr_training.datasets.pairs import PairSampler
from metasr_training.trained_patients import patient_hashes, slices_of_split
from napari_metasr.devices import resolve_device
from napari_metasr.files import check_writable, making_folders
from napari_metasr.networks.folding import fold_batch_norm
from napari_metasr.networks.meta_srgan import MetaSRGAN
from napari_metasr.networks.risk_head import QUANTILE, RiskHead, pinball
from napari_metasr.weights import DEFAULT_MODEL, WeightsError, load_network
from napari_metasr.weights.risk import head_path, read_risk, save_risk
from napari_metasr.zoom.kernels import kernel_for

if TYPE_CHECKING:
    from threading import Event

    from metasr_training.datasets.batch import Batch

log = logging.getLogger(__name__)

LOG_EVERY = 100
WARM_UP = 200
LARGEST_GRADIENT = 0.1
"""Norm that gradients are clipped to: q grows exponentially, and so do those of odd patches."""
MASKED = 0.25
"""Share of the patches that are cut by a mask after the reduction, as scans are."""


def risk_head(
    data: Path,
    output: Path,
    model: str = DEFAULT_MODEL,
    updates: int = 6000,
    budget: str | None = None,
    rate: float = 2e-4,
    recipe: str = "zoom",
    start: Path | None = None,
    split: Path | None = None,
    seed: int = 0,
    device: DeviceOption = "auto",
) -> None:
    """Train the error head of a model on a frozen trunk, by the pinball loss.

    Parameters
    ----------
    data
        A data folder, as metasr-train takes it; its training patients alone are used.
    output
        The folder for NAME.safetensors and NAME.json. A model's head is read from the folder
        ``risk`` beside its weights.
    model
        The model: a name of ``napari-metasr models``, or the path of its weights.
    updates
        How many batches.
    budget
        How long to train at most, such as 20m; the learning rate falls until then.
    rate
        The largest learning rate of Adam; it falls along half a cosine.
    recipe
        Whose pairs are drawn.
    start
        The folder of a head to go on from, as this command wrote it.
    split
        A file that says which patients train, validate and test: JSON ({split: {source:
        [patients]}}) or CSV (source, patient, split). Drawn by patient where there is none.
    seed
        Of the batches.
    """
    if updates < 1:
        raise ValueError(f"expected a number of updates from 1 on, found {updates}")
    if not 0 < rate < float("inf"):
        raise ValueError(f"expected a positive learning rate, found {rate:g}")
    limit = seconds(budget) if budget else float("inf")
    network, card = load_network(model)
    if not isinstance(network, MetaSRGAN):
        raise WeightsError(f"{card.name} has no hidden layer that an error head could share")
    where = resolve_device(device)
    pairs = recipe_or_file(recipe).pairs
    if pairs is None:
        raise ValueError(f"the recipe {recipe} draws no pairs")
    pairs = pairs.model_copy(update={"masked": MASKED})
    slices = slices_of_split(data, "train", (), split)
    sampler = PairSampler(slices, pairs, seed=seed)
    network = fold_batch_norm(network).to(where).requires_grad_(False)
    network.upscale.kernel = kernel_for(where.type)
    head = RiskHead(
        features=len(network.upscale.weights.second.bias) // 9,
        hidden=network.upscale.weights.first.out_features,
    ).to(where)
    before = 0
    read = data_sets(
        Counter(one.source for one in slices), {(one.source, one.patient) for one in slices}
    )
    patients = patient_hashes(slices)
    if start is not None:
        begun, told = read_risk(start / f"{card.name}.safetensors", card.sha256)
        head.load_state_dict(begun.state_dict())
        before = told.updates
        read = (*told.data, *(f"then {one}" for one in read))
        patients = tuple(sorted({*told.patients, *patients}))
    names = [f"{card.name}{suffix}" for suffix in (".safetensors", ".json")]
    with making_folders([output]), interruptible() as stop:
        for name in names:
            check_writable(output / name, overwrite=True)
        done, took = _train(
            network,
            head,
            sampler,
            updates=updates,
            limit=limit,
            rate=rate,
            stop=stop,
        )
        if not done:
            raise ValueError("stopped before the first update: no head was written")
        saved = save_risk(
            head,
            output,
            model=card.name,
            model_sha256=card.sha256,
            quantile=QUANTILE,
            updates=before + done,
            loss="pinball",
            schedule=f"Adam {rate:g} with half a cosine, batch {pairs.batch}, {pairs.patch} x "
            f"{pairs.patch} patches, {MASKED:.0%} of them cut by a mask, trunk frozen, "
            f"{took / 60:.0f} minutes of training"
            + (f" after {before} updates before" if before else ""),
            data=read,
            licence=card.licence,
            patients=patients,
        )
    place = head_path(model).parent
    moved = "" if output.resolve() == place.resolve() else f"put both files into {place}, then "
    print(
        f"{output / saved.model}.safetensors: {saved.parameters:,} parameters, {done} updates. "
        f"Next: {moved}metasr-evaluate calibrate {data} --model {model}"
    )


def _train(
    network: MetaSRGAN,
    head: RiskHead,
    sampler: PairSampler,
    *,
    updates: int,
    limit: float,
    rate: float,
    stop: Event,
) -> tuple[int, float]:
    """Train the head; return how many updates it had, and how many seconds they took."""
    attached = head.attached(network)
    optimiser = torch.optim.Adam(head.parameters(), rate)
    started, total = time.perf_counter(), 0.0
    for update in range(updates):
        took = time.perf_counter() - started
        progress = max(update / updates, took / limit)
        if stop.is_set() or progress >= 1:
            return update, took
        warm = min((update + 1) / WARM_UP, 1)
        share = (1 + torch.cos(torch.pi * torch.tensor(progress))) / 2
        optimiser.param_groups[0]["lr"] = rate * warm * float(share)
        loss = head_loss(network, attached, head, sampler.draw(update))
        if not loss.isfinite():
            raise FloatingPointError(f"update {update + 1}: the loss is {loss.item():g}")
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(head.parameters(), LARGEST_GRADIENT)
        optimiser.step()
        total += loss.item()
        if (update + 1) % LOG_EVERY == 0:
            log.info("update %d: pinball loss %.6f", update + 1, total / LOG_EVERY)
            total = 0.0
    return updates, time.perf_counter() - started


def head_loss(
    network: MetaSRGAN, attached: MetaSRGAN, head: RiskHead, batch: Batch
) -> torch.Tensor:
    """Return the pinball loss of a batch, in network units; gradients reach the head alone."""
    where = head.level.device
    place = batch.grid, batch.pixels, batch.origin
    with torch.no_grad():
        features = network.trunk(batch.low_resolution.to(where))
        error = (network.upscale(features, *place) - batch.truth.to(where)).abs()
    return pinball(error, head.quantile(attached.upscale(features, *place)))
