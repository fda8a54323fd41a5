"""The fit of all clumps of a scene: group by group, each without the light of the others, until nothing moves."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..flags import bit
from .boxes import Box
from .compiled import source_images
from .evidence import Rules
from .host import Background, plane, rise_towards
from .model import SpectralPSF, shape_of
from .scene import STAMP_PX, Group, Scene
from .uncertainty import Fitted

__all__ = ["GroupFit", "Sweep"]

Array = np.ndarray
# Excess of chi-squared in the pixels that a larger box adds, in standard deviations, at which it is too large.
_EXCESS = 3.0
# The same for the chi-squared of a whole box, beyond which the model is called poor.
_POOR = 5.0
# Errors of a flux that the light of a host's centre, hidden under a clump, may be as large as.
_HIDDEN = 2.3
# Error of a flux by a host that rises towards the clump, over that rise: what its modes, as smooth as they are, miss of what is under it.
_RISING = 0.6
# Host and clumps are fitted this often at most, the host's strength being that beside the clumps as they were last.
_HOST_PASSES = 2
# Change of a box's data, in summed squares of standard deviations, that no parameter notices.
_UNNOTICED = 1e-3
# Flags that every fit of a clump raises or takes back.
_VERDICTS = bit("unresolved", "size_undetermined", "at_bound", "fit_failed", "host_dominated", "poor_model")


@dataclass
class GroupFit:
    """A group while it is fitted.

    Attributes
    ----------
    group : Group
        On its box as that has grown.
    data : array or None
        Of the box that is seen, at the last fit; None where there was none.
    background : Background or None
        Of the last fit.
    width : float
        Strength of the host; 0 where there is none.
    hidden : (n,) array or float
        Light of a host's centre that could be in the clumps' fluxes.
    response : (n, ny, nx) array or None
        What light in a pixel adds to the fluxes.
    """

    group: Group
    data: Array | None = None
    background: Background | None = None
    width: float = 0.0
    hidden: Array | float = 0.0
    response: Array | None = None

    @property
    def fitted_on(self) -> Box:
        """The box of the fit."""
        return self.group.box if self.width == 0.0 else self.group.wide


class Sweep:
    """All clumps of a scene, fitted.

    Parameters
    ----------
    scene : Scene
    moments : (n_clumps, 3) array
        Shapes to keep [px^2].
    moments_covariance : (n_clumps, 3, 3) array
        Of these shapes [px^4]; replaced by that of the fitted ones where shapes are free.
    rules : Rules
    free_shape : bool
        Whether shapes are fitted instead.
    method : {"projection", "lmfit"}
    n_sweeps : int
        Times that all groups are fitted at most.

    Attributes
    ----------
    scene : Scene
    fits : list of GroupFit
    theta : (n_clumps, 5) array
        x, y, S_xx, S_yy, S_xy of every clump.
    moments_covariance, by_moments, likelihood
        As in `clumpscope.photometry.uncertainty.Fitted`.
    by_host : (n_clumps,) array
        Errors of fluxes by hosts that rise towards their clumps; 0 where no host was fitted.
    values : dict of str to (n_clumps,) array
        Other columns of the result.
    flags : (n_clumps,) int array
    """

    def __init__(self, scene: Scene, moments: Array, moments_covariance: Array, rules: Rules, free_shape: bool,
                 method: str, n_sweeps: int) -> None:  # fmt: skip
        self.scene, self.fits = scene, [GroupFit(group) for group in scene.groups]
        self._rules, self._free, self._method = rules, free_shape, method
        # What is left of the image once all current models are taken off.
        self._left = scene.image.copy()
        self._stamps: dict[int, tuple[tuple[slice, slice], Array]] = {}
        n = len(scene.start)
        self.theta = np.column_stack([scene.start, moments])
        self.moments_covariance = moments_covariance.copy()
        self.by_moments = np.zeros((n, 3))
        self.likelihood = np.full((n, 3), np.nan), np.full((n, 3, 3), np.nan)
        self.values = {name: np.full(n, np.nan) for name in (
            "x_err", "y_err", "sigma_x_px_err", "sigma_y_px_err", "theta_deg_err", "flux", "flux_err", "background",
            "background_err", "sigma_limit_px", "chi2", "n_dof",
        )}  # fmt: skip
        self.flags = scene.flags.copy()
        if free_shape:
            self._begin_as_points()
        for _ in range(n_sweeps):
            if not self._swept():
                break
        self.by_host = self._by_host()

    def _swept(self) -> bool:
        """Fit all groups whose data changed by their neighbours' light; whether there were any."""
        moved = False
        for fit in self.fits:
            group = fit.group
            if fit.data is not None and not group.crowded:
                continue
            for k in group.members:
                self._add(k, +1.0)
            data = group.seen.of(self._left)
            if fit.data is None or np.sum(((data - fit.data) * group.seen.weight) ** 2) > _UNNOTICED:
                fit.data, moved = data, True
                self._keep(fit, self._widened(fit, self._fit(fit)))
            for k in group.members:
                self._add(k, -1.0)
        return moved

    def _by_host(self) -> Array:
        by_host, good = np.zeros(len(self.theta)), self.scene.weight > 0
        for fit in self.fits:
            members = fit.group.members
            if fit.width > 0.0 and np.isfinite(self.theta[members]).all():
                rise = rise_towards(self._left, good, *self.theta[members, :2].T, self.scene.kernel.fwhm_px)
                by_host[members] = _RISING * rise
        return by_host

    def _begin_as_points(self) -> None:
        """Take crowded clumps off each other as point sources: a free shape would grow over the neighbours."""
        self._free = False
        for fit in self.fits:
            if fit.group.crowded:
                members = fit.group.members
                fit.data = fit.group.seen.of(self._left)
                self._keep(fit, self._fit(fit))
                for k in members:
                    self._add(k, -1.0)
                self.theta[members, :2] = self.scene.start[members]
                fit.data = None
        self._free = True

    def _add(self, k: int, sign: float) -> None:
        """Put the model of a clump, if it has one, back into the image, or take it off."""
        if k in self._stamps:
            part, stamp = self._stamps[k]
            self._left[part] += sign * stamp

    def _widened(self, fit: GroupFit, fitted: Fitted) -> Fitted:
        """Fit again in a larger box, as long as the clumps ask for one and the model describes the pixels it adds."""
        grows = self.scene.adaptive and self._free and len(fit.group.members) == 1 and fit.width == 0.0
        # Overlapping clumps trade their light for width, which must not feed on a box that grows over both.
        room = 2 * fit.group.room
        while grows and fit.group.size < (size := self.scene.side(fitted.theta[:, 2:])) <= room:
            group = self.scene.widened(fit.group, size)
            wide = GroupFit(group, data=group.box.of(self._left))
            again = self._fit(wide)
            added = group.box.n_good - fit.group.box.n_good
            if again.chi2 - fitted.chi2 > self._rules.largest_chi2(added, _EXCESS):
                break
            fit.group, fit.data, fit.background, fitted = group, wide.data, wide.background, again
        return fitted

    def _fit(self, fit: GroupFit) -> Fitted:
        """Fit a group: on its box with a plane or, where there is evidence of a host, on the wide one."""
        group, scene = fit.group, self.scene
        fit.background = plane(group.box.weight.shape)
        if group.wide is None:
            return self._fit_on(group, fit.data, fit.background)[1]()
        (row, column), (ny, nx) = group.box.corner - group.wide.corner, group.box.weight.shape
        fit.width, fit.hidden = 0.0, np.zeros(len(group.members))
        data = np.ascontiguousarray(fit.data[row : row + ny, column : column + nx])
        theta, fitted = self._fit_on(group, data, fit.background)
        on_host = group.on_host(scene.host_side)

        def host(theta: Array) -> Background:
            return scene.host.background(group.wide, fit.data, self._sources(on_host, theta), not self._free)

        narrow = shape_of(theta[:, 2:])[0].max() < scene.host.broadest_px
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
            fit.background, width = found, found.width
            theta, fitted = self._fit_on(on_host, fit.data, found)
            passes -= 1
            if passes == 0:
                break
            found = host(theta)
        fit.width, ended = width, fitted()
        if width > 0.0:
            sources = self._sources(on_host, theta)
            fit.hidden = scene.host.hidden(
                group.wide, fit.data, sources, theta, ended.response, fit.background.process
            )
        return ended

    def _fit_on(
        self, group: Group, data: Array, background: Background
    ) -> tuple[Array, Callable[[], Fitted]]:
        """Where the fit of a group ends, and the rest of it, as `clumpscope.photometry.evidence.fit_group` has it."""
        if self._method == "lmfit":
            from .reference import fit_group
        else:
            from .evidence import fit_group

        members = group.members
        return fit_group(self._spectral_of(group), group.box, data, self.scene.start[members], self.theta[members],
                         group.reach, self._rules, self._free, self.moments_covariance[members], background)  # fmt: skip

    def _spectral_of(self, group: Group) -> SpectralPSF:
        return self.scene.kernel.spectral(group.reach + int(np.ceil(self._rules.max_shift_px)))

    def _sources(self, group: Group, theta: Array) -> Array:
        """Images of a group's clumps on its box, and their derivatives: neither a place nor a (given) shape that is wrong shall count as host."""
        (ny, nx), (row, column) = group.box.weight.shape, group.box.corner
        pixels, spectral = (column + np.arange(nx), row + np.arange(ny)), self._spectral_of(group)
        return np.concatenate([spectral.images(*source[:2], source[2:], *pixels, 6) for source in theta])

    def _keep(self, fit: GroupFit, fitted: Fitted) -> None:
        """Write down what a fit found."""
        members, values = fit.group.members, self.values
        fit.response = fitted.response
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
        self.flags[members] = (self.flags[members] & ~_VERDICTS) | self._verdicts(fit, fitted)
        # Beside other clumps, and for what a host does towards them, their light is taken off the image.
        if fit.group.crowded or fit.width > 0.0:
            for k in members:
                self._draw(k)

    def _verdicts(self, fit: GroupFit, fitted: Fitted) -> Array:
        """Flags (n,) that a fit raises."""
        away = np.abs(fitted.theta[:, :2] - self.scene.start[fit.group.members]).max(axis=1)
        wide = self._free & (shape_of(fitted.theta[:, 2:])[0] >= fitted.max_sigma_px - 1e-6)
        raised = {
            "unresolved": ~fitted.resolved & self._free,
            "size_undetermined": np.isinf(fitted.limit_px),
            "at_bound": (away >= self._rules.max_shift_px - 1e-9) | wide,
            "fit_failed": not fitted.converged,
            "host_dominated": fit.hidden > _HIDDEN * fitted.errors["flux"],
            # More than noise is left in the box.
            "poor_model": fitted.chi2 > self._rules.largest_chi2(fitted.n_dof, _POOR),
        }
        return sum(np.where(where, bit(name), 0) for name, where in raised.items())

    def _draw(self, k: int) -> None:
        """Draw the model of a clump, to be taken off its neighbours."""
        row, column = np.rint(self.theta[k, 1::-1]).astype(int)
        low, left = max(row - STAMP_PX, 0), max(column - STAMP_PX, 0)
        part = np.s_[low : row + STAMP_PX + 1, left : column + STAMP_PX + 1]
        stamp = np.empty((1, *self._left[part].shape))
        source_images(*self.scene.kernel.spectral(STAMP_PX).arrays, self.theta[k], low, left, stamp)
        self._stamps[k] = part, self.values["flux"][k] * stamp[0]
