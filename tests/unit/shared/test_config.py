"""The configuration is refused with a sentence that says what to change."""

import pytest
from clumpscope import config
from clumpscope.errors import InputError

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


def test_errors_are_not_corrected_by_clumps_that_were_not_injected():
    whole = {"fields": {"a": IMAGING}, "injection": {"correct_errors": True}}
    with pytest.raises(InputError, match=r"injection\.correct_errors for field a.*injection\.clumps"):
        config.validate(whole)
    whole["fields"]["a"] = {**IMAGING, "injection": {"clumps": 10}}
    config.validate(whole)


def test_magnitude_limits_of_a_photometry_field_must_be_given():
    whole = {"fields": {"a": PHOTOMETRY}, "sed": {"limits": "paper"}}
    with pytest.raises(InputError, match=r"sed\.limits for field a.*no images.*sed\.mag_limit_ab"):
        config.validate(whole)
    whole["sed"]["mag_limit_ab"] = {"F150W": 29.0}
    config.validate(whole)
    for key in ("mag_limit_ab", "error_floor"):
        with pytest.raises(InputError, match=rf"sed\.{key} for field a: found 'F150'.*Did you mean F150W"):
            config.validate({"fields": {"a": PHOTOMETRY}, "sed": {key: {"F150": 0.1}}})
