"""What the pages of a field show: its galaxies, its catalogue, and a card of every clump."""

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from ..columns import column_info
from ..files import replacing
from ..filters import get_filter, measured_filters
from ..flags import FLAGS, describe
from ..population.sample import population_sample
from ..tables import read_table
from .pages import cells, number, plain, write_page, write_script

__all__ = ["write_field"]

_PLANES = (
    "snr", "z", "mu", "r_eff_pc", "distance_kpc", "log_mass_p50", "log_age_mw_yr_p50", "log_sfr10_p50", "a_v_p50", "log_z_zsun_p50",
    "log_sigma_mass_p50", "m_v_ab", "chi2", "n_bands",
)  # fmt: skip
"""Numbers of the catalogue page, beside colours."""
_DRAWS = ("log_mass", "log_age_mw_yr", "log_tau_yr", "a_v", "log_z_zsun")
_N_DRAWS = 150


def write_field(
    folder: str | os.PathLike,
    field: str,
    catalogue: str | os.PathLike,
    selection: str | os.PathLike,
    samples: Iterable[str | os.PathLike] = (),
    edits: str | os.PathLike | None = None,
    detections: Mapping[str, str | os.PathLike] | None = None,
    min_broad_bands: int = 4,
    poor_fit: bool = False,
) -> None:
    """Write the pages ``index.html`` and ``catalogue.html`` with their data, and cards.

    Parameters
    ----------
    folder : path-like
        The field's folder of pages.
    field : str
        Its name.
    catalogue, selection : path-like
        Tables of clumps and of galaxies.
    samples : iterable of path-like
        Posteriors of the reference star-formation history.
    edits : path-like, optional
        The table of a person's corrections.
    detections : mapping of str to path-like, optional
        Detected clumps of every galaxy that has a page; None: galaxies have no pages.
    min_broad_bands : int
        Broad bands with S/N > 3 that a clump needs in statistics.
    poor_fit : bool
        Whether clumps whose best fit is improbable count there.
    """
    folder = Path(folder)
    clumps, galaxies = read_table(catalogue), read_table(selection)
    corrections = read_table(edits) if edits else None
    counted = population_sample(clumps, min_broad_bands, poor_fit)
    owner, brief = np.asarray(clumps["galaxy"], str), clumps["flags", "snr"]
    index = {
        "field": field,
        "edits_file": str(edits) if edits else None,
        "edits": [] if corrections is None else [_plain_row(row) for row in corrections],
        "flags": {flag.name: {"text": flag.text, "excludes": flag.excludes} for flag in FLAGS.values()},
        "galaxies": [
            _galaxy(row, brief[owner == str(row["id"])], counted[owner == str(row["id"])], detections)
            for row in galaxies
            if row["selected"] or "edits table" in str(row["reason"])
        ],
    }
    write_script(folder / "data" / "index.js", index=index)
    write_script(folder / "data" / "catalogue.js", catalogue=_columns(clumps, counted))
    _write_cards(folder / "cards", clumps, samples)
    for name in ("index", "catalogue"):
        write_page(folder / f"{name}.html", f"{name}.html.j2", {"field": field})


def _plain_row(row: Table.Row) -> dict[str, Any]:
    # Positions keep all their digits: they are compared with those of detections.
    return {
        name: float(row[name])
        if isinstance(row[name], float) and np.isfinite(row[name])
        else plain(row[name])
        for name in row.colnames
    }


def _galaxy(
    row: Table.Row, clumps: Table, counted: np.ndarray, detections: Mapping[str, str | os.PathLike] | None
) -> dict[str, Any]:
    galaxy = str(row["id"])
    flags = Counter(name for mask in clumps["flags"] for name in describe(mask))
    n_detected = len(clumps)
    if len(clumps):
        status = "measured"
    elif row["selected"]:
        status = "too few clumps"
        if detections and galaxy in detections:
            n_detected = len(read_table(detections[galaxy]))
    else:
        status = "rejected"
    return {
        "id": galaxy,
        "system": str(row["system"]),
        "z": number(row["z"]),
        "mu": number(row["mu"], 4) if "mu" in row.colnames else None,
        "n": n_detected,
        "n_counted": int(np.count_nonzero(counted)),
        "flags": dict(sorted(flags.items())),
        "status": status,
        "page": detections is not None and galaxy in detections,
        "snr": number(np.nanmax(clumps["snr"]), 3)
        if len(clumps) and np.isfinite(clumps["snr"]).any()
        else None,
    }


