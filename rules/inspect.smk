# Pages to look at every galaxy, and to correct what was taken for a clump: opened from disk, one job a galaxy.
rule inspection_page:
    input:
        unpack(inspected_products),
        index=ancient("results/{field}/galaxies.json"),
        counts=ancient(clump_counts),
        files=ancient("results/{field}/inspect/static"),
    output:
        page="results/{field}/inspect/{galaxy}.html",
        data="results/{field}/inspect/data/{galaxy}.js",
        thumbnail="results/{field}/inspect/thumbnails/{galaxy}.jpg",
    log:
        "results/{field}/logs/galaxies/{galaxy}/inspection_page.log",
    wildcard_constraints:
        field=one_of(IMAGING),
        galaxy=r"(?!(?:index|catalogue)\.(?:html|js|jpg)$)[^/]+",
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        galaxy=galaxy_row,
        pivots=pivots,
        pictures={
            "source_plane": "Image, magnification and source plane",
            "residual_picture": "Data, clumps and what is left over in every filter",
        },
    script:
        "../workflow/scripts/write_inspection_page.py"


rule inspection_files:
    output:
        directory("results/{field}/inspect/static"),
    log:
        "results/{field}/logs/inspection_files.log",
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=10,
    script:
        "../workflow/scripts/copy_inspection_files.py"


rule inspection:
    input:
        catalogue="results/{field}/catalogue.ecsv",
        selection="results/{field}/selection.ecsv",
        samples=lambda w: product(w.field, "sed_draws"),
        edits=lambda w: LOCAL[w.field].get("edits", []),
        detections=lambda w: (
            per_galaxy("results/{field}/galaxies/{galaxy}/clumps.ecsv")(w) if w.field in IMAGING else []
        ),
        counts=ancient(clump_counts),
        files=ancient("results/{field}/inspect/static"),
    output:
        index="results/{field}/inspect/index.html",
        catalogue="results/{field}/inspect/catalogue.html",
        index_data="results/{field}/inspect/data/index.js",
        catalogue_data="results/{field}/inspect/data/catalogue.js",
        cards=directory("results/{field}/inspect/cards"),
    log:
        "results/{field}/logs/inspection.log",
    conda:
        "../envs/sed.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        min_broad_bands=section("population", "min_broad_bands"),
        poor_fit=section("population", "poor_fit"),
    script:
        "../workflow/scripts/write_inspection_field.py"
