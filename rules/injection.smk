# After the fit, whose clumps lend their colours, and the lens, whose critical lines are places of interest; before the population, whose mass functions take the limits.
rule inject:
    input:
        cutouts="results/{field}/galaxies/{galaxy}/cutouts.fits",
        clumps="results/{field}/galaxies/{galaxy}/clumps.ecsv",
        photometry="results/{field}/galaxies/{galaxy}/photometry.ecsv",
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
    benchmark:
        "results/{field}/benchmarks/galaxies/{galaxy}/inject.tsv"
    wildcard_constraints:
        field=one_of(IMAGING),
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        galaxy=galaxy_row,
        settings=injected_clumps,
        detection=section("detection"),
        fit=section("fit"),
        seed=section("run", "seed"),
    script:
        "../workflow/inject_clumps.py"


rule completeness:
    input:
        injected=per_measured_galaxy("results/{field}/galaxies/{galaxy}/injected.ecsv"),
        conditions=per_measured_galaxy("results/{field}/galaxies/{galaxy}/conditions.ecsv"),
    output:
        expand("results/{{field}}/injection/{table}.ecsv", table=INJECTION_TABLES),
    log:
        "results/{field}/logs/completeness.log",
    benchmark:
        "results/{field}/benchmarks/completeness.tsv"
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        completeness=section("injection", "completeness"),
        min_broad_bands=section("population", "min_broad_bands"),
    script:
        "../workflow/tabulate_injection.py"
