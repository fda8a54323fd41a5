def products_of(field):
    """Product name -> path, list of paths, or mapping of name to path, of all that figures can be drawn from."""
    base = f"results/{field}"
    settings = SETTINGS[field]["sed"]
    products = {
        "catalogue": f"{base}/catalogue.ecsv",
        "population": {name: f"{base}/population/{name}.ecsv" for name in POPULATION_TABLES},
        "sed_all": {sfh: f"{base}/sed/{sfh}.ecsv" for sfh in settings["sfh"]},
    }
    if field in IMAGING:
        products["residuals"] = [f"{base}/galaxies/{galaxy}/residuals.fits" for galaxy in clumps_of(field)]
        if has_hosts(field):
            products["hosts"] = f"{base}/hosts.ecsv"
    elif has_published(field):
        products["published"] = LOCAL[field]["photometry"]
    if "ssp" in settings["sfh"]:
        products["ssp_stack"] = f"{base}/sed/ssp_stack.ecsv"
    if "mock" in FIELDS[field]:
        products["truth"] = f"{base}/population/truth.ecsv"
        products["truth_summary"] = f"{base}/population/truth_summary.ecsv"
    return products


def needed_products(wildcards):
    products = products_of(wildcards.field)
    return {name: products[name] for name in FIGURES[wildcards.figure].needs if name in products}


def flat(paths):
    return list(paths.values()) if isinstance(paths, dict) else paths


def figures_of_field(field):
    """Figures that can be drawn of a field."""
    return figures_of("imaging" if field in IMAGING else "photometry", set(products_of(field)))


def figure_settings(wildcards):
    settings = SETTINGS[wildcards.field]
    return {
        "redshift_bins": settings["population"]["redshift_bins"],
        "min_broad_bands": settings["population"]["min_broad_bands"],
        "reference_sfh": settings["sed"]["reference_sfh"],
        "host_reference_sfh": settings["hosts"]["reference_sfh"],
        **settings["figures"],
    }


rule figure:
    input:
        unpack(lambda w: {name: flat(paths) for name, paths in needed_products(w).items()}),
    output:
        pdf="results/{field}/figures/{figure}.pdf",
        png="results/{field}/figures/{figure}.png",
        data="results/{field}/figures/{figure}.ecsv",
    wildcard_constraints:
        figure=one_of(FIGURES),
    log:
        "results/{field}/logs/figures/{figure}.log",
    benchmark:
        "results/{field}/benchmarks/figures/{figure}.tsv"
    params:
        products=needed_products,
        settings=figure_settings,
    resources:
        mem_mb=2000,
        runtime=20,
    conda:
        "../envs/figures.yaml"
    script:
        "../workflow/draw_figure.py"
