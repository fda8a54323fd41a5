"""Rule `psf`: the PSF of one filter, given or built from stars."""

from clumpscope.config import IMAGE_MAPS
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.psf import build_psf, load_psf, match_psf, model_psf
from clumpscope.images.stars import find_stars
from clumpscope.inputs import read_stars
from clumpscope.logs import job_log

with job_log(snakemake.log[0]):
    inputs, settings = snakemake.input, snakemake.params.settings
    files = {key: inputs[key] for key in IMAGE_MAPS if inputs.get(key)}
    mosaic = open_mosaic(**files, **snakemake.params.image, name=snakemake.wildcards.filter)
    if inputs.get("psf"):
        psf = load_psf(
            inputs.psf,
            mosaic.pixel_scale_arcsec,
            mosaic.name,
            settings["radius_arcsec"],
            **snakemake.params.sampling,
        )
    else:
        stars = read_stars(inputs.stars) if inputs.get("stars") else find_stars(mosaic)
        psf = build_psf(mosaic, stars, settings["radius_arcsec"])
    match_psf(psf, mosaic)
    model_psf(psf, settings["model"]).write(snakemake.output[0])
