"""BIDS derivative datasets: file names and dataset_description.json.

The rules are those of the Brain Imaging Data Structure, https://bids-specification.readthedocs.io.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlparse
from urllib.request import url2pathname

from napari_metasr import __version__
from napari_metasr.files import read_fields, replacing
from napari_metasr.io.inherited import fields_of
from napari_metasr.io.names import stem
from napari_metasr.purpose import RESEARCH_USE_SENTENCE as PURPOSE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.upscaling.options import UpscaleOptions

DESCRIPTION = "dataset_description.json"
BIDS_VERSION = "1.10.0"
PROGRAM = "napari-metasr"
MADE = "metasr"
"""Label of the entity ``desc`` of every output."""

SOURCE = "source"
"""Name by which URIs call the dataset that a derivative is made from."""

LOGS = "logs"
IGNORED = ".bidsignore"
AFTER_RESOLUTION = ("den", "label", "desc")
_ENTITY = re.compile(r"[a-zA-Z]+-[a-zA-Z0-9+]+")
_README = """\
Volumes of another dataset on a finer grid, made by `napari-metasr cohort`, version {version}.

Names and folders are those of the source, with the entities `res` (the requested grid) and
`desc-{made}`. The JSON file beside each volume records which parts networks made and which were
interpolated, the options, and the hashes of the input, the weights and the output;
`napari-metasr replay` makes the same file from it again, from the source where `DatasetLinks` says
that it lies. `SkullStripped` is copied from the source's JSON file, and false where that does not
say. {logs}/ holds a log of every run.

{purpose} Super-resolution can show what is not there, and hide what is.
"""


@dataclass(frozen=True)
class Place:
    """An image in a dataset.

    Attributes
    ----------
    folder
        Where it lies, relative to the dataset, as a POSIX path.
    skull_stripped
        Whether its JSON files say that it shows only the brain.
    """

    folder: str
    skull_stripped: bool = False


def is_dataset(folder: Path) -> bool:
    """Return whether a folder describes itself as a BIDS dataset."""
    return "BIDSVersion" in description_of(folder)


def description_of(folder: Path) -> dict[str, Any]:
    """Read the description of a dataset; empty if it is missing or unreadable."""
    return read_fields(folder / DESCRIPTION)


def is_skull_stripped(image: Path) -> bool:
    """Return whether the JSON files of an image say that it shows only the brain."""
    return fields_of(image).get("SkullStripped") is True


def resolution_label(options: UpscaleOptions) -> str:
    """Label the requested grid in letters and digits: ``0p7mm``, ``2x`` or ``2x2x1p5x``."""
    if options.spacing is not None:
        return "x".join(_label(number) for number in options.spacing) + "mm"
    return "".join(f"{_label(number)}x" for number in options.scale or ())


def _label(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".").replace(".", "p")


def derivative_name(name: str, resolution: str) -> str:
    """Name the output that is made from a file of a BIDS dataset.

    Parameters
    ----------
    name
        Name of the input, without folders and ending: ``sub-01_acq-x_T1w``.
    resolution
        Label of the grid, see `resolution_label`.

    Returns
    -------
    str
        ``sub-01_acq-x_res-0p7mm_desc-metasr_T1w.nii.gz``. The label of an input that has a
        description of its own comes first: ``desc-preprocmetasr``.

    Raises
    ------
    ValueError
        If the name is no BIDS name.
    """
    *entities, suffix = name.split("_")
    regular = all(map(_ENTITY.fullmatch, entities)) and suffix.isalnum()
    if not regular or not entities or not entities[0].startswith("sub-"):
        raise ValueError(f"{name}: expected a BIDS name like sub-01_T1w.nii.gz")
    labels = dict(entity.split("-") for entity in entities)
    if len(labels) < len(entities):
        raise ValueError(f"{name}: expected each BIDS entity once")
    labels.pop("res", None)
    last = {key: labels.pop(key, "") for key in AFTER_RESOLUTION}
    last["desc"] += MADE
    ordered = [*labels.items(), ("res", resolution), *last.items()]
    return "_".join([*(f"{key}-{label}" for key, label in ordered if label), f"{suffix}.nii.gz"])


def plain_name(name: str, resolution: str) -> str:
    """Name the output made from a file of any folder: ``head_res-2x_desc-metasr.nii.gz``."""
    return f"{name}_res-{resolution}_desc-{MADE}.nii.gz"


def is_made_here(name: str) -> bool:
    """Return whether a file's name is one that this module gives."""
    return any(part.startswith("desc-") and part.endswith(MADE) for part in stem(name).split("_"))


