"""The configuration is refused with a sentence that says what to change."""

import pytest
import yaml
from clumpscope import config
from clumpscope.errors import InputError
from clumpscope.sed.models.sfh import SFHS

PHOTOMETRY = {"photometry": "table.csv", "redshift": 0.39}
IMAGING = {"images": {"F150W": {"sci": "a.fits"}}, "galaxies": "g.csv"}
MAPS = {"kind": "maps", "z_lens": 0.4, "normalisation": {"z_source": 2.0}}


def mock(**image):
    """A mock field with its images at these places."""
    image = {"sci": "results/a/input/sci.fits", **image}
    field = {"mock": {}, "images": {"F150W": image}, "galaxies": "results/a/input/galaxies.ecsv"}
    return {"fields": {"a": field}}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "no key 'fields'"),
        ({"fields": {}}, "at least one entry"),
        ({"fields": {"a": {"photometri": "x"}}}, "unknown key 'photometri'.*Did you mean 'photometry'"),
        ({"fields": {"a": {**PHOTOMETRY, **IMAGING}}}, "exclude each other"),
        ({"fields": {"a": {**IMAGING, "images": {"F150": {"sci": "x"}}}}}, "Did you mean F150W"),
        (
            {"fields": {"a": {**IMAGING, "images": {"F150W": {}}}}},
            "fields.a.images.F150W: found no key 'sci'",
        ),
        (
            {"fields": {"a": {**IMAGING, "images": {"F150W": {"sci": "x", "err": "y", "wht": "z"}}}}},
            "exclude",
        ),
        ({"fields": {"a": {**PHOTOMETRY, "lens": {"kind": "lenstool"}}}}, "no key 'model'"),
        ({"fields": {"a": {**PHOTOMETRY, "lens": {"kind": "lens"}}}}, "fields.a.lens.kind"),
        ({"fields": {"a": {**PHOTOMETRY, "lens": []}}}, "fields.a.lens"),
        (
            {"fields": {"a": {**PHOTOMETRY, "lens": [{"kind": "none"}, {"kind": "lens"}]}}},
            "fields.a.lens.1.kind",
        ),
        ({"fields": {"a": {**PHOTOMETRY, "lens": {**MAPS, "kappa": "k"}}}}, "no key 'gamma1'"),
        (
            {"fields": {"a": {**PHOTOMETRY, "lens": {"kind": "maps", "z_lens": 0.4}}}},
            "no key 'normalisation'",
        ),
        ({"fields": {"a": {**PHOTOMETRY, "reddening": {"ebv": "much"}}}}, "reddening.ebv: found 'much'"),
        ({"fields": {"a": PHOTOMETRY}, "sed": {"prior": "log"}}, "Did you mean 'priors'"),
        ({"fields": {"a": PHOTOMETRY}, "sed": {"priors": "flat"}}, "one of log, paper"),
        ({"fields": {"a": PHOTOMETRY}, "sed": {"sfh": ["exp_10Myr"]}}, "reference_sfh"),
        ({"fields": {"a": PHOTOMETRY}, "run": {"seed": -1}}, "run.seed"),
        (
            {"fields": {"a": IMAGING}, "hosts": {"sfh": ["ssp"], "reference_sfh": "ssp"}},
            "hosts.reference_sfh .*no star-formation rate",
        ),
        (
            {"fields": {"a": {**IMAGING, "images": {"F150W": {"sci": "a.fits", "psf": "a.fits"}}}}},
            "psf: .*the science image",
        ),
        ({"fields": {"a b/c": PHOTOMETRY}}, "a b/c"),
        ({"fields": {"a\n": PHOTOMETRY}}, "text matching"),
        (mock(sci="results/a/input/../../../precious.fits"), "fields.a.images.F150W.sci.*without '..'"),
        (mock(sci="/data/precious.fits"), "fields.a.images.F150W.sci.*below results/a/input/"),
        (mock(psf="results/a/input/../psf.fits"), "fields.a.images.F150W.psf"),
    ],
)
def test_wrong_configurations_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        config.validate(wrong)


NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("fit", "box", 8, "found 8; expected an odd number"),
        ("fit", "joint_box", 12, "found 12; expected an odd number"),
        ("fit", "n_sweeps", 3.0, r"fit\.n_sweeps: found 3\.0; .*type integer"),
        ("fit", "n_sweeps", True, r"fit\.n_sweeps: found True; .*type integer"),
        ("fit", "joint_distance_px", NAN, r"fit\.joint_distance_px: found nan; expected a finite"),
        ("detection", "threshold", INFINITE, r"detection\.threshold: found inf; expected a finite"),
        ("detection", "background_fwhm", 1e6, r"detection\.background_fwhm"),
        ("detection", "stack", ["F150"], r"detection\.stack .*Did you mean F150W"),
        ("population", "redshift_bins", [0.7, 2.5, 1.5], r"redshift_bins for field a: found \[0.7, 2.5, 1.5\]"),
        ("population", "redshift_bins", [0.7, 0.7, 1.5], "each larger than the one before"),
        ("population", "distance_bins_kpc", [4, 2], r"population\.distance_bins_kpc"),
        ("population", "distance_bins_kpc", [-1, 2], "positive numbers"),
        ("injection", "flux_range", [30.0, 0.3], r"injection\.flux_range"),
        ("injection", "flux_range", [0.0, 3.0], "positive numbers"),
        ("selection", "reference_filters", [[6.0, "F200W"], [3.5, "F150W"]], "reference_filters"),
        ("selection", "reference_filters", [[3.5, "F150"]], "Did you mean F150W"),
        ("selection", "reference_filters", [[NAN, "F150W"]], "reference_filters.0.0: found nan"),
    ],
)  # fmt: skip
def test_numbers_that_mean_nothing_are_refused(section, key, value, message):
    with pytest.raises(InputError, match=message):
        config.validate({"fields": {"a": IMAGING}, section: {key: value}})
    with pytest.raises(InputError, match=message):
        config.validate({"fields": {"a": {**IMAGING, section: {key: value}}}})


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"reddening": {"F200W": 0.1}}, r"fields\.a\.reddening: found filters F200W; .*F150W too"),
        ({"images": {"F150W": {"sci": "a.fits", "sha256": "0" * 64}}}, "only downloads are compared"),
        ({"images": {150: {"sci": "a.fits"}}}, r"key fields\.a\.images: found the key 150 \(int\)"),
    ],
)
def test_what_does_not_fit_the_images_is_refused(field, message):
    with pytest.raises(InputError, match=message):
        config.validate({"fields": {"a": {**IMAGING, **field}}})


@pytest.mark.parametrize("name", [2744, False, None, 1.5])
def test_names_that_yaml_reads_as_something_else_are_refused(name):
    with pytest.raises(InputError, match=r"key fields: found the key .*in quotes"):
        config.validate({"fields": {name: PHOTOMETRY}})


