def library_file(wildcards):
    return {
        "bc03": str(resource("ssp/bc03_miles_cloudy.npz")),
        "fsps": "results/ssp/fsps.npz",
    }[SETTINGS[wildcards.field]["sed"]["library"]]


def batches_of(field):
    """Pairs (galaxy, batch number) of the SED jobs."""
    size = SETTINGS[field]["run"]["clumps_per_job"]
    return [
        (galaxy, batch) for galaxy, count in clumps_of(field).items() for batch in range(-(-count // size))
    ]


def sed_batches(ending):
    return lambda w: [
        f"results/{w.field}/sed/{w.sfh}/{galaxy}/{batch}.{ending}" for galaxy, batch in batches_of(w.field)
    ]


def sed_settings(wildcards):
    """Every setting that a posterior depends on, and nothing else."""
    settings = SETTINGS[wildcards.field]["sed"]
    return {key: value for key, value in settings.items() if key not in ("sfh", "reference_sfh", "library")}


# The SSP grid is a method of its own, though its table stands beside those of the other histories.
ruleorder: ssp_grid > sed_table


rule sed:
    input:
        photometry="results/{field}/galaxies/{galaxy}/photometry.ecsv",
        depth=lambda w: f"results/{w.field}/depth.ecsv" if w.field in IMAGING else [],
        library=library_file,
    output:
        samples=update("results/{field}/sed/{sfh}/{galaxy}/{batch}.nc"),
        table="results/{field}/sed/{sfh}/{galaxy}/{batch}.ecsv",
    wildcard_constraints:
        sfh="(?!ssp$)[A-Za-z0-9_]+",
    log:
        "results/{field}/logs/sed/{sfh}/{galaxy}/{batch}.log",
    benchmark:
        "results/{field}/benchmarks/sed/{sfh}/{galaxy}/{batch}.tsv"
    params:
        settings=sed_settings,
        reddening=lambda w: FIELDS[w.field].get("reddening"),
        clumps_per_job=section("run", "clumps_per_job"),
        seed=section("run", "seed"),
    resources:
        mem_mb=lambda w, attempt: 1000 * attempt,
        runtime=lambda w, attempt: 120 * attempt,
    retries: 1
    conda:
        "../envs/sed.yaml"
    script:
        "../workflow/fit_seds.py"


rule sed_table:
    input:
        sed_batches("ecsv"),
    output:
        table="results/{field}/sed/{sfh}.ecsv",
    wildcard_constraints:
        sfh="(?!ssp$)[A-Za-z0-9_]+",
    log:
        "results/{field}/logs/sed_table_{sfh}.log",
    benchmark:
        "results/{field}/benchmarks/sed_table_{sfh}.tsv"
    resources:
        mem_mb=2000,
        runtime=10,
    conda:
        "../envs/sed.yaml"
    script:
        "../workflow/gather_tables.py"


# F22's way: chi2 over a grid of simple stellar populations, for every clump and for their stack.
rule ssp_grid:
    input:
        photometry=per_measured_galaxy("results/{field}/galaxies/{galaxy}/photometry.ecsv"),
        library=library_file,
    output:
        table="results/{field}/sed/ssp.ecsv",
        stack="results/{field}/sed/ssp_stack.ecsv",
    log:
        "results/{field}/logs/ssp_grid.log",
    benchmark:
        "results/{field}/benchmarks/ssp_grid.tsv"
    params:
        settings=sed_settings,
        reddening=lambda w: FIELDS[w.field].get("reddening"),
    resources:
        mem_mb=1000,
        runtime=20,
    conda:
        "../envs/sed.yaml"
    script:
        "../workflow/fit_ssp_grid.py"


def host_batches(wildcards):
    size = SETTINGS[wildcards.field]["run"]["galaxies_per_job"]
    count = len(galaxies_of(wildcards.field))
    return [
        f"results/{wildcards.field}/hosts/{sfh}/{batch}.ecsv"
        for sfh in SETTINGS[wildcards.field]["hosts"]["sfh"]
        for batch in range(-(-count // size))
    ]


def host_settings(wildcards):
    """Hosts are fitted as clumps are, but for what their own section says."""
    return {**sed_settings(wildcards), "nested": SETTINGS[wildcards.field]["hosts"]["nested"]}


rule host:
    input:
        selected="results/{field}/galaxies.ecsv",
        galaxies=lambda w: LOCAL[w.field]["galaxies"],
        library=library_file,
    output:
        "results/{field}/hosts/{sfh}/{batch}.ecsv",
    log:
        "results/{field}/logs/hosts/{sfh}_{batch}.log",
    benchmark:
        "results/{field}/benchmarks/hosts/{sfh}_{batch}.tsv"
    params:
        settings=host_settings,
        reddening=lambda w: FIELDS[w.field].get("reddening"),
        galaxies_per_job=section("run", "galaxies_per_job"),
        seed=section("run", "seed"),
    resources:
        mem_mb=lambda w, attempt: 1000 * attempt,
        runtime=lambda w, attempt: 120 * attempt,
    retries: 1
    conda:
        "../envs/sed.yaml"
    script:
        "../workflow/fit_hosts.py"


rule host_table:
    input:
        host_batches,
    output:
        "results/{field}/hosts.ecsv",
    log:
        "results/{field}/logs/host_table.log",
    benchmark:
        "results/{field}/benchmarks/host_table.tsv"
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../envs/sed.yaml"
    script:
        "../workflow/gather_tables.py"
