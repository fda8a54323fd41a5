"""Rule `ssp_grid`: F22's fit of simple stellar populations, for every clump and for the median of each galaxy."""

from astropy.table import Table, vstack
from clumpscope.logs import job_log
from clumpscope.reddening import dereddening_factors
from clumpscope.sed.inference.grid import fit_grid, grid_ages_yr
from clumpscope.sed.products.columns_photometry import aperture_factors, table_photometry
from clumpscope.sed.products.grid_table import grid_table, map_table
from clumpscope.sed.products.stack import median_stack
from clumpscope.tables import read_table, write_table

with job_log(snakemake):
    tables, stacks, maps, stacked = [], [], [], []
    library, params = snakemake.input.library, snakemake.params
    psfs = read_table(snakemake.input.psfs) if snakemake.input.psfs else None
    for path in snakemake.input.photometry:
        clumps = read_table(path)
        flux, error, filters = table_photometry(clumps)
        factors = dereddening_factors(filters, params.reddening) * aperture_factors(filters, psfs)
        flux, error, z = flux * factors, error * factors, float(clumps["z"][0])
        options = {"ages_yr": grid_ages_yr(z, params.universe_age_limit), "mass_filter": params.mass_filter}
        fit = fit_grid(flux, error, filters, z, library, error_floor=params.error_floor, **options)
        tables.append(grid_table(fit, list(clumps["id"])))
        # Photon noise averages out in a stack, so that F22 fit theirs without a floor.
        flux, error = median_stack(flux, error)
        stack = fit_grid(flux, error, filters, z, library, **options)
        stacks.append(grid_table(stack, [clumps["galaxy"][0]]))
        maps.append(map_table(stack))
        # The best model of all bands, whichever of them sets the mass.
        model = fit_grid(flux, error, filters, z, library, **options | {"mass_filter": None}).flux_njy[0]
        columns = {"filter": filters, "flux_njy": flux, "flux_err_njy": error, "model_njy": model}
        stacked.append(Table(columns))
        for table in (maps[-1], stacked[-1]):
            table.add_column(clumps["galaxy"][0], name="galaxy", index=0)
    write_table(vstack(stacks), snakemake.output.stack_fit)
    write_table(vstack(maps), snakemake.output.stack)
    write_table(vstack(stacked), snakemake.output.stack_photometry)
    write_table(vstack(tables), snakemake.output.table)
