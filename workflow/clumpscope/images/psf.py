"""Point-spread functions: centred, normalised, described, stored. Where they come from: `psf_given`, `psf_built`.

Every kernel here contains the pixel: it is the image a point source makes on the mosaic's pixels
when it sits on a pixel centre. Do not integrate it over pixels again. An oversampled one (`PSF.fine`) holds such values
between the pixels' centres too: the effective PSF of Anderson & King (2000).
"""

import os
from dataclasses import dataclass, field, replace

import numpy as np
from astropy.io import fits
from astropy.table import Table

from ..errors import InputError
from ..made_by import write_fits
from .centring import centred_square, core_centroid, pixels_of, with_pixel
from .mosaic import Mosaic
from .profiles import encircled_sums, fwhm_px
from .psf_files import alike
from .psf_model import AnalyticPSF, fit_analytic, fit_multi_gaussian
from .psf_variation import WidthTrend

__all__ = [
    "LARGEST_CORRECTION",
    "PSF",
    "diffraction_fwhm",
    "match_psf",
    "model_psf",
    "normalise_psf",
    "psf_table",
    "read_psf",
    "too_broad",
]

_EE_STEP_ARCSEC = 0.02
# Sum of a PSF over that inside its normalisation radius, beyond which a third of the light is in wings; real ones have 1.06 to 1.14 at 0.4 arcsec.
LARGEST_CORRECTION = 1.5
# FWHM [px] below which pixels alias, and a kernel known on pixels alone biases fluxes: by 1.7 % at 1.7 px, 8 % at 1.44 px.
_WELL_SAMPLED_PX = 2.0
# FWHM over that of diffraction and a pixel together, above which a PSF is remarked on: F22's broadest has 2.1.
_BROAD = 1.75
# Diameters [m] for the diffraction limit 1.03 lambda / D, by channel of resources/filters.csv.
_DIAMETER_M = {"sw": 6.5, "lw": 6.5, "niriss": 6.5, "miri": 6.5, "acs": 2.4, "uvis": 2.4, "ir": 2.4}


