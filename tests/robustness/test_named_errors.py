"""Errors that once ended in a traceback, passed in silence or were told late: each by name, refused before the first job."""

import math
import shutil
from collections.abc import Callable

import numpy as np
import pytest
import yaml
from astropy.io import fits
from astropy.table import Table
from broken_inputs import Field
from clumpscope import config as configuration
from clumpscope.errors import InputError


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    field = Field(folder, np.random.default_rng(0))
    field.write()
    assert field.start() == []
    return folder


@pytest.fixture
def case(sound, tmp_path):
    return Field(shutil.copytree(sound, tmp_path / "case"), np.random.default_rng(0))


def field_called(name: str) -> Callable:
    def change(case: Field) -> None:
        text = yaml.safe_dump(case.config, sort_keys=False)
        case.text = text.replace("\n  b:", f"\n  {name}:")

    return change


def setting(section: str, **values) -> Callable:
    return lambda case: case.config.update({section: values})


def in_field(name: str, **values) -> Callable:
    return lambda case: case.config["fields"][name].update(values)


def in_image(**values) -> Callable:
    return lambda case: case.config["fields"]["a"]["images"]["F150W"].update(values)


def image(name: str, change: Callable = lambda data: data, lost: str | None = None, **cards) -> Callable:
    """Another image of the same name."""

    def write(case: Field) -> None:
        with fits.open(case.file(name)) as hdus:
            data, header = np.array(hdus[0].data), hdus[0].header
        header.update(cards)
        if lost:
            del header[lost]
        fits.writeto(case.file(name), change(data), header, overwrite=True, output_verify="ignore")

    return write


def table(name: str, change: Callable) -> Callable:
    """A table of the same name that a function changed."""

    def write(case: Field) -> None:
        kind = "ascii.ecsv" if name.endswith("ecsv") else "ascii.csv"
        rows = Table.read(case.file(name), format=kind)
        change(rows)
        rows.write(case.file(name), format=kind, overwrite=True)

    return write


def text(name: str, old: str, new: str) -> Callable:
    def write(case: Field) -> None:
        content = case.file(name).read_text()
        assert old in content
        case.file(name).write_text(content.replace(old, new))

    return write


def damaged_segmentation(case: Field) -> None:
    header = fits.getheader(case.file("sci.fits"))
    fits.writeto(case.file("segments.fits"), np.ones((150, 150), np.int32), header)
    case.file("segments.fits").write_bytes(case.file("segments.fits").read_bytes()[:9000])
    case.config["fields"]["a"]["segmentation"] = str(case.file("segments.fits"))


def repeated_key(case: Field) -> None:
    case.text = yaml.safe_dump(case.config, sort_keys=False).replace(
        "    redshift: 0.39", "    redshift: 0.39\n    redshift: 0.5"
    )


def without_pixel_scale(case: Field) -> None:
    image("sci.fits", CDELT1=0.0, CDELT2=0.0)(case)


