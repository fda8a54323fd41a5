from dataclasses import replace

import numpy as np
from clumpscope.images.depth import measure_depth
from clumpscope.images.pictures import draw_depths, draw_psfs
from clumpscope.images.psf import normalise_psf
from clumpscope.images.psf_variation import WidthTrend
from clumpscope.pictures import save_picture
from image_fields import moffat

pytest_plugins = ["image_fixtures"]


def test_quality_figures_show_what_was_measured(make_mosaic, tmp_path):
    psfs = {
        name: normalise_psf(moffat((61, 61), 30, 30, alpha, 2.6), 0.02, name)
        for name, alpha in (("F150W", 2.6), ("F200W", 3.0))
    }
    # One that grows by a tenth towards the east.
    trend = WidthTrend(150.0, 2.0, 0.01, np.array([1.0, 0.1, 0.0, 0.0, 0.0, 0.0]), 0.9, 1.1)
    psfs["F200W"] = replace(psfs["F200W"], trend=trend)
    noise = np.random.default_rng(0).normal(0, 1, (300, 300))
    depths = {name: measure_depth(make_mosaic(noise, 1.0, name=name), psf, 500) for name, psf in psfs.items()}
    psf_figure, depth_figure = draw_psfs(psfs), draw_depths(depths)
    for index, name in enumerate(psfs):
        kernel_axis, profile_axis, energy_axis, field_axis = psf_figure.axes[4 * index : 4 * index + 4]
        assert kernel_axis.get_title().startswith(name)
        assert f"{psfs[name].fwhm_arcsec * 1e3:.0f} mas" in kernel_axis.get_title()
        # The drawn mean profile falls to half of the peak at half the FWHM.
        radius, profile = profile_axis.get_lines()[1].get_data()
        assert abs(2 * np.interp(-0.5, -profile, radius) - psfs[name].fwhm_arcsec) < 2e-3
        assert abs(energy_axis.get_lines()[0].get_ydata()[-1] - 1.0) < 0.01
        if psfs[name].trend is None:
            assert "no variation" in field_axis.texts[0].get_text() and not field_axis.images
        else:
            assert field_axis.get_title() == "FWHM -5 to +5 %"
            widths = field_axis.images[0].get_array()
            left, right, *_ = field_axis.images[0].get_extent()
            # East is to the left, where right ascension is larger.
            assert widths[0, -1] > widths[0, 0] and (right - left) * np.subtract(*field_axis.get_xlim()) > 0
        histogram_axis = depth_figure.axes[2 * index]
        assert f"{name}: {depths[name].mag_limit_ab:.2f} AB" in histogram_axis.get_title()
        assert "500 apertures" in histogram_axis.get_xlabel()
    for figure in (psf_figure, depth_figure):
        save_picture(figure, tmp_path / "figure.png")
        assert (tmp_path / "figure.png").read_bytes()[:4] == b"\x89PNG"
