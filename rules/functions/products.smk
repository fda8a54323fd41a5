"""Which products a field has: what figures, pages and the report are made of, and what `all` asks for."""


def catalogue_has(field, what):
    """Whether the user's table brings something optional; its columns are known once the selection has read it.

    It asks for the later checkpoint: a run that continues resolves only one level of checkpoints at its start.
    """
    checkpoints.clumps.get(field=field)
    index = checkpoints.select.get(field=field).output.index
    return read_index(index)[what]


def has_hosts(field):
    if field in TABULATED:
        return "host_log_mass" in FIELDS[field]["clumps"]["columns"]
    return field in IMAGING and catalogue_has(field, "host_photometry")


def has_published(field):
    """Whether published masses can stand beside an SSP grid (the F22 comparison)."""
    return (
        field in PHOTOMETRY and "ssp" in SETTINGS[field]["sed"]["sfh"] and catalogue_has(field, "published")
    )


def host_table(wildcards):
    return f"results/{wildcards.field}/hosts.ecsv" if has_hosts(wildcards.field) else []


def injection_tables(field):
    """Table name -> path of what injected clumps tell; empty where none are injected."""
    if field not in IMAGING or not SETTINGS[field]["injection"]["clumps"]:
        return {}
    return {name: f"results/{field}/injection/{name}.ecsv" for name in INJECTION_TABLES}


def statistics_settings(wildcards):
    """What statistics depend on, as keyword arguments of `population_statistics`."""
    settings = SETTINGS[wildcards.field]
    return {
        **{key: settings["population"][key] for key in ("redshift_bins", "min_broad_bands")},
        "min_sigma_px": settings["fit"]["min_sigma_px"],
        "reference_sfh": settings["sed"]["reference_sfh"],
        "seed": settings["run"]["seed"],
    }


def products_of(field):
    """Product name -> path, list of paths, or mapping of name to path, of all that figures can be drawn from."""
    base = f"results/{field}"
    settings = SETTINGS[field]["sed"]
    products = {
        "catalogue": f"{base}/catalogue.ecsv",
        "population": {name: f"{base}/population/{name}.ecsv" for name in POPULATION_TABLES},
    }
    if SETTINGS[field]["figures"]["tables"]:
        products["samples"] = SETTINGS[field]["figures"]["tables"]
    if field in TABULATED:
        return products
    products["sed_all"] = sed_tables(field)
    if settings["reference_sfh"] != "ssp":
        products["sed_draws"] = sed_files(field, settings["reference_sfh"], "nc")
        if settings["filter_sets"]:
            products["filter_sets"] = {
                name: f"{base}/sed/{settings['reference_sfh']}_in_{name}.ecsv"
                for name in settings["filter_sets"]
            }
    if LOCAL[field]["other_lenses"]:
        products["lens_models"] = products["catalogue"]
    if field in IMAGING:
        products["stack"] = f"{base}/stack/stack.ecsv"
        products["stack_profiles"] = f"{base}/stack/profiles.ecsv"
        products["stack_images"] = [f"{base}/stack/stack.fits"]
        products["residuals"] = [f"{base}/galaxies/{galaxy}/residuals.fits" for galaxy in clumps_of(field)]
        products["cutouts"] = [f"{base}/galaxies/{galaxy}/cutouts.fits" for galaxy in clumps_of(field)]
        products["psfs"] = [f"{base}/psf/{name}.fits" for name in FIELDS[field]["images"]]
        if LOCAL[field]["lens"]["kind"] != "none":
            products["lens_map"] = [f"{base}/lens/magnification.fits"]
            products["critical_lines"] = f"{base}/lens/critical_lines.ecsv"
        if traces_sources(field):
            products["source_planes"] = [
                f"{base}/galaxies/{galaxy}/source_plane.fits" for galaxy in clumps_of(field)
            ]
            if catalogue_has(field, "multiple_images"):
                products["multiple_images"] = f"{base}/lens/multiple_images.ecsv"
                products["counterparts"] = f"{base}/lens/counterparts.ecsv"
        if injection_tables(field):
            products["injection"] = injection_tables(field)
        if has_hosts(field):
            products["hosts"] = f"{base}/hosts.ecsv"
            products["galaxies"] = f"{base}/galaxies.ecsv"
    elif has_published(field):
        products["published"] = LOCAL[field]["photometry"]
        products["published_stack"] = f"{base}/population/published_stack.ecsv"
    if "ssp" in settings["sfh"]:
        products["ssp_stack"] = f"{base}/sed/ssp_stack.ecsv"
        products["ssp_stack_photometry"] = f"{base}/sed/ssp_stack_photometry.ecsv"
        products["ssp_fits"] = f"{base}/sed/ssp.ecsv"
    if "mock" in FIELDS[field]:
        products["truth"] = f"{base}/population/truth.ecsv"
        products["truth_summary"] = f"{base}/population/truth_summary.ecsv"
        products["coverage"] = f"{base}/population/coverage.ecsv"
    return products


