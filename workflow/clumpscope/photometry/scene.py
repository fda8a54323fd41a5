"""All clumps of an image while they are fitted: in groups, each without the light of the others, until nothing moves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import scipy

from ..flags import bit
from ..images.profiles import FWHM_OF_SIGMA
from .boxes import MAX_BOX, Box, group_clumps, make_box
from .compiled import source_images
from .evidence import Rules
from .host import Background, Host, bright_surroundings, plane
from .model import Kernel, SpectralPSF, shape_of
from .noise import Correlation
from .profiles import WingedFit, draw_round, winged_fits
from .uncertainty import Fitted

__all__ = ["Scene"]

Array = np.ndarray
# Members of a group are drawn inside this many pixels at least; other clumps' light is taken off inside the second.
_REACH_PX, _STAMP_PX = 12, 18
# An adaptive box reaches this many FWHM of its clump to each side, in steps of 2 px.
_BOX_FWHM = 1.5
# Excess of chi-squared in the pixels that a larger box adds, in standard deviations, at which it is too large.
_EXCESS = 3.0
# The same for the chi-squared of a whole box, beyond which the model is called poor.
_POOR = 5.0
# Errors of a flux that the light of a host's centre, hidden under a clump, may be as large as.
_HIDDEN = 2.3
# Standard deviation below which a clump has no profile [FWHM of the PSF].
_POINT_FWHM = 0.03
# Least share of a winged clump's light that a fit is taken to see.
_LEAST_SEEN = 0.2
# Share of bright pixels around a clump at which it may be on a host: noise alone has 0.16 and a scatter of a few hundredths.
_BRIGHT = 0.5
# The least and the largest side of a box with a host [px]; more say little about what is under the clump.
_HOST_BOX = 13, 17
# Host and clumps are fitted this often at most, the host's strength being that beside the clumps as they were last.
_HOST_PASSES = 2
# Change of a box's data, in summed squares of standard deviations, that no parameter notices.
_UNNOTICED = 1e-3
# Flags that every fit of a clump raises or takes back.
_VERDICTS = np.array([
    bit(name) for name in ("unresolved", "size_undetermined", "at_bound", "fit_failed", "host_dominated", "poor_model")
])  # fmt: skip


@lru_cache(maxsize=32)
def _host(kernel: Kernel, correlation: Correlation, error_scale: float) -> Host:
    """Hosts behind one PSF are the same in every image; injected clumps are fitted in hundreds of them."""
    pixels = np.arange(-_STAMP_PX, _STAMP_PX + 1)
    star = kernel.spectral(_STAMP_PX).images(0.0, 0.0, np.zeros(3), pixels, pixels, 1)[0]
    return Host(star, kernel.fwhm_px, correlation, error_scale)


@dataclass
class _Group:
    """Clumps fitted together, on their box of side `size`, with the data of the last fit.

    wide: the box of a fit with a host, whose strength, where there is one, is `width`, and whose centre could be `hidden` in
    the clumps' fluxes. No box where there is none. response: what light in a pixel, of the wide box where there is a host,
    adds to the fluxes; background: of the last fit.
    """

    members: Array
    size: int
    box: Box
    crowded: bool
    wide: Box | None = None
    width: float = 0.0
    hidden: Array | float = 0.0
    data: Array | None = None
    response: Array | None = None
    background: Background | None = None

    @property
    def seen(self) -> Box:
        """The box of its data."""
        return self.box if self.wide is None else self.wide

    @property
    def fitted_on(self) -> Box:
        """The box of its fit."""
        return self.box if self.width == 0.0 else self.wide

    @property
    def reach(self) -> int:
        """Members are drawn inside this many pixels."""
        half = self.size // 2 + 1
        return half if len(self.members) == 1 else max(_REACH_PX, half)


class Scene:
    """The clumps of one image.

    Parameters
    ----------
    image, error : (ny, nx) arrays
        Data and standard deviations; NaN where there is no good pixel.
    kernel : Kernel
    x, y : (n_clumps,) arrays
        Where to begin [px].
    covariance : (n_clumps, 3) array
        Shapes to keep [px^2].
    moments_covariance : (n_clumps, 3, 3) array
        Of these shapes [px^4]; replaced by that of the fitted ones where shapes are free.
    rules : Rules
    free_shape : bool
        Whether shapes are fitted instead.
    method : {"projection", "lmfit"}
    host_fwhm : float
        Side [FWHM of the PSF] of the boxes in which hosts are modelled; 0: none are.

    Attributes
    ----------
    theta : (n_clumps, 5) array
        x, y, S_xx, S_yy, S_xy of every clump.
    by_moments, likelihood
        As in `clumpscope.photometry.uncertainty.Fitted`.
    values : dict of str to (n_clumps,) array
        Other columns of the result.
    flags : (n_clumps,) int array
    """

    def __init__(self, image: Array, error: Array, kernel: Kernel, x: Array, y: Array, covariance: Array,
                 moments_covariance: Array, rules: Rules, free_shape: bool, method: str, host_fwhm: float) -> None:  # fmt: skip
        good = np.isfinite(image) & np.isfinite(error) & (error > 0)
        self._weight = np.zeros(image.shape)
        self._weight[good] = 1.0 / error[good]
        # What is left of the image once all current models are taken off.
        self._left = np.where(good, image, 0.0)
        self._rules, self._free, self._method = rules, free_shape, method
        self._spectral, self._fwhm = kernel.spectral, kernel.fwhm_px
        self._host, self._on_host = None, np.zeros(x.size, dtype=bool)
        self._stamps: dict[int, tuple[tuple[slice, slice], Array]] = {}
        self._groups: list[_Group] = []
        self.theta = np.column_stack([x, y, covariance])
        self.moments_covariance = moments_covariance.copy()
        self.by_moments = np.zeros((x.size, 3))
        self.likelihood = np.full((x.size, 3), np.nan), np.full((x.size, 3, 3), np.nan)
        self.values = {name: np.full(x.size, np.nan) for name in (
            "x_err", "y_err", "sigma_x_px_err", "sigma_y_px_err", "theta_deg_err", "flux", "flux_err", "background",
            "background_err", "sigma_limit_px", "chi2", "n_dof",
        )}  # fmt: skip
        self.flags = np.zeros(x.size, dtype=np.int64)
        self._start = np.column_stack([x, y])
        ny, nx = image.shape
        # Comparisons with NaN are false.
        inside = (y >= -0.5) & (y < ny - 0.5) & (x >= -0.5) & (x < nx - 0.5)
        self.flags[~inside] |= bit("edge", "few_pixels")
        self._inside = np.flatnonzero(inside)
        rows, columns = np.rint(self._start[inside, ::-1]).astype(int).T
        self.flags[self._inside[~good[rows, columns]]] |= bit("saturated")
        if host_fwhm > 0.0:
            self._host = _host(kernel, rules.correlation, rules.error_scale)
            self._host_side = 2 * int(np.clip(host_fwhm * self._fwhm, *_HOST_BOX) // 2) + 1
            around = bright_surroundings(self._left * self._weight / rules.error_scale, self._host_side)
            self._on_host[self._inside] = around[rows, columns] > _BRIGHT

    def make_groups(self, distance_px: float, box: int | str, joint_box: int) -> None:
        """Link clumps closer than `distance_px`; groups with too few good pixels are flagged and left out."""
        self._adaptive = box == "adaptive"
        groups = [self._inside[group] for group in group_clumps(*self._start[self._inside].T, distance_px)]
        crowded = self._crowded(groups)
        for members in groups:
            single = len(members) == 1
            size = joint_box if not single else self._wanted(self.theta[members]) if self._adaptive else box
            pixels = make_box(self._weight, *self._start[members].T, size)
            if pixels.cut:
                self.flags[members] |= bit("edge")
            if not single:
                self.flags[members] |= bit("blended")
            if pixels.n_good < 5 + len(members) * (6 if self._free else 3):
                self.flags[members] |= bit("few_pixels")
                continue
            wide = None
            if self._on_host[members].any():
                wide = make_box(self._weight, *self._start[members].T, max(size, self._host_side))
            self._groups.append(_Group(members, size, pixels, crowded[members].any(), wide))
        # Brightest first: their light is the largest error of the others' first fits.
        rows, columns = np.rint(np.nan_to_num(self._start[:, ::-1])).astype(int).T
        self._groups.sort(
            key=lambda g: (-self._left[rows[g.members], columns[g.members]].max(), g.members[0])
        )

    def sweep(self, n_sweeps: int) -> None:
        """Fit all groups `n_sweeps` times at most, those whose data changed by their neighbours' light again."""
        if self._free:
            self._begin_as_points()
        for _ in range(n_sweeps):
            moved = False
            for group in self._groups:
                if group.data is not None and not group.crowded:
                    continue
                for k in group.members:
                    self._add(k, +1.0)
                data = group.seen.of(self._left)
                if group.data is None or np.sum(((data - group.data) * group.seen.weight) ** 2) > _UNNOTICED:
                    group.data, moved = data, True
                    self._keep(group, self._widened(group, self._fit(group)))
                for k in group.members:
                    self._add(k, -1.0)
            if not moved:
                break

    def _begin_as_points(self) -> None:
        """Take crowded clumps off each other as point sources: a free shape would grow over the neighbours."""
        self._free = False
        for group in self._groups:
            if group.crowded:
                group.data = group.seen.of(self._left)
                self._keep(group, self._fit(group))
                for k in group.members:
                    self._add(k, -1.0)
                self.theta[group.members, :2] = self._start[group.members]
                group.data = None
        self._free = True

    def _crowded(self, groups: list[Array]) -> Array:
        """Tell the clumps whose light may fall into the box of another group."""
        label = np.full(len(self.theta), -1)
        for number, members in enumerate(groups):
            label[members] = number
        places = np.where(label[:, None] >= 0, self._start, np.inf)[self._inside]
        tree = scipy.spatial.cKDTree(places)
        near = tree.query_pairs(_STAMP_PX + MAX_BOX / 2, p=np.inf, output_type="ndarray")
        self._room = np.full(label.size, np.inf)
        self._room[self._inside] = tree.query(places, k=[2], p=np.inf)[0][:, 0]
        first, second = self._inside[near.T]
        apart = label[first] != label[second]
        crowded = np.zeros(label.size, dtype=bool)
        crowded[first[apart]] = crowded[second[apart]] = True
        return crowded

    def _wanted(self, theta: Array) -> int:
        """Side of the adaptive box of a group [px]."""
        sigma = shape_of(theta[:, 2:])[0].max()
        half = np.ceil(_BOX_FWHM * np.hypot(self._fwhm, FWHM_OF_SIGMA * sigma))
        return int(min(2 * half + 1, MAX_BOX))

    def _widened(self, group: _Group, fitted: Fitted) -> Fitted:
        """Fit again in a larger box, as long as the clumps ask for one and the model describes the pixels it adds."""
        # Overlapping clumps trade their light for width, which must not feed on a box that grows over both.
        room = self._room[group.members].min()
        grows = self._adaptive and self._free and len(group.members) == 1 and group.width == 0.0
        while grows and group.size < (size := self._wanted(fitted.theta)) <= 2 * room:
            box = make_box(self._weight, *self._start[group.members].T, size)
            wide = replace(group, size=size, box=box, data=box.of(self._left), wide=None)
            again = self._fit(wide)
            if again.chi2 - fitted.chi2 > self._rules.largest_chi2(box.n_good - group.box.n_good, _EXCESS):
                break
            group.size, group.box, group.data, group.wide, fitted = size, wide.box, wide.data, None, again
            group.background = wide.background
        return fitted

    def _exceeds(self, fitted: Fitted) -> bool:
        """Whether more than noise is left in the box."""
        return fitted.chi2 > self._rules.largest_chi2(fitted.n_dof, _POOR)

    def _add(self, k: int, sign: float) -> None:
        """Put the model of a clump, if it has one, back into the image, or take it off."""
        if k in self._stamps:
            part, stamp = self._stamps[k]
            self._left[part] += sign * stamp

    def _fit(self, group: _Group) -> Fitted:
        """Fit a group: on its box with a plane or, where there is evidence of a host, on the wide one."""
        group.background = plane(group.box.weight.shape)
        if group.wide is None:
            return self._fit_on(group, group.data, group.background)[1]()
        (row, column), (ny, nx) = group.box.corner - group.wide.corner, group.box.weight.shape
        group.width, group.hidden = 0.0, np.zeros(len(group.members))
        data = np.ascontiguousarray(group.data[row : row + ny, column : column + nx])
        theta, fitted = self._fit_on(group, data, group.background)
        on_host = replace(group, size=max(group.size, self._host_side), box=group.wide)

        def host(theta: Array) -> Background:
            return self._host.background(
                group.wide, group.data, self._sources(on_host, theta), not self._free
            )

        narrow = shape_of(theta[:, 2:])[0].max() < self._host.broadest_px
        if narrow or not self._free:
            found = host(theta)
            if found.width == 0.0:
                return fitted()
        if self._free:
            # What bends may have made the clump wide: it is asked for again beside a point source.
            theta = np.column_stack([theta[:, :2], np.zeros((len(theta), 3))])
            found = host(theta)
        width, passes = 0.0, _HOST_PASSES if self._free else 1
        while found.width not in (0.0, width):
            group.background, width = found, found.width
            theta, fitted = self._fit_on(on_host, group.data, found)
            passes -= 1
            if passes == 0:
                break
            found = host(theta)
        group.width, ended = width, fitted()
        if width > 0.0:
            sources = self._sources(on_host, theta)
            group.hidden = self._host.hidden(
                group.wide, group.data, sources, theta, ended.response, group.background.process
            )
        return ended

    def _fit_on(
        self, group: _Group, data: Array, background: Background
    ) -> tuple[Array, Callable[[], Fitted]]:
        """Where the fit of a group ends, and the rest of it, as `clumpscope.photometry.evidence.fit_group` has it."""
        if self._method == "lmfit":
            from .reference import fit_group
        else:
            from .evidence import fit_group

        members = group.members
        return fit_group(self._spectral_of(group), group.box, data, self._start[members], self.theta[members], group.reach,
                         self._rules, self._free, self.moments_covariance[members], background)  # fmt: skip

    def _spectral_of(self, group: _Group) -> SpectralPSF:
        return self._spectral(group.reach + int(np.ceil(self._rules.max_shift_px)))

    def _sources(self, group: _Group, theta: Array) -> Array:
        """Images of a group's clumps on its box, and their derivatives: neither a place nor a (given) shape that is wrong shall count as host."""
        (ny, nx), (row, column) = group.box.weight.shape, group.box.corner
        pixels, spectral = (column + np.arange(nx), row + np.arange(ny)), self._spectral_of(group)
        return np.concatenate([spectral.images(*source[:2], source[2:], *pixels, 6) for source in theta])

    def winged_fits(self, profiles: Sequence[str]) -> dict[str, WingedFit]:
        """Sizes and fluxes that clumps of free shape would have with other profiles, over those that they have, by profile.

        Ratios are 1 where there is no fit, and of clumps as good as points.
        """
        ones = np.ones(len(self.theta))
        found = {name: WingedFit(ones.copy(), ones.copy()) for name in profiles}
        sigma = np.sqrt(np.maximum(self.theta[:, 2:4].mean(axis=1), 0.0))
        sides: dict[int, list] = {}
        for group in self._groups:
            if group.background is None:
                continue
            terms, weight = group.background.terms, group.fitted_on.weight
            side = (min(terms.shape[1:]) - 1) // 2 * 2 + 1
            row, column = ((n - side) // 2 for n in terms.shape[1:])
            seen = terms[:, row : row + side, column : column + side] * np.median(weight[weight > 0])
            sides.setdefault(side, []).extend(
                (k, (seen, group.background.ridge))
                for k in group.members
                if sigma[k] > _POINT_FWHM * self._fwhm
            )
        for side, clumps in sides.items():
            if not clumps:
                continue
            members, backgrounds = zip(*clumps, strict=True)
            for name, fits in found.items():
                fit = winged_fits(
                    self._spectral(side // 2 + 1), sigma[list(members)], name, side, backgrounds
                )
                for kept, ratios in zip(fits, fit, strict=True):
                    kept[list(members)] = ratios
        return found

    def flux_ratios(self, sigma_px: Mapping[str, Array]) -> dict[str, Array]:
        """What fluxes would be with other profiles than a Gaussian, over what they are.

        Parameters
        ----------
        sigma_px : mapping of str to (n_clumps,) array
            By profile, of those of `clumpscope.photometry.profiles`: standard deviations of round Gaussians with the
            half-light radii that the clumps would have [px]; under `gaussian` those that they have.

        Returns
        -------
        dict of str to (n_clumps,) array
            By profile, but the Gaussian; 1 where there is no fit.
        """
        winged = [name for name in sigma_px if name != "gaussian"]
        ratios = {name: np.ones(len(self.theta)) for name in winged}
        for group in self._groups if winged else ():
            if group.response is None:
                continue
            box = group.fitted_on
            (ny, nx), (row, column) = box.weight.shape, box.corner
            pixels, spectral = (column + np.arange(nx), row + np.arange(ny)), self._spectral(max(nx, ny))
            for k, response in zip(group.members, group.response, strict=True):
                if not sigma_px["gaussian"][k] > 0.0:
                    continue
                seen = {
                    name: np.sum(
                        response * draw_round(spectral, *self.theta[k, :2], sigma[k : k + 1], name, *pixels)
                    )
                    for name, sigma in sigma_px.items()
                }
                for name in winged:
                    ratios[name][k] = 1.0 / max(1.0 + seen[name] - seen["gaussian"], _LEAST_SEEN)
        return ratios

    def _keep(self, group: _Group, fitted: Fitted) -> None:
        members, values = group.members, self.values
        group.response = fitted.response
        self.theta[members] = fitted.theta
        values["flux"][members], values["background"][members] = fitted.flux, fitted.background
        self.by_moments[members] = fitted.by_moments
        if self._free:
            self.moments_covariance[members] = fitted.moments_covariance
            for kept, found in zip(self.likelihood, fitted.likelihood, strict=True):
                kept[members] = found
        values["sigma_limit_px"][members], values["chi2"][members] = fitted.limit_px, fitted.chi2
        values["n_dof"][members] = fitted.n_dof
        for name, error in fitted.errors.items():
            values[f"{name}_err"][members] = error
        away = np.abs(fitted.theta[:, :2] - self._start[members]).max(axis=1)
        wide = self._free & (shape_of(fitted.theta[:, 2:])[0] >= fitted.max_sigma_px - 1e-6)
        raised = np.empty((len(_VERDICTS), len(members)), dtype=bool)
        raised[0] = ~fitted.resolved & self._free
        raised[1] = np.isinf(fitted.limit_px)
        raised[2] = (away >= self._rules.max_shift_px - 1e-9) | wide
        raised[3] = not fitted.converged
        raised[4] = group.hidden > _HIDDEN * fitted.errors["flux"]
        raised[5] = self._exceeds(fitted)
        self.flags[members] = (self.flags[members] & ~_VERDICTS.sum()) | (_VERDICTS @ raised)
        if group.crowded:
            for k in members:
                self._draw(k)

    def _draw(self, k: int) -> None:
        """Draw the model of a clump, to be taken off its neighbours."""
        row, column = np.rint(self.theta[k, 1::-1]).astype(int)
        low, left = max(row - _STAMP_PX, 0), max(column - _STAMP_PX, 0)
        part = np.s_[low : row + _STAMP_PX + 1, left : column + _STAMP_PX + 1]
        stamp = np.empty((1, *self._left[part].shape))
        source_images(*self._spectral(_STAMP_PX).arrays, self.theta[k], low, left, stamp)
        self._stamps[k] = part, self.values["flux"][k] * stamp[0]
