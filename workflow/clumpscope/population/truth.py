"""Measured against true: what the workflow recovered of a field whose truth is known."""

from collections.abc import Mapping

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table

from ..flags import EXCLUDING, has
from ..gaussian import FWHM_OF_SIGMA
from ..tables import require_columns

__all__ = [
    "compare_with_truth",
    "match_clumps",
    "merged_clumps",
    "picked",
    "reference_fwhm",
    "summarise_truth",
]

_TRUTH_COLUMNS = (
    "id",
    "galaxy",
    "ra",
    "dec",
    "filter_ref",
    "snr_ref",
    "sigma_x_px",
    "sigma_y_px",
    "pixel_scale_arcsec",
    "r_eff_pc",
    "mu",
)
_LOW_SNR = 5.0
# Share of a clump's light from which another one that is not told apart from it matters.
_HELD = 0.1
_SNR_JUDGED = 10.0
# A goal is a range of the value.
_GOALS = {
    "explained_fraction": (0.9, 1.0),
    "flux_ratio": (0.95, 1.05),
    "size_ratio": (0.85, 1.15),
    "mu_ratio": (0.98, 1.02),
    "log_mass_scatter": (0.0, 0.3),
}
_MEANING = {
    "n_true": "true clump images of selected galaxies with S/N > 10",
    "detected_fraction": "of these, detected",
    "explained_fraction": "of these, detected or missed for a known reason",
    "n_spurious": "measured clumps that match no true one",
    "flux_ratio": "median measured over true flux in the reference filter",
    "flux_scatter": "half of the 16-84 % range of that ratio",
    "size_ratio": "median measured over true effective radius of resolved clumps",
    "size_scatter": "half of the 16-84 % range of that ratio",
    "mu_ratio": "median measured over true magnification",
    "mu_scatter": "half of the 16-84 % range of that ratio",
    "log_mass_offset": "median measured minus true log10 stellar mass [dex]",
    "log_mass_scatter": "half of the 16-84 % range of that difference [dex]",
    "log_age_mw_offset": "median measured minus true log10 mass-weighted age [dex]",
    "log_age_mw_scatter": "half of the 16-84 % range of that difference [dex]",
}


def compare_with_truth(
    measured: Table,
    truth: Table,
    psf: Table,
    galaxies: Table | None = None,
    reddening_mag: Mapping[str, float] | None = None,
) -> Table:
    """Match a clump catalogue to the truth, and say why a true clump is missing.

    Parameters
    ----------
    measured : Table
        The catalogue: ra, dec, galaxy and, where there are any, flux_<F>_njy, mu, r_eff_pc, r_eff_limit, flags,
        log_mass_p50, log_age_mw_yr_p50.
    truth : Table
        True clump images, as `clumpscope.mock` writes them.
    psf : Table
        filter, fwhm_arcsec, of the mock field.
    galaxies : Table, optional
        Galaxy catalogue with radius_arcsec: true clumps outside of that are explained.
    reddening_mag : mapping, optional
        Galactic reddening by filter that the catalogue's fluxes are already corrected for; default none.

    Returns
    -------
    Table
        One row a true clump image: id, galaxy, snr_ref; status (``detected`` or the reason: ``galaxy not
        measured``, ``outside the galaxy's radius``, ``blended``, ``low S/N``, ``missed``); the matched clump and its
        distance; and pairs ``true_<quantity>``, ``measured_<quantity>``, NaN where there is no match.

    Raises
    ------
    InputError
        If a column is missing.

    Notes
    -----
    A match is mutual nearest and within one PSF FWHM. A missing clump is blended when a brighter true one lies
    within the FWHM of the clump's own image (PSF and size added in quadrature).
    """
    require_columns(truth, _TRUTH_COLUMNS, "truth")
    require_columns(measured, ["id", "galaxy", "ra", "dec"], "catalogue")
    fwhm_arcsec = reference_fwhm(truth, psf)
    partner, distance = match_clumps(measured, truth, fwhm_arcsec)
    table = Table(
        {
            "id": truth["id"],
            "galaxy": truth["galaxy"],
            "filter_ref": truth["filter_ref"],
            "snr_ref": np.asarray(truth["snr_ref"], dtype=float),
            "status": _status(measured, truth, partner, fwhm_arcsec, galaxies),
            "match": [str(measured["id"][k]) if k >= 0 else "" for k in partner],
            "distance_arcsec": distance,
            "flags": picked(measured, "flags", partner, 0).astype(int),
        }
    )
    flux_true, flux_measured = np.full((2, len(truth)), np.nan)
    for name in np.unique(truth["filter_ref"]):
        rows = truth["filter_ref"] == name
        restored = 10 ** (0.4 * (reddening_mag or {}).get(name, 0.0))
        flux_true[rows] = truth[f"flux_{name}_njy"][rows] * restored
        flux_measured[rows] = picked(measured, f"flux_{name}_njy", partner)[rows]
    table["true_flux_njy"], table["measured_flux_njy"] = flux_true, flux_measured
    pairs = {
        "r_eff_pc": "r_eff_pc",
        "mu": "mu",
        "log_mass": "log_mass_p50",
        "log_age_mw_yr": "log_age_mw_yr_p50",
    }
    for true_name, measured_name in pairs.items():
        table[f"true_{true_name}"] = np.asarray(truth[true_name], dtype=float)
        table[f"measured_{true_name}"] = picked(measured, measured_name, partner)
    table["size_limit"] = picked(measured, "r_eff_limit", partner, 1).astype(bool)
    table["distance_arcsec"].unit = u.arcsec
    return table


