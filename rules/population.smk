def sed_tables(wildcards):
    return {f"sed_{sfh}": f"results/{wildcards.field}/sed/{sfh}.ecsv" for sfh in SETTINGS[wildcards.field]["sed"]["sfh"]}


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
    output:
        table="results/{field}/catalogue.ecsv",
        fits="results/{field}/catalogue.fits",
    log:
        "results/{field}/logs/catalogue.log",
    benchmark:
        "results/{field}/benchmarks/catalogue.tsv"
    params:
        reference_sfh=section("sed", "reference_sfh"),
        settings=section("fit"),
        seed=section("run", "seed"),
    resources:
        mem_mb=4000,
        runtime=30,
    conda:
        "../envs/figures.yaml"
    script:
        "../workflow/assemble_catalogue.py"
