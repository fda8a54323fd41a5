"""The mock cluster's lens, by formulas of its own.

Deflections are those of softened isothermal ellipsoids in real arctangents (Keeton 2001, astro-ph/0102341,
equations 33-35), not the complex form that the workflow uses; a test integrates the convergence directly.
Positions are arcseconds from the field's centre, x to the West, y to the North.
"""

from dataclasses import dataclass, fields
from functools import cached_property, lru_cache, reduce

import numpy as np

from .. import cosmology

distance_ratio = lru_cache(maxsize=4096)(cosmology.distance_ratio)

__all__ = ["DPIE", "Z_LENS", "ImageFinder", "Lens", "Shear", "find_images"]

Z_LENS = 0.308
_C_KMS = 299792.458
_STEP_ARCSEC = 1e-4
_CELL_ARCSEC = 0.1
_BLOCK_CELLS = 8
_POINTS_TOGETHER = 2048
_CONVERGED_ARCSEC = 1e-9


def _isothermal(x: np.ndarray, y: np.ndarray, strength: float, core: float, q: float):
    """Deflection of convergence ``strength / 2 / sqrt(core^2 + x^2 + y^2 / q^2)``."""
    root = np.sqrt(1.0 - q * q)
    psi = np.sqrt(q * q * (core * core + x * x) + y * y)
    factor = strength * q / root
    return factor * np.arctan(root * x / (psi + core)), factor * np.arctanh(root * y / (psi + q * q * core))


