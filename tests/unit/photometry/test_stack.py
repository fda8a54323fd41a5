"""Median stacks, their profiles, and the sizes they would show."""

import weakref

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from clump_scenes import Field, draw_clump, draw_psf
from clumpscope.cosmology import pc_per_arcsec
from clumpscope.errors import InputError
from clumpscope.flags import bit
from clumpscope.images.cutouts import Cutout
from clumpscope.images.psf import normalise_psf
from clumpscope.photometry import fit_clumps
from clumpscope.photometry import stack_field as stacking
from clumpscope.photometry.stack import compare_profiles, resolvable_sizes, stack_clumps
from clumpscope.photometry.stack_field import draw_stacks, stack_field, write_stacks

KERNEL = draw_psf()
SIDE = 51


def sky_of_points(n, flux, sigma, seed):
    """Point sources on skies of different levels, and a false source on every tenth."""
    rng = np.random.default_rng(seed)
    image = np.empty((n * SIDE, SIDE))
    x, y = SIDE // 2 + rng.uniform(-0.5, 0.5, n), np.arange(n) * SIDE + SIDE // 2 + rng.uniform(-0.5, 0.5, n)
    for k in range(n):
        tile = flux * draw_clump((SIDE, SIDE), x[k], y[k] - k * SIDE, oversampling=5) + rng.uniform(-5.0, 5.0)
        if k % 10 == 0:
            tile = tile + 20.0 * flux * draw_clump((SIDE, SIDE), 39.0, 30.0, oversampling=5)
        image[k * SIDE : (k + 1) * SIDE] = tile
    return image + rng.normal(0.0, sigma, image.shape), np.full(image.shape, sigma), x, y


def test_stack_is_the_point_source_with_less_noise():
    image, error, x, y = sky_of_points(60, 2.0, 0.05, seed=1)
    stack = stack_clumps(image, error, x, y, half_size=15)
    assert stack.used.all()
    assert stack.image.shape == (31, 31)
    fitted = fit_clumps(stack.image, stack.error, KERNEL, [15.0], [15.0], model="point")[0]
    # The ring holds a little of the source's own wings: the plane of the fit takes that up.
    assert fitted["flux"] == pytest.approx(2.0, abs=4 * fitted["flux_err"] + 0.02)
    assert fitted["x"] == pytest.approx(15.0, abs=0.05)
    corner = stack.image[:6, :12]
    assert np.std(corner) == pytest.approx(np.median(stack.error), rel=0.35)
    assert np.median(stack.error) == pytest.approx(0.05 * np.sqrt(np.pi / 2 / 60), rel=1e-6)


def test_profile_of_point_sources_is_the_psf_and_of_wide_ones_is_not():
    image, error, x, y = sky_of_points(40, 2.0, 0.01, seed=2)
    table = compare_profiles(stack_clumps(image, error, x, y), KERNEL)
    inside = table["radius_px"] <= 4
    assert np.abs(table["profile"] - table["psf"])[inside].max() < 0.03
    field = Field(25, 300, 1.5, 1.5, seed=3, side=51)
    wide = compare_profiles(stack_clumps(field.image, field.error, field.x, field.y), KERNEL)
    assert (wide["profile"] - wide["psf"])[wide["radius_px"] == 2.0][0] > 0.1


def test_errors_of_a_profile_are_positive_where_noise_makes_the_middle_negative():
    image, error, x, y = sky_of_points(1, -0.5, 0.01, seed=6)
    assert (compare_profiles(stack_clumps(image, error, x, y), KERNEL)["profile_err"] > 0).all()


def test_cut_clumps_are_left_out():
    image, error, x, y = sky_of_points(4, 2.0, 0.01, seed=4)
    image[int(y[1]), int(x[1])] = np.nan
    stack = stack_clumps(image, error, np.append(x, 2.0), np.append(y, 100.0))
    assert list(stack.used) == [True, False, True, True, False]
    with pytest.raises(InputError, match="no clump"):
        stack_clumps(image, error, [2.0], [2.0])


def test_sizes_grow_resolvable():
    sky = np.random.default_rng(5).normal(3.0, 1.0, (200, 200))
    sky[50:60, 50:60] = np.nan
    table = resolvable_sizes(KERNEL, 20.0, sky, np.array([0.05, 0.5, 3.0]), n_sources=40)
    assert table["fraction_resolved"][0] < 0.15
    assert table["fraction_resolved"][2] > 0.95
    assert (np.diff(table["fraction_resolved"]) >= 0).all()
    # Less noise shows smaller sizes.
    deep = resolvable_sizes(KERNEL, 20.0, sky, np.array([0.5]), n_sources=40, noise_scale=0.2)
    assert deep["fraction_resolved"][0] > table["fraction_resolved"][1]
    with pytest.raises(InputError, match="patch"):
        resolvable_sizes(KERNEL, 60.0, np.full((50, 50), np.nan), np.array([1.0]))


