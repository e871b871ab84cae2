"""Say whether the napari-metasr installed beside this interpreter is whole."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distribution

from npe2 import PluginManifest

import metasr_training
import napari_metasr
from metasr_training.catalogue import experiment, experiment_ids
from metasr_training.claims.claim import claims
from metasr_training.evaluation.published import PUBLISHED

NAME = "napari-metasr"


def main() -> None:
    """Exit with a message unless packages, manifest and licences come from the installation."""
    for package in (napari_metasr, metasr_training):
        if not str(package.__file__).startswith(sys.prefix):
            sys.exit(f"{package.__name__} was found outside the environment: {package.__file__}")
    manifest = PluginManifest.from_distribution(NAME)
    if not manifest.contributions.widgets:
        sys.exit(f"the manifest of {NAME} offers no widget")
    licences = distribution(NAME).metadata.get_all("License-File") or []
    if sorted(licences) != ["LICENSE", "LICENSE-weights"]:
        sys.exit(f"expected the two licence files in the distribution, found {licences}")
    description = distribution(NAME).metadata["Description"] or ""
    relative = re.findall(r"\]\((?!https?:|#)[^)]*\)", description)
    if not description or relative:
        sys.exit(
            f"expected absolute links in the description, found {relative or 'no description'}"
        )
    trained = {one.name for name in experiment_ids() for one, _ in experiment(name).networks()}
    if not trained or not PUBLISHED.is_file() or not claims():
        sys.exit("expected experiments, recipes and published figures in the distribution")
    print(
        f"{NAME} {napari_metasr.__version__}: manifest found, {len(licences)} licence files, "
        f"{len(experiment_ids())} experiments with {len(trained)} recipes"
    )


if __name__ == "__main__":
    main()
