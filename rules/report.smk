def report_of(field):
    """What the report shows of one field, as keyword arguments of `clumpscope.report.FieldInputs`."""
    base = f"results/{field}"
    shown = {
        "name": field,
        "kind": "imaging" if field in IMAGING else "photometry",
        "catalogue": f"{base}/catalogue.ecsv",
        "selection": f"{base}/selection.ecsv",
        "population": {name: f"{base}/population/{name}.ecsv" for name in POPULATION_TABLES},
        "figures": [f"{base}/figures/{name}.png" for name in figures_of_field(field)],
        "min_broad_bands": SETTINGS[field]["population"]["min_broad_bands"],
    }
    if "mock" in FIELDS[field]:
        shown["recovery"] = f"{base}/population/truth_summary.ecsv"
    if has_published(field):
        shown["published"] = f"{base}/population/published.ecsv"
    return shown


def report_files(wildcards):
    files = []
    for name in FIELDS:
        for value in (v for key, v in report_of(name).items() if key not in ("name", "kind", "min_broad_bands")):
            values = flat(value)
            files += values if isinstance(values, list) else [values]
        files += expand(f"results/{name}/sed/{{sfh}}.ecsv", sfh=SETTINGS[name]["sed"]["sfh"])
    return files


rule report:
    input:
        files=report_files,
        provenance="results/provenance.json",
    output:
        "results/report.html",
    log:
        "results/logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    params:
        fields=lambda w: [report_of(name) for name in FIELDS],
    resources:
        mem_mb=2000,
        runtime=10,
    conda:
        "../envs/report.yaml"
    script:
        "../workflow/write_report.py"


rule provenance:
    input:
        [path for name in FIELDS for path in input_files(name)],
    output:
        "results/provenance.json",
    log:
        "results/logs/provenance.log",
    benchmark:
        "results/benchmarks/provenance.tsv"
    params:
        config=config,
    resources:
        mem_mb=1000,
        runtime=60,
    conda:
        "../envs/report.yaml"
    script:
        "../workflow/write_provenance.py"
