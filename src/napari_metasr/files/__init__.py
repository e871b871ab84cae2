"""Files and folders that appear whole or not at all, and never in place of what was read."""

from napari_metasr.files.inputs import (
    InputReplacedError,
    Inputs,
    check_kept,
    keeping,
)
from napari_metasr.files.names import (
    cache_folder,
    numbered,
)
from napari_metasr.files.reading import (
    file_sha256,
    read_fields,
    read_json,
)
from napari_metasr.files.replacing import (
    KeptFileError,
    allocate,
    append_line,
    check_writable,
    making_folders,
    naming,
    naming_within,
    put_on_disk,
    rename,
    replacing,
    replacing_all,
    replacing_folder,
)

__all__ = [
    "InputReplacedError",
    "Inputs",
    "KeptFileError",
    "allocate",
    "append_line",
    "cache_folder",
    "check_kept",
    "check_writable",
    "file_sha256",
    "keeping",
    "making_folders",
    "naming",
    "naming_within",
    "numbered",
    "put_on_disk",
    "read_fields",
    "read_json",
    "rename",
    "replacing",
    "replacing_all",
    "replacing_folder",
]
