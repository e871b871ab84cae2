"""The model card of a trained network: what this run was, and no more than that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from pydantic import BaseModel, field_validator

from metasr_training.catalogue import recipe
from metasr_training.datasets.contrasts import person
from metasr_training.datasets.layouts import POST_CONTRAST
from metasr_training.lineage import all_seconds, all_updates, updates_text
from metasr_training.trained_patients import patient_hash
from napari_metasr.errors import nearest_hint
from napari_metasr.io.contrast import CONTRASTS, guess_contrast
from napari_metasr.lesions.detector import LARGEST_SEEN
from napari_metasr.weights import ModelCard, WeightsError, model_card

if TYPE_CHECKING:
    from metasr_training.datasets.detection import DetectionConfig
    from metasr_training.datasets.entry import Entry
    from metasr_training.datasets.slices import Slice
    from metasr_training.datasets.split_files import Patient
    from metasr_training.trained import TrainedNetwork

DATA = {
    "tcga-lgg": "TCGA-LGG; TCIA, CC BY 3.0, the repack CC BY-NC-SA 4.0",
    "cheng": "Cheng 2017 brain tumour slices; CC BY 4.0",
    "brats20": "BraTS 2020 slices; research use with citation",
    "natural": "BSDS and T91 natural images; research use",
}
"""What is known of data sets by their folders' names."""


LICENCE = "CC-BY-NC-SA-4.0"
"""Licence of weights trained on the data sets above, as the strictest of these asks."""

NOT_STATED = "not stated"
LONGEST_TITLE = 60

USES = {
    "pairs": "Research: looking at {contrasts} brain MRI slices enlarged, beside the interpolated "
    "image. Not a medical device; not for diagnosis or treatment.",
    "detection": "Research: proposing where in a {contrasts} brain MRI slice to look closer. "
    "Not a medical device; not for diagnosis or treatment.",
}
LIMITS = {
    "pairs": "Detail beyond the acquired resolution is inferred, not measured. Trained on 2-D "
    "{contrasts} slices of {patients} patients ({sources}); other contrasts, scanners, anatomy, "
    "scales and degradations are extrapolation.",
    "detection": "It misses tumours and finds some that are not there. Trained on 2-D {contrasts} "
    "slices of {patients} patients ({sources}); other contrasts, planes and lesions are "
    "extrapolation.",
}
WINDOWS = (
    " Trained on windows of the head alone: the empty background beyond it comes out less than "
    "empty."
)
CITATIONS = {
    "Tan, Zhu, Lio 2020": "Tan, Zhu, Lio: Arbitrary Scale Super-Resolution for Brain MRI Images. "
    "AIAI 2020, 10.1007/978-3-030-49161-1_15",
    "Zhu, Yang, Lio 2018": "Zhu, Yang, Lio: Lesion Focused Super-Resolution. SPIE Medical Imaging "
    "2019",
    "Zhu, Yang, Lio 2019": "Zhu, Yang, Lio: How Can We Make GAN Perform Better in Single Medical "
    "Image Super-Resolution? A Lesion Focused Multi-Scale Approach. ISBI 2019, arXiv:1901.03419",
}


def _citation(source: str) -> str:
    """Return the citation of the paper that a recipe names as its source."""
    return next((text for paper, text in CITATIONS.items() if paper in source), source)


def _schedule(trained: TrainedNetwork) -> str:
    """Describe the training run in words."""
    config = trained.config
    stages = "; ".join(
        f"{stage.name}: "
        + " + ".join(f"{weight:g} {name}" for name, weight in stage.losses.items())
        + (f", game {stage.game}" if stage.game else "")
        + f", Adam {stage.rate.initial:g} ({stage.rate.shape})"
        for stage in config.stages
    )
    batch = (config.pairs or config.detection).batch  # type: ignore[union-attr]
    line = trained.lineage
    return (
        f"preset {config.preset}, seed {config.seed}; {stages}; batch {batch}, "
        f"{config.precision} convolutions"
        + (f", weights averaged with decay {config.average:g}" if trained.is_average else "")
        + (f", updates {updates_text(line)}" if len(line) > 1 else "")
        + (f", perceptual features: {trained.perceptual}" if trained.perceptual else "")
        + f"; begun with {line[0].begins or line[0].name}"
        + f"; {all_seconds(line) / 3600:.2f} hours of training"
        + f"; commit {str(trained.about.get('commit', 'unknown'))[:12]}"
    )


