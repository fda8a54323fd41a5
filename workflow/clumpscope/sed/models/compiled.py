"""Compiled loops of model photometry: weights of SSP ages for a history, and band fluxes from the tables.

SSP spectra are linear in age between the library's ages a_i, so the composite spectrum is sum(w_i S_i) with
w_i the integral of psi(age - a) times the hat function of a_i. For exponentials and constants the integrals
are elementary; the double power law is integrated by Gauss-Legendre between breakpoints that enclose its peak.
"""

import numpy as np

from ...machine_code import compiled

__all__ = [
    "BURST",
    "CONSTANT",
    "DOUBLE_POWER_LAW",
    "EXPONENTIAL",
    "SHAPES",
    "fill_fluxes",
    "fill_weights",
    "log_fraction_younger",
    "mean_ages",
    "onset_ages",
]

_FASTMATH = {"contract", "reassoc", "nsz", "arcp"}
BURST, CONSTANT, EXPONENTIAL, DOUBLE_POWER_LAW = 0, 1, 2, 3
SHAPES = {
    "burst": BURST,
    "constant": CONSTANT,
    "exponential": EXPONENTIAL,
    "double_power_law": DOUBLE_POWER_LAW,
}

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(3)
# Rates are negligible below exp(-40) of the largest, times below exp(-16) of tau or the age.
_NEGLIGIBLE, _LOG_TIMES, _MOST_STEPS = 40.0, 16.0, 200


@compiled(_FASTMATH)
def _add(weights, age_yr, i, star_age, mass):
    fraction = (star_age - age_yr[i]) / (age_yr[i + 1] - age_yr[i])
    weights[i] += mass * (1.0 - fraction)
    weights[i + 1] += mass * fraction


@compiled(_FASTMATH)
def _fill_exponential(weights, age_yr, age, tau):
    """Hat weights of exp(a / tau) on 0 < a < age; returns the number of ages in use."""
    total = 0.0
    rate_low = np.exp(-age / tau)
    low = 0.0
    i = 0
    while low < age:
        full = age_yr[i + 1] - age_yr[i]
        high = min(age_yr[i + 1], age)
        rate_high = np.exp((high - age) / tau)
        x = (high - low) / tau
        # mass = int exp, first = int exp * (a - low) / (high - low), both over tau
        if x > 1e-3:
            mass = rate_high - rate_low
            first = rate_high - mass / x
        else:
            mass = rate_high * x * (1.0 - x * (0.5 - x * (1.0 / 6.0 - x / 24.0)))
            first = rate_high * x * (0.5 - x * (1.0 / 6.0 - x * (1.0 / 24.0 - x / 120.0)))
        right = first * (high - low) / full
        weights[i] += mass - right
        weights[i + 1] += right
        total += mass
        rate_low = rate_high
        low = high
        i += 1
    for j in range(i + 1):
        weights[j] /= total
    return i + 1


@compiled(_FASTMATH)
def _fill_constant(weights, age_yr, age):
    low = 0.0
    i = 0
    while low < age:
        high = min(age_yr[i + 1], age)
        mass = (high - low) / age
        _add(weights, age_yr, i, 0.5 * (low + high), mass)
        low = high
        i += 1
    return i + 1


