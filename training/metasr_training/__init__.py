"""Training, evaluation and reports of the networks that ``napari_metasr`` super-resolves with."""

from importlib.util import find_spec

_missing = [name for name in ("tensorboard", "threadpoolctl") if find_spec(name) is None]
if _missing:
    raise ModuleNotFoundError(
        f"training needs {' and '.join(_missing)}: pip install 'napari-metasr[training]'"
    )