def picked(measured: Table, name: str, partner: np.ndarray, missing: float = np.nan) -> np.ndarray:
    """Column of the matched clumps in the order of the truth; `missing` where there is none."""
    values = np.full(partner.size, missing, dtype=float)
    if name in measured.colnames:
        column = np.ma.filled(np.ma.asarray(measured[name]).astype(float), missing)
        values[partner >= 0] = column[partner[partner >= 0]]
    return values


def reference_fwhm(truth: Table, psf: Table) -> np.ndarray:
    """FWHM of the PSF in the reference filter of every true clump, (n,) [arcsec]."""
    fwhm = dict(zip(psf["filter"], np.asarray(psf["fwhm_arcsec"], dtype=float), strict=True))
    return np.array([fwhm[name] for name in truth["filter_ref"]])


def match_clumps(measured: Table, truth: Table, reach_arcsec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of each true clump's measured partner (-1: none) and the distance to it [arcsec]."""
    partner = np.full(len(truth), -1)
    distance = np.full(len(truth), np.nan)
    if len(measured) == 0:
        return partner, distance
    there = SkyCoord(truth["ra"], truth["dec"], unit="deg")
    here = SkyCoord(measured["ra"], measured["dec"], unit="deg")
    nearest, separation, _ = there.match_to_catalog_sky(here)
    back, _, _ = here.match_to_catalog_sky(there)
    good = (back[nearest] == np.arange(len(truth))) & (separation.arcsec <= reach_arcsec)
    partner[good] = nearest[good]
    distance[good] = separation.arcsec[good]
    return partner, distance


def merged_clumps(truth: Table, partner: np.ndarray, fwhm_arcsec: np.ndarray, name: str = "") -> np.ndarray:
    """Tell the true clumps whose measured partner holds another one, too, that was not told apart.

    Parameters
    ----------
    truth : Table
        ra, dec, sigma_x_px, sigma_y_px, pixel_scale_arcsec, filter_ref and fluxes.
    partner : (n,) int array
        Of `match_clumps`.
    fwhm_arcsec : (n,) array
        Of the PSF, in the filter.
    name : str
        Filter; each clump's reference filter where there is none.

    Returns
    -------
    (n,) bool array
        Matched clumps with an unmatched one inside the FWHM of their image that has a tenth of their light or more.
    """
    where = SkyCoord(truth["ra"], truth["dec"], unit="deg")
    width = _image_fwhm(truth, fwhm_arcsec)
    flux = np.array([row[f"flux_{name or row['filter_ref']}_njy"] for row in truth], dtype=float)
    merged = np.zeros(len(truth), dtype=bool)
    if len(truth):
        one, other, distance, _ = where.search_around_sky(where, width.max() * u.arcsec)
        held = (partner[one] >= 0) & (partner[other] < 0) & (flux[other] > _HELD * flux[one])
        merged[one[held & (distance.arcsec < width[one])]] = True
    return merged


def _image_fwhm(truth: Table, fwhm_arcsec: np.ndarray) -> np.ndarray:
    """Circularised, PSF and size in quadrature [arcsec]."""
    circular = np.sqrt(np.asarray(truth["sigma_x_px"]) * np.asarray(truth["sigma_y_px"]))
    return np.hypot(fwhm_arcsec, FWHM_OF_SIGMA * circular * np.asarray(truth["pixel_scale_arcsec"]))


def _status(measured, truth, partner, fwhm_arcsec, galaxies) -> list[str]:
    where = SkyCoord(truth["ra"], truth["dec"], unit="deg")
    width = _image_fwhm(truth, fwhm_arcsec)
    known = set(measured["galaxy"])
    centres = {} if galaxies is None else {row["id"]: row for row in galaxies}
    status = []
    for row, clump in enumerate(truth):
        near = where[row].separation(where).arcsec < width[row]
        brighter = np.asarray(truth["snr_ref"]) > clump["snr_ref"]
        centre = centres.get(clump["galaxy"])
        if partner[row] >= 0:
            status.append("detected")
        elif clump["galaxy"] not in known:
            status.append("galaxy not measured")
        elif centre is not None and _beyond(where[row], centre):
            status.append("outside the galaxy's radius")
        elif (near & brighter).any():
            status.append("blended")
        elif clump["snr_ref"] < _LOW_SNR:
            status.append("low S/N")
        else:
            status.append("missed")
    return status


def _beyond(position: SkyCoord, galaxy) -> bool:
    centre = SkyCoord(galaxy["ra"], galaxy["dec"], unit="deg")
    return bool(position.separation(centre).arcsec > galaxy["radius_arcsec"])


def summarise_truth(comparison: Table, n_measured: int) -> Table:
    """Recovery in numbers, beside their goals.

    Parameters
    ----------
    comparison : Table
        Of `compare_with_truth`.
    n_measured : int
        Clumps of the catalogue.

    Returns
    -------
    Table
        quantity, value, n (clumps it rests on), goal_low, goal_high (NaN: no goal), met (true, false or empty), meaning.

    Notes
    -----
    Only clumps with a true S/N above 10 of galaxies that were measured count. Masses and ages leave out rows whose flags exclude
    them from population statistics; sizes are those that the catalogue does not call a limit.
    """
    judged = comparison[
        (comparison["snr_ref"] > _SNR_JUDGED) & (comparison["status"] != "galaxy not measured")
    ]
    detected = judged[judged["status"] == "detected"]
    kept = detected[~has(detected["flags"], EXCLUDING)]
    sized = detected[~detected["size_limit"]]
    values: dict[str, tuple[float, int]] = {"n_true": (float(len(judged)), len(judged))}
    if len(judged):
        missed = judged["status"] == "missed"
        values["detected_fraction"] = len(detected) / len(judged), len(judged)
        values["explained_fraction"] = 1.0 - float(np.mean(missed)), len(judged)
    n_matched = int((comparison["status"] == "detected").sum())
    values["n_spurious"] = float(n_measured - n_matched), n_measured
    for name, rows, column in (
        ("flux", detected, "flux_njy"),
        ("size", sized, "r_eff_pc"),
        ("mu", detected, "mu"),
    ):
        ratio = rows[f"measured_{column}"] / rows[f"true_{column}"]
        values |= _spread(ratio, f"{name}_ratio", f"{name}_scatter")
    for name, column in (("log_mass", "log_mass"), ("log_age_mw", "log_age_mw_yr")):
        difference = kept[f"measured_{column}"] - kept[f"true_{column}"]
        values |= _spread(difference, f"{name}_offset", f"{name}_scatter")
    rows = []
    for name, (value, number) in values.items():
        low, high = _GOALS.get(name, (np.nan, np.nan))
        met = "" if np.isnan(low) else str(bool(low <= value <= high)).lower()
        rows.append((name, float(value), number, low, high, met, _MEANING[name]))
    return Table(rows=rows, names=["quantity", "value", "n", "goal_low", "goal_high", "met", "meaning"])


def _spread(values: np.ndarray, middle_name: str, scatter_name: str) -> dict[str, tuple[float, int]]:
    """Median and half of the central 68 % of the finite values."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return {}
    low, middle, high = np.percentile(values, [16, 50, 84])
    return {middle_name: (float(middle), values.size), scatter_name: (float((high - low) / 2), values.size)}
