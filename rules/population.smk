# A published table of clumps takes the place of everything before the statistics.
rule clump_table:
    input:
        lambda w: LOCAL[w.field]["clumps"]["table"],
    output:
        table="results/{field}/catalogue.ecsv",
        fits="results/{field}/catalogue.fits",
        galaxies="results/{field}/galaxies.ecsv",
        hosts="results/{field}/hosts.ecsv",
    log:
        "results/{field}/logs/clump_table.log",
    wildcard_constraints:
        field=one_of(TABULATED),
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        columns=lambda w: FIELDS[w.field]["clumps"]["columns"],
    script:
        "../workflow/scripts/convert_clump_table.py"


rule catalogue:
    input:
        galaxies="results/{field}/galaxies.ecsv",
        photometry=believed_photometry,
        magnification=per_measured_galaxy("results/{field}/galaxies/{galaxy}/magnification.fits"),
        sed=lambda w: f"results/{w.field}/sed/{SETTINGS[w.field]['sed']['reference_sfh']}.ecsv",
        samples=lambda w: product(w.field, "sed_draws"),
        psf=lambda w: f"results/{w.field}/psf/psf.ecsv" if w.field in IMAGING else [],
        hosts=host_table,
        counts=ancient(clump_counts),
    output:
        table="results/{field}/catalogue.ecsv",
        fits="results/{field}/catalogue.fits",
    log:
        "results/{field}/logs/catalogue.log",
    wildcard_constraints:
        field=one_of([*IMAGING, *PHOTOMETRY]),
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=30,
    params:
        host_sfh=section("hosts", "reference_sfh"),
        poor_fit=section("population", "poor_fit"),
        min_sigma_px=section("fit", "min_sigma_px"),
        sizes=section("lensing"),
        profiles=section("fit", "profiles"),
        seed=section("run", "seed"),
    script:
        "../workflow/scripts/assemble_catalogue.py"


rule population:
    input:
        catalogue="results/{field}/catalogue.ecsv",
        galaxies="results/{field}/galaxies.ecsv",
        hosts=host_table,
        limits=lambda w: product(w.field, "injection").get("clump_limits", []),
    output:
        tables=expand("results/{{field}}/population/{table}.ecsv", table=POPULATION_TABLES),
    log:
        "results/{field}/logs/population.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        settings=section("population"),
        host_sfh=section("hosts", "reference_sfh"),
    script:
        "../workflow/scripts/tabulate_population.py"


# Each with its error; histories are compared, so that all of them are fitted for it.
rule statistics:
    input:
        catalogue="results/{field}/catalogue.ecsv",
        galaxies="results/{field}/galaxies.ecsv",
        hosts=host_table,
        fits="results/{field}/population/mass_function_fits.ecsv",
        slopes="results/{field}/population/mass_function_slopes.ecsv",
        sed=lambda w: listed(product(w.field, "sed_all")),
        sets=lambda w: listed(product(w.field, "filter_sets")),
        published=lambda w: product(w.field, "published"),
    output:
        table="results/{field}/population/statistics.ecsv",
        yaml="results/{field}/numbers.yaml",
        latex="results/{field}/numbers.tex",
    log:
        "results/{field}/logs/statistics.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        settings=statistics_settings,
        sed=lambda w: product(w.field, "sed_all"),
        sets=lambda w: product(w.field, "filter_sets"),
        host_sfh=section("hosts", "reference_sfh"),
    script:
        "../workflow/scripts/tabulate_statistics.py"


# Of a synthetic field: what was injected beside what was measured, and whether the intervals hold it.
rule truth:
    input:
        catalogue="results/{field}/catalogue.ecsv",
        truth="results/{field}/input/truth/clumps.ecsv",
        psf="results/{field}/input/truth/psf.ecsv",
        galaxies=lambda w: LOCAL[w.field]["galaxies"],
        true_galaxies="results/{field}/input/truth/galaxies.ecsv",
        selected="results/{field}/galaxies.ecsv",
        hosts=host_table,
        tables=expand("results/{{field}}/population/{table}.ecsv", table=POPULATION_TABLES),
        statistics="results/{field}/population/statistics.ecsv",
    output:
        comparison="results/{field}/population/truth.ecsv",
        summary="results/{field}/population/truth_summary.ecsv",
        coverage="results/{field}/population/coverage.ecsv",
        recovered="results/{field}/population/recovered.ecsv",
        statements="results/{field}/population/statements.ecsv",
    log:
        "results/{field}/logs/truth.log",
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        settings=section("population"),
        host_sfh=section("hosts", "reference_sfh"),
    script:
        "../workflow/scripts/compare_with_truth.py"


# Of a field with published masses: their values beside ours, with the reason where they differ.
rule published:
    input:
        catalogue="results/{field}/catalogue.ecsv",
        ssp="results/{field}/sed/ssp.ecsv",
        stack="results/{field}/sed/ssp_stack.ecsv",
        stack_fit="results/{field}/sed/ssp_stack_fit.ecsv",
        stack_photometry="results/{field}/sed/ssp_stack_photometry.ecsv",
        photometry=lambda w: LOCAL[w.field]["photometry"],
        library=library_file,
    output:
        table="results/{field}/population/published.ecsv",
        stack="results/{field}/population/published_stack.ecsv",
    log:
        "results/{field}/logs/published.log",
    conda:
        "../envs/sed.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        mass_filter=lambda w: SETTINGS[w.field]["sed"].get("mass_filter"),
        universe_age_limit=section("sed", "universe_age_limit"),
    script:
        "../workflow/scripts/compare_with_published.py"
