"""Bad input is refused before computing, with file, key, row, value, expectation and remedy."""

from contextlib import nullcontext

import numpy as np
import pytest
import yaml
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from clumpscope import inputs
from clumpscope.checking import (
    check_configuration,
    check_selection,
    check_settings,
    doubts_of_settings,
    own_files,
)
from clumpscope.errors import InputError
from clumpscope.field_checks import check_field

GALAXIES = "id,ra,dec,z\ng1,10.0,-30.0,1.5\ng2,10.001,-30.001,2.5\n"
SETTINGS = {
    "psf": {"radius_arcsec": 0.4},
    "detection": {"stack": []},
    "selection": {"reference_filters": [[99.0, "F150W"]], "radius_arcsec": 1.5, "min_redshift": 0.7},
    "sed": {},
    "hosts": {},
}
MODEL = (
    "runmode\n  reference 3 10.0 -30.0\n  end\npotentiel O1\n  profil 81\n  x_centre 0\n  y_centre 0\n  ellipticite 0.1\n"
    "  angle_pos 40\n  core_radius 4\n  cut_radius 200\n  v_disp 800\n  z_lens 0.4\n  end\nfini\n"
)
CLUSTERS = "id,ra,dec,F150W_njy,F150W_err_njy\nc1,10.0,-30.0,5.0,1.0\nc2,10.0,-30.0,-1.0,1.0\n"


