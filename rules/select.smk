# Images may be large, and catalogues long: only galaxies that redshift and magnification let through are looked up in images.
rule candidates:
    input:
        unpack(lens_inputs),
        galaxies=lambda w: LOCAL[w.field]["galaxies"],
    output:
        "results/{field}/candidates.fits",
    log:
        "results/{field}/logs/candidates.log",
    wildcard_constraints:
        field=one_of(IMAGING),
    conda:
        "../envs/imaging.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        lens=lambda w: LOCAL[w.field]["lens"],
        filters=lambda w: list(FIELDS[w.field]["images"]),
        settings=candidate_settings,
    script:
        "../workflow/scripts/list_candidates.py"


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
    wildcard_constraints:
        field=one_of([*IMAGING, *PHOTOMETRY]),
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
        settings=selection_settings,
    script:
        "../workflow/scripts/select_galaxies.py"
