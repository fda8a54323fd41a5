import pytest
from clumpscope.errors import InputError
from clumpscope.images.units import njy_per_unit

# 1 MJy/sr is 23.5044 uJy/arcsec2.
SR = (0.04 / 206264.806247) ** 2
MJY_SR = 23504.4 * 0.04**2


@pytest.mark.parametrize(
    ("unit", "header", "expected"),
    [
        ("nJy", {}, 1.0),
        ("10 nJy", {}, 10.0),
        ("uJy", {}, 1e3),
        ("Jy", {}, 1e9),
        ("nJy/pix", {}, 1.0),
        ("MJy/sr", {}, MJY_SR),
        ("nJy / arcsec2", {}, 0.04**2),
        (None, {"BUNIT": "10.0*nanoJansky"}, 10.0),
        (None, {"BUNIT": "MJy/sr", "PHOTMJSR": 3.0}, MJY_SR),
        (None, {"PHOTFNU": 1e-8}, 10.0),
        ("nJy", {"BUNIT": "MJy/sr"}, 1.0),
        ("ELECTRONS/S", {"PHOTFNU": 2.5e-8}, 25.0),
        ("e/s", {"PHOTFNU": 2.5e-8}, 25.0),
        ("e-/s", {"PHOTFNU": 2.5e-8}, 25.0),
        ("cps", {"PHOTFNU": 2.5e-8}, 25.0),
        ("1e-8 Jy", {}, 10.0),
        ("DN/s", {"PHOTMJSR": 2.0}, 2 * MJY_SR),
        ("erg / (s cm2 Hz)", {}, 1e32),
    ],
)
def test_factor(unit, header, expected):
    assert njy_per_unit(unit, header, SR, "image.fits") == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("unit", "header", "found"),
    [
        (None, {}, "no unit"),
        (None, {"BUNIT": "  "}, "no unit"),
        ("banana", {}, "banana"),
        ("K", {}, "not one of a flux"),
        ("electron/s", {}, "without PHOTFNU"),
        ("erg / (s cm2 Angstrom)", {}, "not one of a flux"),
    ],
)
def test_unusable_unit_names_file_and_finding(unit, header, found):
    with pytest.raises(InputError, match=found) as caught:
        njy_per_unit(unit, header, SR, "image.fits")
    assert "image.fits" in str(caught.value)
