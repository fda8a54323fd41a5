"""Mass functions by full likelihood: every clump's mass error and selection; a power law, one with an exponential end, and one that breaks."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

__all__ = ["LAWS", "POINTS", "MassFit", "Sample", "fit_mass_function", "prior_ranges", "simulate_masses"]

Array = np.ndarray
_Laws = tuple[Array, Array, float, Array]  # alphas, then log M_c and beta in pairs, at one log M_b
LAWS = ("power_law", "truncated", "broken")
ALPHA_RANGES = {"power_law": (-4.0, -1.0), "truncated": (-4.0, 0.0), "broken": (-4.0, -1.0)}
"""Of the flat priors; a power law flatter than -1 has no total number."""
_BETA_RANGE = (-3.0, 3.0)
_BREAK_PERCENTS = (2.0, 90.0)  # of the measured masses: range of the break
_STEP = 0.04  # dex of the mass grid
_LIMIT_STEP = 0.1  # dex of the grid of limits
_REACH = 8.0  # dex above its limit where a law ends: slopes near -1 have a total number only so
_MARGIN_DEX = 2.0  # range of the truncation mass: from the median mass to so far above the greatest
_DEPTH = 10.0  # of the logarithm of the likelihood below its maximum, where the fine grid ends
_WITHOUT = {"alpha": np.nan, "log_mass_cut": np.inf, "log_mass_break": -np.inf, "beta": 0.0}
"""The laws' parameters, and what makes a law one without them."""
# Parameters of each law, and points of their grids.
POINTS = {
    "power_law": {"alpha": 41},
    "truncated": {"alpha": 41, "log_mass_cut": 25},
    "broken": {"alpha": 17, "log_mass_break": 11, "beta": 11},
}
_TINY = 1e-300  # where a sum underflows
_MIN_CLUMPS = 5
# Gauss-Hermite nodes of a standard normal distribution.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True, eq=False)
class Sample:
    """Clumps of a mass function.

    Attributes
    ----------
    log_mass : (n,) array
        Measured log10 masses, intrinsic.
    err_lo, err_hi : (n,) arrays
        Their errors, of fit and magnification together [dex].
    log_limit : (n,) array
        log10 mass at which half of the clumps such as this one would be found.
    width_dex : (n,) array
        Width of the logistic completeness about the limit; 0 is a step.
    shared : bool
        Whether a limit moves with the mass it was made from. It does when it is a limiting flux times a clump's own measured mass-to-light ratio
        and magnification: their errors are then in both. It does not when it is a limit of measured masses.
    """

    log_mass: Array
    err_lo: Array
    err_hi: Array
    log_limit: Array
    width_dex: Array
    shared: bool

    def used(self) -> "Sample":
        """The clumps at or above their limits: below, the completeness is an extrapolation that the slope must not hang on."""
        columns = [np.asarray(v, float) for v in (self.log_mass, self.err_lo, self.err_hi, self.log_limit, self.width_dex)]  # fmt: skip
        good = np.isfinite(columns).all(axis=0)
        good &= columns[0] >= columns[3]
        log_mass, err_lo, err_hi, log_limit, width_dex = (column[good] for column in columns)
        return Sample(log_mass, err_lo, err_hi, log_limit, width_dex, self.shared)


@dataclass(frozen=True)
class MassFit:
    """Posterior of one law, of flat priors in its slopes and in log10 of its masses.

    Attributes
    ----------
    n : int
        Clumps above their limits.
    alpha, alpha_err_lo, alpha_err_hi : float
        dN/dM ~ M^alpha; median and 68 %. The cumulative function has alpha + 1.
    log_mass_cut, log_mass_cut_err_lo, log_mass_cut_err_hi : float
        M_c of exp(-M / M_c) of the truncated law; NaN otherwise.
    log_mass_break, log_mass_break_err_lo, log_mass_break_err_hi : float
        M_b of the broken law, below which dN/dM ~ M^beta; NaN otherwise.
    beta, beta_err_lo, beta_err_hi : float
        Slope below it; NaN otherwise.
    log_evidence : float
        Logarithm of the likelihood averaged over the priors.
    aic : float
        Akaike's criterion.
    """

    n: int
    alpha: float = np.nan
    alpha_err_lo: float = np.nan
    alpha_err_hi: float = np.nan
    log_mass_cut: float = np.nan
    log_mass_cut_err_lo: float = np.nan
    log_mass_cut_err_hi: float = np.nan
    log_mass_break: float = np.nan
    log_mass_break_err_lo: float = np.nan
    log_mass_break_err_hi: float = np.nan
    beta: float = np.nan
    beta_err_lo: float = np.nan
    beta_err_hi: float = np.nan
    log_evidence: float = np.nan
    aic: float = np.nan


