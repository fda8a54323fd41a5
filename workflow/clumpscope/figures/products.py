"""Reading what figures are drawn from."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..tables import read_table

__all__ = ["load_products"]


def load_products(paths: Mapping[str, str | os.PathLike | Sequence | Mapping]) -> dict[str, Any]:
    """Load the products of a figure.

    Parameters
    ----------
    paths : mapping
        By product: the path of a table (``catalogue``, ``hosts``, ``galaxies``, ``truth``, ``truth_summary``,
        ``published``, ``published_stack``, ``stack``, ``stack_profiles``, ``ssp_stack``, ``ssp_stack_photometry``, ``ssp_fits``,
        ``critical_lines``, ``multiple_images``, ``counterparts``); a mapping of paths by name (``sed_all`` by SFH, ``population`` and
        ``injection`` by table, ``samples`` by label, ``filter_sets`` by set); a list of files (``residuals``, ``cutouts``, ``field_picture``, ``source_planes``, ``lens_map``,
        ``stack_images``, ``psfs``, ``sed_draws``), which are opened only by the figure.

    Returns
    -------
    dict
        The same keys, with tables in place of paths.
    """
    loaded: dict[str, Any] = {}
    for name, path in paths.items():
        if isinstance(path, Mapping):
            loaded[name] = {key: read_table(one) for key, one in path.items()}
        elif isinstance(path, (str, os.PathLike)):
            loaded[name] = read_table(path)
        else:
            loaded[name] = [Path(one) for one in path]
    return loaded