def _reductions(detection: DetectionConfig | None) -> tuple[float, ...]:
    """Return the range of reductions of full slices that a detector sees, the canvas's included."""
    if detection is None:
        return ()
    return (1.0, max(detection.scales) * LARGEST_SEEN / detection.canvas)


class Stated(BaseModel, extra="forbid", frozen=True):
    """What a person says of a model, over what the run tells.

    Attributes
    ----------
    title
        What people read; by default the model's name.
    contrasts
        Contrasts of the training images; by default those that their files' names tell.
    licence
        Of the weights (SPDX).
    """

    title: str | None = None
    contrasts: tuple[str, ...] = ()
    licence: str | None = None

    @field_validator("title")
    @classmethod
    def _one_line(cls, title: str | None) -> str | None:
        if title is not None and not (title.strip() and title.isprintable()):
            raise ValueError(f"expected a title in one line, found {title!r}")
        if title is not None and len(title) > LONGEST_TITLE:
            raise ValueError(
                f"expected a title of at most {LONGEST_TITLE} characters, found {len(title)}"
            )
        return title

    @field_validator("contrasts")
    @classmethod
    def _known_contrasts(cls, contrasts: tuple[str, ...]) -> tuple[str, ...]:
        for contrast in contrasts:
            if contrast not in CONTRASTS:
                raise ValueError(
                    f"expected contrasts among {', '.join(CONTRASTS)}, found {contrast!r}"
                    f"{nearest_hint(contrast, CONTRASTS)}"
                )
        return tuple(dict.fromkeys(contrasts))

    @field_validator("licence")
    @classmethod
    def _spdx(cls, licence: str | None) -> str | None:
        if licence is None:
            return None
        try:
            return str(canonicalize_license_expression(licence))
        except InvalidLicenseExpression:
            raise ValueError(
                "expected a licence as SPDX writes it, such as CC-BY-4.0 or LicenseRef-in-house, "
                f"found {licence!r}"
            ) from None


def contrasts_of(images: Iterable[Slice | Entry]) -> tuple[str, ...]:
    """List the contrasts that the names of images give; empty if one of the names gives none."""
    found = {
        one.contrast or guess_contrast(one.name) or ("T1c" if one.source in POST_CONTRAST else None)
        for one in images
    }
    return () if None in found else tuple(sorted(str(one) for one in found))


def _contrasts(trained: TrainedNetwork, stated: Stated) -> tuple[str, ...]:
    found = stated.contrasts or tuple(trained.about.get("contrasts", ()))
    if not found and {*_images(trained)} - {"natural"} <= {*POST_CONTRAST}:
        return ("T1c",)
    if not found:
        raise ValueError(
            f"expected the contrast of the images of {', '.join(_images(trained))} among "
            f"{', '.join(CONTRASTS)}: their names do not tell it"
        )
    return found


def _images(trained: TrainedNetwork) -> dict[str, int]:
    """Count the training images of each data set."""
    return dict(trained.about.get("task", {}).get("images", {}))


def _patients(trained: TrainedNetwork) -> list[tuple[str, str]]:
    """List source and patient of the training images.

    Older runs also name the patients of data sets that gave no image.
    """
    images = _images(trained)
    names = trained.about.get("split", {}).get("train", ())
    pairs = [(source, patient) for source, _, patient in (name.rpartition("/") for name in names)]
    return [(source, patient) for source, patient in pairs if source in images]


