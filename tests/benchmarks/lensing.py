"""Speed and accuracy of the lens models, side by side with lenstronomy and PyAutoGalaxy where they are installed, on one thread.

Prints a table and writes it as CSV. The peers are no dependencies of the project: to compare with one, install it
with this project's dependencies into an environment of its own and use that environment's Python.

    python tests/benchmarks/lensing.py
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_variable] = "1"

import argparse  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from dataclasses import replace  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
from astropy.table import Table  # noqa: E402
from astropy.wcs import WCS  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow"))

from clumpscope.cosmology import COSMOLOGY  # noqa: E402
from clumpscope.lensing.clumps.magnification import magnify_clumps  # noqa: E402
from clumpscope.lensing.files.parameters import potential_row  # noqa: E402
from clumpscope.lensing.models.model import magnification_of  # noqa: E402
from clumpscope.lensing.models.parametric import ParametricModel  # noqa: E402
from clumpscope.lensing.models.potentials import ANGLE, CORE, CUT, ELLIPTICITY, STRENGTH, X, Y  # noqa: E402

Z_LENS, Z_SOURCE = 0.4, 2.0


def cluster(n_potentials: int, n_samples: int, elliptical: bool = True) -> ParametricModel:
    """Two halos and many galaxies, whose parameters scatter from sample to sample."""
    rng = np.random.default_rng(11)
    rows = np.zeros((n_potentials, 7))
    rows[:, [X, Y]] = rng.normal(0.0, 30.0, (n_potentials, 2))
    rows[:, ELLIPTICITY] = rng.uniform(0.0, 0.3, n_potentials) if elliptical else 0.0
    rows[:, ANGLE] = rng.uniform(0.0, np.pi, n_potentials)
    rows[:, CORE], rows[:, CUT] = 0.05, rng.uniform(3.0, 15.0, n_potentials)
    rows[:, STRENGTH] = rng.uniform(0.1, 1.0, n_potentials)
    rows[:2, CORE], rows[:2, CUT], rows[:2, STRENGTH] = 8.0, 300.0, 30.0
    samples = rows * (1.0 + 0.03 * rng.standard_normal((n_samples, *rows.shape)))
    return ParametricModel(
        reference=(40.0, -1.5), z_lens=Z_LENS, profiles=np.full(n_potentials, 81), rows=rows, samples=samples
    )


def grid(n: int, half: float = 15.0) -> tuple[np.ndarray, np.ndarray]:
    """Positions of a square map."""
    axis = np.linspace(-half, half, n)
    return tuple(a.ravel() for a in np.meshgrid(axis, axis))


def seconds(function: Callable[[], object], repeats: int = 3) -> float:
    """Shortest time of a few calls."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def kassiola_kovner_map(rows: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Convergence and shear by the complex formula in plain numpy, as one would first write it."""
    kappa, gamma1, gamma2 = np.zeros((3, x.size))
    for row in rows:
        turn = np.exp(1j * row[ANGLE])
        own = ((x - row[X]) + 1j * (y - row[Y])) / turn
        eps = max(row[ELLIPTICITY], 1e-7)
        q, root = (1 - eps) / (1 + eps), np.sqrt(eps)
        a, b = 1 / (1 + eps) ** 2, 1 / (1 - eps) ** 2
        for sign, radius in ((1.0, row[CORE]), (-1.0, row[CUT])):
            u, v = own.real, own.imag
            scaled = np.sqrt(radius**2 + a * u**2 + b * v**2)
            above, below = q * u + 1j * (2 * root * scaled - v / q), u + 1j * (2 * root * radius - v)
            factor = -0.5j * (1 - eps**2) / root * sign * row[STRENGTH] * row[CUT] / (row[CUT] - row[CORE])
            along = factor * ((q + 2j * root * a * u / scaled) / above - 1 / below)
            across = factor * (1j * (2 * root * b * v / scaled - 1 / q) / above + 1j / below)
            shear = (0.5 * (along.real - across.imag) + 1j * along.imag) * turn**2
            kappa += 0.5 * (along.real + across.imag)
            gamma1 += shear.real
            gamma2 += shear.imag
    return np.array([kappa, gamma1, gamma2])


