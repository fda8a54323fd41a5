"""A lens given as maps of convergence, shear and deflection, as the Hubble Frontier Fields deliver them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_scales
from scipy.ndimage import map_coordinates

from ..cosmology import distance_ratio
from ..errors import InputError
from .parametric import LensModel

__all__ = ["MapModel", "read_maps"]

Array = np.ndarray
_KINDS = ("kappa", "gamma1", "gamma2", "deflection_x", "deflection_y")


@dataclass(frozen=True)
class MapModel(LensModel):
    """A lens on a grid; positions outside it give NaN.

    Attributes
    ----------
    wcs : astropy.wcs.WCS
        Of the maps.
    pixel_scale_arcsec : float
        Their pixels' side.
    best : dict of str to (ny, nx) array
        kappa, gamma1, gamma2 and, if there are, deflection_x, deflection_y [arcsec], for D_LS / D_S = 1.
    realisations : tuple of such dicts
        Posterior realisations.

    Notes
    -----
    Values between pixels are interpolated linearly; the error is at most an eighth of the second difference of
    neighbouring pixels. Shear components follow the maps' pixel axes; only their modulus enters the magnification.
    """

    wcs: WCS = None
    pixel_scale_arcsec: float = np.nan
    best: Mapping[str, Array] = None
    realisations: tuple[Mapping[str, Array], ...] = ()

    @property
    def n_samples(self) -> int:
        """Number of posterior realisations."""
        return len(self.realisations)

    def _value(self, name: str, x: Array, y: Array, sample: int | None) -> Array:
        maps = self.best if sample is None else self.realisations[sample]
        if name not in maps:
            raise InputError("lens maps", f"maps {', '.join(maps)}", f"a map of {name}",
                             "Source positions need deflection maps.")  # fmt: skip
        ra, dec = self.sky(x, y)
        column, row = self.wcs.all_world2pix(ra, dec, 0)
        places = np.array([np.ravel(row), np.ravel(column)])
        values = map_coordinates(maps[name], places, order=1, mode="constant", cval=np.nan)
        return values.reshape(np.shape(x))

    def deflection(self, x, y, z_source, sample=None):  # noqa: D102
        ratio = distance_ratio(self.z_lens, z_source)
        x, y = np.broadcast_arrays(x, y)
        return tuple(ratio * self._value(name, x, y, sample) for name in ("deflection_x", "deflection_y"))

    def convergence_shear(self, x, y, z_source, sample=None):  # noqa: D102
        ratio = distance_ratio(self.z_lens, z_source)
        x, y = np.broadcast_arrays(x, y)
        return tuple(ratio * self._value(name, x, y, sample) for name in ("kappa", "gamma1", "gamma2"))


def _read(path: str) -> tuple[Array, fits.Header]:
    try:
        with fits.open(path) as hdus:
            hdu = next((h for h in hdus if h.is_image and len(h.shape) == 2), None)
            if hdu is None:
                raise InputError(path, "no 2-D image", "a lensing map")
            return hdu.data.astype(float), hdu.header
    except OSError as error:
        raise InputError(path, f"a file that cannot be read ({error})", "a FITS map") from error


def read_maps(
    kappa: str,
    gamma1: str,
    gamma2: str,
    z_lens: float,
    normalisation: Mapping[str, float],
    deflection_x: str | None = None,
    deflection_y: str | None = None,
    deflection_unit: str | None = None,
    samples: Sequence[Mapping[str, str]] = (),
) -> MapModel:
    """Read a lens model given as maps.

    Parameters
    ----------
    kappa, gamma1, gamma2 : str
        FITS maps on one grid with a celestial WCS.
    z_lens : float
        Redshift of the lens.
    normalisation : mapping
        ``{"dls_ds": value}``, what D_LS / D_S the maps are for, or ``{"z_source": z}``.
    deflection_x, deflection_y : str, optional
        Maps of the deflection along the pixel axes, the image moving by minus the deflection. Without
        them there are no source positions.
    deflection_unit : str, optional
        ``arcsec`` or ``pixel``; needed with deflection maps that have no BUNIT.
    samples : sequence of mappings
        Each with the same keys: one posterior realisation.

    Raises
    ------
    InputError
        Unreadable map, different grids, no WCS, no unit of the deflection.
    """
    given = {"kappa": kappa, "gamma1": gamma1, "gamma2": gamma2}
    if deflection_x is not None and deflection_y is not None:
        given |= {"deflection_x": deflection_x, "deflection_y": deflection_y}
    _, header = _read(kappa)
    wcs = WCS(header, naxis=2)
    if not wcs.has_celestial:
        raise InputError(kappa, "no celestial WCS", "a map with CTYPE, CRVAL, CRPIX and CD")
    scale = float(np.mean(proj_plane_pixel_scales(wcs)) * 3600.0)
    norm = normalisation.get("dls_ds") or distance_ratio(z_lens, normalisation["z_source"])

    def load(paths: Mapping[str, str]) -> dict[str, Array]:
        maps = {}
        for name in given:
            data, head = _read(paths[name])
            if maps and data.shape != maps["kappa"].shape:
                raise InputError(
                    paths[name], f"a map of {data.shape} pixels", f"{maps['kappa'].shape}, as kappa"
                )
            if name.startswith("deflection"):
                unit = deflection_unit or str(head.get("BUNIT", "")).lower()
                if unit not in ("arcsec", "pixel"):
                    raise InputError(
                        f"{paths[name]} (lens.deflection_unit)", f"unit {unit!r}", "'arcsec' or 'pixel'"
                    )
                data = data * (scale if unit == "pixel" else 1.0)
            maps[name] = data / norm
        return maps

    n_y, n_x = _read(kappa)[0].shape
    reference = tuple(float(v) for v in wcs.all_pix2world((n_x - 1) / 2, (n_y - 1) / 2, 0))
    maps = load(given)
    # In the frame of the positions x grows to the West: where the pixel axis grows to the East it is turned.
    east = float(np.linalg.det(wcs.pixel_scale_matrix)) > 0
    for one in (maps, *(realisations := tuple(load(sample) for sample in samples))):
        if east and "deflection_x" in one:
            one["deflection_x"] = -one["deflection_x"]
    return MapModel(reference, z_lens, np.empty(0, dtype=int), np.zeros((1, 1)), np.empty((0, 0, 0)),
                    wcs, scale, maps, realisations)  # fmt: skip
