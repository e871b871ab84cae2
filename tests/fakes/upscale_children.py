"""Upscales in processes of their own, one after the other, and says how each of them ended.

Each line of the standard input is a task: arguments of the command; ``moment``, at which it is
killed; ``room``, the bytes that a file may have. Children are forked before networks and threads
are there, so that they need not import all of it again.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

import nibabel  # noqa: F401
import numba  # noqa: F401
import pydantic  # noqa: F401
import scipy.ndimage
import scipy.sparse  # noqa: F401
import torch
import tqdm  # noqa: F401
import tyro  # noqa: F401

SLAB_BYTES = 4_000
CHUNK = 4_000
PAUSE = 0.05
"""After a part, so that a process is still there when it is to be killed."""


def begin(task):
    from napari_metasr.cli import main
    from napari_metasr.io import compressed
    from napari_metasr.upscaling import parts
    from napari_metasr.upscaling.workspace import Workspace

    def slowed(function):
        def slow(*arguments):
            result = function(*arguments)
            time.sleep(PAUSE)
            return result

        return slow

    parts.SLAB_BYTES, parts.LEAST_PARTS, compressed.CHUNK = SLAB_BYTES, 1, CHUNK
    Workspace.write = slowed(Workspace.write)
    compressed._deflate = slowed(compressed._deflate)
    torch.set_num_threads(1)
    if task["room"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (task["room"], task["room"]))
    with Path(task["errors"]).open("w") as sys.stderr:
        return main(task["arguments"])


def reached(moment, folder):
    journal = folder / "journal.json"
    if moment == "compressing":
        return (folder / "output.raw.gz").exists()
    if not journal.exists():
        return False
    return moment == "reading" or len(json.loads(journal.read_text())["digests"]) >= int(moment)


def status_of(task):
    child = os.fork()
    if child == 0:
        os._exit(begin(task))
    while task["moment"]:
        if reached(task["moment"], Path(task["folder"])):
            os.kill(child, signal.SIGKILL)
            break
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(PAUSE / 10)
    return os.waitpid(child, 0)[1]


if __name__ == "__main__":
    codes = [os.waitstatus_to_exitcode(status_of(json.loads(line))) for line in sys.stdin]
    Path(sys.argv[1]).write_text(json.dumps(codes))