def derivative_error(model: ParametricModel) -> float:
    """Largest error of convergence and shear against differences of the deflection, relative to the largest value."""
    x, y = np.random.default_rng(2).uniform(-40.0, 40.0, (2, 2000))
    away = np.min(np.hypot(x[:, None] - model.rows[:, X], y[:, None] - model.rows[:, Y]), axis=1) > 0.5
    x, y = x[away], y[away]
    weights = ((1, 4 / 5), (2, -1 / 5), (3, 4 / 105), (4, -1 / 280))
    h = 4e-3

    def difference(dx: float, dy: float) -> np.ndarray:
        parts = [
            w * np.subtract(*(model.deflection(x + s * n * dx, y + s * n * dy, Z_SOURCE) for s in (h, -h)))
            for n, w in weights
        ]
        return np.sum(parts, axis=0) / h

    along, across = difference(1.0, 0.0), difference(0.0, 1.0)
    kappa, gamma1, gamma2 = model.convergence_shear(x, y, Z_SOURCE)
    errors = (
        kappa - 0.5 * (along[0] + across[1]),
        gamma1 - 0.5 * (along[0] - across[1]),
        gamma2 - along[1],
    )
    return float(np.abs(errors).max() / np.abs(kappa).max())


def lenstronomy_rows(n_potentials: int, n_pixels: int, n_maps: int) -> list[tuple]:
    """Time of lenstronomy for the same maps, and the difference of the two for round potentials."""
    try:
        from lenstronomy.LensModel.lens_model import LensModel as Peer
    except ImportError:
        print("lenstronomy is not installed here: no comparison with it")
        return []
    x, y = grid(n_pixels)
    model = cluster(n_potentials, 1, elliptical=False)

    def arguments(rows: np.ndarray, elliptical: bool) -> list[dict]:
        shared = [
            {"sigma0": row[STRENGTH] / 2.0 / row[CORE], "Ra": row[CORE], "Rs": row[CUT], "center_x": row[X],
             "center_y": row[Y]}
            for row in rows
        ]  # fmt: skip
        return [{**one, "e1": 0.1, "e2": 0.0} for one in shared] if elliptical else shared

    round_peer = Peer(["PJAFFE"] * n_potentials)
    keywords = arguments(model.rows, False)
    f_xx, f_xy, _, f_yy = round_peer.hessian(x, y, keywords)
    alpha = round_peer.alpha(x, y, keywords)
    ratio = model.distance_ratio(Z_SOURCE)
    ours = np.array(model.convergence_shear(x, y, Z_SOURCE)) / ratio
    theirs = np.array([0.5 * (f_xx + f_yy), 0.5 * (f_xx - f_yy), f_xy])
    bend = np.array(model.deflection(x, y, Z_SOURCE)) / ratio
    elliptical = Peer(["PJAFFE_ELLIPSE_POTENTIAL"] * n_potentials)
    keywords = arguments(model.rows, True)
    per_map = seconds(lambda: elliptical.hessian(x, y, keywords), 2)
    mu, mu_ours = 1 / ((1 - theirs[0]) ** 2 - (theirs[1] ** 2 + theirs[2] ** 2)), magnification_of(
        ours[0], np.hypot(ours[1], ours[2])
    )[0]  # fmt: skip
    moderate = np.abs(mu) < 50
    return [
        (f"{n_maps} maps, lenstronomy (elliptical potentials)", per_map * n_maps, "s", ""),
        ("kappa, gamma against lenstronomy, round", np.abs(ours - theirs).max() / ours[0].max(), "relative", ""),
        ("deflection against lenstronomy, round", np.abs(bend - alpha).max() / np.abs(bend).max(), "relative", ""),
        ("magnification below 50 against lenstronomy", np.abs(mu_ours / mu - 1)[moderate].max(), "relative", ""),
    ]  # fmt: skip