def data_sets(images: Mapping[str, int], patients: Iterable[Patient]) -> tuple[str, ...]:
    """Describe data sets that a network was trained on, one line each.

    Parameters
    ----------
    images
        How many images there are of each data set.
    patients
        Data set and patient of those who are known, each once.
    """
    known = Counter(source for source, _ in patients)
    return tuple(
        f"{DATA.get(source, source)}: "
        + (f"{known[source]} training patients, " if known[source] else "")
        + f"{count:,} training images"
        for source, count in images.items()
    )


def _start_licence(trained: TrainedNetwork) -> str | None:
    """Return the licence of the model that the training began with; None without one."""
    if trained.config.shipped is None:
        return None
    start = _start(trained)
    return NOT_STATED if start is None else start.licence


def _start(trained: TrainedNetwork) -> ModelCard | None:
    """Return the card of the model that the training began with, if there is one."""
    try:
        return None if trained.config.shipped is None else model_card(trained.config.shipped)
    except WeightsError:
        return None


def _patient_hashes(trained: TrainedNetwork) -> tuple[str, ...]:
    """Return the hashes of those who trained a network or, as far as known, its start."""
    start = _start(trained)
    before = () if start is None else start.patients
    return tuple(sorted({*before, *(patient_hash(*one) for one in _patients(trained))}))


def licence_of(trained: TrainedNetwork) -> str:
    """Choose a licence where none is stated: the start's, or the one that the data sets require."""
    begun = _start_licence(trained)
    if begun is not None:
        return begun
    return LICENCE if _images(trained).keys() <= DATA.keys() else NOT_STATED


def _limits(trained: TrainedNetwork, task: str, contrasts: str, licence: str) -> str:
    pairs, patients = trained.config.pairs, {person(*one) for one in _patients(trained)}
    begun = _start_licence(trained)
    return (
        LIMITS[task].format(
            contrasts=contrasts,
            patients=len(patients) or "an unknown number of",
            sources=", ".join(_images(trained)),
        )
        + (WINDOWS if pairs and pairs.windows != "head" else "")
        + (f" Its start is under {begun}." if begun not in {None, licence} else "")
    )


def card_fields(trained: TrainedNetwork, name: str, stated: Stated) -> dict[str, Any]:
    """Collect the fields of a trained network's model card.

    Parameters
    ----------
    trained
        The network.
    name
        What the model is called.
    stated
        What a person says of it.

    Raises
    ------
    ValueError
        If the contrast of the training images is neither stated nor told by the run.
    """
    config = trained.config
    pairs = config.pairs
    scales = pairs.scales if pairs else _reductions(config.detection)
    task = "pairs" if pairs else "detection"
    contrasts = _contrasts(trained, stated)
    licence = stated.licence or licence_of(trained)
    mean, std = trained.weights["task"].get("standardisation", (0.0, 1.0))
    return {
        "name": name,
        "title": stated.title or name,
        "network": config.network,
        "options": config.options,
        "trained_scales": (min(scales), max(scales)),
        "axes": "one" if pairs and pairs.axes == "one" else "both",
        "trained_contrasts": contrasts,
        "degradations": tuple(pairs.degradations) if pairs else (),
        "intensity": "0.1 and 99.9 percentiles of the volume to 0 and 1, nothing clipped"
        + (f"; then less {mean:.4f}, over {std:.4f}" if std != 1 else ""),
        "standardisation": (mean, std),
        "updates": all_updates(trained.lineage),
        "loss": ", ".join(dict.fromkeys(name for one in config.stages for name in one.losses)),
        "schedule": _schedule(trained),
        "data": data_sets(_images(trained), _patients(trained)),
        "patients": _patient_hashes(trained),
        "licence": licence,
        "intended_use": USES[task].format(contrasts=", ".join(contrasts)),
        "limitations": _limits(trained, task, ", ".join(contrasts), licence),
        "citation": _citation(_source(trained)),
    }


def _source(trained: TrainedNetwork) -> str:
    """Return the recipe's source; that of a user's recipe is noted in the run alone."""
    noted = trained.about.get("source")
    return str(noted) if noted is not None else recipe(trained.config.recipe).source
