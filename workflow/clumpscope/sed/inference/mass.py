"""The mass formed, integrated out: model fluxes are linear in it, so it needs no sampling.

For template fluxes f of one solar mass, data d and errors sigma, with a = sum(f^2 / sigma^2),
b = sum(f d / sigma^2) and c = sum(d^2 / sigma^2),

    chi2(M) = c - 2 b M + a M^2.

With u = M sqrt(a) (the S/N the template would have) and s = b / sqrt(a), the integral over a prior
uniform in ln M is  exp(-c/2 + s^2/2)  int exp(-(u - s)^2 / 2) du / u  /  ln(M_high / M_low).
"""

import numpy as np

__all__ = ["best_mass", "draw_mass", "log_mass_integral"]

# Gauss-Legendre panels: small u in ln u (the integrand is flat there), then up to the peak and 7 sigma beyond.
_SMALL, _UNITY, _REACH, _EFOLDS = 0.05, 1.0, 7.0, 25.0
_NODES = {n: np.polynomial.legendre.leggauss(n) for n in (8, 12, 24)}
# From this S/N of the template on, an integral that no limit cuts is its asymptotic series, to 1e-7.
_BRIGHT = 10.0


def _limits(a: np.ndarray, b: np.ndarray, log_mass: tuple[float, float]) -> tuple[np.ndarray, ...]:
    root = np.sqrt(np.maximum(a, 1e-200))
    return b / root, root * 10.0 ** log_mass[0], root * 10.0 ** log_mass[1]


def _relative(u: np.ndarray, s: np.ndarray, peak: np.ndarray) -> np.ndarray:
    """Likelihood at u (n, k) over its largest value within the limits, which rounding must not exceed."""
    return np.exp(np.minimum(peak[:, None] - 0.5 * (u - s[:, None]) ** 2, 0.0))


def _panel(s: np.ndarray, low: np.ndarray, high: np.ndarray, n: int, peak: np.ndarray) -> np.ndarray:
    """Integral of exp(-(u - s)^2 / 2 + peak) over ln u from `low` to `high`, all (n,)."""
    node, weight = _NODES[n]
    half = 0.5 * (high - low)[:, None]
    t = 0.5 * (high + low)[:, None] + half * node
    return (half * weight * _relative(np.exp(t), s, peak)).sum(axis=1)


def log_mass_integral(a: np.ndarray, b: np.ndarray, c: float, log_mass: tuple[float, float]) -> np.ndarray:
    """Log of the likelihood averaged over a prior uniform in log mass.

    Parameters
    ----------
    a, b : (n,) arrays
        sum(f^2 / sigma^2) and sum(f d / sigma^2) of n templates of one solar mass.
    c : float
        sum(d^2 / sigma^2).
    log_mass : (float, float)
        Limits of log10 mass [Msun].

    Returns
    -------
    (n,) array
        ln of the mean over log mass of exp(-chi2 / 2); relative accuracy of the mean about 1e-6.
    """
    s, low, high = _limits(a, b, log_mass)
    log_mean = np.empty(len(s))
    bright = (s > _BRIGHT) & (low < s - _REACH) & (s + _REACH < high)
    q = 1.0 / s[bright] ** 2
    series = 1.0 + q * (1.0 + 3.0 * q * (1.0 + 5.0 * q * (1.0 + 7.0 * q)))
    log_mean[bright] = np.log(np.sqrt(2.0 * np.pi * q) * series)
    log_mean[~bright] = _log_by_panels(s[~bright], low[~bright], high[~bright])
    return log_mean + 0.5 * s**2 - 0.5 * c - np.log(np.log(10.0) * (log_mass[1] - log_mass[0]))


def _log_by_panels(s: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Log (n,) of the integral of exp(-(u - s)^2 / 2) over ln u between the limits, (n,) arrays."""
    top = np.clip(s, low, high)
    peak = 0.5 * (top - s) ** 2
    small, unity = np.clip(_SMALL, low, high), np.clip(_UNITY, low, high)
    total = _panel(s, np.log(low), np.log(small), 12, peak) + _panel(s, np.log(small), np.log(unity), 8, peak)
    # Where a limit of mass cuts the peak off, the integrand falls exponentially from the limit.
    below = np.minimum(_REACH, _EFOLDS / np.maximum(s - high, 1e-9))
    above = np.minimum(_REACH, _EFOLDS / np.maximum(low - s, 1e-9))
    start = np.clip(np.maximum(unity, top - below), low, high)
    end = np.clip(np.maximum(unity, top) + above, low, high)
    # The peak is a Gaussian in u, not in ln u.
    node, weight = _NODES[24]
    half = 0.5 * (end - start)[:, None]
    u = 0.5 * (end + start)[:, None] + half * node
    total += (half * weight * _relative(u, s, peak) / u).sum(axis=1)
    # Far outside the limits the panels shrink to nothing: still finite, so that a sampler sees the slope.
    return np.log(np.maximum(total, 1e-300)) - peak


def best_mass(
    a: np.ndarray, b: np.ndarray, c: float, log_mass: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Log mass (n,) of least chi2 within the limits, and that chi2 (n,)."""
    mass = np.clip(b / np.maximum(a, 1e-200), 10.0 ** log_mass[0], 10.0 ** log_mass[1])
    return np.log10(mass), c - 2.0 * b * mass + a * mass**2


def draw_mass(
    a: np.ndarray, b: np.ndarray, log_mass: tuple[float, float], rng: np.random.Generator, n_grid: int = 128
) -> np.ndarray:
    """One log mass per template, drawn from its distribution given the template, (n,)."""
    s, low, high = _limits(a, b, log_mass)
    end = np.clip(np.maximum(s, 0.0) + _REACH, low, high)
    start = np.clip(np.where(s > _REACH + 1.0, s - _REACH, low), low, end)
    t = np.log(start)[:, None] + np.log(end / start)[:, None] * np.linspace(0.0, 1.0, n_grid)
    log_density = -0.5 * (np.exp(t) - s[:, None]) ** 2
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    cumulative = np.concatenate(
        [np.zeros((len(s), 1)), np.cumsum(0.5 * (density[:, 1:] + density[:, :-1]), axis=1)], axis=1
    )
    target = rng.random(len(s)) * cumulative[:, -1]
    cell = np.clip((cumulative < target[:, None]).sum(axis=1) - 1, 0, n_grid - 2)
    row = np.arange(len(s))
    width = cumulative[row, cell + 1] - cumulative[row, cell]
    part = np.divide(target - cumulative[row, cell], width, out=np.full(len(s), 0.5), where=width > 0)
    log_u = t[row, cell] + part * (t[row, cell + 1] - t[row, cell])
    return np.clip((log_u - np.log(low)) / np.log(10.0) + log_mass[0], *log_mass)