@compiled(_FASTMATH)
def _smooth_times(age, tau, alpha, beta):
    """Increasing times since the onset, the last of them `age`, between which 3-point quadrature follows the rate.

    Steps in ln t are as narrow as the bend at the peak, 1 / (alpha + beta), and double away from it, to at most
    1.5 e-folds of the rate and one octave of time. They end below where the rate or the time is negligible.
    """
    log_tau = np.log(tau)
    start = min(0.0, np.log(age) - log_tau)
    points = np.empty(2 * _MOST_STEPS)
    n = 0
    u, step = start, min(0.7, 1.0 / (alpha + beta))
    while n < _MOST_STEPS and beta * (start - u) < _NEGLIGIBLE and start - u < _LOG_TIMES:
        u -= step
        points[n] = np.exp(u + log_tau)
        n += 1
        step = min(2.0 * step, min(0.7, 1.5 / beta))
    for i in range(n // 2):
        points[i], points[n - 1 - i] = points[n - 1 - i], points[i]
    u, step = start, min(0.7, 1.0 / (alpha + beta))
    while True:
        t = np.exp(u + log_tau)
        if t >= age or n == len(points) - 1:
            break
        points[n] = t
        n += 1
        u += step
        step = min(2.0 * step, min(0.7, 1.5 / alpha))
    points[n] = age
    return points[: n + 1]


@compiled(_FASTMATH)
def _double_power_law(u, alpha, beta, log_unit):
    """The rate at u = ln(t / tau) over exp(log_unit)."""
    bend = (alpha + beta) * abs(u)
    rate = np.exp(-max(-beta * u, alpha * u) - log_unit)
    return rate / (1.0 + np.exp(-bend)) if bend < _NEGLIGIBLE else rate


@compiled(_FASTMATH)
def _fill_double_power_law(weights, age_yr, age, tau, alpha, beta, recent):
    """Hat weights; returns the number of ages in use and the fraction formed in the last `recent` years."""
    # Of the steep end of a history only the recent fraction, which is told in logarithms, takes notice.
    end = age if recent > 0.0 else min(age, tau * np.exp(_NEGLIGIBLE / alpha))
    times = _smooth_times(end, tau, alpha, beta)
    log_tau = np.log(tau)
    # Rates are taken relative to about their largest value, which may itself over- or underflow.
    log_largest = beta * min(0.0, np.log(age) - log_tau)
    total, younger = 0.0, 0.0
    oldest = min(np.searchsorted(age_yr, age), len(age_yr) - 1) - 1
    i = oldest
    low, k = times[0], 1
    while i > 0 and age_yr[i] >= age - low:
        i -= 1
    while low < end:
        # To the next smooth time, age of the library or start of the recent years, whichever comes first.
        high = min(times[k], age - age_yr[i])
        if low < age - recent < high:
            high = age - recent
        half = 0.5 * (high - low)
        middle = low + half
        for node in range(len(_NODES)):
            t = middle + half * _NODES[node]
            rate = _double_power_law(np.log(t) - log_tau, alpha, beta, log_largest)
            mass = half * _NODE_WEIGHTS[node] * rate
            _add(weights, age_yr, i, age - t, mass)
            total += mass
            if age - middle < recent:
                younger += mass
        if high >= times[k]:
            k += 1
        if i > 0 and high >= age - age_yr[i]:
            i -= 1
        low = high
    for j in range(oldest + 2):
        weights[j] /= total
    return oldest + 2, younger / total


@compiled(_FASTMATH)
def fill_weights(weights, age_yr, shape, age, tau, alpha, beta):
    """Set `weights` (n_age) to the mass per SSP age of one history; their sum is one.

    Parameters
    ----------
    weights : (n_age,) float array
        Output.
    age_yr : (n_age,) array
        Ages of the library, from zero.
    shape : int
        One of the constants of this module.
    age : float
        Time since the onset [yr], at most age_yr[-1].
    tau, alpha, beta : float
        Time scale [yr] and slopes; not all shapes use them.

    Returns
    -------
    int
        How many leading weights can differ from zero.
    """
    weights[:] = 0.0
    if shape == BURST:
        i = min(np.searchsorted(age_yr, age, side="right") - 1, len(age_yr) - 2)
        _add(weights, age_yr, i, age, 1.0)
        return i + 2
    if shape == CONSTANT:
        return _fill_constant(weights, age_yr, age)
    if shape == EXPONENTIAL:
        return _fill_exponential(weights, age_yr, age, tau)
    return _fill_double_power_law(weights, age_yr, age, tau, alpha, beta, 0.0)[0]


@compiled(_FASTMATH)
def log_fraction_younger(age_yr, shape, age, tau, alpha, beta, recent):
    """Natural logarithm of the fraction of the mass formed in the last `recent` years (see `fill_weights`)."""
    if recent >= age:
        return 0.0
    if shape == BURST:
        return -np.inf
    if shape == CONSTANT:
        return np.log(recent / age)
    if shape == EXPONENTIAL:
        return -(age - recent) / tau + np.log(np.expm1(-recent / tau) / np.expm1(-age / tau))
    weights = np.zeros(len(age_yr))
    return np.log(_fill_double_power_law(weights, age_yr, age, tau, alpha, beta, recent)[1])


@compiled(_FASTMATH)
def _mean_age(shape, age, tau, alpha, beta):
    """Mean age of the stars, and its derivative by the age; a double power law is taken for its two asymptotes."""
    x = age / tau
    if shape == EXPONENTIAL:
        growth = np.expm1(x)
        if growth > 1e15:
            return age - tau, 1.0
        return age - tau * (1.0 - x / growth), 1.0 + (growth - x * (growth + 1.0)) / growth**2
    if x <= 1.0:
        return age / (2.0 + beta), 1.0 / (2.0 + beta)
    log_x = np.log(x)
    mass, first = 1.0 / (1.0 + beta), 1.0 / (2.0 + beta)
    # The integrals of t^-alpha and of t^(1 - alpha) from 1 to x.
    power = 1.0 - alpha
    mass += np.expm1(power * log_x) / power if abs(power) > 1e-8 else log_x
    power = 2.0 - alpha
    first += np.expm1(power * log_x) / power if abs(power) > 1e-8 else log_x
    return age - tau * first / mass, 1.0 - np.exp(-alpha * log_x) * (x * mass - first) / mass**2


@compiled(_FASTMATH)
def mean_ages(shape, tau, alpha, beta, age):
    """Mean ages of the stars [yr] and their derivatives by the age, both (n,); all but `shape` are (n,) arrays."""
    mean, slope = np.empty(len(age)), np.empty(len(age))
    for n in range(len(age)):
        mean[n], slope[n] = _mean_age(shape, age[n], tau[n], alpha[n], beta[n])
    return mean, slope


@compiled(_FASTMATH)
def onset_ages(shape, tau, alpha, beta, mean, oldest):
    """Ages (n,) [yr] at which stars have the mean ages (n,), no more than `oldest`: the inverse of `mean_ages`."""
    ages = np.empty(len(mean))
    for n in range(len(mean)):
        low, high = mean[n], oldest
        if low >= high or _mean_age(shape, high, tau[n], alpha[n], beta[n])[0] <= mean[n]:
            ages[n] = oldest
            continue
        age = min(mean[n] + tau[n], 0.5 * (low + high))
        for _ in range(_MOST_STEPS):
            found, slope = _mean_age(shape, age, tau[n], alpha[n], beta[n])
            if found < mean[n]:
                low = age
            else:
                high = age
            # Newton's step, or half of the bracket where it leaves that.
            new = age + (mean[n] - found) / slope
            if not low < new < high:
                new = 0.5 * (low + high)
            if abs(new - age) <= 1e-12 * age:
                break
            age = new
        ages[n] = age
    return ages


@compiled(_FASTMATH)
def _parabola(t):
    """Lagrange weights of the nodes 0, 1, 2 at t."""
    return 0.5 * (t - 1.0) * (t - 2.0), t * (2.0 - t), 0.5 * t * (t - 1.0)


@compiled(_FASTMATH)
def _cell(grid, value):
    """Lower index and fraction of `value` on an increasing grid; outside values take the nearest edge."""
    if value <= grid[0] or len(grid) == 1:
        return 0, 0.0
    if value >= grid[-1]:
        return len(grid) - 2, 1.0
    i = min(np.searchsorted(grid, value, side="right") - 1, len(grid) - 2)  # NaN sorts last
    return i, (value - grid[i]) / (grid[i + 1] - grid[i])


@compiled(_FASTMATH)
def _add_two(total, first, second, c_first, c_second):
    for k in range(len(total)):
        total[k] += c_first * first[k] + c_second * second[k]


@compiled(_FASTMATH)
def fill_fluxes(
    fluxes,
    shape,
    age,
    log_z,
    a_v,
    log_u,
    tau,
    alpha,
    beta,
    age_yr,
    z_nodes,
    av_nodes,
    dust,
    glow,
    stars,
    gas_z,
    gas_u,
    ionising,
    hat_index,
    hat_fraction,
    gas,
    n_gas,
):
    """Set `fluxes` (n, n_bands) to nJy per solar mass formed; all parameters are (n,) arrays, tables as in `tables`."""
    n_bands, n_columns = fluxes.shape[1], stars.shape[2]
    n_gas_ages = len(hat_index)
    n_pad = gas.shape[3] // n_gas
    weights = np.empty(len(age_yr))
    weights_single = np.empty(len(age_yr), np.float32)
    young = np.empty(n_gas, np.float32)
    per_photon = np.empty(n_gas * n_pad, np.float32)  # emission of the gas, by age and column
    light = np.empty(n_pad, np.float32)
    degree = dust.shape[1] - 1
    for n in range(len(age)):
        n_used = fill_weights(weights, age_yr, shape, age[n], tau[n], alpha[n], beta[n])
        for i in range(n_used):
            weights_single[i] = weights[i]
        m, f_av = _cell(av_nodes, a_v[n])
        k, f_z = _cell(z_nodes, log_z[n])

        # Parabolas through three metallicities and three ionisation parameters.
        fine, f_fine = _cell(gas_z, log_z[n])
        pair_z = fine // 2
        weights_z = _parabola(fine - 2 * pair_z + f_fine)
        fine, f_fine = _cell(gas_u, log_u[n])
        pair_u = fine // 2
        weights_u = _parabola(fine - 2 * pair_u + f_fine)
        young[:] = 0.0
        for i in range(min(n_used, n_gas_ages)):
            photons = weights[i] * (
                weights_z[0] * ionising[2 * pair_z, i]
                + weights_z[1] * ionising[2 * pair_z + 1, i]
                + weights_z[2] * ionising[2 * pair_z + 2, i]
            )
            young[hat_index[i]] += photons * (1.0 - hat_fraction[i])
            young[hat_index[i] + 1] += photons * hat_fraction[i]
        per_photon[:] = 0.0
        for z in range(3):
            for u in range(3):
                c = weights_z[z] * weights_u[u]
                corner = gas[2 * pair_z + z, 2 * pair_u + u]
                _add_two(
                    per_photon, corner[m], corner[m + 1], np.float32(c * (1.0 - f_av)), np.float32(c * f_av)
                )
        light[:] = 0.0
        for j in range(n_gas):
            for b in range(n_pad):
                light[b] += young[j] * per_photon[j * n_pad + b]

        n_stars = min(n_used, stars.shape[3])
        c00 = np.float32((1.0 - f_z) * (1.0 - f_av))
        c01 = np.float32((1.0 - f_z) * f_av)
        c10 = np.float32(f_z * (1.0 - f_av))
        c11 = np.float32(f_z * f_av)
        for b in range(n_columns):
            total = light[b]
            for i in range(n_stars):
                total += weights_single[i] * (
                    c00 * stars[k, m, b, i]
                    + c01 * stars[k, m + 1, b, i]
                    + c10 * stars[k + 1, m, b, i]
                    + c11 * stars[k + 1, m + 1, b, i]
                )
            power = dust[b, 0]
            for d in range(degree):
                power = power * a_v[n] + dust[b, d + 1]
            if b < n_bands:
                fluxes[n, b] = total * np.exp(power)
            else:
                absorbed = -total * np.expm1(power)
                for band in range(n_bands):
                    fluxes[n, band] += absorbed * glow[band]
