"""Rule `statistics`: every statistic of a field with its error, and the numbers that a paper quotes."""

from clumpscope.files import replacing
from clumpscope.logs import job_log
from clumpscope.made_by import headline
from clumpscope.population.hosts import intrinsic_hosts
from clumpscope.population.numbers import (
    as_latex,
    as_yaml,
    paper_numbers,
    with_mass_functions,
    with_published,
)
from clumpscope.population.summary import population_statistics
from clumpscope.tables import read_table, write_table

with job_log(snakemake):
    inputs, params = snakemake.input, snakemake.params
    galaxies = read_table(inputs.galaxies)
    hosts = None
    if inputs.get("hosts"):
        hosts = intrinsic_hosts(
            read_table(inputs.hosts), galaxies, params.host_sfh, params.settings["poor_fit"]
        )
    statistics = population_statistics(
        read_table(inputs.catalogue),
        hosts,
        galaxies,
        {sfh: read_table(path) for sfh, path in params.sed.items()},
        filter_sets={name: read_table(path) for name, path in params.sets.items()},
        **params.settings,
    )
    statistics = with_mass_functions(statistics, read_table(inputs.fits), read_table(inputs.slopes))
    if inputs.get("published"):
        statistics = with_published(statistics, read_table(inputs.published))
    write_table(statistics, snakemake.output.table)
    numbers = paper_numbers(statistics)
    for path, text in (
        (snakemake.output.yaml, headline("#") + as_yaml(numbers)),
        (snakemake.output.latex, headline("%") + as_latex(numbers)),
    ):
        with replacing(path) as temporary:
            temporary.write_text(text)
