def select_inputs(wildcards):
    field = LOCAL[wildcards.field]
    tables = {key: field[key] for key in ("galaxies", "photometry", "edits") if key in field}
    images = [image["sci"] for image in field["images"].values()]
    return {**tables, **lens_inputs(wildcards), "images": images}


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
    params:
        field=lambda w: {key: value for key, value in LOCAL[w.field].items() if key in ("images", "galaxies", "photometry", "redshift", "stars", "edits", "lens")},
        settings=section("selection"),
    resources:
        mem_mb=2000,
        runtime=20,
    conda:
        "../envs/imaging.yaml"
    script:
        "../workflow/select_galaxies.py"


def galaxies_of(field):
    """Ids of the selected galaxies; asks for the selection first."""
    index = checkpoints.select.get(field=field).output.index
    return json.loads(Path(index).read_text())["galaxies"]


def per_galaxy(*patterns):
    return lambda w: [
        pattern.format(field=w.field, galaxy=galaxy) for pattern in patterns for galaxy in galaxies_of(w.field)
    ]