def lenstronomy_planes() -> list[tuple]:
    """Deflection and magnification through three planes, against lenstronomy's ray tracing."""
    try:
        from lenstronomy.LensModel.lens_model import LensModel as Peer
    except ImportError:
        return []
    one = cluster(12, 1, elliptical=False)
    redshifts = np.repeat([0.2, Z_LENS, 0.9], 4)  # in order: the peer mixes up positions otherwise
    model = replace(one, redshifts=redshifts)
    keywords = [
        {"sigma0": model.distance_ratio(Z_SOURCE, z_lens=z) * row[STRENGTH] / 2.0 / row[CORE], "Ra": row[CORE], "Rs": row[CUT],
         "center_x": row[X], "center_y": row[Y]}
        for row, z in zip(model.rows, redshifts, strict=True)
    ]  # fmt: skip
    peer = Peer(["PJAFFE"] * 12, lens_redshift_list=list(redshifts), z_source=Z_SOURCE, multi_plane=True,
                cosmo=model.cosmology, observed_convention_index=list(range(12)))  # fmt: skip
    x, y = grid(60, 30.0)
    bend, theirs = np.array(model.deflection(x, y, Z_SOURCE)), np.array(peer.alpha(x, y, keywords))
    f_xx, f_xy, f_yx, f_yy = peer.hessian(x, y, keywords, diff=1e-5)
    mu = 1.0 / ((1.0 - f_xx) * (1.0 - f_yy) - f_xy * f_yx)
    ours = magnification_of(*(lambda k, a, b: (k, np.hypot(a, b)))(*model.convergence_shear(x, y, Z_SOURCE)))[
        0
    ]
    moderate = np.abs(mu) < 20
    return [
        ("deflection through three planes against lenstronomy", np.abs(bend - theirs).max() / np.abs(theirs).max(), "relative", ""),
        ("magnification through them against its differences", np.abs(ours / mu - 1)[moderate].max(), "relative", ""),
    ]  # fmt: skip


def autogalaxy_rows() -> list[tuple]:
    """Deflection of an elliptical dPIE against PyAutoGalaxy's, which follows Lenstool too."""
    try:
        import autogalaxy
    except ImportError:
        print("PyAutoGalaxy is not installed here: no comparison with it")
        return []
    x, y = grid(60)
    worst = [0.0, 0.0]
    for ellipticity, angle in ((0.1, 0.0), (0.4, 35.0), (0.75, 115.0)):
        values = {"x_centre": 1.2, "y_centre": -0.7, "ellipticite": ellipticity, "angle_pos": angle, "core_radius": 0.8,
                  "cut_radius": 12.0, "v_disp": 600.0}  # fmt: skip
        row = potential_row(81, values, Z_LENS, COSMOLOGY, "")
        model = ParametricModel(
            reference=(40.0, -1.5), z_lens=Z_LENS, profiles=np.array([81]), rows=row[None]
        )
        peer = autogalaxy.mp.dPIEMass(
            centre=(-0.7, 1.2), ellipticity=ellipticity, angle_pos=angle, sigma=600.0, r_core=0.8, r_cut=12.0,
            redshift_object=Z_LENS, redshift_source=Z_SOURCE, H0=70.0, Om0=0.3,
        )  # fmt: skip
        places = autogalaxy.Grid2DIrregular(np.column_stack([y, x]))
        theirs = np.array(peer.deflections_yx_2d_from(grid=places)).T[::-1]
        ours = np.array(model.deflection(x, y, Z_SOURCE))
        kappa, peers = (
            model.convergence_shear(x, y, Z_SOURCE)[0],
            np.array(peer.convergence_2d_from(grid=places)),
        )
        # Their D_LS / D_S is that of a cosmology with radiation: one factor for all, told apart from the profile.
        factor = float(np.median(peers / kappa))
        worst[0] = max(worst[0], np.abs(theirs / factor - ours).max() / np.abs(ours).max())
        worst[1] = max(worst[1], np.abs(peers / factor - kappa).max() / kappa.max())
    return [
        ("deflection of a dPIE against PyAutoGalaxy, from Lenstool's numbers", worst[0], "relative", ""),
        ("its convergence", worst[1], "relative", ""),
        ("its normalisation, with D_LS / D_S", abs(factor - 1.0), "relative", ""),
    ]


