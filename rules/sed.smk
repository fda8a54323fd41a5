# The SSP grid is a method of its own, though its table stands beside those of the other histories.
ruleorder: ssp_grid > sed_table


rule sed:
    input:
        photometry=believed_photometry,
        counts=ancient(clump_counts),
        depth=lambda w: f"results/{w.field}/depth.ecsv" if w.field in IMAGING else [],
        psfs=aperture_corrections,
        library=library_file,
    output:
        samples=update("results/{field}/sed/{sfh}/{batch}.nc"),
        table="results/{field}/sed/{sfh}/{batch}.ecsv",
    log:
        "results/{field}/logs/sed/{sfh}/{batch}.log",
    wildcard_constraints:
        sfh="(?!ssp$)[A-Za-z0-9_]+",
        batch="[0-9]+_[0-9]+",
    retries: 1
    conda:
        "../envs/sed.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(120),
    params:
        settings=sed_settings,
        redshifts=lambda w: {
            galaxy: galaxy_redshifts(SimpleNamespace(field=w.field, galaxy=galaxy))
            for galaxy in galaxies_of_batch(w)
        },
        reddening=lambda w: FIELDS[w.field].get("reddening"),
        clumps_per_job=section("run", "clumps_per_job"),
        seed=section("run", "seed"),
        # The set of filters that the history's name asks for, such as exp_free_in_broad.
        filters=lambda w: SETTINGS[w.field]["sed"]["filter_sets"].get(w.sfh.partition("_in_")[2]),
    script:
        "../workflow/scripts/fit_seds.py"


rule sed_table:
    input:
        tables=sed_batches("ecsv"),
        counts=ancient(clump_counts),
    output:
        table="results/{field}/sed/{sfh}.ecsv",
    log:
        "results/{field}/logs/sed_table_{sfh}.log",
    wildcard_constraints:
        sfh="(?!ssp$)[A-Za-z0-9_]+",
    conda:
        "../envs/sed.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=10,
    script:
        "../workflow/scripts/gather_tables.py"


rule sed_sheets:
    input:
        samples=sed_batches("nc"),
        counts=ancient(clump_counts),
        magnification=per_measured_galaxy("results/{field}/galaxies/{galaxy}/magnification.fits"),
    output:
        "results/{field}/sed/{sfh}.pdf",
    log:
        "results/{field}/logs/sed_sheets_{sfh}.log",
    wildcard_constraints:
        sfh="(?!ssp$)[A-Za-z0-9_]+",
    conda:
        "../envs/sed.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=60,
    script:
        "../workflow/scripts/draw_sed_sheets.py"


rule sed_picture:
    input:
        samples=lambda w: sed_files(w.field, w.sfh, "nc", w.galaxy),
        counts=ancient(clump_counts),
        magnification="results/{field}/galaxies/{galaxy}/magnification.fits",
        library=library_file,
    output:
        "results/{field}/sed/{sfh}/{galaxy}/{clump}.pdf",
    log:
        "results/{field}/logs/sed/{sfh}/{galaxy}/{clump}_picture.log",
    conda:
        "../envs/sed.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=10,
    script:
        "../workflow/scripts/draw_sed.py"


# F22's way: chi2 over a grid of simple stellar populations, for every clump and for their stack.
rule ssp_grid:
    input:
        photometry=believed_photometry,
        counts=ancient(clump_counts),
        psfs=aperture_corrections,
        library=library_file,
    output:
        table="results/{field}/sed/ssp.ecsv",
        stack="results/{field}/sed/ssp_stack.ecsv",
        stack_fit="results/{field}/sed/ssp_stack_fit.ecsv",
        stack_photometry="results/{field}/sed/ssp_stack_photometry.ecsv",
    log:
        "results/{field}/logs/ssp_grid.log",
    conda:
        "../envs/sed.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=20,
    params:
        error_floor=section("sed", "error_floor"),
        mass_filter=lambda w: SETTINGS[w.field]["sed"].get("mass_filter"),
        universe_age_limit=section("sed", "universe_age_limit"),
        reddening=lambda w: FIELDS[w.field].get("reddening"),
    script:
        "../workflow/scripts/fit_ssp_grid.py"


rule host:
    input:
        selected="results/{field}/galaxies.ecsv",
        galaxies=lambda w: LOCAL[w.field]["galaxies"],
        photometry=per_host_apart(photometry_file),
        magnification=per_host_apart("results/{}/galaxies/{}/magnification.fits".format),
        sed=fits_apart,
        psf=lambda w: f"results/{w.field}/psf/psf.ecsv" if hosts_apart(w) else [],
        counts=ancient(clump_counts),
        library=library_file,
    output:
        samples=update("results/{field}/hosts/{sfh}/{batch}.nc"),
        table="results/{field}/hosts/{sfh}/{batch}.ecsv",
    log:
        "results/{field}/logs/hosts/{sfh}_{batch}.log",
    retries: 1
    conda:
        "../envs/sed.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(120),
    params:
        settings=host_settings,
        reddening=host_reddening,
        clump_reddening=lambda w: FIELDS[w.field].get("reddening"),
        galaxies_per_job=section("run", "galaxies_per_job"),
        seed=section("run", "seed"),
    script:
        "../workflow/scripts/fit_hosts.py"


rule host_table:
    input:
        tables=lambda w: [f"results/{w.field}/hosts/{batch}.ecsv" for batch in host_batches(w.field)],
    output:
        "results/{field}/hosts.ecsv",
    log:
        "results/{field}/logs/host_table.log",
    wildcard_constraints:
        field=one_of(IMAGING),
    conda:
        "../envs/sed.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=10,
    script:
        "../workflow/scripts/gather_tables.py"