@dataclass(frozen=True)
class PSF:
    """The image of a point source on the pixels of one mosaic.

    Attributes
    ----------
    kernel : (n, n) array
        Odd n, centred on the middle pixel, of unit sum inside `radius_arcsec`.
    pixel_scale_arcsec : float
        Pixel side [arcsec].
    fwhm_arcsec : float
        Full width at half maximum of the azimuthal mean profile [arcsec].
    aperture_correction : float
        Sum of the whole kernel: a flux measured with `kernel` times this is the flux out to the
        kernel's edge, and ``kernel / aperture_correction`` has unit sum.
    radius_arcsec : float
        Radius of the normalisation (C25: 0.4 arcsec).
    source : str
        ``given`` or ``stars``.
    n_stars : int
        Stars stacked; 0 for a given PSF.
    sum_before : float
        Sum of the given array before the normalisation.
    shift_px : float
        Distance of the given source from the middle of its array.
    analytic : AnalyticPSF
        Moffat + Gaussian + power law fitted inside `radius_arcsec`, with its residual.
    notes : tuple of str
        What a user should know about it.
    fine : (m, m) array
        What clumps are fitted with: odd m, `oversampling` samples a pixel side, each the value of a pixel that sits
        there; the kernel itself unless given.
    oversampling : float
        1: the PSF is known on pixels alone.
    flux_error : float
        Relative error of a point source's flux, since the PSF is not perfectly known and varies over the field.
    core_variance_error : float
        The same of the variance of the PSF's core, (FWHM / 2.355)^2.
    compact : Table, optional
        Of `clumpscope.images.psf_compact.compact_sources`, where a given PSF could not be tested on stars.
    trend : WidthTrend, optional
        How its width varies over the field, where that is seen: `clumpscope.images.psf_local`.
    """

    kernel: np.ndarray
    pixel_scale_arcsec: float
    fwhm_arcsec: float
    aperture_correction: float
    radius_arcsec: float = 0.4
    source: str = "given"
    n_stars: int = 0
    sum_before: float = 1.0
    shift_px: float = 0.0
    analytic: AnalyticPSF | None = None
    notes: tuple[str, ...] = field(default=())
    fine: np.ndarray | None = None
    oversampling: float = 1.0
    flux_error: float = 0.0
    core_variance_error: float = 0.0
    compact: Table | None = None
    trend: WidthTrend | None = None

    def __post_init__(self) -> None:
        if self.fine is None:
            object.__setattr__(self, "fine", self.kernel)

    @property
    def sampling_px(self) -> float:
        """FWHM [px]."""
        return self.fwhm_arcsec / self.pixel_scale_arcsec

    @property
    def undersampled(self) -> bool:
        """Whether fluxes fitted with it are biased, since it is narrow and known on pixels alone."""
        return self.oversampling == 1.0 and self.sampling_px < _WELL_SAMPLED_PX

    @property
    def radii_arcsec(self) -> np.ndarray:
        """Radii of the encircled-energy curve [arcsec], shape (m,)."""
        edge = (self.kernel.shape[0] // 2 + 0.5) * self.pixel_scale_arcsec
        return np.arange(_EE_STEP_ARCSEC, edge + 1e-9, _EE_STEP_ARCSEC)

    @property
    def encircled_energy(self) -> np.ndarray:
        """Flux inside `radii_arcsec` over the flux of the whole kernel, shape (m,)."""
        radii = self.radii_arcsec / self.pixel_scale_arcsec * self.oversampling
        return encircled_sums(self.fine, radii) / self.fine.sum()

    def cropped(self, half_size: int) -> np.ndarray:
        """Middle ``2 half_size + 1`` square of the kernel (the whole when that is smaller)."""
        centre = self.kernel.shape[0] // 2
        half = min(half_size, centre)
        return self.kernel[centre - half : centre + half + 1, centre - half : centre + half + 1]

    def write(self, path: str | os.PathLike) -> None:
        """Write kernel, encircled energy and analytic profile as one FITS product."""
        primary = fits.PrimaryHDU(self.kernel.astype(np.float64))
        cards = {
            "PIXSCALE": (self.pixel_scale_arcsec, "[arcsec] pixel side"),
            "FWHM": (self.fwhm_arcsec, "[arcsec] of the azimuthal mean profile"),
            "APCOR": (self.aperture_correction, "whole kernel over the circle of RNORM"),
            "RNORM": (self.radius_arcsec, "[arcsec] the kernel has unit sum inside"),
            "NSTARS": (self.n_stars, "stars stacked, 0 when the PSF was given"),
            "SOURCE": (self.source, "given or stars"),
            "SUMBEF": (self.sum_before, "sum of the input array"),
            "SHIFTPX": (self.shift_px, "[pix] source from the middle of the input array"),
            "FLUXERR": (self.flux_error, "relative error of a point source's flux"),
            "COREERR": (self.core_variance_error, "relative error of the core's variance"),
            "HASPIXEL": (True, "the kernel contains the pixel's integration"),
        }
        for key, card in cards.items():
            primary.header[key] = card
        curve = Table({"radius_arcsec": self.radii_arcsec, "encircled_energy": self.encircled_energy})
        hdus = fits.HDUList([primary, fits.BinTableHDU(curve, name="ENCIRCLED")])
        if self.oversampling != 1.0:
            hdus.append(fits.ImageHDU(self.fine, name="FINE"))
            hdus["FINE"].header["PIXSCALE"] = (self.pixel_scale_arcsec / self.oversampling, "[arcsec] step")
            hdus["FINE"].header["OVERSAMP"] = (self.oversampling, "samples a pixel side")
            hdus["FINE"].header["HASPIXEL"] = (True, "each sample is the value of a pixel there")
        if self.analytic is not None:
            hdus.append(fits.BinTableHDU(Table([vars(self.analytic)]), name="ANALYTIC"))
        if self.compact is not None:
            hdus.append(fits.BinTableHDU(self.compact, name="COMPACT"))
        if self.trend is not None:
            hdus.append(fits.BinTableHDU(Table([vars(self.trend)]), name="VARIATION"))
        if self.notes:
            # Cards break lines of more than 72 characters.
            hdus.append(fits.BinTableHDU(Table({"note": list(self.notes)}), name="NOTES"))
        write_fits(hdus, path)


def read_psf(path: str | os.PathLike) -> PSF:
    """Read what `PSF.write` wrote, unchanged."""
    with fits.open(path, memmap=False) as hdus:
        head = hdus[0].header
        # By name at once: a list of HDUs is searched again for every name.
        named = {hdu.name: hdu for hdu in hdus}
        analytic = None
        if "ANALYTIC" in named:
            rows = named["ANALYTIC"].data
            analytic = AnalyticPSF(**{name: float(rows[name][0]) for name in rows.names})
        notes = tuple(str(note) for note in named["NOTES"].data["note"]) if "NOTES" in named else ()
        compact = Table(named["COMPACT"].data) if "COMPACT" in named else None
        trend = None
        if "VARIATION" in named:
            row = named["VARIATION"].data[0]
            numbers = {name: float(row[name]) for name in ("ra", "dec", "half_deg", "low", "high")}
            trend = WidthTrend(**numbers, coefficients=np.asarray(row["coefficients"], dtype=float))
        fine, oversampling = None, 1.0
        if "FINE" in named:
            fine, oversampling = named["FINE"].data.astype(float), float(named["FINE"].header["OVERSAMP"])
        return PSF(
            hdus[0].data.astype(float), head["PIXSCALE"], head["FWHM"], head["APCOR"], head["RNORM"],
            head["SOURCE"], head["NSTARS"], head["SUMBEF"], head["SHIFTPX"], analytic,
            notes, fine, oversampling,
            head["FLUXERR"], head["COREERR"], compact, trend,
        )  # fmt: skip


def normalise_psf(
    image: np.ndarray,
    pixel_scale_arcsec: float,
    where: str,
    radius_arcsec: float = 0.4,
    max_radius_arcsec: float = 2.0,
    source: str = "given",
    n_stars: int = 0,
    oversampling: float = 1.0,
    has_pixel: bool = True,
) -> PSF:
    """Centre, crop and normalise the image of a point source, and describe it.

    Parameters
    ----------
    image : (ny, nx) array
        One background-free point source; any normalisation.
    pixel_scale_arcsec : float
        Pixel side of the mosaic [arcsec].
    where : str
        Name for messages.
    radius_arcsec : float
        Radius of unit sum and of the analytic fit (C25: 0.4).
    max_radius_arcsec : float
        Pixels farther out are cut away.
    source, n_stars
        As in `PSF`.
    oversampling : float
        Samples of the image a pixel side.
    has_pixel : bool
        Whether every sample is the value of a pixel that sits there; a surface brightness is integrated over pixels.

    Raises
    ------
    InputError
        If it holds no source, ends before `radius_arcsec`, or has a third of its light beyond.
    """
    image = np.asarray(image, dtype=float)
    if image.ndim != 2 or not np.isfinite(image).any():
        found = "no finite pixel" if image.ndim == 2 else f"an array of {image.ndim} dimensions"
        raise InputError(where, found, "a 2-D image of a point source")
    filled = np.where(np.isfinite(image), image, 0.0)
    if not has_pixel:
        filled = with_pixel(filled, oversampling)
    peak_y, peak_x = np.unravel_index(np.argmax(filled), filled.shape)
    x, y = core_centroid(filled, float(peak_x), float(peak_y), 1.5 * oversampling, 3.0 * oversampling)
    if not np.isfinite(x + y) or not filled[peak_y, peak_x] > 0:
        raise InputError(where, "no positive source", "the image of a point source")
    step_arcsec = pixel_scale_arcsec / oversampling
    fine = centred_square(filled, x, y, round(max_radius_arcsec / step_arcsec))
    radius = radius_arcsec / step_arcsec
    if fine.shape[0] / 2 < radius:
        raise InputError(
            where, f"a PSF that ends {fine.shape[0] / 2 * step_arcsec:.2f} arcsec from its source",
            f"at least the normalisation radius of {radius_arcsec} arcsec",
            "Give a larger PSF, or check its pixel scale.",
        )  # fmt: skip
    inside = encircled_sums(fine, np.array([radius]))[0]
    if not inside > 0:
        raise InputError(where, "a PSF whose sum is not positive", "the image of a point source")
    fine = fine / inside * oversampling**2
    if (correction := float(fine.sum()) / oversampling**2) > LARGEST_CORRECTION:
        raise InputError(
            where, f"a PSF with {1.0 / correction:.0%} of its sum inside {radius_arcsec} arcsec", "two thirds of it at least",
            "Take the sky off, or make psf.radius_arcsec larger.",
        )  # fmt: skip
    height, width = image.shape
    shift = float(np.hypot(x - (width - 1) / 2, y - (height - 1) / 2) / oversampling)
    total = float(filled.sum())
    notes = []
    if source == "given" and oversampling == 1.0 and abs(total - 1.0) > 0.01:
        notes.append(f"sum of {total:.4g} renormalised")
    if source == "given" and shift > 0.1:
        notes.append(f"source {shift:.2f} px off the middle, recentred")
    psf = PSF(
        fine if oversampling == 1.0 else pixels_of(fine, oversampling), pixel_scale_arcsec,
        fwhm_px(fine) * step_arcsec, correction, radius_arcsec, source, n_stars, total, shift,
        fit_analytic(fine, radius_arcsec / pixel_scale_arcsec, oversampling), tuple(notes), fine, oversampling,
    )  # fmt: skip
    if psf.undersampled:
        warning = (
            f"FWHM of {psf.sampling_px:.2f} px on whole pixels: fluxes of small clumps are biased by up to 10 %; give "
            "an oversampled PSF, or none and have it built from stars"
        )
        psf = replace(psf, notes=(*psf.notes, warning))
    return psf


def too_broad(
    psf: PSF, name: str, question: str = "is it on other pixels, or its image smoothed?"
) -> tuple[str, ...]:
    """What to say of a PSF that is much broader than telescope and pixel make it in a filter; nothing of others."""
    ratio = psf.fwhm_arcsec / np.hypot(diffraction_fwhm(name), psf.pixel_scale_arcsec)
    return (f"FWHM {ratio:.1f} times that of telescope and pixel: {question}",) if ratio > _BROAD else ()


def diffraction_fwhm(name: str) -> float:
    """Diffraction-limited FWHM [arcsec] of a filter; 0 of an unknown telescope."""
    from ..filters import get_filter

    band = get_filter(name)
    return float(
        np.rad2deg(1.03 * band.pivot_angstrom * 1e-10 / _DIAMETER_M.get(band.channel, np.inf)) * 3600.0
    )


def match_psf(psf: PSF, mosaic: Mosaic) -> None:
    """Refuse a PSF that does not belong to a mosaic.

    Raises
    ------
    InputError
        If the pixel scales differ by more than 1 %, or the kernel is larger than the image.
    """
    where = f"PSF of {mosaic.name or mosaic.path}"
    if not alike(psf.pixel_scale_arcsec, mosaic.pixel_scale_arcsec):
        raise InputError(
            where,
            f"{psf.pixel_scale_arcsec:.5g} arcsec a pixel",
            f"{mosaic.pixel_scale_arcsec:.5g}, as the image",
        )
    if psf.kernel.shape[0] > min(mosaic.shape):
        size = psf.kernel.shape[0]
        raise InputError(
            where, f"{size} x {size} pixels", f"at most the image's {mosaic.shape[1]} x {mosaic.shape[0]}",
            f"Cut the PSF: it has to reach {psf.radius_arcsec:g} arcsec (psf.radius_arcsec) from its source.",
        )  # fmt: skip


def model_psf(psf: PSF, model: str) -> PSF:
    """Replace a PSF's pixels by those of a circular profile fitted to it.

    Parameters
    ----------
    psf : PSF
    model : {"empirical", "analytic", "multi_gaussian"}
        Nothing replaced; Moffat + Gaussian + power law (C25); a sum of Gaussians. Both profiles are noiseless, and
        miss what is not circular: see their residuals.
    """
    if model == "empirical":
        return psf
    radius_px = psf.radius_arcsec / psf.pixel_scale_arcsec
    if model == "analytic":
        profile = psf.analytic
    else:
        profile = fit_multi_gaussian(psf.fine, radius_px, psf.oversampling)
    middle = psf.fine.shape[0] // 2
    radius = np.hypot(*(np.indices(psf.fine.shape) - middle)) / psf.oversampling
    # Beyond the fit's radius the profiles are not known: the kernel's own wings stay.
    fine = np.where(radius <= radius_px, profile(radius), psf.fine)
    fine = fine / encircled_sums(fine, np.array([radius_px * psf.oversampling]))[0] * psf.oversampling**2
    note = f"{model} profile, which misses the kernel by {profile.residual_max:.1%} of its peak"
    return replace(
        psf, kernel=fine if psf.oversampling == 1.0 else pixels_of(fine, psf.oversampling), fine=fine,
        fwhm_arcsec=fwhm_px(fine) / psf.oversampling * psf.pixel_scale_arcsec,
        aperture_correction=float(fine.sum()) / psf.oversampling**2, notes=(*psf.notes, note),
    )  # fmt: skip


def psf_table(psfs: dict[str, PSF]) -> Table:
    """One row a filter: what was measured on the PSFs, for ``psf/psf.ecsv``."""
    rows = [
        {
            "filter": name,
            "pixel_scale_arcsec": psf.pixel_scale_arcsec,
            "fwhm_arcsec": psf.fwhm_arcsec,
            "sampling_px": psf.sampling_px,
            "oversampling": psf.oversampling,
            "fwhm_low": np.sqrt(psf.trend.low) if psf.trend else 1.0,
            "fwhm_high": np.sqrt(psf.trend.high) if psf.trend else 1.0,
            "flux_error": psf.flux_error,
            "core_variance_error": psf.core_variance_error,
            "aperture_correction": psf.aperture_correction,
            "radius_arcsec": psf.radius_arcsec,
            "size_px": psf.kernel.shape[0],
            "source": psf.source,
            "n_stars": psf.n_stars,
            "sum_before": psf.sum_before,
            "shift_px": psf.shift_px,
            "analytic_residual_rms": psf.analytic.residual_rms if psf.analytic else np.nan,
            "analytic_residual_max": psf.analytic.residual_max if psf.analytic else np.nan,
            "notes": "; ".join(psf.notes),
        }
        for name, psf in psfs.items()
    ]
    table = Table(rows)
    for name in ("pixel_scale_arcsec", "fwhm_arcsec", "radius_arcsec"):
        table[name].unit = "arcsec"
    return table
