"""Rule `select`: check the inputs of a field and choose its galaxies, or group a photometry field's sources."""

import json

import numpy as np
from clumpscope.config import mosaic_options
from clumpscope.field_checks import check_field
from clumpscope.files import replacing, without_folders
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.registration import registration
from clumpscope.images.selection import covering_filters, galaxy_rows, require_galaxies, select_galaxies
from clumpscope.inputs import photometry_groups, read_edits, read_galaxies, read_photometry
from clumpscope.logs import in_doubt, job_log
from clumpscope.tables import read_table, write_table

with job_log(snakemake) as log:
    field, settings = snakemake.params.field, snakemake.params.settings
    doubts = check_field(snakemake.wildcards.field, field)
    for text in doubts:
        log.warning("%s", text)
    if "photometry" in field:
        galaxies = read_photometry(field["photometry"], field.get("redshift"))
        selection, rows, counts = photometry_groups(galaxies, snakemake.wildcards.field)
    else:
        galaxies = read_galaxies(field["galaxies"])
        edits = read_edits(field["edits"], galaxies, settings["radius_arcsec"]) if "edits" in field else None
        rejected = set() if edits is None else set(edits["galaxy"][edits["action"] == "reject"])
        candidates = read_table(snakemake.input.candidates, ["mu", "selected"])
        mosaics = [
            open_mosaic(name=band, **mosaic_options(image, maps=("sci",)))
            for band, image in field["images"].items()
        ]
        # Images are asked about the few galaxies that all else lets through, not about whole catalogues.
        covering = [list(field["images"])] * len(galaxies)
        asked = np.flatnonzero(candidates["selected"])
        for row, filters in zip(asked, covering_filters(mosaics, galaxies[asked]), strict=True):
            covering[row] = filters
        mu = None if field["lens"]["kind"] == "none" else np.ma.filled(candidates["mu"], np.nan)
        selection = select_galaxies(
            galaxies, mu, list(field["images"]), covering=covering, rejected=rejected, **settings
        )
        require_galaxies(selection, str(field["galaxies"]))
        beside, found = registration(mosaics, selection[selection["selected"]])
        for text in beside:
            in_doubt(text)
        doubts += beside
        log.info("%s", found or "images: too few galaxies to tell whether they lie on each other")
        rows, counts = galaxy_rows(selection, edits), {}
        log.info("%d of %d galaxies selected", len(rows), len(galaxies))
    index = {
        "galaxies": list(rows),
        "rows": rows,
        "counts": counts,
        "multiple_images": len(set(map(str, selection["system"][selection["selected"]]))) < len(rows),
        "host_photometry": any(name.startswith("f_") for name in galaxies.colnames),
        "published": "published_log_mass" in galaxies.colnames,
    }
    if "lens" not in field or field["lens"]["kind"] == "none":
        doubts.append(
            "No lens model: nothing is divided by a magnification, unless the table of sources gives it."
        )
    selection.meta["doubts"] = [without_folders(text) for text in doubts]
    write_table(selection, snakemake.output.selection)
    write_table(selection[selection["selected"]], snakemake.output.galaxies)
    with replacing(snakemake.output.index) as temporary:
        temporary.write_text(json.dumps(index, indent=1))
