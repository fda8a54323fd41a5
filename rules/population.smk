def catalogue_has(field, what):
    """Whether the user's table brings something optional; its columns are known once the selection has read it."""
    index = checkpoints.select.get(field=field).output.index
    return json.loads(Path(index).read_text())[what]


def has_hosts(field):
    return field in IMAGING and catalogue_has(field, "host_photometry")


def has_published(field):
    """Whether published masses can stand beside an SSP grid (the F22 comparison)."""
    return field in PHOTOMETRY and "ssp" in SETTINGS[field]["sed"]["sfh"] and catalogue_has(field, "published")


def host_table(wildcards):
    return f"results/{wildcards.field}/hosts.ecsv" if has_hosts(wildcards.field) else []


def sed_samples(wildcards):
    """Posterior samples of the reference SFH, whose scatter is combined with the magnification's."""
    sfh = SETTINGS[wildcards.field]["sed"]["reference_sfh"]
    if sfh == "ssp":
        return []
    return [
        f"results/{wildcards.field}/sed/{sfh}/{galaxy}/{batch}.nc" for galaxy, batch in batches_of(wildcards.field)
    ]


rule catalogue:
    input:
        galaxies="results/{field}/galaxies.ecsv",
        photometry=per_measured_galaxy("results/{field}/galaxies/{galaxy}/photometry.ecsv"),
        magnification=per_measured_galaxy("results/{field}/galaxies/{galaxy}/magnification.fits"),
        sed=lambda w: f"results/{w.field}/sed/{SETTINGS[w.field]['sed']['reference_sfh']}.ecsv",
        samples=sed_samples,
        psf=lambda w: f"results/{w.field}/psf/psf.ecsv" if w.field in IMAGING else [],
        hosts=host_table,
    output:
        table="results/{field}/catalogue.ecsv",
        fits="results/{field}/catalogue.fits",
    log:
        "results/{field}/logs/catalogue.log",
    benchmark:
        "results/{field}/benchmarks/catalogue.tsv"
    params:
        host_sfh=section("hosts", "reference_sfh"),
        min_sigma_px=section("fit", "min_sigma_px"),
        seed=section("run", "seed"),
    resources:
        mem_mb=4000,
        runtime=30,
    conda:
        "../envs/figures.yaml"
    script:
        "../workflow/assemble_catalogue.py"


rule population:
    input:
        catalogue="results/{field}/catalogue.ecsv",
        galaxies="results/{field}/galaxies.ecsv",
        hosts=host_table,
    output:
        expand("results/{{field}}/population/{table}.ecsv", table=POPULATION_TABLES),
    log:
        "results/{field}/logs/population.log",
    benchmark:
        "results/{field}/benchmarks/population.tsv"
    params:
        settings=section("population"),
        host_sfh=section("hosts", "reference_sfh"),
    resources:
        mem_mb=2000,
        runtime=20,
    conda:
        "../envs/figures.yaml"
    script:
        "../workflow/tabulate_population.py"


# Of a synthetic field: what was injected beside what was measured.
rule truth:
    input:
        catalogue="results/{field}/catalogue.ecsv",
        truth="results/{field}/input/truth/clumps.ecsv",
        psf="results/{field}/input/truth/psf.ecsv",
        galaxies=lambda w: LOCAL[w.field]["galaxies"],
    output:
        comparison="results/{field}/population/truth.ecsv",
        summary="results/{field}/population/truth_summary.ecsv",
    log:
        "results/{field}/logs/truth.log",
    benchmark:
        "results/{field}/benchmarks/truth.tsv"
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../envs/figures.yaml"
    script:
        "../workflow/compare_with_truth.py"


# Of a field with published masses: their values beside ours, with the reason where they differ.
rule published:
    input:
        catalogue="results/{field}/catalogue.ecsv",
        ssp="results/{field}/sed/ssp.ecsv",
        stack="results/{field}/sed/ssp_stack.ecsv",
        photometry=lambda w: LOCAL[w.field]["photometry"],
    output:
        "results/{field}/population/published.ecsv",
    log:
        "results/{field}/logs/published.log",
    benchmark:
        "results/{field}/benchmarks/published.tsv"
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../envs/figures.yaml"
    script:
        "../workflow/compare_with_published.py"
