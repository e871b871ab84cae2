"""What a proof says, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.plurals import in_number, percent
from napari_metasr.trust.own_slices import METHODS, NETWORK
from napari_metasr.trust.survival import LEAST_PLACES, SURVIVES

if TYPE_CHECKING:
    from napari_metasr.trust.proof import Proof
    from napari_metasr.trust.verdict import ScaleGain

NAMES = {NETWORK: "network", "bicubic": "bicubic", "lanczos": "Lanczos"}
"""What methods are called."""


def counted(proof: Proof) -> str:
    """Write how many slices were compared: of those that are looked at, at most as many."""
    counts = {gain.psnr.slices for gain in proof.gains}
    most = in_number(max(counts), "slice")
    return most if len(counts) == 1 else f"at most {most}"


def gain_sentence(proof: Proof) -> str:
    """Say up to which scale the network is better than interpolation."""
    best = proof.largest_scale
    return _no_gain(proof) if best is None else _gain(proof, best)


def _gain(proof: Proof, best: ScaleGain) -> str:
    psnr = best.psnr
    slices = in_number(psnr.slices, "slice")
    interval = (
        f"{psnr.low:.1f} to {psnr.high:.1f}; {slices}"
        if psnr.has_interval
        else f"{slices}, too few for an interval"
    )
    beyond = "" if best.scale < proof.gains[-1].scale else ", the largest scale that was tried"
    smaller = 1 - 10 ** (-psnr.mean / 20)
    return (
        f"{proof.card.title} is nearer to this scan than bicubic and Lanczos interpolation up to "
        f"×{best.scale:g}{beyond}: its errors there are {smaller:.0%} smaller "
        f"({psnr.mean:+.1f} dB, {interval})."
    )


def _no_gain(proof: Proof) -> str:
    """Say that there is no gain at the smallest scale, and what there is at larger ones."""
    title, smallest = proof.card.title, proof.gains[0]
    slices = in_number(smallest.psnr.slices, "slice")
    if not smallest.psnr.slices:
        return (
            f"{title} could not be compared with interpolation: at ×{smallest.scale:g} already all "
            "that was to be looked at lies along the cut edge of the head."
        )
    later = ", ".join(f"×{gain.scale:g}" for gain in proof.gains if gain.holds)
    if later:
        return (
            f"At ×{smallest.scale:g}, the smallest scale that was tried, {title} is not reliably "
            f"nearer to this scan than interpolation ({slices}); at {later} it is."
        )
    return (
        f"At no scale that was tried (from ×{smallest.scale:g} on) is {title} reliably nearer to "
        f"this scan than interpolation ({slices})."
    )


def lesions_text(proof: Proof) -> str:
    """Describe the lesions that were put in."""
    contrast = proof.settings.contrast
    how = "brighter" if contrast > 0 else "darker"
    return f"{percent(abs(contrast))} {how} than its surroundings"


def lesion_sentence(proof: Proof, scale: float) -> str:
    """Say how small a lesion may be at a scale to be seen nearly everywhere."""
    if not _judged(proof, scale):
        return (
            f"At ×{scale:g} nothing can be said of small lesions: there are fewer than "
            f"{LEAST_PLACES} places of flat tissue for them."
        )
    told = [f"{NAMES[method]} {smallest_text(proof, scale, method)}" for method in METHODS]
    return (
        f"At ×{scale:g} a lesion {lesions_text(proof)} is seen in {SURVIVES:.0%} of places: "
        f"{', '.join(told)}."
    )


def smallest_text(proof: Proof, scale: float, method: str) -> str:
    """Write the smallest size of lesion that survives, such as ``from 2.5 mm``."""
    judged = _judged(proof, scale)
    if not judged:
        return "–"
    smallest = proof.smallest_surviving(scale, method)
    if smallest is None:
        return f"not even at {max(judged):.3g} {proof.unit}"
    return f"from {smallest.diameter:.3g} {proof.unit}"


def _judged(proof: Proof, scale: float) -> list[float]:
    """List the sizes of which there are enough lesions."""
    here = [one for one in proof.survivals if one.scale == scale]
    return [one.diameter for one in here if one.places >= LEAST_PLACES]


def marks_sentence(proof: Proof, scale: float) -> str:
    """Say how much the marks of risk cover and miss at a scale, beside what is guaranteed.

    Returns
    -------
    str
        Empty for a network without an error head.
    """
    found = next((one for one in proof.marks if one.scale == scale), None)
    if found is None or not found.agreement.pixels:
        return ""
    agreement, guarantee = found.agreement, found.guarantee
    where = "head" if proof.region is None else "region"
    cover = f"At ×{scale:g} the risk marks cover {agreement.marked_share:.0%} of the {where}"
    large = f"large errors (above {percent(guarantee.tau)} of the scan's range of grey values)"
    if not agreement.large:
        told = f"{cover}; the network makes no {large} there."
    elif guarantee.holds and guarantee.alpha is not None:
        return (
            f"{cover} and miss {agreement.missed_share:.1%} of the {large}. They are set to miss "
            f"at most {percent(guarantee.alpha)} on average over patients; one scan may miss more."
        )
    else:
        told = f"{cover} and miss {agreement.missed_share:.1%} of the {large}."
    return told if guarantee.holds else f"{told} {guarantee.sentence}"
