rule report:
    input:
        files=report_files,
        provenance="results/provenance.json",
    output:
        "results/report.html",
    log:
        "results/logs/report.log",
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        fields=lambda w: [report_of(name) for name in FIELDS],
    script:
        "../workflow/scripts/write_report.py"


rule provenance:
    input:
        [path for name in FIELDS for path in input_files(name)],
    output:
        "results/provenance.json",
    log:
        "results/logs/provenance.log",
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=60,
    params:
        config=config,
        settings=SETTINGS,
        fields=LOCAL,
    script:
        "../workflow/scripts/write_provenance.py"
