"""Products of made-up fields, as figures get them."""

import numpy as np
from astropy.io import fits
from astropy.table import Table, vstack
from astropy.wcs import WCS
from clumpscope.images.cutouts import Cutout, write_cutouts
from clumpscope.images.psf import PSF
from clumpscope.injection.products import injection_tables
from clumpscope.population.coverage import coverage_table
from clumpscope.population.products import population_tables
from clumpscope.population.truth import summarise_truth
from clumpscope.sed.inference.posterior import Posterior
from clumpscope.sed.products.store import write_posteriors
from unit.injection.injected_samples import injected_sample
from unit.population.synthetic_population import make_field, percentiles

NOISE_NJY = 0.2
CLUSTER_FILTERS = ("F090W", "F150W", "F200W", "F277W")


def imaging_products(folder, n_galaxies=20, seed=3):
    """Every product of an imaging field; residual files are written below `folder`."""
    field = make_field(n_galaxies=n_galaxies, seed=seed)
    catalogue = field.catalogue()
    hosts = []
    for number, sfh in enumerate(("exp_free", "const")):
        table = field.hosts.copy()
        table["sfh"] = sfh
        table["log_mass_p50"] += 0.1 * number
        hosts.append(table)
    products = {
        "catalogue": catalogue,
        "sed_all": field.sed,
        "hosts": vstack(hosts),
        "galaxies": field.galaxies,
        "population": population_tables(catalogue, field.hosts, field.galaxies),
        "residuals": [write_residuals(folder, catalogue, name, seed) for name in field.galaxies["id"][:8]],
    }
    products |= lens_products(folder, catalogue, field.galaxies, seed)
    products["cutouts"] = [write_galaxy(folder, catalogue, name) for name in field.galaxies["id"][:5]]
    products["field_picture"] = [write_field_picture(folder, catalogue)]
    products["psfs"] = [write_round_psf(folder)]
    names = np.unique(catalogue["galaxy"])
    products["sed_draws"] = [
        write_draws(folder, catalogue, names[first : first + 3]) for first in range(0, len(names), 3)
    ]
    products["filter_sets"] = {
        "broad6": shifted(field.sed["exp_free"], 0.3),
        "broad8": shifted(field.sed["exp_free"], 0.1),
    }
    products["samples"] = {"sample": gaussian_sample(400)}
    conditions = Table({name: [1.0] for name in ("flux_njy", "depth_ratio", "width", "host_over_noise")})
    products["injection"] = injection_tables([injected_sample(600)], [conditions])
    products["truth"] = truth_table(catalogue[: min(len(catalogue), 12)])
    products["truth_summary"] = summarise_truth(products["truth"], len(catalogue))
    products["coverage"] = coverage_of(catalogue)
    products |= stack_products(folder)
    products["lens_models"] = catalogue.copy()
    mu = np.asarray(catalogue["mu"], dtype=float)
    products["lens_models"]["mu_models"] = np.stack([mu, 1.3 * mu, np.full(mu.size, np.nan)], axis=1)
    return products


