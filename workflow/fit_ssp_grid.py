"""Rule `ssp_grid`: F22's fit of simple stellar populations, for every clump and for the median of each galaxy."""

from astropy.table import vstack
from clumpscope.logs import job_log
from clumpscope.reddening import dereddening_factors
from clumpscope.sed.columns_photometry import table_photometry
from clumpscope.sed.grid import fit_grid
from clumpscope.sed.grid_table import grid_table, map_table
from clumpscope.sed.stack import median_stack
from clumpscope.tables import read_table, write_table

with job_log(snakemake.log[0]):
    tables, stacks, maps = [], [], []
    library, params = snakemake.input.library, snakemake.params
    for path in snakemake.input.photometry:
        clumps = read_table(path)
        flux, error, filters = table_photometry(clumps)
        factors = dereddening_factors(filters, params.reddening)
        flux, error, z = flux * factors, error * factors, float(clumps["z"][0])
        fit = fit_grid(
            flux, error, filters, z, library, error_floor=params.error_floor, mass_filter=params.mass_filter
        )
        tables.append(grid_table(fit, list(clumps["id"])))
        # Photon noise averages out in a stack, so that F22 fit theirs without a floor.
        stack = fit_grid(*median_stack(flux, error), filters, z, library, mass_filter=params.mass_filter)
        stacks.append(grid_table(stack, [clumps["galaxy"][0]]))
        maps.append(map_table(stack))
        maps[-1].add_column(clumps["galaxy"][0], name="galaxy", index=0)
    write_table(vstack(stacks), snakemake.output.stack_fit)
    write_table(vstack(maps), snakemake.output.stack)
    write_table(vstack(tables), snakemake.output.table)
