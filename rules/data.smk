# A download is kept only when complete and, where the configuration gives a checksum, equal to it.
rule download:
    output:
        "results/{field}/downloads/{name}",
    log:
        "results/{field}/logs/download_{name}.log",
    benchmark:
        "results/{field}/benchmarks/download_{name}.tsv"
    retries: 2
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(500),
        runtime=240,
    params:
        source=lambda w, output: DOWNLOADS[output[0]],
    script:
        "../workflow/download_input.py"


rule unpack:
    input:
        lambda w: PACKED[f"results/{w.field}/unpacked/{w.name}"],
    output:
        "results/{field}/unpacked/{name}",
    log:
        "results/{field}/logs/unpack_{name}.log",
    benchmark:
        "results/{field}/benchmarks/unpack_{name}.tsv"
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(500),
        runtime=60,
    script:
        "../workflow/unpack_image.py"


for name in FIELDS:
    if "mock" in FIELDS[name]:

        rule:
            name:
                f"mock_{name}"
            input:
                list(FIELDS[name]["mock"].get("sky", {}).values()),
                [
                    FIELDS[name]["mock"][key]
                    for key in ("lens_model", "lens_samples")
                    if key in FIELDS[name]["mock"]
                ],
            output:
                inputs=[path for path in input_files(name) if path.startswith(f"results/{name}/input/")],
                truth=f"results/{name}/input/truth/clumps.ecsv",
                picture=f"results/{name}/input/mock.png",
            log:
                f"results/{name}/logs/mock.log",
            benchmark:
                f"results/{name}/benchmarks/mock.tsv"
            conda:
                "../envs/imaging.yaml"
            resources:
                mem_mb=memory(3000),
                runtime=30,
            params:
                folder=lambda w, output: str(Path(output.picture).parent),
                settings=FIELDS[name]["mock"],
                filters=list(FIELDS[name]["images"]),
                seed=SETTINGS[name]["run"]["seed"],
            script:
                "../workflow/make_mock_field.py"


# The embedded library is in the repository; this makes it anew from its source (see resources/ssp/SOURCE.md):
#   snakemake --cores 1 --force build_ssp_bc03
rule build_ssp_bc03:
    output:
        "resources/ssp/bc03_miles_cloudy.npz",
    log:
        "results/logs/build_ssp_bc03.log",
    benchmark:
        "results/benchmarks/build_ssp_bc03.tsv"
    conda:
        "../envs/sed.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=60,
    script:
        "../workflow/build_ssp_bc03.py"


rule build_ssp_fsps:
    output:
        "results/ssp/fsps.npz",
    log:
        "results/logs/build_ssp_fsps.log",
    benchmark:
        "results/benchmarks/build_ssp_fsps.tsv"
    # First of all: whether python-fsps and its data are there shows only when it is tried.
    priority: 100
    conda:
        "../envs/fsps.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=240,
    script:
        "../workflow/build_ssp_fsps.py"
