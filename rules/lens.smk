def lens_inputs(wildcards):
    """Files of the field's lens model."""
    lens = LOCAL[wildcards.field]["lens"]
    return {
        f"lens_{key}": value
        for key, value in lens.items()
        if key not in ("kind", "deflection_unit") and isinstance(value, str)
    }


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
    wildcard_constraints:
        field=one_of(IMAGING),
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


rule magnify_sources:
    input:
        unpack(lens_inputs),
        photometry="results/{field}/galaxies/{galaxy}/photometry.ecsv",
    output:
        table="results/{field}/galaxies/{galaxy}/magnification.fits",
    wildcard_constraints:
        field=one_of(PHOTOMETRY),
    log:
        "results/{field}/logs/galaxies/{galaxy}/magnify.log",
    benchmark:
        "results/{field}/benchmarks/galaxies/{galaxy}/magnify.tsv"
    params:
        lens=lambda w: LOCAL[w.field]["lens"],
        settings=section("lensing"),
        seed=section("run", "seed"),
    resources:
        mem_mb=2000,
        runtime=30,
    conda:
        "../envs/lens.yaml"
    script:
        "../workflow/magnify_sources.py"
