rule cutout:
    input:
        index=ancient("results/{field}/galaxies.json"),
        images=lambda w: files_of(LOCAL[w.field]["images"]),
    output:
        "results/{field}/galaxies/{galaxy}/cutouts.fits",
    log:
        "results/{field}/logs/galaxies/{galaxy}/cutout.log",
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(5),
    params:
        galaxy=galaxy_row,
        images=lambda w: {
            band: configuration.mosaic_options(image) for band, image in LOCAL[w.field]["images"].items()
        },
    script:
        "../workflow/scripts/cut_out_galaxy.py"


rule field_picture:
    input:
        galaxies="results/{field}/galaxies.ecsv",
        images=lambda w: files_of(colour_images(w)),
    output:
        "results/{field}/field.fits",
    log:
        "results/{field}/logs/field_picture.log",
    wildcard_constraints:
        field=one_of(IMAGING),
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        images=colour_images,
    script:
        "../workflow/scripts/picture_field.py"


rule detect:
    input:
        cutouts="results/{field}/galaxies/{galaxy}/cutouts.fits",
        index=ancient("results/{field}/galaxies.json"),
        psf=of_reference_filter("results/{field}/psf/{filter}.fits"),
        depth=of_reference_filter("results/{field}/depth/{filter}.fits"),
        segmentation=segmentation_map,
    output:
        clumps="results/{field}/galaxies/{galaxy}/clumps.ecsv",
        segmentation="results/{field}/galaxies/{galaxy}/segmentation.fits",
        picture="results/{field}/galaxies/{galaxy}/detection.png",
    log:
        "results/{field}/logs/galaxies/{galaxy}/detect.log",
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(5),
    params:
        galaxy=galaxy_row,
        settings=section("detection"),
    script:
        "../workflow/scripts/detect_clumps.py"


rule fit:
    input:
        cutouts="results/{field}/galaxies/{galaxy}/cutouts.fits",
        clumps="results/{field}/galaxies/{galaxy}/clumps.ecsv",
        psfs=per_filter("results/{field}/psf/{filter}.fits"),
        depths=per_filter("results/{field}/depth/{filter}.fits"),
    output:
        photometry="results/{field}/galaxies/{galaxy}/photometry.ecsv",
        residuals="results/{field}/galaxies/{galaxy}/residuals.fits",
        picture="results/{field}/galaxies/{galaxy}/residuals.png",
    log:
        "results/{field}/logs/galaxies/{galaxy}/fit.log",
    wildcard_constraints:
        field=one_of(IMAGING),
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        settings=section("fit"),
    script:
        "../workflow/scripts/fit_galaxy.py"


rule split_photometry:
    input:
        photometry=lambda w: LOCAL[w.field]["photometry"],
        index=ancient("results/{field}/galaxies.json"),
    output:
        "results/{field}/galaxies/{galaxy}/photometry.ecsv",
    log:
        "results/{field}/logs/galaxies/{galaxy}/split_photometry.log",
    wildcard_constraints:
        field=one_of(PHOTOMETRY),
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(2),
    params:
        redshift=lambda w: FIELDS[w.field].get("redshift"),
    script:
        "../workflow/scripts/split_photometry.py"


# Which galaxies have enough clumps, and how many, is known only now: the one gathering of the detections.
checkpoint clumps:
    input:
        index="results/{field}/galaxies.json",
        clumps=lambda w: (
            [] if w.field in PHOTOMETRY else per_galaxy("results/{field}/galaxies/{galaxy}/clumps.ecsv")(w)
        ),
    output:
        index="results/{field}/clumps.json",
    log:
        "results/{field}/logs/clumps.log",
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        settings=section("selection"),
    script:
        "../workflow/scripts/index_clumps.py"


rule stack:
    input:
        cutouts=per_measured_galaxy("results/{field}/galaxies/{galaxy}/cutouts.fits"),
        photometry=per_measured_galaxy("results/{field}/galaxies/{galaxy}/photometry.ecsv"),
        psfs=per_filter("results/{field}/psf/{filter}.fits"),
        counts=ancient(clump_counts),
    output:
        table="results/{field}/stack/stack.ecsv",
        profiles="results/{field}/stack/profiles.ecsv",
        images="results/{field}/stack/stack.fits",
        picture="results/{field}/stack/stack.png",
    log:
        "results/{field}/logs/stack.log",
    wildcard_constraints:
        field=one_of(IMAGING),
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(1500),
        runtime=60,
    params:
        seed=section("run", "seed"),
    script:
        "../workflow/scripts/stack_field.py"
