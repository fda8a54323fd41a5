# A link into the cache of downloads, where a file comes when it is complete and what its checksum says.
rule download:
    output:
        "results/{field}/downloads/{name}",
    log:
        "results/{field}/logs/download_{name}.log",
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(500),
        runtime=240,
    params:
        source=lambda w, output: DOWNLOADS[output[0]],
        cache=CACHE,
        offline=OFFLINE,
    script:
        "../workflow/scripts/download_input.py"


# What comes from the network, how large it is, and what is there: snakemake --cores 1 downloads_list --configfile C
rule downloads_list:
    log:
        "results/logs/downloads_list.log",
    conda:
        "../envs/imaging.yaml"
    params:
        entries=sorted({(Path(path).name, url) for path, (url, _) in DOWNLOADS.items()}),
        cache=CACHE,
        offline=OFFLINE,
    script:
        "../workflow/scripts/list_downloads.py"


rule galaxy_catalogue:
    input:
        unpack(lambda w: CATALOGUES[f"results/{w.field}/galaxy_catalogue.fits"]),
    output:
        "results/{field}/galaxy_catalogue.fits",
    log:
        "results/{field}/logs/galaxy_catalogue.log",
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(3000),
        runtime=20,
    params:
        layout=lambda w: FIELDS[w.field]["catalogue"],
    script:
        "../workflow/scripts/convert_catalogue.py"


# What is needed of a compressed mosaic, in one pass: galaxies, PSF stars, the blocks of its depth; the rest is a hole.
rule unpack:
    input:
        image=lambda w: PACKED[f"results/{w.field}/unpacked/{w.filter}_{w.map}.fits"],
        sci=lambda w: packed_maps(w)["sci"],
        candidates="results/{field}/candidates.fits",
        stars=psf_stars,
    output:
        "results/{field}/unpacked/{filter}_{map}.fits",
    log:
        "results/{field}/logs/unpack_{filter}_{map}.log",
    wildcard_constraints:
        map=one_of(configuration.IMAGE_MAPS),
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(1500),
        runtime=120,
    params:
        image=image_options,
        band=lambda w: w.filter,
        seed=section("run", "seed"),
        psf_radius=section("psf", "radius_arcsec"),
        has_errors=lambda w: bool({"err", "wht"} & set(packed_maps(w))),
    script:
        "../workflow/scripts/unpack_image.py"


# A PSF's stars are looked for everywhere: in the stream, where the mosaic is not unpacked whole.
rule packed_stars:
    input:
        unpack(packed_maps),
    output:
        "results/{field}/unpacked/{filter}_stars.ecsv",
    log:
        "results/{field}/logs/packed_stars_{filter}.log",
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=120,
    params:
        image=image_options,
        psf_is_given=lambda w: "psf" in FIELDS[w.field]["images"][w.filter],
    script:
        "../workflow/scripts/find_stars.py"


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
                truth=expand(
                    f"results/{name}/input/truth/{{table}}.ecsv",
                    table=["clumps", "galaxies", "psf", "stars"],
                ),
                picture=f"results/{name}/input/mock.png",
            log:
                f"results/{name}/logs/mock.log",
            conda:
                "../envs/imaging.yaml"
            threads: 2
            resources:
                mem_mb=memory(3000),
                runtime=30,
            params:
                folder=lambda w, output: str(Path(output.picture).parent),
                settings=FIELDS[name]["mock"],
                filters=list(FIELDS[name]["images"]),
                seed=SETTINGS[name]["run"]["seed"],
            script:
                "../workflow/scripts/make_mock_field.py"


# The embedded library is in the repository; this makes it anew from its source (see resources/ssp/SOURCE.md):
#   snakemake --cores 1 --force build_ssp_bc03
rule build_ssp_bc03:
    output:
        "resources/ssp/bc03_miles_cloudy.npz",
    log:
        "results/logs/build_ssp_bc03.log",
    conda:
        "../envs/sed.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=60,
    script:
        "../workflow/scripts/build_ssp_bc03.py"


rule build_ssp_fsps:
    output:
        "results/ssp/fsps.npz",
    log:
        "results/logs/build_ssp_fsps.log",
    # First of all: whether python-fsps and its data are there shows only when it is tried.
    priority: 100
    conda:
        "../envs/fsps.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=240,
    script:
        "../workflow/scripts/build_ssp_fsps.py"
