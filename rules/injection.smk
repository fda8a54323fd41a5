# After the fit, whose clumps lend their colours, and the lens, whose critical lines are places of interest; before the population, whose mass functions take the limits.
rule inject:
    input:
        cutouts="results/{field}/galaxies/{galaxy}/cutouts.fits",
        clumps="results/{field}/galaxies/{galaxy}/clumps.ecsv",
        photometry="results/{field}/galaxies/{galaxy}/photometry.ecsv",
        residuals="results/{field}/galaxies/{galaxy}/residuals.fits",
        index=ancient("results/{field}/galaxies.json"),
        psfs=per_filter("results/{field}/psf/{filter}.fits"),
        depths=per_filter("results/{field}/depth/{filter}.fits"),
        segmentation=segmentation_map,
        magnification="results/{field}/galaxies/{galaxy}/magnification_map.fits",
    output:
        injected="results/{field}/galaxies/{galaxy}/injected.ecsv",
        conditions="results/{field}/galaxies/{galaxy}/conditions.ecsv",
    log:
        "results/{field}/logs/galaxies/{galaxy}/inject.log",
    wildcard_constraints:
        field=one_of(IMAGING),
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(20),
    params:
        galaxy=galaxy_row,
        settings=injected_clumps,
        detection=section("detection"),
        fit=section("fit"),
        seed=section("run", "seed"),
    script:
        "../workflow/scripts/inject_clumps.py"


rule completeness:
    input:
        injected=per_measured_galaxy("results/{field}/galaxies/{galaxy}/injected.ecsv"),
        conditions=per_measured_galaxy("results/{field}/galaxies/{galaxy}/conditions.ecsv"),
        counts=ancient(clump_counts),
    output:
        expand("results/{{field}}/injection/{table}.ecsv", table=INJECTION_TABLES),
    log:
        "results/{field}/logs/completeness.log",
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        completeness=section("injection", "completeness"),
        min_broad_bands=section("population", "min_broad_bands"),
    script:
        "../workflow/scripts/tabulate_injection.py"


# With `injection.correct_errors` catalogue and SEDs take these errors.
rule error_model:
    input:
        injected=per_measured_galaxy("results/{field}/galaxies/{galaxy}/injected.ecsv"),
        counts=ancient(clump_counts),
    output:
        table="results/{field}/injection/error_model.ecsv",
        picture="results/{field}/injection/error_model.png",
    log:
        "results/{field}/logs/error_model.log",
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        filters=lambda w: list(FIELDS[w.field]["images"]),
    script:
        "../workflow/scripts/fit_error_model.py"


rule correct_errors:
    input:
        photometry="results/{field}/galaxies/{galaxy}/photometry.ecsv",
        conditions="results/{field}/galaxies/{galaxy}/conditions.ecsv",
        model="results/{field}/injection/error_model.ecsv",
    output:
        "results/{field}/galaxies/{galaxy}/photometry_corrected.ecsv",
    log:
        "results/{field}/logs/galaxies/{galaxy}/correct_errors.log",
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(2),
    script:
        "../workflow/scripts/correct_errors.py"
