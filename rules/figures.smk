rule figure:
    input:
        unpack(lambda w: {name: listed(paths) for name, paths in needed_products(w).items()}),
        counts=ancient(clump_counts),
    output:
        pdf="results/{field}/figures/{figure}.pdf",
        png=report(
            "results/{field}/figures/{figure}.png",
            category="{field}",
            labels={"figure": "{figure}"},
        ),
        data="results/{field}/figures/{figure}.ecsv",
    log:
        "results/{field}/logs/figures/{figure}.log",
    wildcard_constraints:
        figure=one_of(FIGURES),
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(5),
    params:
        products=needed_products,
        settings=figure_settings,
    script:
        "../workflow/scripts/draw_figure.py"