def needed_products(wildcards):
    products, figure = products_of(wildcards.field), FIGURES[wildcards.figure]
    return {name: products[name] for name in (*figure.needs, *figure.wants) if name in products}


def flat(paths):
    return list(paths.values()) if isinstance(paths, dict) else paths


def kind_of(field):
    return "imaging" if field in IMAGING else "clumps" if field in TABULATED else "photometry"


def figures_of_field(field):
    """Figures that can be drawn of a field."""
    if field in TABULATED:
        return figures_of_columns(FIELDS[field]["clumps"]["columns"])
    return figures_of(kind_of(field), set(products_of(field)))


def figure_settings(wildcards):
    settings = SETTINGS[wildcards.field]
    return {
        "redshift_bins": settings["population"]["redshift_bins"],
        "min_broad_bands": settings["population"]["min_broad_bands"],
        "reference_sfh": settings["sed"]["reference_sfh"],
        "host_reference_sfh": settings["hosts"]["reference_sfh"],
        "library": settings["sed"]["library"],
        "min_sigma_px": settings["fit"]["min_sigma_px"],
        **{key: value for key, value in settings["figures"].items() if key != "tables"},
    }


FIELD_PICTURES = (
    "psf/psf.png",
    "depth.ecsv",
    "depth.png",
    "stack/stack.ecsv",
    "stack/profiles.ecsv",
    "stack/stack.png",
)


def galaxy_pictures(field, galaxy):
    """What is shown of a galaxy -> product."""
    base = f"results/{field}/galaxies/{galaxy}"
    shown = {"page": f"results/{field}/inspect/{galaxy}.html", "detection": f"{base}/detection.png"}
    if galaxy in clumps_of(field):
        shown |= {"residuals": f"{base}/residuals.png", "source plane": f"{base}/source_plane.png"}
    return shown


def report_of(field):
    """What the report shows of one field, as keyword arguments of `clumpscope.report.FieldInputs`."""
    base = f"results/{field}"
    shown = {
        "name": field,
        "kind": kind_of(field),
        "catalogue": f"{base}/catalogue.ecsv",
        "population": {name: f"{base}/population/{name}.ecsv" for name in (*POPULATION_TABLES, "statistics")},
        "figures": [f"{base}/figures/{name}.png" for name in figures_of_field(field)],
        "min_broad_bands": SETTINGS[field]["population"]["min_broad_bands"],
        "further": [f"{base}/numbers.yaml", f"{base}/numbers.tex"],
    }
    if field in TABULATED:
        return shown
    shown["selection"] = f"{base}/selection.ecsv"
    shown["inspection"] = f"{base}/inspect/index.html"
    shown["further"] += [*sed_sheets(field), *sed_tables(field).values()]
    if field in IMAGING:
        shown["psfs"] = f"{base}/psf/psf.ecsv"
        shown["further"] += [f"{base}/{name}" for name in FIELD_PICTURES]
        shown["galaxies"] = {galaxy: galaxy_pictures(field, galaxy) for galaxy in galaxies_of(field)}
    if has_hosts(field):
        shown["further"].append(f"{base}/hosts.ecsv")
    if "mock" in FIELDS[field]:
        shown["further"].append(f"{base}/population/truth.ecsv")
        shown["recovery"] = f"{base}/population/truth_summary.ecsv"
        shown["coverage"] = f"{base}/population/coverage.ecsv"
        shown["recovered"] = f"{base}/population/recovered.ecsv"
    if injection_tables(field):
        shown["injection"] = injection_tables(field)
    if has_published(field):
        shown["published"] = f"{base}/population/published.ecsv"
        shown["published_stack"] = f"{base}/population/published_stack.ecsv"
    return shown


