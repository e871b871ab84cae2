"""Small models of the user, as if `metasr-train finetune` had made them."""

from __future__ import annotations

from napari_metasr import weights
from napari_metasr.networks import build

TINY = {"features": 8, "blocks": 1, "hidden": 8}


def install(name, **changes):
    """A small Meta-SRGAN in the user's folder."""
    about = weights.model_card("meta-srgan").model_dump(exclude={"parameters", "sha256"})
    about |= {"name": name, "title": f"Title of {name}", "options": TINY, **changes}
    return weights.install_model(build("meta-srgan", **TINY), **about)
