"""Fits of one group of clumps: round or elliptical, whichever the data ask for; resolved or not; limits on sizes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .boxes import Box
from .compiled import FROZEN, FULL, LINE, POINT, ROUND, add_shape_errors, background_at, climb, sandwich
from .host import Background
from .model import SpectralPSF, main_variances
from .noise import Correlation
from .uncertainty import Fitted, flux_by_moments, moments_covariances, parameter_errors

__all__ = ["Rules", "fit_group"]

Array = np.ndarray
_WHITE = np.ones((1, 1))
# Variance across a clump below which its covariance sits on the bound [px^2].
_FLAT_PX2 = 1e-3
# Variance that is none [px^2].
_ROUNDING_PX2 = 1e-9
# Signal-to-noise of a given shape at its given place, below which the place stays: what is sought around it would be noise.
_PLACED = 3.0
# Excess of chi-squared over that of the noise, in its standard deviations, at which errors begin to grow with the
# residuals, and at which they do so in full: in between in part, lest a little more noise halve them.
_GROWING = (1.0, 5.0)
# chi-squared rise of a one-sided 97.5 % limit on one parameter.
_LIMIT_RISE = 3.84


@dataclass(frozen=True)
class Rules:
    """How clumps are fitted.

    Attributes
    ----------
    max_shift_px : float
        How far a centre may move.
    least_variance : float
        Of a round clump [px^2], below zero.
    resolved_chi2, elliptical_chi2 : float
        Fall of chi-squared, over its noise, by which a round clump must be better than a point source, and an
        elliptical than a round one.
    correlation : Correlation
        Of the noise.
    error_scale : float
        True scatter of the pixels over their errors.
    """

    max_shift_px: float
    least_variance: float
    resolved_chi2: float
    elliptical_chi2: float
    correlation: Correlation
    error_scale: float

    def chi2_scatter(self, n_pixels: float) -> float:
        """Standard deviation of the chi-squared of pixels of noise alone, whose errors are right."""
        return np.sqrt(2.0 * n_pixels * np.sum(self.correlation.rho**2))

    def largest_chi2(self, n_pixels: int, n_sigma: float) -> float:
        """Chi-squared of pixels of noise alone, plus some standard deviations of it."""
        return self.error_scale**2 * (n_pixels + n_sigma * self.chi2_scatter(n_pixels))


class _Problem:
    """One group on its box: climbs with given kinds."""

    def __init__(
        self,
        psf: SpectralPSF,
        box: Box,
        image: Array,
        start: Array,
        reach: int,
        rules: Rules,
        background: Background,
    ) -> None:
        self.psf, self.box, self.image, self.start, self.reach = psf, box, image, start, reach
        self.rules, self.background = rules, background
        # Beside a neighbour, a clump narrower than a point would take its place in the noise.
        self.least_variance = rules.least_variance if len(start) == 1 else 0.0
        self.max_variance = min(max(box.weight.shape) / 2.0, reach, background.broadest_px) ** 2
        self.ridge = background.ridge
        self._terms = (background.terms * box.weight).reshape(len(self.ridge), -1)
        self._products = self._terms @ self._terms.T + np.diag(self.ridge)
        self._correlated = rules.correlation(self._terms, box.weight.shape)
        self._last = None, None

    def climb(self, theta: Array, kind: Array) -> tuple:
        return climb(
            *self.psf.arrays, theta, kind, self.start, self.rules.max_shift_px, self.least_variance,
            self.max_variance, self.image,
            self.box.weight, self.box.corner, self.reach, self._terms, self._products, self.ridge,
        )  # fmt: skip

    def sandwich(self, columns: Array) -> tuple[Array, Array]:
        """Covariance of the parameters whose `columns` a climb gave, and that of white noise; both in units of it."""
        if columns is not self._last[0]:
            shape = self.box.weight.shape
            # The host's factors have unit variance.
            found = sandwich(columns, len(self.start), self._correlated, self.ridge, self.rules.error_scale**2,
                             *shape, *self.rules.correlation.arrays(shape))  # fmt: skip
            self._last = columns, found
        return self._last[1]

    def climb_full(self, theta: Array, kind: Array) -> tuple:
        """Climb with the `kind` FULL where asked, and from the bound of flat ellipses along it."""
        best = self.climb(theta, kind)
        flat = (kind == FULL) & (main_variances(best[0][:, 2:])[1] < _FLAT_PX2)
        if flat.any():
            along = self.climb(_with_width(best[0], flat), np.where(flat, LINE, kind))
            if along[2] < best[2]:
                best = self.climb(along[0], kind)
        return best


def _with_width(theta: Array, which: Array) -> Array:
    """A little width where there is none: a point source does not know into which direction to grow."""
    theta = theta.copy()
    none = which & (theta[:, 2] + theta[:, 3] < _FLAT_PX2)
    theta[none, 2:] = 0.1, 0.1, 0.0
    return theta


def fit_group(
    psf: SpectralPSF,
    box: Box,
    image: Array,
    start: Array,
    theta: Array,
    reach: int,
    rules: Rules,
    free_shape: bool,
    moments_covariance: Array,
    background: Background,
) -> tuple[Array, Callable[[], Fitted]]:
    """Fit the clumps of one group.

    Parameters
    ----------
    psf : SpectralPSF
    box : Box
    image : (ny, nx) array
        Data of the box.
    start : (n, 2) array
        Centres (x, y) [px] from which positions may move.
    theta : (n, 5) array
        Where to begin; with the shapes to keep where they are not free.
    reach : int
        Clumps are drawn inside this many pixels.
    rules : Rules
    free_shape : bool
        Whether shapes are fitted.
    moments_covariance : (n, 3, 3) array
        Of the shapes to keep (S_xx, S_yy, S_xy) [px^4]; of no account where shapes are fitted.
    background : Background
        Plane and host.

    Returns
    -------
    theta : (n, 5) array
        Where the fit ended.
    fitted : function
        The rest of it: errors and limits cost as much as the fit, and are not asked of all.
    """
    problem = _Problem(psf, box, image, start, reach, rules, background)
    if free_shape:
        end, *how = _choose(problem, theta)
    else:
        end, kind = _forced(problem, theta)
        how = kind, np.ones(len(start), dtype=bool), 1.0
    return end[0], lambda: _fitted(problem, end, *how, free_shape, moments_covariance)


def _fitted(
    problem: _Problem,
    end: tuple,
    kind: Array,
    resolved: Array,
    inflation: float,
    free_shape: bool,
    moments_covariance: Array,
) -> Fitted:
    """All that is known of a group's fit, from the last climb; arguments as `_choose` and `fit_group` have them."""
    n, rules, box, background = len(kind), problem.rules, problem.box, problem.background
    by_moments = np.zeros((n, 3))
    likelihood = np.full((n, 3), np.nan), np.full((n, 3, 3), np.nan)
    theta, linear, _, converged, columns, residual = end
    chi2 = float(residual @ residual)
    covariance, white = problem.sandwich(columns)
    n_terms = len(background.ridge)
    response = (white[:n] @ columns).reshape(n, *box.weight.shape) * box.weight
    covariance = covariance * rules.error_scale**2
    # A term held by its prior is not a whole parameter.
    held = np.sum(background.ridge * np.diag(white)[n : n + n_terms])
    n_dof = box.n_good - len(columns) + held
    grown = np.diag(covariance)[:n].sum() * _excess(problem, chi2, n_dof)
    if not free_shape:
        linear[:n] *= _without_luck(linear[:n], np.diag(covariance)[:n], kind)
        if moments_covariance.any():
            by_moments = add_shape_errors(covariance, white, columns, *problem.psf.arrays, theta, linear[:n],
                                          moments_covariance, box.weight, box.corner)  # fmt: skip
    # What is left may be there because the shape is wrong: its errors are not counted twice.
    growth = max(1.0, grown / np.diag(covariance)[:n].sum())
    covariance *= growth
    planes = background_at(theta, box.corner, background.terms)
    errors = parameter_errors(theta, kind, planes, covariance)
    limits = np.full(n, np.nan)
    if free_shape:
        by_moments = flux_by_moments(kind, n_terms, covariance)
        likelihood = _free_moments(problem, end, growth)
        for k in np.flatnonzero(~resolved):
            limits[k] = _size_limit(problem, theta, k, inflation)
    return Fitted(theta, linear[:n], planes @ linear[n:], errors, moments_covariances(kind, n_terms, covariance), by_moments,
                  likelihood, resolved, limits, np.sqrt(problem.max_variance), chi2, n_dof, response, converged)  # fmt: skip