def pivots(wildcards):
    """Pivot wavelengths [Angstrom] of a field's filters."""
    return {band: get_filter(band).pivot_angstrom for band in FIELDS[wildcards.field]["images"]}


def inspected_products(wildcards):
    """Products of a galaxy that its page shows: those of the detection, and of the measurement where there is one."""
    base = f"results/{wildcards.field}/galaxies/{wildcards.galaxy}"
    products = {name: f"{base}/{name}.fits" for name in ("cutouts", "segmentation")}
    products["clumps"] = f"{base}/clumps.ecsv"
    if wildcards.galaxy in clumps_of(wildcards.field):
        products |= {name: f"{base}/{name}.fits" for name in ("residuals", "magnification_map")}
        products["photometry"] = f"{base}/photometry.ecsv"
        products |= {"source_plane": f"{base}/source_plane.png", "residual_picture": f"{base}/residuals.png"}
    return products


def report_files(wildcards):
    """What the report is made of, or links; pages and pictures of galaxies it links without waiting for them."""
    aside = ("name", "kind", "min_broad_bands", "inspection", "galaxies")
    files = []
    for name in FIELDS:
        for value in (v for key, v in report_of(name).items() if key not in aside):
            values = flat(value)
            files += values if isinstance(values, list) else [values]
    return files


def report_what_is_there():
    """Report of a run that failed: of what it made."""
    from clumpscope.report import FieldInputs, build, provenance, what_is_there, write_provenance

    fields = []
    for name in FIELDS:
        try:
            shown = report_of(name)
        except IncompleteCheckpointException:
            # Which galaxies and tables there were to be is not known yet.
            base = Path(f"results/{name}")
            shown = {
                "name": name,
                "kind": kind_of(name),
                "catalogue": base / "catalogue.ecsv",
                "selection": base / "selection.ecsv",
                "population": {path.stem: path for path in sorted(base.glob("population/*.ecsv"))},
                "figures": sorted(base.glob("figures/*.png")),
                "inspection": base / "inspect" / "index.html",
            }
        fields.append(what_is_there(FieldInputs(**shown)))
    record = "results/provenance.json"
    if not Path(record).exists():
        inputs = [path for name in FIELDS for path in input_files(name)]
        write_provenance(provenance(config, SETTINGS, filter(os.path.exists, inputs)), record)
    try:
        build(fields, record, "results/report.html")
        print("What there is: results/report.html", file=sys.stderr)
    except InputError as error:
        print(f"No report of what there is: {str(error)[:500]}", file=sys.stderr)


def final_products(field):
    """All that a user looks at. Named one by one, what was lost is made again though its siblings are there."""
    base = f"results/{field}"
    shown = report_of(field)
    files = [f"{base}/catalogue.{ending}" for ending in ("ecsv", "fits")]
    files += shown["population"].values()
    files += shown["further"]
    files += [
        f"{base}/figures/{name}.{ending}"
        for name in figures_of_field(field)
        for ending in ("pdf", "png", "ecsv")
    ]
    if field in TABULATED:
        return files
    files.append(shown["selection"])
    for sfh in SETTINGS[field]["sed"]["sfh"]:
        if sfh != "ssp":
            files += sed_files(field, sfh, "nc")
    if field in IMAGING:
        files += [path for galaxy in galaxies_of(field) for path in galaxy_pictures(field, galaxy).values()]
        files += [
            f"{base}/galaxies/{galaxy}/{name}.fits"
            for galaxy in clumps_of(field)
            for name in ("residuals", "source_plane")
        ]
        files += injection_tables(field).values()
    if has_hosts(field):
        files += host_batches(field, "nc")
    return files + [f"{base}/inspect/{name}.html" for name in ("index", "catalogue")]