REFUSED = {
    # once a traceback
    "even box": setting("fit", box=8),
    "a fraction for a whole number": setting("fit", joint_box=13.5),
    "field 2744": field_called("2744"),
    "field no": field_called("no"),
    "field ~": field_called("~"),
    "no galaxies": table("galaxies.ecsv", lambda rows: rows.remove_rows([0, 1])),
    "no clumps": table("clusters.csv", lambda rows: rows.remove_rows([0, 1])),
    "lens elsewhere": text("best.par", "reference 3 10.0 -30.0", "reference 3 200.0 40.0"),
    "mosaic without a value": image("sci.fits", lambda data: data * np.nan),
    "damaged segmentation map": damaged_segmentation,
    "one CTYPE": image("sci.fits", lost="CTYPE2"),
    "singular CD": without_pixel_scale,
    "text in PHOTFNU": image("sci.fits", lost="BUNIT", PHOTFNU="bright"),
    "text in mu_lo": text("clusters.csv", "3.0,2.5,3.5", "3.0,low,3.5"),
    "vectors of redshifts": table("galaxies.ecsv", lambda t: t.replace_column("z", np.ones((2, 3)))),
    "infinite bounds": setting("sed", bounds={"a_v": [0.0, math.inf]}),
    "huge background_fwhm": setting("detection", background_fwhm=1e6),
    # once silent
    "repeated key": repeated_key,
    "falling redshift_bins": setting("population", redshift_bins=[3.0, 1.0]),
    "repeated redshift_bins": setting("population", redshift_bins=[1.0, 1.0, 2.0]),
    "falling flux_range": setting("injection", flux_range=[30.0, 0.3]),
    "falling distance_bins_kpc": setting("population", distance_bins_kpc=[4.0, 1.0]),
    "repeated distance_bins_kpc": setting("population", distance_bins_kpc=[0.0, 1.0, 1.0]),
    "falling reference_filters": setting("selection", reference_filters=[[9.0, "F150W"], [3.0, "F277W"]]),
    "repeated reference_filters": setting("selection", reference_filters=[[3.0, "F150W"], [3.0, "F277W"]]),
    "stack of an unknown filter": setting("detection", stack=["F999W"]),
    "stack of a filter without images": setting("detection", stack=["F444W"]),
    "sha256 of a local file": in_image(sha256="0" * 64),
    "ra in arcsec": table("galaxies.ecsv", lambda t: setattr(t["ra"], "unit", "arcsec")),
    "radius in kg": table("galaxies.ecsv", lambda t: setattr(t["radius_arcsec"], "unit", "kg")),
    "an error without its flux": table("galaxies.ecsv", lambda t: t.remove_column("f_F150W")),
    "a cluster's error without its flux": table("clusters.csv", lambda t: t.remove_column("F150W_njy")),
    "F150W_mjy": table("clusters.csv", lambda t: t.rename_column("F150W_njy", "F150W_mjy")),
    "x_centr": text("best.par", "x_centre", "x_centr"),
    "a key of a potential twice": text("best.par", "v_disp 800", "v_disp 800\n  v_disp 900"),
    "v_disp below zero": text("best.par", "v_disp 800", "v_disp -800"),
    "samples with a column twice": text("bayes.dat", "#O1 : y (arcsec)", "#O1 : x (arcsec)"),
    "image of zeros": image("sci.fits", lambda data: data * 0.0),
    "counts per second": image("sci.fits", BUNIT="DN/s"),
    "a PSF smaller than its stars": image("psf.fits", lambda data: data[15:26, 15:26]),
    "a PSF with a NaN": image("psf.fits", lambda data: np.where(data == data.max(), np.nan, data)),
    # once told late
    "reddening without a filter": in_field("a", reddening={"F150W": 0.1}),
    "bounds beyond the library": setting("sed", bounds={"log_z_zsun": [-9.0, 0.0]}),
    "lens file that is none": text("best.par", "potentiel O1", "potatoes O1"),
    "samples that are none": text("bayes.dat", "#Nsample", "Nsample"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_before_the_first_job(case, name):
    REFUSED[name](case)
    with pytest.raises(InputError) as refusal:
        case.start()
    error = refusal.value
    assert error.where and error.found and error.expected


SCHEMA = yaml.safe_load(configuration.SCHEMA_PATH.read_text())["$defs"]


def _numbers(value) -> bool:
    kind = value.get("type", []) if isinstance(value, dict) else []
    return bool({"number", "integer"} & {*([kind] if isinstance(kind, str) else kind)})


NUMBERS = [
    (section, key)
    for section in (*configuration.METHOD_SECTIONS, *configuration.COMMON_SECTIONS)
    for key, value in SCHEMA[section]["properties"].items()
    if _numbers(value)
]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_of_the_configuration_may_be_nan_or_infinite(value):
    assert len(NUMBERS) > 30
    for section, key in NUMBERS:
        config = {"fields": {"b": {"photometry": "b.csv"}}, section: {key: value}}
        with pytest.raises(InputError, match=key):
            configuration.validate(config)


@pytest.mark.parametrize(("shift", "told"), [(0.0, False), (5.0, False), (5.5, True)])
def test_a_stacked_detection_image_on_other_pixels_is_told_before_the_first_job(case, shift, told):
    setting("detection", stack=["F277W"])(case)
    header = fits.getheader(case.file("sci2.fits"))
    for name in ("sci2.fits", "wht2.fits"):
        image(name, CRPIX1=header["CRPIX1"] + shift)(case)
    assert any("F277W, on other pixels than F150W" in doubt for doubt in case.start()) == told