@pytest.fixture
def field(tmp_path):
    """A sound imaging field of one filter; tests break one thing of it."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = (10.0, -30.0), (200, 200), (-0.04 / 3600, 0.04 / 3600)
    header = wcs.to_header()
    header["BUNIT"] = "10 nJy"
    noise = np.random.default_rng(1).normal(size=(400, 400))
    fits.writeto(tmp_path / "sci.fits", noise, header)
    fits.writeto(tmp_path / "err.fits", np.ones_like(noise), header)
    (tmp_path / "galaxies.csv").write_text(GALAXIES)
    return {
        "images": {"F150W": {"sci": str(tmp_path / "sci.fits"), "err": str(tmp_path / "err.fits")}},
        "galaxies": str(tmp_path / "galaxies.csv"),
    }


def test_a_sound_field_passes(field):
    check_field("a", field)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("g2", "g1", r"column 'id', row 2: found 'g1', as in row 1"),
        ("2.5", "", r"column 'z', row 2 \(id g2\): found an empty cell"),
        ("2.5", "nan", r"column 'z', row 2 \(id g2\): found 'nan'"),
        ("-30.001", "-130", r"column 'dec', row 2.*from -90 to 90"),
        (",z", ",redshift", "expected a column 'z'"),
        ("g2", "g/2", "letters, digits"),
        ("g2", "nan", r"column 'id', row 2: found 'nan'"),
        (",z\n", ",z,f_F150W\n", "unreadable|expected its error|'e_F150W'"),
    ],
)
def test_wrong_galaxy_tables(field, tmp_path, old, new, message):
    (tmp_path / "galaxies.csv").write_text(GALAXIES.replace(old, new))
    with pytest.raises(InputError, match=message):
        check_field("a", field)


@pytest.mark.parametrize(
    ("columns", "cells", "message"),
    [
        (
            "z_lo,z_hi",
            "1.6,1.7",
            r"galaxies\.csv, column 'z', row 1 \(id g1\): found 1.5, less than z_lo = 1.6",
        ),
        ("z_lo,z_hi", "1.2,1.4", r"column 'z_hi', row 1 \(id g1\): found 1.4, less than z = 1.5"),
        ("z_lo,z_hi", "low,1.7", r"column 'z_lo'.*found 'low'"),
        ("z_lo,z_hi", "-inf,1.7", r"column 'z_lo'.*found '-inf'"),
        ("z_lo,z_hi", ",", ""),
        ("z_lo,z_hi,z_spec", "1.6,1.7,True", ""),
        (
            "radius_arcsec",
            "-1",
            r"column 'radius_arcsec', row 1 \(id g1\): found '-1'; expected a number from 0",
        ),
        ("radius_arcsec", "big", r"column 'radius_arcsec'.*found 'big'"),
        ("radius_arcsec", "", ""),
    ],
)
def test_numbers_beside_a_galaxy(field, tmp_path, columns, cells, message):
    (tmp_path / "galaxies.csv").write_text(f"id,ra,dec,z,{columns}\ng1,10.0,-30.0,1.5,{cells}\n")
    with pytest.raises(InputError, match=message) if message else nullcontext():
        check_field("a", field)


@pytest.mark.parametrize(
    ("column", "unit", "message"),
    [
        ("ra", "hourangle", "found the unit 'hourangle'; expected deg"),
        ("radius_arcsec", "arcmin", "expected arcsec"),
    ],
)
def test_units_of_places_and_radii(field, tmp_path, column, unit, message):
    table = Table({"id": [1], "ra": [10.0], "dec": [-30.0], "z": [1.5], "radius_arcsec": [1.0]})
    table[column].unit = unit
    table.write(tmp_path / "galaxies.ecsv")
    with pytest.raises(InputError, match=message):
        check_field("a", {**field, "galaxies": str(tmp_path / "galaxies.ecsv")})


@pytest.mark.parametrize(
    ("columns", "cells", "message"),
    [
        ("mu,mu_lo,mu_hi", "3,2,2.5", r"column 'mu_hi', row 1 \(id c1\): found 2.5, less than mu = 3"),
        ("mu,mu_lo,mu_hi", "3,4,5", r"column 'mu', row 1 \(id c1\): found 3, less than mu_lo = 4"),
        ("mu,mu_lo,mu_hi", "3,low,5", r"column 'mu_lo'.*found 'low'"),
        ("mu,mu_lo,mu_hi", "3,2,5", ""),
    ],
)
def test_magnifications_lie_in_their_intervals(tmp_path, columns, cells, message):
    path = tmp_path / "clusters.csv"
    path.write_text(f"id,ra,dec,F150W_njy,F150W_err_njy,{columns}\nc1,10.0,-30.0,5.0,1.0,{cells}\n")
    with pytest.raises(InputError, match=message) if message else nullcontext():
        check_field("a", {"photometry": str(path), "redshift": 0.39})


@pytest.mark.parametrize("ending", ["csv", "txt"])
def test_names_that_look_like_numbers_stay_as_they_are(tmp_path, ending):
    rows = CLUSTERS.replace("c1", "001").replace("c2", "1e5")
    (tmp_path / f"t.{ending}").write_text(rows if ending == "csv" else rows.replace(",", " "))
    table = inputs.read_photometry(str(tmp_path / f"t.{ending}"), 0.39)
    assert list(table["id"]) == ["001", "1e5"] and table["ra"].dtype.kind == "f"


@pytest.mark.parametrize(
    ("column", "message"), [("F200W_mjy", "would not be read"), ("F200W_err_njy", "without its flux")]
)
def test_columns_that_would_be_dropped_are_refused(tmp_path, column, message):
    path = tmp_path / "clusters.csv"
    path.write_text(f"id,ra,dec,F150W_njy,F150W_err_njy,{column}\nc1,10.0,-30.0,5.0,1.0,2.0\n")
    with pytest.raises(
        InputError, match=rf"column '{column}': found .*{message}; expected columns F200W_njy"
    ):
        check_field("a", {"photometry": str(path), "redshift": 0.39})


def test_ids_are_no_fractions(tmp_path):
    Table({"id": [1.0], "ra": [1.0], "dec": [0.0], "F150W_njy": [1.0], "F150W_err_njy": [1.0]}).write(
        tmp_path / "t.fits"
    )
    with pytest.raises(InputError, match=r"column 'id': found values of type"):
        inputs.read_photometry(str(tmp_path / "t.fits"), 0.39)


def test_a_table_without_rows_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text(CLUSTERS.splitlines()[0] + "\n")
    with pytest.raises(InputError, match="no rows"):
        inputs.read_photometry(str(tmp_path / "t.csv"), 0.39)


def test_missing_file(field):
    field["images"]["F150W"]["err"] = "nowhere.fits"
    with pytest.raises(InputError, match=r"fields.a.images.F150W.err: found the path 'nowhere.fits'"):
        check_field("a", field)


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        ({"BUNIT": "parsec"}, "parsec"),
        ({"BUNIT": None}, "unit"),
        ({"CTYPE1": None, "CTYPE2": None}, "WCS|celestial"),
        ({"CRVAL1": 200.0}, "covers none of the 2 galaxies"),
        ({"CTYPE2": None}, r"sci\.fits: found a WCS that cannot be used|found no celestial WCS"),
        ({"CDELT1": 0.0}, r"sci\.fits: found a WCS that cannot be used|pixels of 0 x"),
        ({"CD1_1": 1e-5, "CD1_2": 1e-5, "CD2_1": 1e-5, "CD2_2": 1e-5}, r"cannot be used|right angles"),
        ({"BUNIT": None, "PHOTFNU": "much"}, r"PHOTFNU = 'much' in the header; expected a positive number"),
    ],
)
def test_wrong_headers(field, cards, message):
    with fits.open(field["images"]["F150W"]["sci"], mode="update") as hdus:
        for key, value in cards.items():
            if value is None:
                del hdus[0].header[key]
            else:
                hdus[0].header[key] = value
    with pytest.raises(InputError, match=message):
        check_field("a", field)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_an_image_without_light_is_refused(field, value):
    with fits.open(field["images"]["F150W"]["sci"], mode="update") as hdus:
        hdus[0].data[:] = value
    with pytest.raises(InputError, match=r"sci\.fits .*F150W\.sci\): found no pixel but zeros and NaN"):
        check_field("a", field)


def test_a_psf_of_numbers_alone(field, tmp_path):
    psf = np.ones((21, 21))
    field["images"]["F150W"]["psf"] = str(tmp_path / "psf.npy")
    np.save(tmp_path / "psf.npy", psf)
    check_field("a", field)
    psf[3, 4] = np.nan
    np.save(tmp_path / "psf.npy", psf)
    with pytest.raises(InputError, match=r"F150W\.psf\): found 1 of 441 pixels that are no numbers"):
        check_field("a", field)


def test_a_filter_without_psf_or_stars_is_refused(field, tmp_path):
    (tmp_path / "stars.csv").write_text("ra,dec\n200.0,10.0\n")
    field["stars"] = str(tmp_path / "stars.csv")
    with pytest.raises(InputError, match=r"fields\.a\.images\.F150W: found no psf, and none of the 1 stars"):
        check_field("a", field)


def test_edits_name_known_galaxies_and_actions(field, tmp_path):
    field["edits"] = str(tmp_path / "edits.csv")
    for row, message in (("g9,add,10,-30", "'g9'"), ("g1,delete,10,-30", "one of add, remove, move, reject")):
        (tmp_path / "edits.csv").write_text(f"galaxy,action,ra,dec\n{row}\n")
        with pytest.raises(InputError, match=message):
            check_field("a", field)


def test_edits_lie_in_their_galaxies_whose_radius_is_the_configurations(field, tmp_path):
    field["edits"] = str(tmp_path / "edits.csv")
    for north, refused in ((1.0, False), (20.0, True)):
        (tmp_path / "edits.csv").write_text(f"galaxy,action,ra,dec\ng1,add,10,{-30 + north / 3600}\n")
        check_field("a", field)
        with pytest.raises(InputError, match=r"a position 20\.0 arcsec from") if refused else nullcontext():
            check_selection(field, SETTINGS["selection"])


def test_a_catalogue_in_front_of_the_limit_is_refused(field, tmp_path):
    (tmp_path / "galaxies.csv").write_text(GALAXIES.replace("1.5", "0.2").replace("2.5", "0.7"))
    with pytest.raises(
        InputError, match=r"found 0\.7 as the largest of 2 redshifts; expected one above 0\.7"
    ):
        check_selection(field, SETTINGS["selection"])


def test_a_catalogue_that_was_converted_is_no_doubt(field):
    whole = {**SETTINGS, "sed": {"reference_sfh": "ssp", "fixed": {}}, "population": {"min_broad_bands": 1}}
    # In our columns already, with the layout that it had.
    converted = {**field, "catalogue": {"format": "super"}}
    assert not [text for text in doubts_of_settings("a", converted, whole) if "galaxies.csv" in text]


def test_what_is_here_is_checked_before_the_rest_comes(field, tmp_path):
    field["images"]["F200W"] = {
        "sci": "https://example.org/f200w_sci.fits",
        "err": str(tmp_path / "err.fits"),
    }
    field["images"]["F150W"]["psf"] = "https://example.org/psf.fits"
    field["lens"] = [
        {"kind": "lenstool", "model": "https://example.org/best.par"},
        {"kind": "lenstool", "model": "nowhere.par", "samples": "https://example.org/bayes.dat"},
    ]
    here = own_files(field)
    assert list(here["images"]) == ["F150W"] and set(here["images"]["F150W"]) == {"sci", "err"}
    with pytest.raises(InputError, match=r"nowhere\.par"):
        check_field("a", here)
    assert check_field("a", own_files({**field, "lens": field["lens"][0]})) == []
    assert own_files({**field, "galaxies": "https://example.org/galaxies.fits"}) is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("c2", "c1", "as in row 1"),
        ("F150W_njy,", "F150_njy,", "Did you mean F150W"),
        ("F150W_err_njy", "error", "'F150W_err_njy'"),
        ("-1.0,1.0", "-1.0,0.0", r"column 'F150W_err_njy', row 2 \(id c2\): found 0 nJy"),
        ("-1.0,1.0", "-1.0,-2.0", "found -2 nJy"),
        ("F150W_njy,F150W_err_njy", "flux,error", "fluxes in columns"),
        ("5.0,1.0", ",", ""),
        ("5.0,1.0", "nan,nan", ""),
        ("5.0,1.0\nc2,10.0,-30.0,-1.0,1.0", ",\nc2,10.0,-30.0,-1.0,-2.0", r"row 2 \(id c2\)"),
        ("-1.0,1.0", "-1.0,", r"row 2 \(id c2\): found no error of a flux"),
        ("-1.0,1.0", "-,-", r"column 'F150W_njy', row 2: found '-'"),
        ("c2", "c 2", r"row 2: found 'c 2'"),
    ],
)
def test_wrong_photometry_tables(tmp_path, old, new, message):
    path = tmp_path / "clusters.csv"
    path.write_text(CLUSTERS.replace(old, new))
    with pytest.raises(InputError, match=message) if message else nullcontext():
        check_field("a", {"photometry": str(path), "redshift": 0.39})


def test_an_id_ends_where_its_line_does(tmp_path):
    table = Table({"id": ["c1\n"], "ra": [10.0], "dec": [-30.0], "F150W_njy": [5.0], "F150W_err_njy": [1.0]})
    table.write(tmp_path / "clusters.ecsv")
    with pytest.raises(InputError, match=r"row 1: found 'c1\\n'"):
        inputs.read_photometry(str(tmp_path / "clusters.ecsv"), 0.39)


def test_photometry_needs_a_redshift(tmp_path):
    path = tmp_path / "clusters.csv"
    path.write_text(CLUSTERS)
    with pytest.raises(InputError, match="no column 'z'"):
        check_field("a", {"photometry": str(path)})
    assert list(inputs.read_photometry(str(path), 0.39)["z"]) == [0.39, 0.39]


def test_sources_are_grouped_by_galaxy_or_redshift(tmp_path):
    path = tmp_path / "clusters.csv"
    head = "id,ra,dec,F150W_njy,F150W_err_njy,z"
    path.write_text(f"{head}\na,10,0,1,1,0.5\nb,10,0,1,1,1.5\nc,10,0,2,1,0.5\n")
    sources = inputs.read_photometry(str(path), None)
    _, rows, counts = inputs.photometry_groups(sources, "f")
    assert counts == {"f_z0.50000": 2, "f_z1.50000": 1} and rows["f_z1.50000"]["z"] == 1.5
    assert list(inputs.galaxy_photometry(sources, "f_z0.50000", "f")["id"]) == ["a", "c"]
    path.write_text(f"{head},galaxy\na,10,0,1,1,0.5,g\nb,10,0,1,1,1.5,g\n")
    with pytest.raises(InputError, match="one redshift a galaxy"):
        inputs.read_photometry(str(path), None)


@pytest.mark.parametrize("ending", ["csv", "ecsv", "fits"])
def test_fluxes_in_another_unit_and_missing_ones(tmp_path, ending):
    """One flux of 5 nJy and one not measured, however a user writes them."""
    table = Table({"id": [1, 2], "ra": [10.0, 10.0], "dec": [-30.0, -30.0]})
    for name in ("F150W_njy", "F150W_err_njy"):
        table[name] = [0.005, np.nan]
        table[name].unit = "uJy"
        if ending == "csv":  # without units
            table[name] = [5.0, np.nan]
    path = tmp_path / f"clusters.{ending}"
    table.write(path)
    if ending == "csv":  # as spreadsheets do
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    check_field("a", {"photometry": str(path), "redshift": 0.39})
    own = inputs.galaxy_photometry(inputs.read_photometry(str(path), 0.39), "a", "a")
    assert list(own["id"]) == ["1", "2"]
    for name in ("flux_F150W_njy", "flux_F150W_err_njy"):
        np.testing.assert_allclose(own[name], [5.0, np.nan])


def test_photometry_at_redshift_zero_is_refused(tmp_path):
    path = tmp_path / "clusters.csv"
    path.write_text("id,ra,dec,z,F150W_njy,F150W_err_njy\nc1,10.0,-30.0,0.0,5.0,1.0\n")
    with pytest.raises(InputError, match=r"column 'z', row 1 \(id c1\): found '0.0'"):
        check_field("a", {"photometry": str(path)})


def test_host_fluxes_need_positive_errors(field, tmp_path):
    (tmp_path / "galaxies.csv").write_text(
        "id,ra,dec,z,f_F814W,e_F814W\ng1,10.0,-30.0,1.5,3.0,0.0\ng2,10.001,-30.001,2.5,,\n"
    )
    with pytest.raises(InputError, match=r"column 'e_F814W', row 1 \(id g1\): found 0 nJy"):
        check_field("a", field)


def test_stars_have_places_in_degrees(field, tmp_path):
    (tmp_path / "stars.csv").write_text("ra,dec\n10.0,-30.0\n00:40:00,-30:00:00\n")
    field["stars"] = str(tmp_path / "stars.csv")
    with pytest.raises(InputError, match=r"stars\.csv, column 'ra', row 2: found '00:40:00'"):
        check_field("a", field)


def test_ids_of_galaxies_in_a_segmentation_map_are_its_values(field, tmp_path):
    fits.writeto(tmp_path / "map.fits", np.ones((400, 400), dtype=np.int32))
    field["segmentation"] = str(tmp_path / "map.fits")
    with pytest.raises(InputError, match=r"row 1: found 'g1'; expected a number, .*map\.fits"):
        check_field("a", field)
    (tmp_path / "galaxies.csv").write_text(GALAXIES.replace("g1", "1").replace("g2", "2"))
    check_field("a", field)


def test_every_model_of_a_list_of_lenses_must_be_there(field, tmp_path):
    (tmp_path / "best.par").write_text(MODEL)
    models = [{"kind": "lenstool", "model": str(tmp_path / name)} for name in ("best.par", "absent.par")]
    check_field("a", {**field, "lens": models[:1]})
    with pytest.raises(InputError, match=r"lens, model 2.model.*absent"):
        check_field("a", {**field, "lens": models})


@pytest.mark.parametrize(
    ("model", "samples", "message"),
    [
        (MODEL.replace("10.0 -30.0", "130.0 -30.0"), "", r"best\.par .*lens\): found a model of RA 130.* degrees from the nearest source"),
        ("no model at all", "", r"best\.par"),
        (MODEL.replace("v_disp 800", "v_disp -800"), "", r"potentiel O1: found v_disp -800; expected km/s, from 0 to 5000"),
        (MODEL, "#Nsample\n#O1 : sigma (km/s)\n#O1 : sigma (km/s)\n1 800 800\n", "a second column"),
        (MODEL, "#Nsample\n#O1 : sigma (km/s)\n1 800\n2 -790\n", r"sample 2: found O1 : sigma \(km/s\) -790"),
        (MODEL, "#Nsample\n#O7 : sigma (km/s)\n1 800\n", "a potential that the model has not"),
    ],
)  # fmt: skip
def test_lens_models_are_read_before_any_job(field, tmp_path, model, samples, message):
    (tmp_path / "best.par").write_text(model)
    field["lens"] = {"kind": "lenstool", "model": str(tmp_path / "best.par")}
    if samples:
        (tmp_path / "bayes.dat").write_text(samples)
        field["lens"]["samples"] = str(tmp_path / "bayes.dat")
    with pytest.raises(InputError, match=message):
        check_field("a", field)


def test_few_samples_and_sources_in_front_are_told(field, tmp_path):
    (tmp_path / "best.par").write_text(MODEL)
    (tmp_path / "bayes.dat").write_text("#Nsample\n#O1 : sigma (km/s)\n1 800\n2 790\n")
    files = {"model": str(tmp_path / "best.par"), "samples": str(tmp_path / "bayes.dat")}
    (tmp_path / "galaxies.csv").write_text(GALAXIES.replace("1.5", "0.2").replace("2.5", "0.3"))
    doubts = check_field("a", {**field, "lens": {"kind": "lenstool", **files}})
    assert len(doubts) == 2
    assert "behind all 2 sources" in doubts[0] and "2 realisations" in doubts[1]
    # The same of a table of sources, in the check without a run, too.
    rows = "id,ra,dec,z,F150W_njy,F150W_err_njy\na,10.0,-30.0,0.2,10,1\n"
    (tmp_path / "sources.csv").write_text(rows)
    own = {"photometry": str(tmp_path / "sources.csv"), "lens": {"kind": "lenstool", **files}}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"fields": {"a": own}}))
    told = "\n".join(check_configuration(tmp_path / "c.yaml").doubts)
    assert "behind all 1 sources" in told and "2 realisations" in told


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        ({"FILTER": "F200W", "PUPIL": "CLEAR"}, "F150W"),
        ({"FILTER": "F150W2", "PUPIL": "F162M"}, "F162M"),
        ({"FILTER": "CLEAR", "PUPIL": "F150W"}, ""),
        ({"FILTER": "F150W-CLEAR"}, ""),
    ],
)
def test_the_filter_of_the_header_is_that_of_the_key(field, cards, message):
    with fits.open(field["images"]["F150W"]["sci"], mode="update") as hdus:
        hdus[0].header.update(cards)
    with pytest.raises(InputError, match=message) if message else nullcontext():
        check_field("a", field)


@pytest.mark.parametrize(
    ("errors", "kind", "message"),
    [
        (np.nan, "err", "no pixel that is a positive number"),
        (-1.0, "err", "no pixel that is a positive number"),
        (1e4, "err", "the sky scatters by 9.97e-05"),
        (1e-4, "err", "As `wht` the file would fit"),
        (0.01, "wht", "As `err` the file would fit"),
        (1.0, "wht", ""),
    ],
)
def test_errors_are_those_of_the_pixels(field, errors, kind, message):
    image = field["images"]["F150W"]
    with fits.open(image["err"], mode="update") as hdus, fits.open(image["sci"], mode="update") as sky:
        hdus[0].data[:] = errors
        if "As `wht`" in message:
            sky[0].data *= 100.0
        if "As `err`" in message:
            sky[0].data *= 0.01
    field["images"]["F150W"] = {"sci": image["sci"], kind: image["err"]}
    with pytest.raises(InputError, match=message) if message else nullcontext():
        assert check_field("a", field) == []


def test_unlikely_errors_units_and_radii_are_told(field, tmp_path):
    with fits.open(field["images"]["F150W"]["err"], mode="update") as hdus:
        hdus[0].data[:] = 0.1
    field["images"]["F200W"] = {"sci": str(tmp_path / "sci2.fits"), "unit": "uJy"}
    with fits.open(field["images"]["F150W"]["sci"]) as hdus:
        hdus.writeto(tmp_path / "sci2.fits")
    lines = GALAXIES.splitlines()
    (tmp_path / "galaxies.csv").write_text(
        "\n".join([lines[0] + ",radius_arcsec", lines[1] + ",30", lines[2] + ",40", ""])
    )
    doubts = "\n".join(check_field("a", field))
    assert "'radius_arcsec': 35 arcsec" in doubts and "scatters by 9" in doubts
    assert "'uJy' is taken, though the header says BUNIT = '10 nJy', 0.01 times" in doubts


def test_a_filter_in_another_unit_stands_out(field, tmp_path):
    for number in (2, 3):
        with fits.open(field["images"]["F150W"]["sci"]) as hdus:
            hdus[0].header["BUNIT"] = "10 nJy" if number == 2 else "10 uJy"
            hdus.writeto(tmp_path / f"sci{number}.fits")
    field["images"] |= {
        "F200W": {"sci": str(tmp_path / "sci2.fits")},
        "F277W": {"sci": str(tmp_path / "sci3.fits")},
    }
    (doubt,) = [text for text in check_field("a", field) if "has the pixels of" not in text]
    assert "images.F277W: noise 1e+03 times" in doubt


def test_psfs_are_looked_at_and_cut_before_any_job(field, tmp_path):
    axis = np.arange(601) - 300
    psf = np.exp(-0.5 * (axis[:, None] ** 2 + axis**2) / 1.0**2)
    field["images"]["F150W"]["psf"] = str(tmp_path / "psf.npy")
    np.save(tmp_path / "psf.npy", psf)  # larger than the image: cut
    assert check_settings("a", field, SETTINGS) == []
    # Of an image that was smoothed to the PSF of a redder filter, or of other pixels.
    np.save(tmp_path / "psf.npy", np.exp(-0.5 * (axis[:, None] ** 2 + axis**2) / 2.5**2))
    (doubt,) = check_settings("a", field, SETTINGS)
    assert "F150W.psf" in doubt and "times that of telescope and pixel: is it on other pixels" in doubt
    for wrong, message in ((psf * 0.0, "no positive source"), (psf[295:306, 295:306], "ends 0.22 arcsec")):
        np.save(tmp_path / "psf.npy", wrong)
        with pytest.raises(InputError, match=rf"F150W\.psf\): found .*{message}"):
            check_settings("a", field, SETTINGS)


def test_errors_of_galaxies_have_their_fluxes(field, tmp_path):
    (tmp_path / "galaxies.csv").write_text("id,ra,dec,z,e_F150W\ng1,10.0,-30.0,1.5,1\n")
    with pytest.raises(InputError, match="column 'e_F150W' alone"):
        check_field("a", field)


def test_limits_of_priors_are_within_the_library(field):
    settings = {**SETTINGS, "hosts": {"bounds": {"log_z_zsun": [-9.0, 0.0]}}}
    with pytest.raises(InputError, match=r"hosts\.bounds\.log_z_zsun for field a: found \[-9, 0\]"):
        check_settings("a", field, settings)