def _forced(problem: _Problem, theta: Array) -> tuple[tuple, Array]:
    """Fluxes of given shapes; places are free where the clump is seen, and where that fit ends.

    Returns
    -------
    end : tuple
        The last climb.
    kind : (n,) int array
    """
    kind = np.full(len(theta), FROZEN)
    placed = problem.climb(theta, kind)
    variance = np.diag(problem.sandwich(placed[4])[0])[: len(theta)]
    seen = placed[1][: len(theta)] > _PLACED * problem.rules.error_scale * np.sqrt(variance)
    if seen.any():
        end = problem.climb(theta, np.where(seen, POINT, FROZEN))
        if end[3]:
            return end, np.where(seen, POINT, FROZEN)
    return placed, kind


def _excess(problem: _Problem, chi2: float, n_dof: float) -> float:
    """Variance of the residuals over that of the noise, as far as it exceeds it clearly; 1 where it does not."""
    if n_dof <= 0.0:
        return 1.0
    over = chi2 / problem.rules.error_scale**2 - n_dof
    share = np.interp(over / problem.rules.chi2_scatter(n_dof), _GROWING, (0.0, 1.0))
    return 1.0 + float(share) * over / n_dof


def _without_luck(flux: Array, variance: Array, kind: Array) -> Array:
    """Factors that take off the light which free places find in the noise (Portillo et al. 2020, AJ 159, 165).

    The best of two more parameters raises the squared signal-to-noise by 2, so the flux by (S/N)^-2; written so that
    it stays sensible where that is large.
    """
    return np.where(kind == POINT, flux**2 / (flux**2 + variance), 1.0)


