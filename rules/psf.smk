rule psf:
    input:
        unpack(psf_inputs),
    output:
        "results/{field}/psf/{filter}.fits",
    log:
        "results/{field}/logs/psf_{filter}.log",
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(15),
    params:
        image=image_options,
        sampling=psf_options,
        settings=section("psf"),
        box=section("fit", "box"),
    script:
        "../workflow/scripts/make_psf.py"


rule psf_table:
    input:
        per_filter("results/{field}/psf/{filter}.fits"),
    output:
        table="results/{field}/psf/psf.ecsv",
        picture="results/{field}/psf/psf.png",
    log:
        "results/{field}/logs/psf_table.log",
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=10,
    script:
        "../workflow/scripts/tabulate_psfs.py"


rule depth:
    input:
        unpack(image_maps),
        psf="results/{field}/psf/{filter}.fits",
    output:
        "results/{field}/depth/{filter}.fits",
    log:
        "results/{field}/logs/depth_{filter}.log",
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        image=image_options,
        settings=section("depth"),
        seed=section("run", "seed"),
    script:
        "../workflow/scripts/measure_depth.py"


rule depth_table:
    input:
        per_filter("results/{field}/depth/{filter}.fits"),
    output:
        table="results/{field}/depth.ecsv",
        picture="results/{field}/depth.png",
    log:
        "results/{field}/logs/depth_table.log",
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=10,
    script:
        "../workflow/scripts/tabulate_depths.py"
