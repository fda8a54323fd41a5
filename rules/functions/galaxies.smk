"""Galaxies and clumps: which there are, and the files of each."""


def select_inputs(wildcards):
    field = LOCAL[wildcards.field]
    tables = {key: field[key] for key in ("galaxies", "photometry", "edits", "stars") if key in field}
    candidates = {"candidates": f"results/{wildcards.field}/candidates.fits"}
    return {
        **tables,
        **lens_inputs(wildcards),
        "images": image_files(wildcards.field),
        **(candidates if wildcards.field in IMAGING else {}),
    }


def selection_settings(wildcards):
    """Criteria that a galaxy is chosen by before its clumps are counted."""
    settings = SETTINGS[wildcards.field]["selection"]
    return {key: value for key, value in settings.items() if key not in ("min_clumps", "one_clump_redshift")}


def candidate_settings(wildcards):
    """Criteria of what may be measured: a galaxy that a person rejects leaves the mosaics as they are unpacked."""
    settings = selection_settings(wildcards)
    return {key: value for key, value in settings.items() if key not in ("reject", "reference_filters")}


@cache
def parsed(path, mtime_ns, size):
    return json.loads(Path(path).read_text())


def version_of(path):
    """What tells a file from what it was before."""
    status = os.stat(path)
    return str(path), status.st_mtime_ns, status.st_size


def read_index(path):
    """Content of a checkpoint's index, parsed anew only when the file has changed: every job asks for it."""
    return parsed(*version_of(path))


def galaxies_of(field):
    """Ids of the selected galaxies; asks for the selection first."""
    index = checkpoints.select.get(field=field).output.index
    return read_index(index)["galaxies"]


def per_galaxy(*patterns):
    return lambda w: [
        pattern.format(field=w.field, galaxy=galaxy)
        for pattern in patterns
        for galaxy in galaxies_of(w.field)
    ]


def galaxy_row(wildcards):
    """The galaxy's own row of the selection: when only this changes, only this galaxy is measured again."""
    rows = read_index(f"results/{wildcards.field}/galaxies.json")["rows"]
    if wildcards.galaxy not in rows:
        raise InputError(
            f"galaxy {wildcards.galaxy} of field {wildcards.field}",
            "not selected",
            f"one of {', '.join(rows)}",
            f"results/{wildcards.field}/selection.ecsv has the reason.",
        )
    return rows[wildcards.galaxy]


def galaxy_redshifts(wildcards):
    """Redshifts at which a galaxy's clumps are fitted and lensed: several for an uncertain one, where asked for."""
    row = galaxy_row(wildcards)
    z, n = row["z"], SETTINGS[wildcards.field]["sed"]["redshift_quantiles"]
    return redshift_quantiles(z, row.get("z_lo", z), row.get("z_hi", z), n)


def of_reference_filter(pattern):
    def of_galaxy(wildcards):
        checkpoints.select.get(field=wildcards.field)
        return pattern.format(field=wildcards.field, filter=galaxy_row(wildcards)["filter_ref"])

    return of_galaxy


def segmentation_map(wildcards):
    return LOCAL[wildcards.field].get("segmentation", [])


def clumps_of(field):
    """Galaxy id -> number of clumps, for the galaxies that are kept; asks for all detections first."""
    index = checkpoints.clumps.get(field=field).output.index
    return read_index(index)


def clump_counts(wildcards):
    """Index of the clumps, an input of every rule whose inputs hang on it.

    When a run continues, Snakemake takes a checkpoint behind another one for up to date before it knows that detections are made anew;
    it makes it anew, and then asks these rules for their inputs again, where they depend on it.
    """
    return [] if wildcards.field in TABULATED else f"results/{wildcards.field}/clumps.json"


def per_measured_galaxy(*patterns):
    return lambda w: [
        pattern.format(field=w.field, galaxy=galaxy) for pattern in patterns for galaxy in clumps_of(w.field)
    ]


def photometry_file(field, galaxy):
    """Fluxes of a galaxy's clumps with the errors that are believed."""
    injection = SETTINGS[field]["injection"]
    corrected = field in IMAGING and injection["clumps"] > 0 and injection["correct_errors"]
    return f"results/{field}/galaxies/{galaxy}/photometry{'_corrected' * corrected}.ecsv"


def believed_photometry(wildcards):
    """That of the galaxies of a batch, or of all that are measured."""
    galaxies = galaxies_of_batch(wildcards) if "batch" in wildcards.keys() else clumps_of(wildcards.field)
    return [photometry_file(wildcards.field, galaxy) for galaxy in galaxies]


def lens_inputs(wildcards):
    """Files of the field's lens model, the reference."""
    return {f"lens_{key}": path for key, path in lens_files(LOCAL[wildcards.field]["lens"]).items()}


def other_lens_inputs(wildcards):
    """Files of the field's other lens models."""
    return [path for lens in LOCAL[wildcards.field]["other_lenses"] for path in lens_files(lens).values()]


def traces_sources(field):
    """Whether the field's lens model has deflections."""
    lens = LOCAL[field]["lens"]
    return lens["kind"] not in ("none", "maps") or "deflection_x" in lens


def injected_clumps(wildcards):
    """Settings of the injection itself, without what only its tables depend on."""
    settings = SETTINGS[wildcards.field]["injection"]
    return {key: value for key, value in settings.items() if key not in ("completeness", "correct_errors")}