def _derivatives(problem: _Problem, source: Array) -> Array:
    """Weighted derivatives (5, n_pixels) of a source of unit flux by x, y, S_xx, S_yy, S_xy."""
    (ny, nx), (row, column) = problem.box.weight.shape, problem.box.corner
    pixels = column + np.arange(nx), row + np.arange(ny)
    return (problem.psf.images(*source[:2], source[2:], *pixels, 6)[1:] * problem.box.weight).reshape(5, -1)


def _free_moments(problem: _Problem, end: tuple, growth: float) -> tuple[Array, Array]:
    """Second moments of every source as the data alone have them, with their covariance: one step from the end of a climb.

    The step is not bound to ellipses, so that moments of what has no width scatter about zero; and it is that of
    ellipses where the climb was of round clumps.

    Returns
    -------
    moments : (n, 3) array
    covariance : (n, 3, 3) array
        NaN where the flux is not positive.
    """
    theta, linear, _, _, columns, residual = end
    n, fixed = len(theta), len(theta) + len(problem.background.ridge)
    # The last digit of a flat ellipse's variance, which is zero, has either sign.
    narrow = main_variances(theta[:, 2:])[1] < -_ROUNDING_PX2
    if narrow.any():
        # What is narrower than a point knows its width better than it can be known.
        theta = theta.copy()
        theta[narrow, 2:] = 0.0
        theta, linear, _, _, columns, residual = problem.climb(theta, np.full(n, FROZEN))
    if len(columns) < fixed + 5 * n:
        derivatives = [linear[k] * _derivatives(problem, source) for k, source in enumerate(theta)]
        columns = np.ascontiguousarray(np.concatenate([columns[:fixed], *derivatives]))
    covariance, white = problem.sandwich(columns)
    covariance = covariance * problem.rules.error_scale**2 * growth
    gradient = columns @ residual
    # The background's own penalty is at rest where the climb ended.
    gradient[:fixed] = 0.0
    step = white @ gradient
    moments, shapes = theta[:, 2:].copy(), np.empty((n, 3, 3))
    for k in range(n):
        own = slice(fixed + 5 * k + 2, fixed + 5 * k + 5)
        moments[k] += step[own]
        shapes[k] = covariance[own, own]
    lost = linear[:n] <= 0.0
    moments[lost], shapes[lost] = np.nan, np.nan
    return moments, shapes


