"""The loops over potentials, compiled: convergence, shear and deflection of isothermal ellipsoids.

A component is a pseudo-isothermal ellipsoid of convergence ``b / 2 / sqrt(s^2 + x^2 + y^2 / q^2)`` in its own
frame; a dual one is a component with the core minus another with the cut. With ``psi^2 = q^2 (s^2 + x^2) + y^2``
the deflection is ``b q / k (arctan(k x / (psi + s)), arctanh(k y / (psi + q^2 s)))``, k^2 = 1 - q^2 (Keeton 2001,
astro-ph/0102341, equations 33-35); its derivatives need a square root and a division, and hold for q = 1.
"""

import math

from ...machine_code import compiled

__all__ = ["isothermal_convergence_shear", "isothermal_deflection"]

# Positions worked on at once: their arrays stay in the processor's nearest cache.
_BLOCK = 512
# Stands for a vanishing core [arcsec], so that the centre of a singular profile gives numbers.
_SMALLEST_CORE = 1e-10
_SMALLEST_FLATTENING = 1e-15
_FASTMATH = {"contract", "nsz", "arcp"}


@compiled(_FASTMATH)
def isothermal_convergence_shear(rows, x, y, kappa, gamma1, gamma2):
    """Add the convergence and shear of dual (or, with an infinite cut, single) isothermal ellipsoids.

    Parameters
    ----------
    rows : (n_potentials, 7) array
        Columns as `potentials.FIELDS`; the strength is 6 pi (v_disp / c)^2 [arcsec].
    x, y : (n,) arrays
        Positions [arcsec].
    kappa, gamma1, gamma2 : (n,) arrays
        Added to; for D_LS / D_S = 1.
    """
    for first in range(0, x.size, _BLOCK):
        block = slice(first, first + _BLOCK)
        xs, ys, k, g1, g2 = x[block], y[block], kappa[block], gamma1[block], gamma2[block]
        for j in range(rows.shape[0]):
            eps = max(rows[j, 2], _SMALLEST_FLATTENING)
            cos, sin = math.cos(rows[j, 3]), math.sin(rows[j, 3])
            cos2, sin2 = cos * cos - sin * sin, 2.0 * sin * cos
            x0, y0 = rows[j, 0], rows[j, 1]
            q = (1.0 - eps) / (1.0 + eps)
            q2 = q * q
            core, cut = max(rows[j, 4], _SMALLEST_CORE), rows[j, 5]
            s, s2 = core * (1.0 + eps), (core * (1.0 + eps)) ** 2
            half = 0.5 * rows[j, 6] * (1.0 - eps)
            if math.isinf(cut):
                for i in range(xs.size):
                    dx, dy = xs[i] - x0, ys[i] - y0
                    u, v = cos * dx + sin * dy, cos * dy - sin * dx
                    u2, v2 = u * u, v * v
                    psi = math.sqrt(q2 * (s2 + u2) + v2)
                    d = (1.0 + q2) * s2 + 2.0 * s * psi + u2 + v2
                    inverse = half / (psi * d)
                    along = inverse * ((q2 - 1.0) * s2 + v2 - u2)
                    across = -2.0 * inverse * u * v
                    k[i] += inverse * d
                    g1[i] += along * cos2 - across * sin2
                    g2[i] += along * sin2 + across * cos2
            else:
                half *= cut / (cut - core)
                t, t2 = cut * (1.0 + eps), (cut * (1.0 + eps)) ** 2
                for i in range(xs.size):
                    dx, dy = xs[i] - x0, ys[i] - y0
                    u, v = cos * dx + sin * dy, cos * dy - sin * dx
                    u2, v2 = u * u, v * v
                    psi = math.sqrt(q2 * (s2 + u2) + v2)
                    phi = math.sqrt(q2 * (t2 + u2) + v2)
                    d = (1.0 + q2) * s2 + 2.0 * s * psi + u2 + v2
                    e = (1.0 + q2) * t2 + 2.0 * t * phi + u2 + v2
                    # One division for both: it is the slowest operation of the loop.
                    inner, outer = psi * d, phi * e
                    common = half / (inner * outer)
                    in_inverse, out_inverse = common * outer, common * inner
                    along = in_inverse * ((q2 - 1.0) * s2 + v2 - u2) - out_inverse * (
                        (q2 - 1.0) * t2 + v2 - u2
                    )
                    across = -2.0 * u * v * (in_inverse - out_inverse)
                    k[i] += in_inverse * d - out_inverse * e
                    g1[i] += along * cos2 - across * sin2
                    g2[i] += along * sin2 + across * cos2


@compiled(_FASTMATH)
def isothermal_deflection(rows, x, y, alpha_x, alpha_y):
    """Add the deflection of dual (or, with an infinite cut, single) isothermal ellipsoids.

    Parameters
    ----------
    rows, x, y
        As in `isothermal_convergence_shear`.
    alpha_x, alpha_y : (n,) arrays
        Added to [arcsec]; for D_LS / D_S = 1.
    """
    for j in range(rows.shape[0]):
        eps = max(rows[j, 2], _SMALLEST_FLATTENING)
        cos, sin = math.cos(rows[j, 3]), math.sin(rows[j, 3])
        q, k = (1.0 - eps) / (1.0 + eps), 2.0 * math.sqrt(eps) / (1.0 + eps)
        q2 = q * q
        core, cut = max(rows[j, 4], _SMALLEST_CORE), rows[j, 5]
        single = math.isinf(cut)
        s, t = core * (1.0 + eps), 0.0 if single else cut * (1.0 + eps)
        factor = rows[j, 6] * (1.0 - eps) / k
        if not single:
            factor *= cut / (cut - core)
        for i in range(x.size):
            dx, dy = x[i] - rows[j, 0], y[i] - rows[j, 1]
            u, v = cos * dx + sin * dy, cos * dy - sin * dx
            psi = math.sqrt(q2 * (s * s + u * u) + v * v)
            a, b = k * u / (psi + s), k * v / (psi + q2 * s)
            if not single:
                # Differences of arctangents as one arctangent: exact, as both have the same sign.
                phi = math.sqrt(q2 * (t * t + u * u) + v * v)
                a_cut, b_cut = k * u / (phi + t), k * v / (phi + q2 * t)
                a, b = (a - a_cut) / (1.0 + a * a_cut), (b - b_cut) / (1.0 - b * b_cut)
            a, b = factor * math.atan(a), factor * math.atanh(b)
            alpha_x[i] += cos * a - sin * b
            alpha_y[i] += sin * a + cos * b
