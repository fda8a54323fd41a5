"""A lens given as maps of convergence, shear and deflection, as the Hubble Frontier Fields deliver them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_scales

from ...errors import InputError
from ..models.model import LensModel
from .map_files import LensMap, open_map, wcs_of

__all__ = ["MapModel", "read_maps"]

Array = np.ndarray
# Pixels by which the grids of one model's maps may differ.
_SAME_GRID = 0.1
# D_LS / D_S within which a map of magnification alone may stand for another redshift than its own.
_SAME_RATIO = 0.01


@dataclass(frozen=True, kw_only=True)
class MapModel(LensModel):
    """A lens on a grid; positions outside it give NaN.

    Attributes
    ----------
    wcs : astropy.wcs.WCS
        Of the maps.
    maps : dict of str to LensMap
        kappa, gamma1, gamma2 and, if there are, deflection_x, deflection_y [arcsec], for D_LS / D_S = 1;
        or magnification alone.
    realisations : tuple of such dicts
        Posterior realisations.
    z_map : float
        Source redshift of a map of magnification; NaN otherwise.

    Notes
    -----
    A map of magnification alone holds for sources whose D_LS / D_S is within 1 % of that of its own redshift; for
    others behind the lens it gives NaN. Its kappa is that which magnifies as much without shear.

    Values between pixels are interpolated linearly; their error is at most an eighth of the sum of the second
    differences of neighbouring pixels along both axes. Shear components follow the maps' pixel axes; only their
    modulus enters the magnification.
    """

    wcs: WCS
    maps: Mapping[str, LensMap]
    realisations: tuple[Mapping[str, LensMap], ...] = ()
    z_map: float = np.nan

    @property
    def n_samples(self) -> int:  # noqa: D102
        return len(self.realisations)

    @property
    def pixel_arcsec(self) -> float:
        """Side of a pixel of the maps [arcsec]."""
        return float(np.mean(proj_plane_pixel_scales(self.wcs)) * 3600.0)

    @property
    def z_only(self) -> float | None:  # noqa: D102
        return self.z_map if "magnification" in self.maps else None

    @property
    def traces(self) -> bool:  # noqa: D102
        return "deflection_x" in self.maps

    def covered(self, ra, dec):  # noqa: D102
        return np.sum(self._values(list(self.maps), *self.offsets(ra, dec), None), axis=0)

    def _values(self, names: Sequence[str], x: Array, y: Array, sample: int | None) -> list[Array]:
        maps = self.maps if sample is None else self.realisations[sample]
        ra, dec = self.sky(*np.broadcast_arrays(x, y))
        column, row = self.wcs.all_world2pix(ra, dec, 0)
        return [maps[name].values(np.asarray(row), np.asarray(column)) for name in names]

    def deflection(self, x, y, z_source, sample=None):  # noqa: D102
        if not self.traces:
            raise InputError("lens maps", f"maps of {', '.join(self.maps)}", "maps of deflection_x and deflection_y",
                             "Source positions, the source plane and distances in it need deflection maps.")  # fmt: skip
        along, up = self._values(("deflection_x", "deflection_y"), x, y, sample)
        # From the maps' axes to West and North.
        matrix = self.wcs.pixel_scale_matrix / proj_plane_pixel_scales(self.wcs)
        ratio = self.distance_ratio(z_source)
        west = -(matrix[0, 0] * along + matrix[0, 1] * up)
        return ratio * west, ratio * (matrix[1, 0] * along + matrix[1, 1] * up)

    def convergence_shear(self, x, y, z_source, sample=None):  # noqa: D102
        ratio = self.distance_ratio(z_source)
        if "magnification" in self.maps:
            (mu,) = self._values(("magnification",), x, y, sample)
            if ratio == 0.0:
                mu = np.where(np.isfinite(mu), 1.0, np.nan)
            elif abs(ratio / self.distance_ratio(self.z_map) - 1.0) > _SAME_RATIO:
                mu = np.full(mu.shape, np.nan)
            # The convergence that magnifies as much without any shear.
            with np.errstate(divide="ignore"):
                kappa = 1.0 - 1.0 / np.sqrt(np.abs(mu))
            return kappa, np.zeros_like(kappa), np.zeros_like(kappa)
        kappa, gamma1, gamma2 = self._values(("kappa", "gamma1", "gamma2"), x, y, sample)
        return ratio * kappa, ratio * gamma1, ratio * gamma2


def read_maps(
    *,
    z_lens: float,
    normalisation: Mapping[str, float],
    kappa: str | None = None,
    gamma1: str | None = None,
    gamma2: str | None = None,
    deflection_x: str | None = None,
    deflection_y: str | None = None,
    deflection_unit: str | None = None,
    magnification: str | None = None,
    samples: Sequence[Mapping[str, str]] = (),
) -> MapModel:
    """Read a lens model given as maps.

    Parameters
    ----------
    z_lens : float
        Redshift of the lens.
    normalisation : mapping
        ``{"dls_ds": value}``, what D_LS / D_S the maps are for, or ``{"z_source": z}``.
    kappa, gamma1, gamma2 : str
        FITS maps on one grid with a celestial WCS.
    deflection_x, deflection_y : str, optional
        Maps of the deflection along the pixel axes: the source lies at the image's position minus the deflection.
        Without them there are no source positions.
    deflection_unit : str, optional
        ``arcsec`` or ``pixel``; needed with deflection maps that have no BUNIT.
    magnification : str, optional
        Map of the magnification alone, instead of all others, for ``normalisation: {z_source}`` only, and for sources
        near that redshift. The two factors mu_t and mu_r are then its square root, and there is no source plane.
    samples : sequence of mappings
        Each with the same keys: one posterior realisation.

    Raises
    ------
    InputError
        Unreadable map, missing map, different grids, no WCS, no unit of the deflection, no normalisation.
    """
    given = {"kappa": kappa, "gamma1": gamma1, "gamma2": gamma2, "deflection_x": deflection_x,
             "deflection_y": deflection_y, "magnification": magnification}  # fmt: skip
    given = {name: str(path) for name, path in given.items() if path is not None}
    _check_names(set(given))
    z_map, norm = _normalisation(normalisation, z_lens, magnification is not None)
    opened = {path: open_map(path) for path in given.values()}
    frames = {path: wcs for path, (_, header, _) in opened.items() if (wcs := wcs_of(header, path))}
    if not frames:
        raise InputError(
            ", ".join(given.values()), "no celestial WCS", "a map with CTYPE, CRVAL, CRPIX and CD"
        )
    first, wcs = next(iter(frames.items()))
    shape = opened[first][2]
    corners = np.array([[0.0, 0.0], [shape[1] - 1.0, shape[0] - 1.0]])
    scale = float(np.mean(proj_plane_pixel_scales(wcs)) * 3600.0)

    def load(paths: Mapping[str, str], where: str) -> dict[str, LensMap]:
        if set(paths) != set(given):
            raise InputError(
                where, f"maps {', '.join(paths)}", f"maps {', '.join(given)}, as the best model has"
            )
        maps = {}
        for name, path in paths.items():
            extension, head, own = open_map(str(path))
            if own != shape:
                raise InputError(str(path), f"a map of {own} pixels", f"{shape}, as {first}")
            frame = wcs_of(head, str(path))
            if frame is not None:
                away = frame.wcs_world2pix(wcs.wcs_pix2world(corners, 0), 0) - corners
                if not np.abs(away).max() <= _SAME_GRID:  # NaN where the other side of the sky is meant
                    raise InputError(
                        str(path), f"a grid {np.abs(away).max():.3g} pixels away", f"that of {first}"
                    )
            factor = 1.0 if name == "magnification" else 1.0 / norm
            if name.startswith("deflection"):
                factor *= _arcsec(deflection_unit or str(head.get("BUNIT", "")), str(path), scale)
            maps[name] = LensMap(str(path), extension, factor)
        return maps

    maps = load(given, "lens")
    realisations = tuple(load(s, f"lens.samples, entry {n}") for n, s in enumerate(samples, start=1))
    middle = wcs.all_pix2world((shape[1] - 1) / 2, (shape[0] - 1) / 2, 0)
    return MapModel(
        reference=(float(middle[0]), float(middle[1])), z_lens=z_lens, wcs=wcs, maps=maps,
        realisations=realisations, z_map=z_map,
    )  # fmt: skip


def _check_names(names: set[str]) -> None:
    found = ", ".join(sorted(names)) or "none"
    if "magnification" in names:
        if len(names) > 1:
            raise InputError("lens maps", found, "either magnification alone or kappa, gamma1, gamma2")
    elif not {"kappa", "gamma1", "gamma2"} <= names:
        raise InputError("lens maps", found, "kappa, gamma1 and gamma2 (or magnification alone)")
    elif len(names & {"deflection_x", "deflection_y"}) == 1:
        raise InputError("lens maps", found, "both deflection_x and deflection_y, or neither")


def _normalisation(given: Mapping[str, float], z_lens: float, only_mu: bool) -> tuple[float, float]:
    """Source redshift of the maps (NaN if they hold for all) and the D_LS / D_S that they are scaled to."""
    where = "configuration key lens.normalisation"
    if len(given) != 1 or not set(given) <= {"dls_ds", "z_source"}:
        raise InputError(where, str(dict(given)), "{dls_ds: value} or {z_source: redshift}")
    if "dls_ds" in given:
        if only_mu:
            raise InputError(where, "dls_ds", "{z_source: redshift} of the magnification map")
        if not 0.0 < given["dls_ds"] <= 1.0:
            raise InputError(where, f"dls_ds {given['dls_ds']}", "a number above 0, at most 1")
        return np.nan, float(given["dls_ds"])
    ratio = LensModel(reference=(0.0, 0.0), z_lens=z_lens).distance_ratio(given["z_source"])
    if ratio <= 0.0:
        raise InputError(where, f"z_source {given['z_source']}", f"a redshift behind the lens at {z_lens:g}")
    return float(given["z_source"]), ratio


def _arcsec(unit: str, path: str, pixel_arcsec: float) -> float:
    known = {"arcsec": 1.0, "arcsecond": 1.0, "pixel": pixel_arcsec, "pix": pixel_arcsec}
    factor = known.get(unit.strip().lower().removesuffix("s"))
    if factor is None:
        found = repr(unit) if unit else "no BUNIT"
        raise InputError(path, f"{found} as unit of the deflection", "'arcsec' or 'pixel'",
                         "State it: lens.deflection_unit.")  # fmt: skip
    return factor