def _choose(problem: _Problem, theta: Array) -> tuple[tuple, Array, Array, float]:
    """Round or elliptical, resolved or not, clump by clump.

    A clump that is not resolved stays round with its best variance, which may be below zero: a point source put in its
    place has too little flux as soon as the clump has a size too small to be seen (6 per cent at 0.4 px behind a PSF of
    3 px), and errors that know nothing of it; a variance cut off at zero is on average too large, and so is the flux.

    Returns
    -------
    end : tuple
        The last climb.
    kind : (n,) int array
    resolved : (n,) bool array
    inflation : float
        Noise of differences of chi-squared over that of white noise of unit variance.
    """
    n, rules = len(theta), problem.rules
    begin = theta.copy()
    begin[:, 2:] = 0.0
    point = problem.climb(begin, np.full(n, POINT))
    begin = point[0].copy()
    begin[:, 2:4] = 0.5
    round_ = problem.climb(begin, np.full(n, ROUND))
    # What fits best narrower than a point needs no ellipse.
    narrow = n == 1 and round_[0][0, 2] <= 0.0
    full = (
        point
        if narrow
        else problem.climb_full(_with_width(round_[0], np.ones(n, dtype=bool)), np.full(n, FULL))
    )
    inflation = _inflation(problem, round_ if narrow else full)
    begin, kind, resolved = full[0].copy(), np.full(n, FULL), np.ones(n, dtype=bool)
    for k in range(n):
        to_round, to_full = (fall / inflation for fall in _falls(problem, k, point, round_, full))
        resolved[k] = max(to_round, to_round + to_full - rules.elliptical_chi2) >= rules.resolved_chi2
        if not resolved[k] or to_full < rules.elliptical_chi2:
            kind[k] = ROUND
            begin[k, 2:] = round_[0][k, 2], round_[0][k, 2], 0.0
    if n == 1:
        # In pure noise the climb may find no end.
        if not resolved[0] and not round_[3]:
            return point, np.full(1, POINT), resolved, inflation
        return (full if kind[0] == FULL else round_), kind, resolved, inflation
    end = problem.climb_full(begin, kind)
    # Many ellipses together may find no end, where round clumps do.
    return (
        (round_, np.full(n, ROUND), resolved, inflation)
        if round_[3] and not end[3]
        else (end, kind, resolved, inflation)
    )


def _inflation(problem: _Problem, end: tuple) -> float:
    """Noise of differences of chi-squared, from the errors of the shapes of a climb, all of one kind."""
    n, columns = len(problem.start), end[4]
    covariance, white = problem.sandwich(columns)
    free = n + len(problem.background.ridge)
    ratio = np.diag(covariance)[free:] / np.diag(white)[free:]
    # Of each clump, the place comes first.
    return float(ratio.reshape(n, -1)[:, 2:].mean()) * problem.rules.error_scale**2


def _falls(problem: _Problem, k: int, point: tuple, round_: tuple, full: tuple) -> tuple[float, float]:
    """Fall of chi-squared from a point source to a round clump, and from there to an elliptical one."""
    n = len(problem.start)
    if n > 1:
        # The other members keep place and shape; their fluxes stay free.
        kind = np.full(n, FROZEN)
        theta = full[0].copy()
        theta[k, 2:] = 0.0
        kind[k] = POINT
        point = problem.climb(theta, kind)
        theta[k, 2:4] = 0.5
        kind[k] = ROUND
        round_ = problem.climb(theta, kind)
    # The best round clump that can be is the point source, where the variance wants to be below zero.
    best = round_ if round_[0][k, 2] > 0.0 else point
    return point[2] - best[2], best[2] - full[2]


def _size_limit(problem: _Problem, theta: Array, k: int, inflation: float) -> float:
    """Largest round sigma [px] of source `k` that the data allow: 97.5 %, one-sided; infinite when none is excluded."""
    kind = np.full(len(theta), FROZEN)
    theta = theta.copy()

    def chi2(variance: float) -> float:
        theta[k, 2:4] = variance
        return problem.climb(theta, kind)[2]

    # The least chi-squared may be at a small positive size.
    best, low, high = chi2(0.0), 0.0, 0.25
    while True:
        here = chi2(high)
        best = min(best, here)
        if here - best > _LIMIT_RISE * inflation:
            break
        low, high = high, 2.0 * high
        if high > problem.max_variance:
            return np.inf
    for _ in range(5):
        middle = 0.5 * (low + high)
        here = chi2(middle)
        best = min(best, here)
        low, high = (low, middle) if here - best > _LIMIT_RISE * inflation else (middle, high)
    return float(np.sqrt(high))