@dataclass(frozen=True)
class DPIE:
    """Dual pseudo-isothermal elliptical mass distribution (Eliasdottir et al. 2007), Lenstool's profile 81.

    Attributes
    ----------
    name : str
    x_arcsec, y_arcsec : float
        Centre.
    ellipticity : float
        (a^2 - b^2) / (a^2 + b^2) of the isodensity ellipses, positive.
    angle_deg : float
        Of the major axis, from +x towards +y.
    core_arcsec, cut_arcsec : float
    v_disp_kms : float
        Lenstool's fiducial velocity dispersion.
    mag : float
        Magnitude of the galaxy that carries it; NaN for a halo of the cluster.
    """

    name: str
    x_arcsec: float
    y_arcsec: float
    ellipticity: float
    angle_deg: float
    core_arcsec: float
    cut_arcsec: float
    v_disp_kms: float
    mag: float = np.nan

    def convergence(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Convergence for D_LS / D_S = 1."""
        major, minor = self._rotate(x, y)
        flattening = self._flattening
        squared = (major / (1 + flattening)) ** 2 + (minor / (1 - flattening)) ** 2
        inverse = 1 / np.sqrt(self.core_arcsec**2 + squared) - 1 / np.sqrt(self.cut_arcsec**2 + squared)
        return self._strength / 2 * inverse

    def deflection(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Deflection [arcsec] for D_LS / D_S = 1."""
        major, minor = self._rotate(x, y)
        # On the major axis the elliptical radius is x / (1 + flattening), so all lengths grow by that.
        stretch = 1 + self._flattening
        q = (1 - self._flattening) / stretch
        inner = _isothermal(major, minor, self._strength * stretch, self.core_arcsec * stretch, q)
        outer = _isothermal(major, minor, self._strength * stretch, self.cut_arcsec * stretch, q)
        along, across = inner[0] - outer[0], inner[1] - outer[1]
        cosine, sine = np.cos(np.deg2rad(self.angle_deg)), np.sin(np.deg2rad(self.angle_deg))
        return along * cosine - across * sine, along * sine + across * cosine

    @property
    def _flattening(self) -> float:
        return (1 - np.sqrt(1 - self.ellipticity**2)) / self.ellipticity

    @property
    def _strength(self) -> float:
        radius = np.rad2deg(6 * np.pi * (self.v_disp_kms / _C_KMS) ** 2) * 3600
        return radius * self.cut_arcsec / (self.cut_arcsec - self.core_arcsec)

    def _rotate(self, x, y):
        cosine, sine = np.cos(np.deg2rad(self.angle_deg)), np.sin(np.deg2rad(self.angle_deg))
        dx, dy = x - self.x_arcsec, y - self.y_arcsec
        return dx * cosine + dy * sine, -dx * sine + dy * cosine


@dataclass(frozen=True)
class Shear:
    """External shear, Lenstool's profile 14, about the field's centre."""

    name: str
    gamma: float
    angle_deg: float

    def deflection(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Deflection [arcsec] for D_LS / D_S = 1."""
        gamma_1, gamma_2 = (self.gamma * f(np.deg2rad(2 * self.angle_deg)) for f in (np.cos, np.sin))
        return gamma_1 * x + gamma_2 * y, gamma_2 * x - gamma_1 * y


@dataclass(frozen=True)
class Lens:
    """Sum of potentials in one plane.

    Attributes
    ----------
    potentials : tuple of DPIE or Shear
    """

    potentials: tuple[DPIE | Shear, ...]

    @property
    def z_lens(self) -> float:
        """Redshift of the lens."""
        return Z_LENS

    def ratio(self, z: float) -> float:
        """D_LS / D_S of a source at redshift z."""
        return float(distance_ratio(self.z_lens, z))

    def deflection(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Deflection [arcsec] for D_LS / D_S = 1, arrays of the shape of `x`."""
        x, y = np.broadcast_arrays(x, y)
        flat, alpha = np.array([x.ravel(), y.ravel()], dtype=float), np.zeros((2, x.size))
        # All potentials at once, for as many points as a processor's cache holds of them.
        for start in range(0, x.size, _POINTS_TOGETHER):
            part = np.s_[:, start : start + _POINTS_TOGETHER]
            for potential in self._together:
                alpha[part] += np.sum(np.broadcast_arrays(*potential.deflection(*flat[part])), axis=1)
        return alpha[0].reshape(x.shape), alpha[1].reshape(x.shape)

    @cached_property
    def _together(self) -> list[DPIE | Shear]:
        """One potential of each kind whose attributes are columns of those of its kind."""
        alike = [[p for p in self.potentials if type(p) is kind] for kind in (DPIE, Shear)]
        return [
            type(group[0])(
                "", *(np.array([getattr(p, f.name) for p in group])[:, None] for f in fields(group[0])[1:])
            )
            for group in alike
            if group
        ]

    def source(self, x: np.ndarray, y: np.ndarray, z: float) -> tuple[np.ndarray, np.ndarray]:
        """Source position [arcsec] seen at image position (x, y)."""
        ratio = self.ratio(z)
        alpha_x, alpha_y = self.deflection(x, y)
        return x - ratio * alpha_x, y - ratio * alpha_y

    def jacobian(self, x: np.ndarray, y: np.ndarray, z: float) -> np.ndarray:
        """d(source) / d(image), shape (..., 2, 2), by central differences."""
        return self._local(x, y, z)[1]

    def _local(self, x: np.ndarray, y: np.ndarray, z: float) -> tuple[np.ndarray, np.ndarray]:
        """Source position (2, ...) and its derivative (..., 2, 2), by one evaluation at five places."""
        x, y, step = np.asarray(x, dtype=float), np.asarray(y, dtype=float), _STEP_ARCSEC
        beta = np.array(
            self.source(np.stack([x, x + step, x - step, x, x]), np.stack([y, y, y, y + step, y - step]), z)
        )
        along, across = (beta[:, k] - beta[:, k + 1] for k in (1, 3))
        return beta[:, 0], np.moveaxis(np.stack([along, across], axis=1), (0, 1), (-2, -1)) / (2 * step)

    def magnification(self, x: np.ndarray, y: np.ndarray, z: float):
        """Signed mu, mu_t = 1 / (1 - kappa - gamma) and mu_r = 1 / (1 - kappa + gamma)."""
        a = self.jacobian(x, y, z)
        mean = (a[..., 0, 0] + a[..., 1, 1]) / 2
        shear = np.hypot((a[..., 0, 0] - a[..., 1, 1]) / 2, (a[..., 0, 1] + a[..., 1, 0]) / 2)
        tangential, radial = mean - shear, mean + shear
        return 1 / (tangential * radial), 1 / tangential, 1 / radial

    def image_near(
        self, x: float, y: float, source_x: float, source_y: float, z: float
    ) -> tuple[float, float] | None:
        """Image position of a source, by Newton steps from (x, y); None when they do not lead to one."""
        for _ in range(40):
            beta, derivative = self._local(x, y, z)
            missed = np.array([source_x, source_y]) - beta
            if np.hypot(*missed) < _CONVERGED_ARCSEC:
                return float(x), float(y)
            move = np.linalg.solve(derivative, missed)
            move *= min(1.0, 0.3 / max(np.hypot(*move), 1e-12))  # a full step can cross a critical line
            x, y = x + move[0], y + move[1]
        return None


class ImageFinder:
    """Finds all images of sources in a square field, by tiling it with triangles once.

    Parameters
    ----------
    lens : Lens
    half_arcsec : float
        Half of the field's side.
    """

    def __init__(self, lens: Lens, half_arcsec: float) -> None:
        self.lens, self.half = lens, half_arcsec
        n = int(np.ceil(2 * half_arcsec / _CELL_ARCSEC)) + 1
        self._axis = np.linspace(-half_arcsec, half_arcsec, n)
        self._alpha = np.array(lens.deflection(*np.meshgrid(self._axis, self._axis)))
        self._starts = np.arange(0, n - 1, _BLOCK_CELLS)
        self._low, self._high = (self._by_block(extreme) for extreme in (np.minimum, np.maximum))

    def _by_block(self, extreme: np.ufunc) -> np.ndarray:
        """Least or largest deflections in blocks of cells, edges included."""
        cells = reduce(extreme, (self._alpha[(slice(None), *corner)] for corner in _CORNERS))
        return extreme.reduceat(extreme.reduceat(cells, self._starts, axis=1), self._starts, axis=2)

    def images(self, source_x: float, source_y: float, z: float) -> list[tuple[float, float]]:
        """Positions [arcsec] of the images of a source at redshift z."""
        found: list[tuple[float, float]] = []
        rows, columns, u, v = self._near(source_x, source_y, z)
        for row, column, *corners in zip(rows, columns, u.T, v.T, strict=True):
            if not any(_holds_origin(*(p[list(triangle)] for p in corners)) for triangle in _TRIANGLES):
                continue
            start = self._axis[column] + _CELL_ARCSEC / 2, self._axis[row] + _CELL_ARCSEC / 2
            image = self.lens.image_near(*start, source_x, source_y, z)
            if image is None or max(map(abs, image)) > self.half:
                continue
            if all(np.hypot(image[0] - x, image[1] - y) > 1e-3 for x, y in found):
                found.append(image)
        return found

    def _near(self, source_x: float, source_y: float, z: float) -> tuple[np.ndarray, ...]:
        """Rows and columns of the cells that can hold a source, and their corners' offsets from it, (4, n) each."""
        ratio, n = self.lens.ratio(z), len(self._axis)
        low, high = self._axis[self._starts], self._axis[np.minimum(self._starts + _BLOCK_CELLS, n - 1)]
        near = (low - ratio * self._high[0] <= source_x) & (source_x <= high - ratio * self._low[0])
        near &= (low - ratio * self._high[1].T <= source_y).T & (source_y <= high - ratio * self._low[1].T).T
        inside = np.arange(_BLOCK_CELLS)
        block_rows, block_columns = (self._starts[k] for k in np.nonzero(near))
        rows, columns = np.broadcast_arrays(
            block_rows[:, None, None] + inside[:, None], block_columns[:, None, None] + inside
        )
        within = (rows < n - 1) & (columns < n - 1)
        rows, columns = rows[within], columns[within]
        at = rows + _AROUND[0][:, None], columns + _AROUND[1][:, None]
        u = self._axis[at[1]] - ratio * self._alpha[0][at] - source_x
        v = self._axis[at[0]] - ratio * self._alpha[1][at] - source_y
        # A cell can hold the source only if it lies between the corners' least and largest positions.
        held = np.all([(p.min(axis=0) <= 0) & (p.max(axis=0) >= 0) for p in (u, v)], axis=0)
        order = np.flatnonzero(held)
        order = order[np.lexsort((columns[order], rows[order]))]
        return rows[order], columns[order], u[:, order], v[:, order]


_CORNERS = (np.s_[:-1, :-1], np.s_[:-1, 1:], np.s_[1:, 1:], np.s_[1:, :-1])
_AROUND = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 0])  # rows and columns of a cell's corners, in order
_TRIANGLES = ((0, 1, 2), (0, 2, 3))


def _holds_origin(u: np.ndarray, v: np.ndarray) -> bool:
    cross = u * np.roll(v, -1) - v * np.roll(u, -1)
    return bool(np.all(cross >= 0) or np.all(cross <= 0))


def find_images(
    lens: Lens, source_x: float, source_y: float, z: float, half_arcsec: float
) -> list[tuple[float, float]]:
    """All images [arcsec] of one source inside a square field."""
    return ImageFinder(lens, half_arcsec).images(source_x, source_y, z)
