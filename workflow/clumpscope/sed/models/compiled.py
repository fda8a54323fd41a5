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
    "fill_all_weights",
    "fill_fluxes",
    "log_fractions_younger",
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

# Gauss-Legendre nodes where the rate bends over a step, and where it hardly does.
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(3)
_FEW_NODES, _FEW_WEIGHTS = np.polynomial.legendre.leggauss(2)
# e-folds of the rate in a step up to which few nodes do, the error is the fourth power of it over 4320, and up to which its
# middle does, the error is the square of it over 24.
_HARDLY, _FLAT = 0.5, 0.04
# Rates are negligible below exp(-40) of the largest, times below exp(-16) of tau or the age.
_NEGLIGIBLE, _LOG_TIMES, _MOST_STEPS = 40.0, 16.0, 200

# Ionising photons [1e46 / s / Msun] of which no band takes notice (young stars have some 5), and such a share of all.
_FEWEST_PHOTONS, _PHOTON_SHARE = 1e-12, 1e-6

_LN2 = np.log(2.0)
_SQRT_HALF_BITS = int(np.array(np.sqrt(0.5)).view(np.int64))


@compiled(_FASTMATH)
def _exponentials(x, out, bits):
    """Set `out` to exp(x) for x (n,) that are not positive (or hardly: below 0.3), to 1e-14; `bits` is a scratch array of int64.

    Without calls, so that the processor does several at once, which it cannot with the exponential of the C library.
    """
    for i in range(len(x)):
        value = max(x[i], -700.0)
        # The nearest power of two, and the series for the rest, within half of ln 2.
        power = np.int32(value / _LN2 - 0.5)
        r = value - power * _LN2
        series = 1.0 + r / 11.0
        series = 1.0 + r / 10.0 * series
        series = 1.0 + r / 9.0 * series
        series = 1.0 + r / 8.0 * series
        series = 1.0 + r / 7.0 * series
        series = 1.0 + r / 6.0 * series
        series = 1.0 + r / 5.0 * series
        series = 1.0 + r / 4.0 * series
        series = 1.0 + r / 3.0 * series
        series = 1.0 + r / 2.0 * series
        out[i] = 1.0 + r * series
        bits[i] = (np.int64(power) + 1023) << 52
    scale = bits.view(np.float64)
    for i in range(len(x)):
        out[i] *= scale[i]


@compiled(_FASTMATH)
def _logarithms(x, out, bits):
    """Set `out` to ln(x) for positive x (n,), to 1e-14; `bits` is a scratch array of int64 (see `_exponentials`)."""
    raw = x.view(np.int64)
    for i in range(len(x)):
        power = (raw[i] - _SQRT_HALF_BITS) >> 52
        out[i] = np.int32(power)
        bits[i] = raw[i] - (power << 52)
    mantissa = bits.view(np.float64)
    for i in range(len(x)):
        s = (mantissa[i] - 1.0) / (mantissa[i] + 1.0)
        q = s * s
        series = 1.0 / 15.0 + q / 17.0
        series = 1.0 / 13.0 + q * series
        series = 1.0 / 11.0 + q * series
        series = 1.0 / 9.0 + q * series
        series = 1.0 / 7.0 + q * series
        series = 1.0 / 5.0 + q * series
        series = 1.0 / 3.0 + q * series
        out[i] = out[i] * _LN2 + 2.0 * s * (1.0 + q * series)


@compiled(_FASTMATH)
def _add(weights, age_yr, i, star_age, mass):
    fraction = (star_age - age_yr[i]) / (age_yr[i + 1] - age_yr[i])
    weights[i] += mass * (1.0 - fraction)
    weights[i + 1] += mass * fraction


@compiled(_FASTMATH)
def _add_between(total, parts, below, place, n):
    """Add `n` parts to `total`, each shared by the nodes below and above its place between them (0 to 1)."""
    # Summed up while the nodes stay the same, as neighbours' do: a sum in memory waits for the one before.
    left, right = 0.0, 0.0
    i = below[0]
    for j in range(n):
        if below[j] != i:
            total[i] += left
            total[i + 1] += right
            left, right, i = 0.0, 0.0, below[j]
        above = parts[j] * place[j]
        left += parts[j] - above
        right += above
    total[i] += left
    total[i + 1] += right


