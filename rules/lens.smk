rule magnify:
    input:
        unpack(lens_inputs),
        photometry="results/{field}/galaxies/{galaxy}/photometry.ecsv",
        cutouts="results/{field}/galaxies/{galaxy}/cutouts.fits",
        index=ancient("results/{field}/galaxies.json"),
        segmentation=segmentation_map,
    output:
        table="results/{field}/galaxies/{galaxy}/magnification.fits",
        map="results/{field}/galaxies/{galaxy}/magnification_map.fits",
        source_plane="results/{field}/galaxies/{galaxy}/source_plane.fits",
        picture="results/{field}/galaxies/{galaxy}/source_plane.png",
    log:
        "results/{field}/logs/galaxies/{galaxy}/magnify.log",
    benchmark:
        "results/{field}/benchmarks/galaxies/{galaxy}/magnify.tsv"
    wildcard_constraints:
        field=one_of(IMAGING),
    conda:
        "../envs/lens.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        galaxy=galaxy_row,
        lens=lambda w: LOCAL[w.field]["lens"],
        settings=section("lensing"),
        seed=section("run", "seed"),
    script:
        "../workflow/magnify_galaxy.py"


rule magnify_sources:
    input:
        unpack(lens_inputs),
        photometry="results/{field}/galaxies/{galaxy}/photometry.ecsv",
    output:
        table="results/{field}/galaxies/{galaxy}/magnification.fits",
    log:
        "results/{field}/logs/galaxies/{galaxy}/magnify.log",
    benchmark:
        "results/{field}/benchmarks/galaxies/{galaxy}/magnify.tsv"
    wildcard_constraints:
        field=one_of(PHOTOMETRY),
    conda:
        "../envs/lens.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        lens=lambda w: LOCAL[w.field]["lens"],
        settings=section("lensing"),
        seed=section("run", "seed"),
    script:
        "../workflow/magnify_sources.py"
