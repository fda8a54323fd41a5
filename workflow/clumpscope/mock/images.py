"""The pixels of a mock field."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import scipy
from astropy.wcs import WCS

from ..filters import get_filter
from ..randomness import generator
from .cluster import Member
from .lens import Z_LENS
from .noise import aperture_weights, correlated_noise, pixel_sigma_njy
from .optics import PIXEL_SCALE_ARCSEC, PSFWidths, make_psf
from .profiles import sersic_image
from .real_sky import read_sky
from .render import (
    STAMP_SIZES,
    Pattern,
    add_stamp,
    blurred,
    make_stamp,
    point_pattern,
    psf_transform,
    stamp_image,
    stamp_size,
)
from .scene import Scene
from .smooth import drawn_px, near, smooth_images
from .sources import GalaxyImage, Star
from .spectra import ICL_METALLICITY, MEMBER_METALLICITY, member_population, reddening_mag, star_colours

__all__ = [
    "Mosaics",
    "aperture_fraction",
    "mosaic_groups",
    "sky_position",
    "smooth_flux",
    "to_pixel",
]

_SATURATION_NJY = 8000.0  # per pixel
_ELECTRONS_PER_NJY = {"broad": 800.0, "medium": 150.0}
_PLANES_BYTES = 600e6  # of the filters drawn together
_MEMBER_REACH = 25.0  # half-light radii, where a cluster galaxy is 1e-4 times as bright as at one


def to_pixel(position: float | np.ndarray, size_arcsec: float, scale: float) -> float | np.ndarray:
    """Zero-based pixel of a position [arcsec from the centre] along either axis."""
    return (round(size_arcsec / scale) - 1) / 2 + position / scale


def sky_position(place: GalaxyImage | Member | Star, scene: Scene, wcs: WCS) -> tuple[float, float]:
    """RA and Dec [deg] of an object; `wcs` is that of the 0.02 arcsec grid."""
    position = [
        getattr(place, name) if hasattr(place, name) else getattr(place, f"{name}_arcsec") for name in "xy"
    ]
    ra, dec = wcs.all_pix2world(
        *(to_pixel(p, scene.size_arcsec, PIXEL_SCALE_ARCSEC["sw"]) for p in position), 0
    )
    return float(ra), float(dec)


class Mosaics:
    """Images of one pixel scale, drawn together.

    Parameters
    ----------
    scene : Scene
    filters : sequence of str
        Of one channel, ``sw`` or ``lw``.

    Attributes
    ----------
    filters : list of str
    psfs : dict of str to (n, n) array
        Oversampled, of the mean width.
    noiseless : dict of str to (ny, nx) float32 array
        [nJy], dimmed by Galactic reddening.
    aperture_share : dict of (clump index, image index, filter) to float
        Share of a clump image's flux in a circle of radius one FWHM around its centroid, in the reference filter.
    host_snr : dict of (clump index, image index, filter) to float
        Smooth light in the pixel of the centroid, over the noise of the sky there.
    """

    def __init__(self, scene: Scene, filters: Sequence[str]) -> None:
        self.scene, self.filters = scene, list(filters)
        self.channel = get_filter(self.filters[0]).channel
        self.scale = PIXEL_SCALE_ARCSEC[self.channel]
        self.n = round(scene.size_arcsec / self.scale)
        self.psfs = {name: make_psf(name, scene.seed) for name in self.filters}
        given = scene.settings.sky
        self.skies = {name: read_sky(given[name], name, self.scale) for name in self.filters if name in given}
        self.widths = PSFWidths(scene.size_arcsec, scene.settings.psf_variation)
        self.node_psfs = {name: self.widths.at_nodes(psf) for name, psf in self.psfs.items()}
        self.noiseless = {name: np.zeros((self.n, self.n), dtype=np.float32) for name in self.filters}
        self.dimming = {name: 10 ** (-0.4 * reddening_mag(name)) for name in self.filters}
        self.aperture_share: dict[tuple[int, int, str], float] = {}
        self.host_snr: dict[tuple[int, int, str], float] = {}

    def draw(self) -> None:
        """Add all light to `noiseless`."""
        self._diffuse()
        self._note_hosts()
        transforms = {
            (size, name): [psf_transform(psf, size) for psf in self.node_psfs[name]]
            for size in STAMP_SIZES[self.channel]
            for name in self.filters
        }
        for number, (clump, light) in enumerate(zip(self.scene.clumps, self.scene.clump_light, strict=True)):
            wanted = self.scene.filter_ref(clump.galaxy)
            for index, (_, _, _, pattern) in enumerate(clump.images):
                for name, values, stamp in self._stamps(pattern, transforms):
                    add_stamp(
                        self.noiseless[name], stamp, values * (light.flux_njy[name] * self.dimming[name])
                    )
                    if name == wanted:
                        x, y = (
                            self._pixel(p) - o
                            for p, o in zip(pattern.centroid, (stamp.x0, stamp.y0), strict=True)
                        )
                        inside = aperture_fraction(
                            values, x, y, get_filter(name).psf_fwhm_arcsec / self.scale
                        )
                        self.aperture_share[number, index, name] = inside / pattern.magnification
        for star in self.scene.stars:
            flux = 10 ** (-0.4 * (star.mag - 31.4)) * star_colours(self.filters, star.temperature_k)
            for (name, values, stamp), value in zip(
                self._stamps(point_pattern(star.x, star.y), transforms), flux, strict=True
            ):
                add_stamp(self.noiseless[name], stamp, values * (value * self.dimming[name]))

    def observe(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Image with noise and its standard deviation per pixel [nJy]; both NaN where saturated."""
        light = self.noiseless[name]
        rng = generator(self.scene.seed, "mock", "noise", name)
        # In place, and noise first: a large field's images are hundreds of megabytes each.
        image = correlated_noise(rng, light.shape, self.channel)
        sky, error = self.exposure(name)
        np.divide(light, error, out=error)  # the photons' variance
        np.maximum(error, 0.0, out=error)
        if name in self.skies:
            image *= np.sqrt(error)
            image += self.skies[name].draw(rng, self.n)
        error += np.square(sky, out=sky)
        del sky
        np.sqrt(error, out=error)
        if name not in self.skies:
            image *= error
        image += light
        saturated = scipy.ndimage.binary_dilation(light > _SATURATION_NJY)
        image[saturated] = np.nan
        error[saturated] = np.nan
        return image, error

    def exposure(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Noise of the sky alone [nJy], and electrons that light of 1 nJy frees, per pixel."""
        noise = self._shallowness()
        if name in self.skies:
            electrons = np.full_like(noise, _ELECTRONS_PER_NJY[get_filter(name).kind])
            return np.full_like(noise, self.skies[name].sigma_njy), electrons
        electrons = np.square(noise)
        np.divide(_ELECTRONS_PER_NJY[get_filter(name).kind], electrons, out=electrons)
        noise *= pixel_sigma_njy(name, self.psfs[name])
        return noise, electrons

    def _shallowness(self) -> np.ndarray:
        """Noise over its median: 10 % deeper to one side, and a less exposed strip as of a detector gap."""
        across = np.linspace(-1.0, 1.0, self.n, dtype=np.float32)
        noise = np.broadcast_to(1.0 + 0.05 * across, (self.n, self.n)).copy()
        noise[np.abs(across - 0.86) < 0.03] *= np.sqrt(1.5)
        return noise

    def _pixel(self, position):
        return to_pixel(position, self.scene.size_arcsec, self.scale)

    def _stamps(
        self, pattern: Pattern, transforms: Mapping[tuple[int, str], list[np.ndarray]]
    ) -> Iterator[tuple]:
        positions = pattern.positions
        size = stamp_size(np.abs(positions.T - pattern.centroid).max(), self.channel)
        x, y = self._pixel(positions)
        stamp = make_stamp(x, y, pattern.weight, size)
        weights = self.widths.weights(*pattern.centroid)
        for name in self.filters:
            psf = sum(np.float32(w) * t for w, t in zip(weights, transforms[size, name], strict=True) if w)
            yield name, stamp_image(stamp, psf), stamp

    def _note_hosts(self) -> None:
        for name in self.filters:
            sky = self.exposure(name)[0]
            for number, clump in enumerate(self.scene.clumps):
                for index, (_, _, _, pattern) in enumerate(clump.images):
                    x, y = (min(max(round(self._pixel(p)), 0), self.n - 1) for p in pattern.centroid)
                    self.host_snr[number, index, name] = float(self.noiseless[name][y, x] / sky[y, x])

    def _diffuse(self) -> None:
        scene = self.scene
        axis = (np.arange(self.n) - (self.n - 1) / 2) * self.scale
        for galaxy, *lights in zip(scene.galaxies, scene.disc_light, scene.bulge_light, strict=True):
            for image in galaxy.images:
                rows, columns = drawn_px(image, axis)
                traced = scene.traced[image.id]
                shapes = smooth_images(galaxy, image, axis[columns], axis[rows], traced)
                for light, shape in zip(lights, shapes, strict=True):
                    for name in self.filters if light is not None else ():
                        self.noiseless[name][rows, columns] += shape * np.float32(
                            light.flux_njy[name] * self.dimming[name]
                        )
        self._add_members(axis)
        for name in self.filters:
            self.noiseless[name] = blurred(
                self.noiseless[name],
                self.node_psfs[name],
                lambda rows, columns: self.widths.at_pixels(axis[columns], axis[rows]),
            )

    def _add_members(self, axis: np.ndarray) -> None:
        """Add light of two colours, of the cluster's galaxies and between them; magnitudes are those in F150W."""
        for metallicity, between in ((MEMBER_METALLICITY, False), (ICL_METALLICITY, True)):
            unit = member_population(metallicity).flux_per_msun(["F150W", *self.filters], Z_LENS)
            together = np.zeros((self.n, self.n), dtype=np.float32)
            for m in self.scene.members:
                if (m.name == "ICL") != between:
                    continue
                rows, columns = (
                    near(p, axis, _MEMBER_REACH * m.r_eff_arcsec) for p in (m.y_arcsec, m.x_arcsec)
                )
                shape = sersic_image(
                    axis[columns].astype(np.float32) - np.float32(m.x_arcsec),
                    axis[rows, None].astype(np.float32) - np.float32(m.y_arcsec),
                    m.r_eff_arcsec,
                    m.sersic_n,
                    m.axis_ratio,
                    m.angle_deg,
                    self.scale,
                )
                shape *= np.float32(10 ** (-0.4 * (m.mag - 31.4)))
                together[rows, columns] += shape
                del shape  # as large as the field
            for name, colour in zip(self.filters, unit[1:] / unit[0], strict=True):
                self.noiseless[name] += together * np.float32(colour * self.dimming[name])
            del together


def smooth_flux(scene: Scene, number: int, bands: Sequence[str]) -> list[np.ndarray]:
    """Observed flux [nJy] of a galaxy without its clumps in each of its images, (n_bands,) each."""
    lights = scene.disc_light[number], scene.bulge_light[number]
    flux = [np.array([0.0 if light is None else light.flux_njy[name] for name in bands]) for light in lights]
    return [disc * flux[0] + bulge * flux[1] for disc, bulge in scene.smooth_magnifications[number]]


def aperture_fraction(values: np.ndarray, x: float, y: float, radius_px: float) -> float:
    """Sum inside a circle centred anywhere, with pixels on the rim shared by subpixels."""
    half = int(np.ceil(radius_px)) + 1
    column, row = round(x), round(y)
    part = values[row - half : row + half + 1, column - half : column + half + 1]
    # The stamp is moved by less than a pixel so that the circle can stay where its weights are known.
    moved = scipy.ndimage.shift(part, (row - y, column - x), order=3, mode="nearest")
    return float((moved * aperture_weights(radius_px, half)).sum())


def mosaic_groups(scene: Scene) -> list[list[str]]:
    """Filters of one pixel scale whose images fit into memory together."""
    groups = []
    for channel, scale in PIXEL_SCALE_ARCSEC.items():
        names = [name for name in scene.filters if get_filter(name).channel == channel]
        together = max(1, int(_PLANES_BYTES / (4 * (scene.size_arcsec / scale) ** 2)))
        groups += [names[start : start + together] for start in range(0, len(names), together)]
    return groups