def galaxy(flux, seed, z):
    """A cutout with two point sources, and its photometry."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [10.0, 0.0], [1, 1]
    wcs.wcs.cdelt = [-0.02 / 3600, 0.02 / 3600]
    x, y = np.array([20.3, 50.1]), np.array([30.2, 29.8])
    image = np.random.default_rng(seed).normal(0, 0.02, (61, 71))
    for a, b in zip(x, y, strict=True):
        image += flux * draw_clump(image.shape, a, b, oversampling=5)
    ra, dec = wcs.pixel_to_world_values(x, y)
    table = Table(
        {"ra": ra, "dec": dec, "flux_F150W_njy": [flux] * 2, "flags": [bit("unresolved"), 0], "z": [z] * 2}
    )
    return {"F150W": Cutout(image, np.full(image.shape, 0.02), wcs, 0, 0, 0.02, "F150W")}.get, table


def test_stack_of_a_field(tmp_path):
    psfs = {name: normalise_psf(KERNEL, 0.02, name) for name in ("F150W", "F444W")}
    galaxies = [galaxy(5.0, seed, 1.0 + seed / 10) for seed in range(5)]
    table, profiles, stacks = stack_field(galaxies, psfs)
    # Only the unresolved clump of each galaxy, and nothing of a filter without images.
    assert list(table["n_clumps"]) == [5, 0] and list(stacks) == ["F150W"]
    row = table[0]
    assert row["flux"] == pytest.approx(
        5.0 * psfs["F150W"].sum_before / psfs["F150W"].aperture_correction, rel=0.02
    )
    assert 0 < row["r_limit_px"] < 2
    assert row["r_limit_pc"] == pytest.approx(row["r_limit_px"] * 0.02 * pc_per_arcsec(1.2))
    inside = profiles["radius_px"] < 4
    assert np.abs(profiles["profile"] - profiles["psf"])[inside].max() < 0.05
    assert np.isnan(table["flux"][1]) and np.isnan(table["r_limit_pc"][1])
    # Clumps without a size look like the PSF, larger ones wider; sizes are those of the median redshift, unlensed.
    simulated, sizes = np.asarray(profiles["simulated"]), np.asarray(profiles["r_half_pc"])[0]
    assert np.abs(simulated[:, 0] - profiles["psf"]).max() < 0.03 and np.all(np.diff(simulated[4]) > 0)
    fwhm_px = psfs["F150W"].fwhm_arcsec / 0.02
    assert sizes[1] == pytest.approx(0.15 * fwhm_px * 0.02 * pc_per_arcsec(1.2))
    write_stacks(stacks, psfs, tmp_path / "stack.fits")
    with fits.open(tmp_path / "stack.fits") as hdus:
        planes = [hdus[f"{kind}_F150W"].data for kind in ("DATA", "MODEL", "RESID")]
    assert np.allclose(planes[0] - planes[1], planes[2], atol=1e-6)
    # The fit leaves the noise of a median of five.
    assert planes[2][15:26, 15:26].std() == pytest.approx(0.02 * np.sqrt(np.pi / 2) / np.sqrt(5), rel=0.4)
    for number, drawn in enumerate((stack_field(galaxies, psfs), stack_field([], psfs))):
        draw_stacks(tmp_path / f"{number}.png", *drawn, "field")
        assert (tmp_path / f"{number}.png").read_bytes()[:4] == b"\x89PNG"


def test_a_field_of_many_galaxies_needs_the_memory_of_one(monkeypatch):
    alive, most, asked = weakref.WeakSet(), [], []

    def read(seed):
        def cutout(name):
            asked.append(name)
            # A file's cutout is a new one each time.
            if (made := galaxy(5.0, seed, 1.0)[0](name)) is not None:
                alive.add(made)
                most.append(len(alive))
            return made

        return cutout

    class Alive(Cutout):
        __hash__ = object.__hash__

    monkeypatch.setitem(globals(), "Cutout", Alive)
    psfs = {name: normalise_psf(KERNEL, 0.02, name) for name in ("F150W", "F444W")}
    n = 12
    table, _, _ = stack_field(((read(seed), galaxy(5.0, seed, 1.0)[1]) for seed in range(n)), psfs)
    # The one before is still named while the next is read.
    assert table["n_clumps"][0] == n and len(most) == n and max(most) <= 2
    assert sorted(asked) == ["F150W"] * n + ["F444W"] * n
    # The sky held is that of a bounded number of galaxies, spread over the field; all clumps are stacked.
    galaxies = [galaxy(5.0, seed, 1.0) for seed in range(n)]
    held = []
    column = stacking._column
    monkeypatch.setattr(stacking, "_column", lambda planes: held.append(len(planes)) or column(planes))
    whole, _, _ = stack_field(galaxies, psfs)
    monkeypatch.setattr(stacking, "_SKY_GALAXIES", 5)
    part, _, _ = stack_field(galaxies, psfs)
    assert held == [12, 4]
    assert part["n_clumps"][0] == n and part["flux"][0] == whole["flux"][0]
    # Galaxies without an unresolved clump are not read.
    _, none = galaxy(5.0, 0, 1.0)
    none["flags"] = 0
    assert list(stack_field([(pytest.fail, none)], psfs)[0]["n_clumps"]) == [0, 0]