class _Likelihood:
    """ln L(alpha, log M_c, log M_b, beta) of a sample, what does not depend on the parameters computed once."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        spread = np.where(_NODES > 0, sample.err_hi[:, None], sample.err_lo[:, None])
        self.true = sample.log_mass[:, None] + spread * _NODES
        if sample.shared:
            # An outlying limit is more likely to err than to be so: the spread of the true limits is the prior of the errors.
            error2 = np.square(spread).mean(axis=1)
            own = max(float(np.var(sample.log_limit) - error2.mean()), float(_STEP**2))
            part = own / (own + error2)
            shift = (1 - part) * (sample.log_limit.mean() - sample.log_limit)
            self.true = sample.log_mass[:, None] + shift[:, None] + np.sqrt(part)[:, None] * spread * _NODES
            # With v = log M - limit, known from the flux: the selection's integral, over v for every possible true limit.
            self.limit = self.true - (sample.log_mass - sample.log_limit)[:, None]
            self.v = np.arange(0.5 * _STEP, _REACH, _STEP)
            widths, self.width_of = np.unique(np.round(sample.width_dex, 4), return_inverse=True)
            self.share = np.stack([_completeness(self.v, width) for width in widths])
            low, high = self.limit.min(), self.limit.max()
            self.limits = np.linspace(low, high, max(int(np.ceil((high - low) / _LIMIT_STEP)), 1) + 1)
            self.at = np.clip((self.limit - low) / max(high - low, 1e-9) * (self.limits.size - 1), 0, None)
        else:
            # Selected by measured mass: the chance that a clump of each true mass is measured above the limit and found.
            reach = 6.0 * max(sample.err_lo.max(), sample.err_hi.max())
            # The limit is an edge of a cell, not inside one.
            low = float(sample.log_limit.min()) - (np.ceil(reach / _STEP) - 0.5) * _STEP
            self.mass = np.arange(low, sample.log_limit.max() + _REACH, _STEP)
            keys = np.round(
                np.column_stack([sample.err_lo, sample.err_hi, sample.log_limit, sample.width_dex]), 3
            )
            keys, self.key_of = np.unique(keys, axis=0, return_inverse=True)
            self.key_of = self.key_of.ravel()
            self.chance = np.stack([_chance(self.mass, *key) for key in keys])

    def __call__(self, alpha: Array, log_cut: Array, log_break: Array, beta: Array) -> Array:
        """Values at all points of a grid, one axis a parameter."""
        cut, slope = (values.ravel() for values in np.meshgrid(log_cut, beta, indexing="ij"))
        at_break = self._shared if self.sample.shared else self._own
        values = np.stack([at_break((alpha, cut, at, slope)) for at in log_break], axis=-1)
        return values.reshape(alpha.size, log_cut.size, beta.size, log_break.size).swapaxes(2, 3)

    def _own(self, law: _Laws) -> Array:
        each = _log_sums(*_factors(self.true, *law), _WEIGHTS)
        norm = _log_sums(*_factors(self.mass[None], *law), self.chance) + np.log(_STEP)
        return each.sum(axis=0) - np.tensordot(np.bincount(self.key_of), norm, axes=1)

    def _shared(self, law: _Laws) -> Array:
        steep, rest = _factors(self.limits[:, None] + self.v, *law)
        norms = np.stack([_log_sums(steep, rest, share) for share in self.share]) + np.log(_STEP)
        below = np.minimum(self.at.astype(int), self.limits.size - 2)
        part, widths = self.at - below, self.width_of[:, None]
        values = np.empty(norms.shape[2:])
        steep, rest = _factors(self.true, *law)
        for row, one in enumerate(steep):  # all at once would not fit into the processor's cache
            norm = norms[:, :, row].transpose(2, 0, 1)
            norm = norm[:, widths, below] * (1 - part) + norm[:, widths, below + 1] * part
            each = np.exp(np.clip(one + rest - norm, -700, 700)) @ _WEIGHTS
            values[row] = np.log(each + _TINY).sum(axis=1)
        return values


def _log_sums(steep: Array, rest: Array, weight: Array) -> Array:
    """Logarithms of sums over the last axis of exp(steep + rest) weight: (n, alphas, others) of (alphas, n, m), (others, n, m) and (n, m)."""
    tops = [values.max(axis=-1, keepdims=True) for values in (steep, rest)]
    first, second = (np.exp(values - top) for values, top in zip((steep, rest), tops, strict=True))
    sums = (first * weight).swapaxes(0, 1) @ second.transpose(1, 2, 0)
    return np.log(sums + _TINY) + tops[0].swapaxes(0, 1) + tops[1].transpose(1, 2, 0)


def _completeness(above_dex: Array, width: float) -> Array:
    return expit(np.asarray(above_dex) / width) if width > 0 else np.ones(np.shape(above_dex))


def _chance(mass: Array, err_lo: float, err_hi: float, limit: float, width: float) -> Array:
    """Chance that a true mass is measured above the limit and found."""
    deviate = np.linspace(-5.0, 5.0, 401)
    weight = np.exp(-0.5 * deviate**2)
    # A truth above the measured mass by the upper error is a measurement below it.
    measured = mass[:, None] + np.where(deviate < 0, err_hi, err_lo) * deviate
    share = np.where(measured >= limit, _completeness(measured - limit, width), 0.0)
    return share @ (weight / weight.sum())


def _factors(
    log_mass: Array, alpha: Array, log_cut: Array, log_break: float, beta: Array
) -> tuple[Array, Array]:
    """Natural logarithms of the two factors of dN / dlog M, not normalised: that with alpha, and that with M_c and beta.

    One row for each alpha, and one for each pair of M_c and beta: all laws of a grid are products of few rows.
    """
    steep = np.multiply.outer(alpha + 1.0, np.log(10.0) * np.maximum(log_mass, log_break))
    bent = np.multiply.outer(beta + 1.0, np.log(10.0) * np.minimum(log_mass - log_break, 0.0))
    return steep, bent - 10.0 ** np.minimum(-np.subtract.outer(log_cut, log_mass), 4.0)


def fit_mass_function(sample: Sample, law: str = "power_law") -> MassFit:
    """Posterior of a mass function without bins.

    Parameters
    ----------
    sample : Sample
        Clumps below their limits are left out.
    law : {"power_law", "truncated", "broken"}
        dN/dM ~ M^alpha, that times exp(-M / M_c), or that above M_b and M^beta below: the functions of galaxies that begin at
        masses of their own add up to one that turns over.

    Returns
    -------
    MassFit
        NaN with fewer than five clumps.

    Notes
    -----
    A clump's likelihood is the law at its true mass, integrated over its error, over the integral of the law times the chance to be found. Where
    errors are shared with the limit that norm is inside the integral over the error: a power law, which has no scale, then does not
    feel them at all. The posterior of a clump's mass is taken for its likelihood, as it is for a prior that is flat in log M.
    Clumps that share a magnification are taken as independent: their common error widens no interval.
    Slopes are medians of skewed posteriors: about half are above the truth, but their mean is off it. 68 % intervals hold 68 % of truths that are drawn
    from the priors (Talts et al. 2018, equation 1), but not of every single one: where a truncation is hardly seen they may hold 80 %.
    `tests/benchmarks/mass_function.py` has all cases. Where the data do not reach the truncation, its mass is that of the prior.
    """
    sample = sample.used()
    n = sample.log_mass.size
    if n < _MIN_CLUMPS:
        return MassFit(n)
    likelihood = _Likelihood(sample)
    axes = _axes(sample, law)
    free = [axis for axis, grid in enumerate(axes) if grid.size > 1]
    log_area = sum(np.log(np.ptp(axes[axis])) for axis in free)
    for _ in range(2):  # everywhere, then where it is
        now = axes
        values = likelihood(*now)
        best = values.max()
        inside = values > best - _DEPTH
        others = [tuple(k for k in range(len(now)) if k != axis) for axis in range(len(now))]
        axes = [_around(grid, inside.any(axis=others[axis])) for axis, grid in enumerate(now)]
    weight = np.exp(values - best)
    log_cell = sum(np.log(now[axis][1] - now[axis][0]) for axis in free)
    evidence = best + np.log(weight.sum()) + log_cell - log_area
    known = {}
    for axis, name in enumerate(_WITHOUT):
        if axis in free:
            numbers = _interval(now[axis], weight.sum(axis=others[axis]))
            known |= dict(zip((name, f"{name}_err_lo", f"{name}_err_hi"), numbers, strict=True))
    return MassFit(n, **known, log_evidence=float(evidence), aic=float(2 * len(free) - 2 * best))


def prior_ranges(sample: Sample, law: str) -> dict[str, tuple[float, float]]:
    """Ends of the flat priors of a law's parameters, by their names in `MassFit`.

    Those of masses hang on the masses that were measured, since a flat prior of a mass has no ends: what lies beyond the greatest tells
    nothing of a truncation, and a break needs clumps on both sides.
    """
    masses = sample.used().log_mass
    low, high = np.percentile(masses, _BREAK_PERCENTS)
    ranges = {
        "alpha": ALPHA_RANGES[law],
        "log_mass_cut": (float(np.median(masses)), float(masses.max()) + _MARGIN_DEX),
        "log_mass_break": (float(low), float(high)),
        "beta": _BETA_RANGE,
    }
    return {name: ranges[name] for name in POINTS[law]}


def _axes(sample: Sample, law: str) -> list[Array]:
    """Grids of all parameters over the law's priors; one point where it has no such parameter."""
    ranges, points = prior_ranges(sample, law), POINTS[law]
    return [
        np.linspace(*ranges[name], points[name]) if name in ranges else np.array([none])
        for name, none in _WITHOUT.items()
    ]