@compiled(_FASTMATH)
def _fill_exponential(weights, age_yr, age, tau):
    """Hat weights of exp(a / tau) on 0 < a < age; returns the number of ages in use."""
    n = np.searchsorted(age_yr, age)
    # Ages at which next to no star formed have no weight.
    first = max(np.searchsorted(age_yr, age - _NEGLIGIBLE * tau) - 1, 0)
    n_steps = n - first
    work = np.empty((5, n_steps + 1))
    x, rate, bits, mass, right = work[0], work[1], work[2].view(np.int64), work[3], work[4]
    for j in range(n_steps):
        x[j] = (age_yr[first + j] - age) / tau
    x[n_steps] = 0.0
    _exponentials(x, rate, bits)
    total = 0.0
    for j in range(n_steps):
        step = x[j + 1] - x[j]
        # mass = int exp, part = int exp * (a - low) / (high - low), both over tau
        series = rate[j + 1] * step * (1.0 - step * (0.5 - step * (1.0 / 6.0 - step / 24.0)))
        mass[j] = rate[j + 1] - rate[j] if step > 1e-3 else series
        series = rate[j + 1] * step * (0.5 - step * (1.0 / 6.0 - step * (1.0 / 24.0 - step / 120.0)))
        part = rate[j + 1] - mass[j] / step if step > 1e-3 else series
        right[j] = part * step * tau / (age_yr[first + j + 1] - age_yr[first + j])
        total += mass[j]
    weights[first] = (mass[0] - right[0]) / total
    for j in range(1, n_steps):
        weights[first + j] = (mass[j] - right[j] + right[j - 1]) / total
    weights[n] = right[n_steps - 1] / total
    return n + 1


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
    """Increasing times since the onset, the last of them `age`, between which quadrature follows the rate.

    Steps in ln t are as narrow as the bend at the peak, 1 / (alpha + beta), and double away from it, to at most
    1.5 e-folds of the rate and one octave of time. They end below where the rate or the time is negligible.
    """
    peak = min(tau, age)
    points = np.empty(2 * _MOST_STEPS)
    n = 0
    narrowest = min(0.7, 1.0 / (alpha + beta))
    t, distance, step, widest = peak, 0.0, narrowest, min(0.7, 1.5 / beta)
    factor, largest = np.exp(step), np.exp(widest)
    while n < _MOST_STEPS and beta * distance < _NEGLIGIBLE and distance < _LOG_TIMES:
        distance += step
        t /= factor
        points[n] = t
        n += 1
        step *= 2.0
        factor *= factor
        if step > widest:
            step, factor = widest, largest
    for i in range(n // 2):
        points[i], points[n - 1 - i] = points[n - 1 - i], points[i]
    t, step, widest = peak, narrowest, min(0.7, 1.5 / alpha)
    factor, largest = np.exp(step), np.exp(widest)
    while t < age and n < len(points) - 1:
        points[n] = t
        n += 1
        t *= factor
        step *= 2.0
        factor *= factor
        if step > widest:
            step, factor = widest, largest
    points[n] = age
    return points[: n + 1]


@compiled(_FASTMATH)
def _fill_double_power_law(weights, age_yr, age, tau, alpha, beta, recent):
    """Set zeros to hat weights; returns the number of ages in use and the fraction formed in the last `recent` years."""
    # Of the steep end of a history only the recent fraction, which is told in logarithms, takes notice.
    end = age if recent > 0.0 else min(age, tau * np.exp(_NEGLIGIBLE / alpha))
    times = _smooth_times(end, tau, alpha, beta)
    oldest = min(np.searchsorted(age_yr, age), len(age_yr) - 1) - 1
    # Times of quadrature, their steps, and their places between the library's ages; then all rates at once.
    most = len(_NODES) * (len(times) + oldest + 2)
    work, below = np.empty((6, most)), np.empty(most, np.int64)
    t, share, place = work[0], work[1], work[2]
    n, steepest = 0, max(alpha, beta)
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
        youngest, per_width = age - middle - age_yr[i], 1.0 / (age_yr[i + 1] - age_yr[i])
        if steepest * half < 0.5 * _FLAT * low:
            t[n], share[n] = middle, 2.0 * half
            place[n], below[n] = youngest * per_width, i
            n += 1
        elif steepest * half < 0.5 * _HARDLY * low:
            for node in range(len(_FEW_NODES)):
                offset = half * _FEW_NODES[node]
                t[n], share[n] = middle + offset, half * _FEW_WEIGHTS[node]
                place[n], below[n] = (youngest - offset) * per_width, i
                n += 1
        else:
            for node in range(len(_NODES)):
                offset = half * _NODES[node]
                t[n], share[n] = middle + offset, half * _NODE_WEIGHTS[node]
                place[n], below[n] = (youngest - offset) * per_width, i
                n += 1
        if high >= times[k]:
            k += 1
        if i > 0 and high >= age - age_yr[i]:
            i -= 1
        low = high
    log_tau = np.log(tau)
    # Rates are taken relative to about their largest value, which may itself over- or underflow.
    log_largest = beta * min(0.0, np.log(age) - log_tau)
    u, mass, bits = work[3][:n], work[4][:n], work[5][:n].view(np.int64)
    _logarithms(t[:n], u, bits)
    for j in range(n):
        since = u[j] - log_tau
        mass[j] = min(beta * since, -alpha * since) - log_largest
        u[j] = -(alpha + beta) * abs(since)
    # The smaller of the two powers over the larger one is exp(u).
    _exponentials(mass, mass, bits)
    _exponentials(u, u, bits)
    total = 0.0
    for j in range(n):
        mass[j] *= share[j] / (1.0 + u[j])
        total += mass[j]
    _add_between(weights, mass, below, place, n)
    for j in range(oldest + 2):
        weights[j] /= total
    younger = 0.0
    for j in range(n - 1, -1, -1):
        if age - t[j] >= recent:
            break
        younger += mass[j]
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
    if np.isnan(age + tau + alpha + beta):
        weights[:] = np.nan
        return len(weights)
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
def fill_all_weights(weights, age_yr, shape, age, tau, alpha, beta):
    """Set `weights` (n, n_age) to those of n histories (see `fill_weights`)."""
    for n in range(len(age)):
        fill_weights(weights[n], age_yr, shape, age[n], tau[n], alpha[n], beta[n])


@compiled(_FASTMATH)
def log_fractions_younger(age_yr, shape, age, tau, alpha, beta, recent):
    """Those of n histories, (n,) (see `log_fraction_younger`)."""
    fractions = np.empty(len(age))
    for n in range(len(age)):
        fractions[n] = log_fraction_younger(age_yr, shape, age[n], tau[n], alpha[n], beta[n], recent)
    return fractions


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
        # An exponential decline is younger than either of these, and near the lesser one.
        likely = 2.0 * mean[n] if shape == EXPONENTIAL else high
        age = min(mean[n] + tau[n], likely, 0.5 * (low + high))
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
            # The last of Newton's steps doubles the digits.
            done = abs(new - age) <= 1e-10 * age
            age = new
            if done:
                break
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
    photons = np.empty(n_gas_ages)
    young = np.empty(n_gas, np.float32)
    per_photon = np.empty(n_gas * n_pad, np.float32)  # emission of the gas, by age and column
    light = np.empty(n_pad, np.float32)
    dimming, bits = np.empty((2, n_columns)), np.empty(n_columns, np.int64)
    degree = dust.shape[1] - 1
    for n in range(len(age)):
        n_used = fill_weights(weights, age_yr, shape, age[n], tau[n], alpha[n], beta[n])
        n_empty = 0
        while n_empty < n_used and weights[n_empty] == 0.0:
            n_empty += 1
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
        at_z = ionising[2 * pair_z], ionising[2 * pair_z + 1], ionising[2 * pair_z + 2]
        for i in range(n_gas_ages):
            photons[i] = weights[i] * (
                weights_z[0] * at_z[0][i] + weights_z[1] * at_z[1][i] + weights_z[2] * at_z[2][i]
            )
        _add_between(young, photons, hat_index, hat_fraction, min(n_used, n_gas_ages))
        # Only ages that make photons worth counting: the table of the gas is far larger than the processor's caches.
        least = max(_FEWEST_PHOTONS, _PHOTON_SHARE * young.sum())
        first_gas, end_gas = 0, n_gas
        while first_gas < n_gas and young[first_gas] < least:
            first_gas += 1
        while end_gas > first_gas and young[end_gas - 1] < least:
            end_gas -= 1
        light[:] = 0.0
        if first_gas < end_gas:
            begin, end = first_gas * n_pad, end_gas * n_pad
            lit = per_photon[begin:end]
            lit[:] = 0.0
            for z in range(3):
                for u in range(3):
                    c = weights_z[z] * weights_u[u]
                    corner = gas[2 * pair_z + z, 2 * pair_u + u]
                    c_low, c_high = np.float32(c * (1.0 - f_av)), np.float32(c * f_av)
                    _add_two(lit, corner[m][begin:end], corner[m + 1][begin:end], c_low, c_high)
            for j in range(first_gas, end_gas):
                of_age = per_photon[j * n_pad : (j + 1) * n_pad]
                for b in range(n_pad):
                    light[b] += young[j] * of_age[b]

        n_stars = min(n_used, stars.shape[3])
        c00 = np.float32((1.0 - f_z) * (1.0 - f_av))
        c01 = np.float32((1.0 - f_z) * f_av)
        c10 = np.float32(f_z * (1.0 - f_av))
        c11 = np.float32(f_z * f_av)
        for b in range(n_columns):
            power = dust[b, 0]
            for d in range(degree):
                power = power * a_v[n] + dust[b, d + 1]
            dimming[0, b] = power
        _exponentials(dimming[0], dimming[1], bits)
        for b in range(n_columns):
            total = light[b]
            for i in range(np.uint64(n_empty), np.uint64(n_stars)):
                total += weights_single[i] * (
                    c00 * stars[k, m, b, i]
                    + c01 * stars[k, m + 1, b, i]
                    + c10 * stars[k + 1, m, b, i]
                    + c11 * stars[k + 1, m + 1, b, i]
                )
            if b < n_bands:
                fluxes[n, b] = total * dimming[1, b]
            else:
                absorbed = -total * np.expm1(dimming[0, b])
                for band in range(n_bands):
                    fluxes[n, band] += absorbed * glow[band]
