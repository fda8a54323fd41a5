"""Clumpscope: clumps and star clusters of lensed galaxies, from mosaics to population figures."""

from snakemake.utils import min_version

min_version("9.27.1")


# A configuration of the user's own replaces the default one: two would be merged field by field.
if "fields" not in config:

    configfile: "config/config.yaml"


include: "rules/common.smk"
include: "rules/functions/data.smk"
include: "rules/functions/galaxies.smk"
include: "rules/functions/sed.smk"
include: "rules/functions/products.smk"
include: "rules/data.smk"
include: "rules/psf.smk"
include: "rules/select.smk"
include: "rules/imaging.smk"
include: "rules/injection.smk"
include: "rules/lens.smk"
include: "rules/sed.smk"
include: "rules/population.smk"
include: "rules/figures.smk"
include: "rules/inspect.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        "results/report.html",
        "results/provenance.json",
        # One function a field: what one has to wait for does not keep the others waiting.
        *[lambda w, field=field: final_products(field) for field in FIELDS],


onstart:
    start_jobs_at_once()
    start_jobs_by_forking()


onsuccess:
    sweep("results")
    record("results")
    print(summary())


onerror:
    sweep("results")
    report_what_is_there()
    record("results")