def _around(grid: Array, inside: Array) -> Array:
    """As many points between the neighbours of those inside."""
    if grid.size == 1:
        return grid
    rows = np.flatnonzero(inside)
    return np.linspace(grid[max(rows[0] - 1, 0)], grid[min(rows[-1] + 1, grid.size - 1)], grid.size)


def _interval(grid: Array, weight: Array) -> tuple[float, float, float]:
    """Median, and its distances to 16 and 84 %, of a density on a regular grid."""
    summed = np.concatenate([[0.0], np.cumsum(0.5 * (weight[1:] + weight[:-1]))])
    low, middle, high = np.interp([0.16, 0.5, 0.84], summed / summed[-1], grid)
    return float(middle), float(middle - low), float(high - middle)


def simulate_masses(
    alpha: float, log_cut: float, error_dex: float, width_dex: float, n: int, rng: np.random.Generator, shared: bool = True,
    log_break: float = _WITHOUT["log_mass_break"], beta: float = _WITHOUT["beta"],
) -> Sample:  # fmt: skip
    """Clumps that a law, a completeness and errors would give, for tests of the fit.

    Parameters
    ----------
    alpha, log_cut, log_break, beta : float
        Law; without a finite cut or break it is a power law. Masses begin three dex below the limits, and
        end eight above them, as those of the fit.
    error_dex, width_dex : float
        Of the masses, and of the logistic completeness about limits that scatter by 0.3 dex about 10^6 (by none where not `shared`).
    n : int
        Clumps to find above their limits.
    rng : numpy.random.Generator
    shared : bool
        As of `Sample`.
    """
    grid = np.arange(3.0, 16.0, 0.001)
    steep, rest = _factors(grid, alpha, log_cut, log_break, beta)
    density = np.exp(steep + rest - np.max(steep + rest))
    # Draws below the range that can be found are wasted: one law above it is the same law.
    parts: list[tuple[Array, Array, Array]] = []
    count = 0
    while count < n:
        limit = 6.0 + (rng.normal(0.0, 0.3, 4000) if shared else np.zeros(4000))
        lowest = limit if shared else limit - 5.0 * error_dex
        chance = np.cumsum(density)
        start = np.interp(lowest, grid, chance)
        above = np.interp(limit + _REACH, grid, chance) - start
        # In proportion to how many of the law are above each limit.
        keep = rng.random(start.size) < above / above.max()
        limit, start, above = limit[keep], start[keep], above[keep]
        mass = np.interp(start + rng.random(start.size) * above, chance, grid)
        error = rng.normal(0.0, error_dex, mass.size)
        excess = (mass if shared else mass + error) - limit
        found = (excess >= 0) & (rng.random(mass.size) < _completeness(excess, width_dex))
        parts.append(
            (mass[found] + error[found], limit[found] + (error[found] if shared else 0.0), found[found])
        )
        count += int(found.sum())
    masses, limits = (np.concatenate([part[k] for part in parts])[:n] for k in (0, 1))
    errors, widths = np.full(n, error_dex), np.full(n, width_dex)
    return Sample(masses, errors, errors, limits, widths, shared)