def stack_products(folder):
    """Stacks in two filters: a point of known flux, its model, noise; profiles of Gaussians."""
    rng = np.random.default_rng(6)
    hdus, profiles = fits.HDUList([fits.PrimaryHDU()]), []
    radius = np.arange(0.0, 10.5, 0.5)
    for name, width in (("F150W", 1.3), ("F444W", 2.5)):
        y, x = np.indices((41, 41)) - 20
        model = 5.0 * np.exp(-0.5 * (x**2 + y**2) / width**2)
        noise = rng.normal(0.0, 0.05, model.shape)
        for kind, plane in (("DATA", model + noise), ("MODEL", model), ("RESID", noise)):
            hdu = fits.ImageHDU(plane.astype(np.float32), name=f"{kind}_{name}")
            hdu.header["PIXSCALE"] = 0.04
            hdus.append(hdu)
        sizes = np.array([0.0, 0.5, 1.0, 2.0])
        simulated = np.exp(-0.5 * radius[:, None] ** 2 / (width**2 + sizes**2))
        profiles.append(
            Table({"filter": [name] * len(radius), "radius_px": radius, "radius_arcsec": 0.04 * radius, "profile": simulated[:, 0],
                   "profile_err": 0.01 + 0 * radius, "psf": simulated[:, 0], "r_half_pc": np.tile(100.0 * sizes, (len(radius), 1)),
                   "simulated": simulated})
        )  # fmt: skip
    hdus.writeto(folder / "stack.fits", overwrite=True)
    columns = {
        "filter": ["F150W", "F200W", "F444W"],
        "n_clumps": [8, 0, 7],
        "flux": [5.0, np.nan, 6.0],
        "flux_err": [0.1, np.nan, 0.1],
    }
    table = Table(columns | {"r_limit_pc": [100.0, np.nan, np.nan]})
    return {"stack": table, "stack_profiles": vstack(profiles), "stack_images": [folder / "stack.fits"]}


def lens_products(folder, catalogue, galaxies, seed):
    """Products of the lens of a field: a sphere's magnification, sources, and every pair of galaxies as two images."""
    rng = np.random.default_rng(seed)
    wcs = sky_wcs(catalogue, 0.5, (120, 100))
    y, x = np.indices((120, 100)) - np.array([59.5, 49.5])[:, None, None]
    hdu = fits.PrimaryHDU(1.0 / (1.0 - 20.0 / np.hypot(x, y)), wcs.to_header())
    hdu.header["ZSOURCE"] = 2.0
    hdu.writeto(folder / "magnification.fits", overwrite=True)
    angle = np.linspace(0, 2 * np.pi, 50)
    ring = wcs.pixel_to_world_values(49.5 + 20 * np.cos(angle), 59.5 + 20 * np.sin(angle))
    lines = Table({"kind": ["tangential"] * 50, "line": [0] * 50, "ra": ring[0], "dec": ring[1]})
    lines["source_ra"], lines["source_dec"] = np.mean(ring[0]), np.mean(ring[1])
    names = galaxies["id"][:6]
    n = len(names)
    images = Table({"id": names, "system": [f"S{k // 2}" for k in range(n)], "rms_arcsec": np.full(n, 0.1)})
    for axis in "xy":
        images[f"offset_{axis}_arcsec"] = rng.normal(0, 0.1, n)
        images[f"offset_{axis}_arcsec_err"] = 0.03
    clumps = catalogue["id", "galaxy", "log_mass_p16", "log_mass_p50", "log_mass_p84"][:12]
    clumps["system"] = [f"S{k // 4}.{k // 2}" for k in range(12)]
    clumps["rms_arcsec"] = 0.0004
    clumps["mu"] = np.tile([8.0, -3.0], 6)
    clumps["mu_err_lo"] = clumps["mu_err_hi"] = 0.4
    clumps["chance"] = np.repeat([0.05, 1.0, 0.05], 4)
    clumps["intrinsic_flux_njy"] = rng.uniform(1, 10, 12)
    clumps["intrinsic_flux_njy_err_fit"] = 0.2
    return {
        "lens_map": [folder / "magnification.fits"],
        "critical_lines": lines,
        "multiple_images": images,
        "counterparts": clumps,
        "source_planes": [write_source_plane(folder, catalogue, name) for name in galaxies["id"][:8]],
    }


def write_field_picture(folder, catalogue):
    """The whole field in three filters: noise and a point at every clump."""
    rng = np.random.default_rng(2)
    wcs = sky_wcs(catalogue, 0.5, (120, 100))
    x, y = (np.rint(one).astype(int) for one in wcs.world_to_pixel_values(catalogue["ra"], catalogue["dec"]))
    inside = (x >= 0) & (x < 100) & (y >= 0) & (y < 120)
    planes = {}
    for name in ("F444W", "F200W", "F115W"):
        data = rng.normal(0, NOISE_NJY, (120, 100))
        data[y[inside], x[inside]] += 20 * NOISE_NJY
        planes[name] = Cutout(data, np.full(data.shape, NOISE_NJY), wcs, 0, 0, 0.5, name)
    path = folder / "field.fits"
    write_cutouts(path, planes, "field", 2.0, "F200W")
    return path


