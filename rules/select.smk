# Which galaxies there are is known only after the selection (catalogues may be downloads or products),
# so this is a checkpoint; a photometry field enters here too, its sources grouped by galaxy.
checkpoint select:
    input:
        unpack(select_inputs),
    output:
        # The index comes first: it is what the graph of jobs looks for.
        index="results/{field}/galaxies.json",
        galaxies="results/{field}/galaxies.ecsv",
        selection="results/{field}/selection.ecsv",
    log:
        "results/{field}/logs/select.log",
    benchmark:
        "results/{field}/benchmarks/select.tsv"
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        field=lambda w: {
            key: value
            for key, value in LOCAL[w.field].items()
            if key in ("images", "galaxies", "photometry", "redshift", "stars", "edits", "lens")
        },
        settings=section("selection"),
    script:
        "../workflow/select_galaxies.py"
