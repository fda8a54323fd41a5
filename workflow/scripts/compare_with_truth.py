"""Rule `truth`: what was injected into a synthetic field beside what was measured."""

from pathlib import Path

from astropy.table import vstack
from clumpscope.logs import job_log
from clumpscope.population.coverage import coverage_table, host_coverage
from clumpscope.population.hosts import intrinsic_hosts
from clumpscope.population.recovered import recovered_populations, true_clumps
from clumpscope.population.statements import recovered_statements
from clumpscope.population.truth import compare_with_truth, summarise_truth
from clumpscope.tables import read_table, write_table

with job_log(snakemake):
    inputs = {name: read_table(snakemake.input[name]) for name in ("catalogue", "truth", "psf", "galaxies")}
    measured = inputs.pop("catalogue")
    coverage = coverage_table(measured, inputs["truth"], inputs["psf"])
    true_galaxies = read_table(snakemake.input.true_galaxies)
    if snakemake.input.hosts:
        hosts = intrinsic_hosts(
            read_table(snakemake.input.hosts),
            read_table(snakemake.input.selected),
            snakemake.params.host_sfh,
            snakemake.params.settings["poor_fit"],
        )
        coverage = vstack([coverage, host_coverage(hosts, true_galaxies)], metadata_conflicts="silent")
    write_table(coverage, snakemake.output.coverage)
    comparison = compare_with_truth(measured, **inputs)
    write_table(comparison, snakemake.output.comparison)
    write_table(summarise_truth(comparison, len(measured)), snakemake.output.summary)
    tables = {Path(path).stem: read_table(path) for path in snakemake.input.tables}
    recovered = recovered_populations(
        measured, inputs["truth"], true_galaxies, inputs["psf"], tables, snakemake.params.settings
    )
    write_table(recovered, snakemake.output.recovered)
    settings = snakemake.params.settings
    same, everything = true_clumps(
        measured,
        inputs["truth"],
        true_galaxies,
        inputs["psf"],
        settings["min_broad_bands"],
        settings["poor_fit"],
    )
    statements = recovered_statements(
        read_table(snakemake.input.statistics), same, everything, true_galaxies, settings
    )
    write_table(statements, snakemake.output.statements)