def _columns(clumps: Table, counted: np.ndarray) -> dict[str, Any]:
    """The catalogue by columns, colours of neighbouring broad bands among them."""
    columns: dict[str, list] = {
        "id": [str(value) for value in clumps["id"]],
        "galaxy": [str(value) for value in clumps["galaxy"]],
    }
    units = {}
    for name in _PLANES:
        if name in clumps.colnames:
            columns[name] = cells(clumps[name], 4)
            info = column_info(name)
            units[name] = {"unit": info.unit, "text": info.text} if info else {"unit": "", "text": ""}
    bands = _broad_bands(clumps)
    for blue, red in pairwise(bands):
        fluxes = [np.asarray(clumps[f"flux_{name}_njy"], float) for name in (blue, red)]
        with np.errstate(divide="ignore", invalid="ignore"):
            colour = -2.5 * np.log10(fluxes[0] / fluxes[1])
        name = f"{blue} - {red}"
        columns[name] = cells(colour, 4)
        units[name] = {"unit": "mag", "text": f"Observed colour {name}"}
    if "class" in clumps.colnames:
        columns["class"] = cells(clumps["class"])
    columns["flags"] = [" ".join(describe(mask)) for mask in clumps["flags"]]
    columns["counted"] = [bool(value) for value in counted]
    return {"columns": columns, "info": units}


def _broad_bands(clumps: Table) -> list[str]:
    return [name for name in measured_filters(clumps.colnames) if get_filter(name).kind == "broad"]


def _write_cards(folder: Path, clumps: Table, samples: Iterable[str | os.PathLike]) -> None:
    """Write a script a galaxy, which a page loads when a clump is asked for."""
    posteriors = _posteriors(samples)
    bands = measured_filters(clumps.colnames)
    shown = [
        name
        for name in clumps.colnames
        if not name.startswith("flux_") and name not in ("id", "flags", "flag_names")
    ]
    described = []
    for name in shown:
        info = column_info(name)
        described.append({"name": name, "unit": info.unit if info else "", "text": info.text if info else ""})
    # By columns first: rows of a table are slow.
    values = list(zip(*(cells(clumps[name]) for name in shown), strict=True))
    fluxes, errors = (
        list(zip(*(cells(clumps[column.format(name)], 4) for name in bands), strict=True))
        for column in ("flux_{}_njy", "flux_{}_err_njy")
    )
    cards: dict[str, dict[str, Any]] = {}
    for row, (galaxy, clump, mask) in enumerate(
        zip(clumps["galaxy"], clumps["id"], clumps["flags"], strict=True)
    ):
        cards.setdefault(str(galaxy), {})[str(clump)] = {
            "values": values[row],
            "flags": describe(mask),
            "flux": fluxes[row],
            "error": errors[row],
            **posteriors.get(str(clump), {}),
        }
    pivots = [number(get_filter(name).pivot_angstrom / 1e4, 4) for name in bands]
    with replacing(folder) as temporary:
        temporary.mkdir()
        for galaxy, own in cards.items():
            content = {
                "columns": described,
                "bands": bands,
                "um": pivots,
                "draws": list(_DRAWS),
                "clumps": own,
            }
            write_script(temporary / f"{galaxy}.js", cards=content)
        if folder.exists():
            shutil.rmtree(folder)


def _posteriors(samples: Iterable[str | os.PathLike]) -> dict[str, dict[str, Any]]:
    """Model fluxes and some draws of every clump with a posterior."""
    from ..sed import read_posterior

    found = {}
    for path in samples:
        for name, posterior in read_posterior(path).items():
            step = max(len(next(iter(posterior.samples.values()))) // _N_DRAWS, 1)
            order = np.argsort([get_filter(band).pivot_angstrom for band in posterior.filters])
            found[name] = {
                "sed": {
                    "bands": [posterior.filters[k] for k in order],
                    "um": [number(get_filter(posterior.filters[k]).pivot_angstrom / 1e4, 4) for k in order],
                    **{
                        key: _numbers(getattr(posterior, attribute)[order])
                        for key, attribute in (
                            ("best", "model_njy"), ("low", "model_p16_njy"), ("high", "model_p84_njy"), ("sigma", "sigma_njy"),
                        )
                    },
                    "chi2": number(posterior.chi2, 4),
                    "n_bands": int(posterior.n_bands),
                },
                "draws": [
                    _numbers(posterior.samples[key][::step], 4) if key in posterior.samples else None
                    for key in _DRAWS
                ],
            }  # fmt: skip
    return found


def _numbers(values: Sequence[float], digits: int = 4) -> list[float | None]:
    return [number(value, digits) for value in values]