def shifted(sed, step):
    """Fits that find all masses higher, with errors twice as large, the last clump missing."""
    sed = sed[:-1].copy()
    middle = sed["log_mass_p50"].copy()
    for end, sign in (("p16", -1), ("p50", 0), ("p84", 1)):
        sed[f"log_mass_{end}"] = middle + step + sign * 2 * np.abs(sed[f"log_mass_{end}"] - middle)
    return sed


def gaussian_sample(n, seed=5):
    """A comparison sample: magnitudes and logarithms of radii of one Gaussian each."""
    rng = np.random.default_rng(seed)
    return Table({"r_eff_pc": 10 ** rng.normal(2.0, 0.3, n), "m_v_ab": rng.normal(-16.0, 1.5, n)})


def write_round_psf(folder, fwhm_px=3.0):
    """A Gaussian PSF of known width."""
    radius = np.hypot(*(np.indices((41, 41)) - 20))
    kernel = np.exp(-4 * np.log(2) * (radius / fwhm_px) ** 2)
    folder.joinpath("psf").mkdir(exist_ok=True)
    path = folder / "psf" / "F150W.fits"
    PSF(kernel / kernel.sum(), 0.02, 0.02 * fwhm_px, 1.0).write(path)
    return path


def write_galaxy(folder, catalogue, galaxy):
    """Cutouts of one galaxy: a red disc with a blue spot 10 pixels to its right, on two pixel scales."""
    own = catalogue[np.asarray(catalogue["galaxy"], str) == galaxy]
    rng = np.random.default_rng(1)
    cutouts = {}
    for name, scale, disc, spot in (
        ("F090W", 0.02, 2.0, 60.0),
        ("F200W", 0.02, 6.0, 6.0),
        ("F444W", 0.04, 60.0, 0.0),
    ):
        ny, nx = (120, 120) if scale == 0.02 else (60, 60)
        y, x = (np.indices((ny, nx)) - 0.5 * (ny - 1)) * scale
        light = disc * np.exp(-np.hypot(x, y) / 0.3) + spot * np.exp(
            -0.5 * np.hypot(x - 0.6, y) ** 2 / 0.06**2
        )
        light = light * scale**2 / 0.02**2 + rng.normal(0, 0.1, light.shape)
        wcs = sky_wcs(own, scale, light.shape)
        cutouts[name] = Cutout(light, np.full(light.shape, 0.1), wcs, 0, 0, scale, name)
    path = folder / galaxy / "cutouts.fits"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    write_cutouts(path, cutouts, galaxy, float(own["z"][0]) if len(own) else 1.0, "F200W")
    return path


def posterior_of(id, redshift, log_mass=7.0):
    """A posterior with known percentiles; its last band has no light."""
    draws = np.random.default_rng(0).normal(0, 0.1, 500).astype(np.float32)
    best = {"log_mass_formed": 7.1, "log_mass": log_mass, "log_age_yr": 8.0, "log_age_mw_yr": 8.0, "log_tau_yr": 7.5, "a_v": 0.3,
            "log_z_zsun": -0.5, "log_u": -3.0}  # fmt: skip
    flux, error = np.array([10.0, 12.0, 15.0, -1.0]), np.array([1.0, 1.0, 1.0, 2.0])
    model = np.array([10.5, 12.0, 14.5, 1.0])
    return Posterior(
        id=id, samples={name: middle + draws for name, middle in best.items()}, converged=True, rhat=1.0, n_effective=500.0, chi2=2.0, best=best,
        filters=CLUSTER_FILTERS, flux_njy=flux, error_njy=error, data_njy=flux, sigma_njy=error, model_njy=model,
        model_p16_njy=0.9 * model, model_p84_njy=1.1 * model, redshift=redshift, sampler="emcee", n_calls=1, n_bands=4, n_bands_snr3=3, flags=0,
        hash=id, settings={"sfh": "exp_free", "nebular": True, "dust_emission": "none"},
    )  # fmt: skip