def test_aliases_of_yaml_are_looked_at_once(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("fields: &all {a: *all, b: [*all, *all]}\n")
    config.refuse_repeated_keys(path)
    path.write_text("fields: &all {a: *all, b: {c: 1, c: 2}}\n")
    with pytest.raises(InputError, match="the key 'c'"):
        config.refuse_repeated_keys(path)


def test_a_key_that_is_given_twice_is_refused_with_its_line(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("fields:\n  a:\n    redshift: 1\n    lens: [{kind: none}]\n    redshift: 2\n")
    with pytest.raises(InputError, match=r"config\.yaml, line 5: found the key 'redshift', as in line 3"):
        config.refuse_repeated_keys(path)
    path.write_text("fields:\n  a: {lens: [{kind: none, kind: maps}]}\n")
    with pytest.raises(InputError, match="line 2: found the key 'kind'"):
        config.refuse_repeated_keys(path)
    path.write_text("fields:\n  a: {redshift: 1}\n  b: {redshift: 1}\n")
    config.refuse_repeated_keys(path)


def test_a_mock_may_take_a_psf_from_elsewhere():
    config.validate(mock(psf="resources/psf.fits"))


def test_settings_are_defaults_then_top_level_then_field():
    whole = {
        "fields": {"a": {**PHOTOMETRY, "sed": {"priors": "paper"}}, "b": PHOTOMETRY},
        "sed": {"error_floor": 0.1, "priors": "log"},
    }
    config.validate(whole)
    a, b = config.field_settings(whole, "a")["sed"], config.field_settings(whole, "b")["sed"]
    assert (a["priors"], b["priors"]) == ("paper", "log")
    assert a["error_floor"] == b["error_floor"] == 0.1
    assert a["reference_sfh"] == "exp_free"


def test_a_lens_may_be_a_list_of_models():
    lens = [{**MAPS, "magnification": "mu.fits"}, {"kind": "lenstool", "model": "best.par"}]
    config.validate({"fields": {"a": {**PHOTOMETRY, "lens": lens}}})


def test_a_map_of_the_magnification_alone_is_a_lens():
    config.validate({"fields": {"a": {**PHOTOMETRY, "lens": {**MAPS, "magnification": "mu.fits"}}}})


def test_magnitude_limits_of_a_photometry_field_must_be_given():
    whole = {"fields": {"a": PHOTOMETRY}, "sed": {"limits": "paper"}}
    with pytest.raises(InputError, match=r"sed\.limits for field a.*no images.*sed\.mag_limit_ab"):
        config.validate(whole)
    whole["sed"]["mag_limit_ab"] = {"F150W": 29.0}
    config.validate(whole)
    for key in ("mag_limit_ab", "error_floor"):
        with pytest.raises(InputError, match=rf"sed\.{key} for field a: found 'F150'.*Did you mean F150W"):
            config.validate({"fields": {"a": PHOTOMETRY}, "sed": {key: {"F150": 0.1}}})


def test_the_schema_knows_every_history():
    schema = yaml.safe_load(config.SCHEMA_PATH.read_text())
    assert set(schema["$defs"]["sfh"]["enum"]) == set(SFHS)


LINES = """fields:
  a.b:
    images:
      F150W:
        sci: a.fits
        unt: nJy
    galaxies: g.csv
    fit: {box: 8}
    lens:
      - {kind: none}
      - kind: lens
sed:
  priors: flat
"""


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("configuration key fields.a.b.images.F150W.unt", "c.yaml, line 6, "),
        ("configuration key fields.a.b.lens.1.kind", "c.yaml, line 11, "),
        ("configuration key fields.a.b.lens, model 2", "c.yaml, line 9, "),
        ("configuration key fit.box for field a.b", "c.yaml, line 8, "),
        ("configuration key sed.priors for field a.b", "c.yaml, line 13, "),
        ("a.fits (configuration key fields.a.b.images.F150W.sci)", "c.yaml, line 5, a.fits"),
        ("configuration key fields.a.b.images.F150W.psf", "c.yaml, line 4, "),  # what is around a missing key
        ("configuration key (top level)", "configuration key"),
        ("configuration key depth.core for field none", "configuration key"),
        ("a.fits", "a.fits"),
    ],
)
def test_errors_name_the_line_of_the_key(tmp_path, where, place):
    path = tmp_path / "c.yaml"
    path.write_text(LINES)
    error = config.located(InputError(where, "this", "that", "Do it."), [path])
    assert str(error).removeprefix(f"{tmp_path}/").startswith(place)
    assert str(error).endswith(f"{where}: found this; expected that. Do it.")


def test_the_line_is_that_of_the_last_file_with_the_key(tmp_path):
    for name in ("first", "second", "third"):
        (tmp_path / name).write_text("run: {}\nsed: {priors: flat}\n" if name != "third" else "sed:\n")
    error = config.located(
        InputError("configuration key sed.priors", "this", "that"),
        [tmp_path / n for n in ("first", "second", "third")],
    )
    assert f"{tmp_path}/second, line 2, " in str(error)
