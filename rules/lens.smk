rule magnify:
    input:
        unpack(lens_inputs),
        others=other_lens_inputs,
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
    wildcard_constraints:
        field=one_of(IMAGING),
    conda:
        "../envs/lens.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        galaxy=galaxy_row,
        # Point sources are looked for in pieces of the sky, which have no centre.
        has_centre=lambda w: SETTINGS[w.field]["fit"]["model"] != "point",
        redshifts=galaxy_redshifts,
        lens=lambda w: LOCAL[w.field]["lens"],
        others=lambda w: LOCAL[w.field]["other_lenses"],
        systematic=section("lensing", "systematic"),
        n_samples=section("lensing", "n_samples"),
        seed=section("run", "seed"),
    script:
        "../workflow/scripts/magnify_galaxy.py"


rule magnify_sources:
    input:
        unpack(lens_inputs),
        others=other_lens_inputs,
        photometry="results/{field}/galaxies/{galaxy}/photometry.ecsv",
    output:
        table="results/{field}/galaxies/{galaxy}/magnification.fits",
    log:
        "results/{field}/logs/galaxies/{galaxy}/magnify.log",
    wildcard_constraints:
        field=one_of(PHOTOMETRY),
    conda:
        "../envs/lens.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        lens=lambda w: LOCAL[w.field]["lens"],
        others=lambda w: LOCAL[w.field]["other_lenses"],
        systematic=section("lensing", "systematic"),
        n_samples=section("lensing", "n_samples"),
        seed=section("run", "seed"),
    script:
        "../workflow/scripts/magnify_sources.py"


rule lens_field:
    input:
        unpack(lens_inputs),
        galaxies="results/{field}/galaxies.ecsv",
    output:
        map="results/{field}/lens/magnification.fits",
        lines="results/{field}/lens/critical_lines.ecsv",
    log:
        "results/{field}/logs/lens_field.log",
    wildcard_constraints:
        field=one_of(IMAGING),
    conda:
        "../envs/lens.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        lens=lambda w: LOCAL[w.field]["lens"],
    script:
        "../workflow/scripts/map_lens.py"


rule multiple_images:
    input:
        unpack(lens_inputs),
        galaxies="results/{field}/galaxies.ecsv",
        catalogue="results/{field}/catalogue.ecsv",
    output:
        images="results/{field}/lens/multiple_images.ecsv",
        clumps="results/{field}/lens/counterparts.ecsv",
    log:
        "results/{field}/logs/multiple_images.log",
    wildcard_constraints:
        field=one_of(IMAGING),
    conda:
        "../envs/lens.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        lens=lambda w: LOCAL[w.field]["lens"],
        n_samples=section("lensing", "n_samples"),
    script:
        "../workflow/scripts/compare_images.py"
