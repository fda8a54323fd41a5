"""The compiled inner loop of model photometry: about 16 000 multiply-adds a model."""

import numpy as np

from .compiled import compiled
from .weights import fill_weights

__all__ = ["fill_fluxes"]


@compiled
def _parabola(t):  # noqa: ANN001, ANN202
    """Lagrange weights of the nodes 0, 1, 2 at t."""
    return 0.5 * (t - 1.0) * (t - 2.0), t * (2.0 - t), 0.5 * t * (t - 1.0)


@compiled
def _cell(grid, value):  # noqa: ANN001, ANN202
    """Lower index and fraction of `value` on an increasing grid; outside values take the nearest edge."""
    if value <= grid[0] or len(grid) == 1:
        return 0, 0.0
    if value >= grid[-1]:
        return len(grid) - 2, 1.0
    i = np.searchsorted(grid, value, side="right") - 1
    return i, (value - grid[i]) / (grid[i + 1] - grid[i])


@compiled
def fill_fluxes(
    fluxes,  # noqa: ANN001
    shape,  # noqa: ANN001
    age,  # noqa: ANN001
    log_z,  # noqa: ANN001
    a_v,  # noqa: ANN001
    log_u,  # noqa: ANN001
    tau,  # noqa: ANN001
    alpha,  # noqa: ANN001
    beta,  # noqa: ANN001
    age_yr,  # noqa: ANN001
    z_nodes,  # noqa: ANN001
    av_nodes,  # noqa: ANN001
    dust,  # noqa: ANN001
    stars,  # noqa: ANN001
    gas_z,  # noqa: ANN001
    gas_u,  # noqa: ANN001
    ionising,  # noqa: ANN001
    hat_index,  # noqa: ANN001
    hat_fraction,  # noqa: ANN001
    gas,  # noqa: ANN001
):  # noqa: ANN201
    """Set `fluxes` (n, n_bands) to nJy per solar mass formed; all parameters are (n,) arrays, tables as in `tables`."""
    n_pad = stars.shape[3]
    n_gas_ages = len(hat_index)
    n_gas = gas.shape[3]
    weights = np.empty(len(age_yr))
    light = np.empty(n_pad, np.float32)
    young = np.empty((3, n_gas), np.float32)
    degree = dust.shape[1] - 1
    for n in range(len(age)):
        n_used = fill_weights(weights, age_yr, shape, age[n], tau[n], alpha[n], beta[n])
        m, f_av = _cell(av_nodes, a_v[n])
        k, f_z = _cell(z_nodes, log_z[n])
        light[:] = 0.0
        low_clear, low_dusty, high_clear, high_dusty = (
            stars[k, m],
            stars[k, m + 1],
            stars[k + 1, m],
            stars[k + 1, m + 1],
        )
        c00 = np.float32((1.0 - f_z) * (1.0 - f_av))
        c01 = np.float32((1.0 - f_z) * f_av)
        c10 = np.float32(f_z * (1.0 - f_av))
        c11 = np.float32(f_z * f_av)
        for i in range(min(n_used, len(stars[k, m]))):
            w = np.float32(weights[i])
            for b in range(n_pad):
                light[b] += w * (
                    c00 * low_clear[i, b]
                    + c01 * low_dusty[i, b]
                    + c10 * high_clear[i, b]
                    + c11 * high_dusty[i, b]
                )
        # Nebular emission: parabolas through three metallicities and three ionisation parameters.
        fine, f_fine = _cell(gas_z, log_z[n])
        pair_z = fine // 2
        t_z = fine - 2 * pair_z + f_fine
        fine, f_fine = _cell(gas_u, log_u[n])
        pair_u = fine // 2
        t_u = fine - 2 * pair_u + f_fine
        weights_z, weights_u = _parabola(t_z), _parabola(t_u)
        young[:] = 0.0
        for i in range(min(n_used, n_gas_ages)):
            w = weights[i]
            j, f = hat_index[i], hat_fraction[i]
            for z in range(3):
                lum = w * ionising[2 * pair_z + z, i]
                young[z, j] += lum * (1.0 - f)
                young[z, j + 1] += lum * f
        for z in range(3):
            for u in range(3):
                c = weights_z[z] * weights_u[u]
                clear, dusty = (
                    gas[2 * pair_z + z, 2 * pair_u + u, m],
                    gas[2 * pair_z + z, 2 * pair_u + u, m + 1],
                )
                c0, c1 = np.float32(c * (1.0 - f_av)), np.float32(c * f_av)
                for j in range(n_gas):
                    w = young[z, j]
                    for b in range(n_pad):
                        light[b] += w * (c0 * clear[j, b] + c1 * dusty[j, b])
        for b in range(fluxes.shape[1]):
            power = dust[b, 0]
            for d in range(degree):
                power = power * a_v[n] + dust[b, d + 1]
            fluxes[n, b] = light[b] * np.exp(power)
