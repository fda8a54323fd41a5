"""Filters by the names that people call them."""

import numpy as np
import pytest
from astropy.table import Table
from clumpscope.config import name_filters
from clumpscope.errors import InputError
from clumpscope.filters import get_filter, measured_filters, resolve_filter, transmission
from clumpscope.sed.products.columns_photometry import table_photometry


@pytest.mark.parametrize(
    ("text", "name", "sedpy"),
    [
        ("F200W", "F200W", "jwst_f200w"),
        ("f200w", "F200W", "jwst_f200w"),
        ("F200W-CLEAR", "F200W", "jwst_f200w"),
        ("CLEAR;F200W", "F200W", "jwst_f200w"),
        ("f150w2-f162m", "F162M", "jwst_f162m"),
        ("JWST/NIRCam.F444W", "F444W", "jwst_f444w"),
        ("acs_wfc_f814w", "F814W", "acs_wfc_f814w"),
        ("F814W;CLEAR2L", "F814W", "acs_wfc_f814w"),
        ("f814wu", "F814WU", "wfc3_uvis_f814w"),
        ("HST/WFC3_UVIS.F606W", "F606WU", "wfc3_uvis_f606w"),
        ("wfc3_ir_f160w", "F160W", "wfc3_ir_f160w"),
        ("f140w", "F140W", "wfc3_ir_f140w"),
        ("f150wn-clear", "F150WN", "jwst_niriss_f150w"),
        ("F770W", "F770W", "jwst_f770w"),
        ("vista_vircam_Ks", "vista_vircam_Ks", "vista_vircam_Ks"),
    ],
)
def test_one_name_for_what_people_call_a_filter(text, name, sedpy):
    resolved = resolve_filter(text)
    assert resolved.name == name and get_filter(name).sedpy == sedpy
    assert name in resolved.how and sedpy in resolved.how


@pytest.mark.parametrize("text", ["", "clear", "F444W;F470N", "F200W-F444W", "F999W", "NRCALONG"])
def test_no_filter_or_two_are_refused(text):
    with pytest.raises(InputError):
        resolve_filter(text)


def test_what_is_behind_a_pupil_is_told():
    assert "in the pupil wheel with F150W2" in resolve_filter("f150w2-f162m").how


def test_a_filter_beyond_the_table_has_its_curve():
    assert get_filter("F770W").pivot_angstrom == pytest.approx(
        7.64e4, rel=0.01
    )  # JWST's own documentation: 7.7 micron
    assert get_filter("F770W").channel == "miri" and get_filter("F140MN").kind == "medium"
    wave, _ = transmission("F606WU")
    assert (np.diff(wave) > 0).all()


def test_a_wrong_name_suggests_the_one_that_is_meant():
    with pytest.raises(InputError, match=r"Did you mean F162M\?"):
        get_filter("f150w2-f162m")


def test_a_configuration_may_use_any_name_but_each_filter_once():
    config = {"fields": {"a": {"images": {"f150w2-f162m": 1, "F200W": 2}, "reddening": {"ebv": 0.1}}}}
    named, taken = name_filters(config)
    assert named["fields"]["a"] == {"images": {"F162M": 1, "F200W": 2}, "reddening": {"ebv": 0.1}}
    assert len(taken) == 1 and taken[0].startswith("fields.a.images: f150w2-f162m is F162M")
    with pytest.raises(InputError, match="a second F200W"):
        name_filters({"fields": {"a": {"images": {"f200w": 1, "F200W": 2}}}})


def test_hosts_may_have_any_filter_of_sedpy():
    table = Table(
        {
            "id": ["1"],
            "f_vista_vircam_Ks": [5.0],
            "e_vista_vircam_Ks": [1.0],
            "f_F606WU": [2.0],
            "e_F606WU": [1.0],
        }
    )
    flux, _, filters = table_photometry(table, "f_<F>", "e_<F>")
    assert filters == ("vista_vircam_Ks", "F606WU") and flux.tolist() == [[5.0, 2.0]]


def test_a_psf_can_be_said_to_be_that_of_another_filter():
    images = {
        "f150w": {"sci": "a.fits", "psf": "same as F444W-CLEAR", "psf_oversampling": 9},
        "F444W": {"sci": "b.fits", "psf": "red.fits", "psf_oversampling": 4, "psf_has_pixel": True},
    }
    named, _ = name_filters({"fields": {"a": {"images": images}}})
    shared = named["fields"]["a"]["images"]["F150W"]
    assert shared == {"sci": "a.fits", "psf": "red.fits", "psf_oversampling": 4, "psf_has_pixel": True}
    for psf, other in (("same as F277W", {}), ("same as F444W", {"sci": "b.fits"}), ("same as F150W", {})):
        wrong = {"F150W": {"sci": "a.fits", "psf": psf}} | ({"F444W": other} if other else {})
        with pytest.raises(InputError, match=r"images\.F150W\.psf.*PSF file of its own"):
            name_filters({"fields": {"a": {"images": wrong}}})
    with pytest.raises(InputError, match="F444X"):
        name_filters({"fields": {"a": {"images": {"F150W": {"sci": "a.fits", "psf": "same as F444X"}}}}})


def test_columns_of_errors_are_no_filters():
    """Neither where columns are read for fits, nor where they are listed; also of filters whose names have parts."""
    ends = ("", "_err", "_err_lo", "_err_hi", "_common")
    columns = [f"flux_{name}{end}_njy" for name in ("F444W", "F150W", "sdss_r0") for end in ends]
    assert measured_filters(["id", *columns, "flux_iso_njy"]) == ["sdss_r0", "F150W", "F444W"]
    table = Table({"id": ["a"], **{column: [1.0] for column in columns}})
    assert set(table_photometry(table)[2]) == {"sdss_r0", "F150W", "F444W"}
