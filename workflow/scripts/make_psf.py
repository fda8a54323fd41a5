"""Rule `psf`: the PSF of one filter, given or built from stars."""

from dataclasses import replace

from clumpscope.config import IMAGE_MAPS
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.psf import match_psf, model_psf
from clumpscope.images.psf_built import build_psf
from clumpscope.images.psf_given import load_psf
from clumpscope.images.stars import find_stars, star_candidates
from clumpscope.inputs import read_stars
from clumpscope.logs import job_log
from clumpscope.photometry.psf_error import with_stars

with job_log(snakemake):
    inputs, settings = snakemake.input, snakemake.params.settings
    files = {key: inputs[key] for key in IMAGE_MAPS if inputs.get(key)}
    mosaic = open_mosaic(**files, **snakemake.params.image, name=snakemake.wildcards.filter)
    if inputs.get("stars"):
        stars = read_stars(inputs.stars)
    else:
        stars = star_candidates(mosaic) if inputs.get("psf") else find_stars(mosaic)
    if inputs.get("psf"):
        psf = load_psf(
            inputs.psf,
            mosaic.pixel_scale_arcsec,
            mosaic.name,
            settings["radius_arcsec"],
            mosaic.largest_radius_arcsec,
            **snakemake.params.sampling,
        )
    else:
        psf = build_psf(mosaic, stars, settings["radius_arcsec"])
    match_psf(psf, mosaic)
    psf = model_psf(psf, settings["model"])
    if settings["flux_error"] == "measured":
        psf = with_stars(psf, mosaic, stars, snakemake.params.box, settings["varies"])
    else:
        note = f"error of fluxes given ({settings['flux_error']:g}): not tested on the field's stars or compact sources"
        psf = replace(psf, flux_error=settings["flux_error"], notes=(*psf.notes, note))
    psf.write(snakemake.output[0])
