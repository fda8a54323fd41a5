def download_jobs():
    """Local path of every downloaded input -> its URL and, for science images, its checksum."""
    jobs = {}
    for name, field in FIELDS.items():
        entries = [((key,), value, None) for key, value in field.items() if isinstance(value, str)]
        entries += [(("lens", key), value, None) for key, value in field.get("lens", {}).items() if isinstance(value, str)]
        for band, image in field.get("images", {}).items():
            entries += [
                ((band, key), value, image.get("sha256") if key == "sci" else None)
                for key, value in image.items()
                if isinstance(value, str)
            ]
        jobs |= {local(name, value, *key): (value, checksum) for key, value, checksum in entries if is_url(value)}
    return jobs


DOWNLOADS = download_jobs()


# A download is kept only when complete and, where the configuration gives a checksum, equal to it.
rule download:
    output:
        "results/{field}/downloads/{name}",
    log:
        "results/{field}/logs/download_{name}.log",
    benchmark:
        "results/{field}/benchmarks/download_{name}.tsv"
    params:
        source=lambda w, output: DOWNLOADS[output[0]],
    resources:
        mem_mb=500,
        runtime=240,
    retries: 2
    conda:
        "../envs/imaging.yaml"
    script:
        "../workflow/download_input.py"


for name in FIELDS:
    if "mock" in FIELDS[name]:

        rule:
            name:
                f"mock_{name}"
            output:
                inputs=[path for path in input_files(name) if path.startswith(f"results/{name}/input/")],
                truth=f"results/{name}/input/truth/clumps.ecsv",
                picture=f"results/{name}/input/mock.png",
            log:
                f"results/{name}/logs/mock.log",
            benchmark:
                f"results/{name}/benchmarks/mock.tsv"
            params:
                folder=f"results/{name}/input",
                settings=FIELDS[name]["mock"],
                filters=list(FIELDS[name]["images"]),
                seed=SETTINGS[name]["run"]["seed"],
            resources:
                mem_mb=3000,
                runtime=30,
            conda:
                "../envs/imaging.yaml"
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
    resources:
        mem_mb=4000,
        runtime=60,
    conda:
        "../envs/sed.yaml"
    script:
        "../workflow/build_ssp_bc03.py"


rule build_ssp_fsps:
    output:
        "results/ssp/fsps.npz",
    log:
        "results/logs/build_ssp_fsps.log",
    benchmark:
        "results/benchmarks/build_ssp_fsps.tsv"
    resources:
        mem_mb=4000,
        runtime=240,
    conda:
        "../envs/fsps.yaml"
    script:
        "../workflow/build_ssp_fsps.py"
