rule magnify:
    input:
        unpack(lens_inputs),
        photometry="results/{field}/galaxies/{galaxy}/photometry.ecsv",
        cutouts=lambda w: f"results/{w.field}/galaxies/{w.galaxy}/cutouts.fits" if w.field in IMAGING else [],
        index=ancient("results/{field}/galaxies.json"),
    output:
        table="results/{field}/galaxies/{galaxy}/magnification.fits",
    log:
        "results/{field}/logs/galaxies/{galaxy}/magnify.log",
    benchmark:
        "results/{field}/benchmarks/galaxies/{galaxy}/magnify.tsv"
    params:
        galaxy=galaxy_row,
        lens=lambda w: LOCAL[w.field]["lens"],
        settings=section("lensing"),
        seed=section("run", "seed"),
    resources:
        mem_mb=2000,
        runtime=30,
    conda:
        "../envs/lens.yaml"
    script:
        "../workflow/magnify_galaxy.py"