def check_dataset(output: Path) -> None:
    """Refuse to write into a dataset that another program made.

    Raises
    ------
    ValueError
        If the folder holds one.
    """
    found = description_of(output)
    if found and PROGRAM not in _names(found.get("GeneratedBy")):
        raise ValueError(
            f"{output}: expected a folder of its own for the outputs, found the dataset "
            f"{found.get('Name', 'without a name')!r}"
        )


def _names(programs: Any) -> Sequence[Any]:
    if not isinstance(programs, list):
        return ()
    return [program.get("Name") for program in programs if isinstance(program, dict)]


def describe_dataset(output: Path, source: Path) -> None:
    """Write the description of a derivative dataset, its README and its ``.bidsignore``.

    An existing README or ``.bidsignore`` is kept.

    Parameters
    ----------
    output, source
        Folder of the derivative, and of the dataset that it is made from.
    """
    found = description_of(source)
    try:
        url = quote(os.path.relpath(source, output).replace(os.sep, "/"))
    except ValueError:  # on another drive there is no way from here to there
        url = source.as_uri()
    doi = {"DOI": found["DatasetDOI"]} if found.get("DatasetDOI") else {}
    description = {
        "Name": f"{found.get('Name', source.name)}, super-resolved",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        **({"License": found["License"]} if found.get("License") else {}),
        "GeneratedBy": [{"Name": PROGRAM, "Version": __version__, "Description": PURPOSE}],
        "SourceDatasets": [doi | {"URL": url}],
        "DatasetLinks": {SOURCE: url},
    }
    _write(output / DESCRIPTION, json.dumps(description, indent=2, ensure_ascii=False) + "\n")
    readme = _README.format(version=__version__, made=MADE, logs=LOGS, purpose=PURPOSE)
    for name, text in (("README.md", readme), (IGNORED, f"{LOGS}/\n")):
        if not (output / name).exists():
            _write(output / name, text)


def uri_of(source: str, folder: str) -> str:
    """Name a file of the source dataset by its BIDS URI.

    Parameters
    ----------
    source
        Name of the file; folders and a URI before it are replaced.
    folder
        Where it lies in its dataset, as a POSIX path.
    """
    return f"bids:{SOURCE}:{folder}/{source.rpartition('/')[2]}"


def located(source: str, sidecar: Path) -> Path:
    """Find the file that a sidecar names as its source.

    Parameters
    ----------
    source
        Its name, by which it lies beside the sidecar, or its BIDS URI.
    sidecar
        The sidecar; of a URI, within the dataset that says where other ones lie.

    Returns
    -------
    Path
        Of a file that may not exist.
    """
    kind, _, rest = source.partition(":")
    name, _, path = rest.partition(":")
    if kind != "bids" or not path:
        return sidecar.with_name(source)
    root = next(filter(is_dataset, sidecar.resolve().parents), sidecar.parent)
    links = description_of(root).get("DatasetLinks")
    link = links.get(name) if isinstance(links, dict) else None
    url = urlparse(link if isinstance(link, str) else "")
    beyond = url2pathname(url.path) if url.scheme == "file" else unquote(url.path)
    return Path(os.path.normpath(root / beyond / path))


def _write(path: Path, text: str) -> None:
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(text, encoding="utf-8")
