def image_inputs(*keys):
    """Function giving the named files of one mosaic, as far as the configuration has them."""

    def of_filter(wildcards):
        image = LOCAL[wildcards.field]["images"][wildcards.filter]
        return {key: image[key] for key in keys if key in image}

    return of_filter


def psf_inputs(wildcards):
    field = LOCAL[wildcards.field]
    image = field["images"][wildcards.filter]
    if "psf" in image:
        return {"sci": image["sci"], "psf": image["psf"]}
    stars = {"stars": field["stars"]} if "stars" in field else {}
    return {**image_inputs("sci", "err", "wht")(wildcards), **stars}


def image_options(wildcards):
    """What the configuration says of a mosaic beside its files."""
    image = FIELDS[wildcards.field]["images"][wildcards.filter]
    return {key: image[key] for key in ("unit", "pixel_scale", "reference") if key in image}


def per_filter(pattern):
    return lambda w: expand(pattern, field=w.field, filter=FIELDS[w.field]["images"])


rule psf:
    input:
        unpack(psf_inputs),
    output:
        "results/{field}/psf/{filter}.fits",
    log:
        "results/{field}/logs/psf_{filter}.log",
    benchmark:
        "results/{field}/benchmarks/psf_{filter}.tsv"
    params:
        image=image_options,
        settings=section("psf"),
    resources:
        mem_mb=4000,
        runtime=30,
    conda:
        "../envs/imaging.yaml"
    script:
        "../workflow/make_psf.py"


rule psf_table:
    input:
        per_filter("results/{field}/psf/{filter}.fits"),
    output:
        table="results/{field}/psf/psf.ecsv",
        picture="results/{field}/psf/psf.png",
    log:
        "results/{field}/logs/psf_table.log",
    benchmark:
        "results/{field}/benchmarks/psf_table.tsv"
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../envs/imaging.yaml"
    script:
        "../workflow/tabulate_psfs.py"


rule depth:
    input:
        unpack(image_inputs("sci", "err", "wht")),
        psf="results/{field}/psf/{filter}.fits",
    output:
        "results/{field}/depth/{filter}.fits",
    log:
        "results/{field}/logs/depth_{filter}.log",
    benchmark:
        "results/{field}/benchmarks/depth_{filter}.tsv"
    params:
        image=image_options,
        settings=section("depth"),
        seed=section("run", "seed"),
    resources:
        mem_mb=4000,
        runtime=60,
    conda:
        "../envs/imaging.yaml"
    script:
        "../workflow/measure_depth.py"


rule depth_table:
    input:
        per_filter("results/{field}/depth/{filter}.fits"),
    output:
        table="results/{field}/depth.ecsv",
        picture="results/{field}/depth.png",
    log:
        "results/{field}/logs/depth_table.log",
    benchmark:
        "results/{field}/benchmarks/depth_table.tsv"
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../envs/imaging.yaml"
    script:
        "../workflow/tabulate_depths.py"