def write_draws(folder, catalogue, galaxies):
    """Posteriors of the clumps of some galaxies, which share a file."""
    own = catalogue[np.isin(np.asarray(catalogue["galaxy"], str), galaxies)]
    (folder / "sed").mkdir(parents=True, exist_ok=True)
    path = folder / "sed" / f"{len(list((folder / 'sed').iterdir()))}_0.nc"
    write_posteriors([posterior_of(str(row["id"]), float(row["z"])) for row in own], path)
    return path


def sky_wcs(table, scale, shape):
    """Celestial pixels around the mean position of a table."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = (
        [float(np.mean(table["ra"])), float(np.mean(table["dec"]))] if len(table) else [3.58, -30.4]
    )
    wcs.wcs.crpix, wcs.wcs.cdelt = [0.5 * shape[1] + 0.5, 0.5 * shape[0] + 0.5], [-scale / 3600, scale / 3600]
    return wcs


def write_source_plane(folder, catalogue, galaxy):
    """A galaxy in its source plane: a disc of light, its clumps where they are on the sky."""
    own = catalogue[np.asarray(catalogue["galaxy"], str) == galaxy]
    light = np.exp(-np.hypot(*(np.indices((60, 60)) - 29.5)) / 8.0)
    hdu = fits.PrimaryHDU(light, sky_wcs(own, 0.02, light.shape).to_header())
    hdu.header["ZSOURCE"] = 2.0
    table = own["id", "ra", "dec"].copy()
    table.rename_columns(["ra", "dec"], ["source_ra", "source_dec"])
    table["central"] = np.arange(len(own)) == 0
    path = folder / galaxy / "source_plane.fits"
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList([hdu, fits.BinTableHDU(table, name="CLUMPS")]).writeto(path, overwrite=True)
    return path


def coverage_of(catalogue):
    """The catalogue beside a truth one tenth off."""
    truth = catalogue["ra", "dec"].copy()
    truth["filter_ref"], truth["snr_ref"] = np.full(len(truth), "F150W"), np.full(len(truth), 30.0)
    truth["sigma_x_px"], truth["sigma_y_px"], truth["pixel_scale_arcsec"] = 1.0, 1.0, 0.02
    truth["flux_F150W_njy"] = catalogue["flux_F150W_njy"]
    truth["mu"], truth["log_mass"] = 1.1 * catalogue["mu"], catalogue["log_mass_p50"] + 0.1
    return coverage_table(catalogue, truth, Table({"filter": ["F150W"], "fwhm_arcsec": [0.06]}))


def truth_table(catalogue):
    n = len(catalogue)
    columns = {
        "id": catalogue["id"],
        "status": np.full(n, "detected", dtype="U30"),
        "snr_ref": np.full(n, 30.0),
    }
    columns["size_limit"] = np.zeros(n, bool)
    columns["flags"] = np.zeros(n, np.int64)
    for name in ("flux_njy", "r_eff_pc", "mu", "log_mass", "log_age_mw_yr"):
        columns[f"true_{name}"] = columns[f"measured_{name}"] = np.linspace(5.0, 9.0, n)
    return Table(columns)


def write_residuals(folder, catalogue, galaxy, seed, shape=(40, 50)):
    """Residuals of one galaxy: noise of known width, one bright pixel in the data of every filter."""
    rng = np.random.default_rng(seed)
    own = catalogue[np.asarray(catalogue["galaxy"], str) == galaxy]
    wcs = sky_wcs(own, 0.04, shape)
    hdus = fits.HDUList([fits.PrimaryHDU()])
    for name in ("F444W", "F090W", "F150W", "F200W"):
        residual = rng.normal(0.0, NOISE_NJY, shape)
        model = np.zeros(shape)
        model[20, 25] = 30.0
        for kind, plane in (("DATA", residual + model), ("MODEL", model), ("RESID", residual)):
            hdu = fits.ImageHDU(plane.astype(np.float32), wcs.to_header(), name=f"{kind}_{name}")
            hdu.header["PIXSCALE"] = 0.04
            hdus.append(hdu)
    path = folder / galaxy / "residuals.fits"
    path.parent.mkdir(parents=True, exist_ok=True)
    hdus.writeto(path, overwrite=True)
    return path


def cluster_products(n=40, seed=4, folder=None):
    """Every product of a photometry field: clusters without shapes, at one redshift."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"SC_{k:03d}" for k in range(n)], dtype="U8")
    log_mass, log_age = rng.normal(6.4, 0.4, n), rng.normal(9.3, 0.3, n)
    catalogue = {"id": ids, "galaxy": np.full(n, "clusters"), "z": np.full(n, 0.39), "mu": np.ones(n)}
    for name in CLUSTER_FILTERS:
        catalogue |= {f"flux_{name}_njy": rng.uniform(8, 12, n), f"flux_{name}_err_njy": np.full(n, 0.5)}
    posterior = {
        **percentiles("log_mass", log_mass, 0.1),
        **percentiles("log_age_mw_yr", log_age, 0.2),
        **percentiles("a_v", rng.uniform(0, 1, n), 0.1),
        **percentiles("log_z_zsun", rng.normal(-0.7, 0.3, n), 0.1),
    }
    catalogue |= {**posterior, "n_bands_snr3": np.full(n, 4), "flags": np.zeros(n, np.int64)}
    ssp = Table(
        {
            "id": ids,
            **posterior,
            "best_log_mass": log_mass + 0.3,
            "best_log_mass_formed": log_mass + 0.5,
            "best_log_age_yr": log_age,
            "best_log_z_zsun": -0.5 + 0 * log_age,
        }
    )
    order = rng.permutation(n)  # tables need not be in the order of the catalogue
    ages, metallicities = (grid.ravel() for grid in np.meshgrid(np.arange(1, 6) * 1e9, [0.02, 0.2, 1.0]))
    chi2 = 3.0 + ((ages / 1e9 - 2) / 0.5) ** 2 + 40 * np.log10(metallicities / 0.2) ** 2
    stack = Table(
        {
            "galaxy": np.full(15, "clusters"),
            "age_yr": ages,
            "z_zsun": metallicities,
            "chi2": chi2,
            "significance": np.sqrt(chi2 - 3),
        }
    )
    catalogue = Table(catalogue)
    bands = {"filter": list(CLUSTER_FILTERS), "flux_njy": [9.5, 14.5, 14.7, 13.5], "flux_err_njy": [0.1] * 4}
    stacked = Table({"galaxy": ["clusters"] * 4, **bands, "model_njy": [9.9, 13.9, 15.0, 13.0]})
    theirs = Table(
        {
            "filter": list(CLUSTER_FILTERS),
            "published_flux_njy": [9.8, 13.1, 14.0, 13.0],
            "published_flux_err_njy": [0.1] * 4,
        }
    )
    return {
        **({"sed_draws": [write_draws(folder, catalogue, ["clusters"])]} if folder else {}),
        "catalogue": catalogue,
        "sed_all": {"ssp": ssp[order], "exp_free": Table({"id": ids, **posterior})},
        "filter_sets": {"three": Table({"id": ids, **posterior})[order]},
        "published": Table(
            {
                "id": ids[order],
                "published_log_mass": log_mass[order],
                "published_log_mass_err": np.full(n, 0.05),
            }
        ),
        "population": population_tables(catalogue),
        "ssp_stack": stack,
        "ssp_stack_photometry": stacked,
        "ssp_fits": ssp[order],
        "published_stack": theirs,
    }