def galaxy(model: ParametricModel, n_clumps: int) -> tuple[Table, WCS]:
    """Resolved clumps of a galaxy, and the pixels they are measured on."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], model.reference, [600.5, 600.5]
    wcs.wcs.cdelt = [-0.02 / 3600.0, 0.02 / 3600.0]
    x, y = np.random.default_rng(4).uniform(50.0, 1150.0, (2, n_clumps))
    ra, dec = wcs.pixel_to_world_values(x, y)
    shape = {
        "sigma_x_px": np.full(n_clumps, 2.0),
        "sigma_y_px": np.full(n_clumps, 1.0),
        "theta_deg": np.zeros(n_clumps),
    }
    return Table(
        {"id": [f"c{k}" for k in range(n_clumps)], "ra": ra, "dec": dec, "x": x, "y": y, **shape}
    ), wcs


def main() -> None:
    """Run the comparison and report it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--potentials", type=int, default=200)
    parser.add_argument("--pixels", type=int, default=100, help="side of a map")
    parser.add_argument("--maps", type=int, default=100)
    parser.add_argument("--clumps", type=int, default=65)
    options = parser.parse_args()

    model, (x, y) = cluster(options.potentials, options.maps), grid(options.pixels)
    model.convergence_shear(x[:10], y[:10], Z_SOURCE)  # compiled, or read from the cache
    model.deflection(x[:10], y[:10], Z_SOURCE)

    def maps() -> None:
        for sample in range(options.maps):
            kappa, gamma1, gamma2 = model.convergence_shear(x, y, Z_SOURCE, sample)
            magnification_of(kappa, np.hypot(gamma1, gamma2))

    ratio = model.distance_ratio(Z_SOURCE)
    plain = ratio * kassiola_kovner_map(model.rows, x, y)
    ours = np.array(model.convergence_shear(x, y, Z_SOURCE))
    clumps, wcs = galaxy(model, options.clumps)
    name = f"{options.maps} maps of {options.pixels} x {options.pixels} px, {options.potentials} dPIE"
    rows = [
        (name, seconds(maps), "s", "<= 3"),
        (f"{options.maps} maps, plain numpy", seconds(lambda: kassiola_kovner_map(model.rows, x, y), 2) * options.maps, "s", ""),
        ("kappa, gamma against the complex formula", np.abs(ours - plain).max() / ours[0].max(), "relative", "<= 1e-9"),
        ("kappa, gamma against numerical derivatives", derivative_error(model), "relative", "<= 1e-9"),
        (f"{options.clumps} clumps, {options.maps} samples", seconds(lambda: magnify_clumps(model, clumps, Z_SOURCE, wcs, options.maps)), "s", "< 1"),
        *lenstronomy_rows(options.potentials, options.pixels, options.maps),
        *lenstronomy_planes(),
        *autogalaxy_rows(),
    ]  # fmt: skip
    table = Table(rows=rows, names=("what", "value", "unit", "goal"))
    table["value"].info.format = ".3g"
    table.pprint(max_lines=-1, max_width=-1, align="<")
    folder = ROOT / "tests" / "benchmarks" / "results"
    folder.mkdir(exist_ok=True)
    table.write(folder / "lensing.csv", overwrite=True)


if __name__ == "__main__":
    main()
