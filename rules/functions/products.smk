"""Which products a field has, of the one table of products: what figures, pages and the report are made of, and what `all` asks for."""


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


def kind_of(field):
    return "imaging" if field in IMAGING else "clumps" if field in TABULATED else "photometry"


HAS = {
    "": lambda field: True,
    "measured": lambda field: field not in TABULATED,
    "fits": lambda field: field not in TABULATED and SETTINGS[field]["sed"]["reference_sfh"] != "ssp",
    "ssp": lambda field: field not in TABULATED and "ssp" in SETTINGS[field]["sed"]["sfh"],
    "filter sets": lambda field: HAS["fits"](field) and SETTINGS[field]["sed"]["filter_sets"],
    "images": lambda field: field in IMAGING,
    "lens": lambda field: field in IMAGING and LOCAL[field]["lens"]["kind"] != "none",
    "deflections": lambda field: field in IMAGING and traces_sources(field),
    "systems": lambda field: HAS["deflections"](field) and catalogue_has(field, "multiple_images"),
    "lens models": lambda field: field not in TABULATED and LOCAL[field]["other_lenses"],
    "injection": lambda field: field in IMAGING and SETTINGS[field]["injection"]["clumps"],
    "hosts": lambda field: field in IMAGING and has_hosts(field),
    "mock": lambda field: "mock" in FIELDS[field],
    "published": has_published,
}
"""What a product is made of (`FIELDS_WITH`) -> whether a field has it."""


NAMES = {
    "population": lambda field: POPULATION_TABLES,
    "injection": lambda field: INJECTION_TABLES,
    "figure": lambda field: figures_of_field(field),
    "filter": lambda field: FIELDS[field]["images"],
    "galaxy": lambda field: galaxies_of(field),
    "measured": lambda field: clumps_of(field),
    "sfh": lambda field: SETTINGS[field]["sed"]["sfh"],
    "reference": lambda field: [SETTINGS[field]["sed"]["reference_sfh"]],
    "fitted": lambda field: [sfh for sfh in SETTINGS[field]["sed"]["sfh"] if sfh != "ssp"],
    "set": lambda field: SETTINGS[field]["sed"]["filter_sets"],
    "batch": lambda field: batches_of(field),
    "host_batch": lambda field: host_batches(field),
}
"""Wildcard of the table of products -> the names it stands for in a field."""


def product(field, name):
    """Path of a product; of several tables by their names; a list of other files. Empty where a field has none."""
    path = PRODUCTS[name].path
    wildcards = re.findall(r"{(\w+)}", path)
    names = {key: list(NAMES[key](field)) for key in wildcards} if HAS[PRODUCTS[name].of](field) else None
    files = [] if names is None else expand(f"results/{field}/{path}", **names)
    if path.endswith(".ecsv") and wildcards:
        return dict(zip(names[wildcards[-1]], files)) if files else {}
    return files[0] if files and not wildcards and not path.endswith(".fits") else files


def listed(files):
    """Paths of a product, whether it is one, several by name, or a list."""
    return list(files.values()) if isinstance(files, dict) else [files] if isinstance(files, str) else files


def statistics_settings(wildcards):
    """What statistics depend on, as keyword arguments of `population_statistics`."""
    settings = SETTINGS[wildcards.field]
    return {
        **{key: settings["population"][key] for key in ("redshift_bins", "min_broad_bands", "poor_fit")},
        "min_sigma_px": settings["fit"]["min_sigma_px"],
        "reference_sfh": settings["sed"]["reference_sfh"],
        "seed": settings["run"]["seed"],
    }


def figure_products(field):
    """Product name -> path, list of paths, or mapping of name to path, of all that figures can be drawn from."""
    products = {
        name: product(field, name)
        for name, row in PRODUCTS.items()
        if row.used("figures") and HAS[row.of](field)
    }
    if SETTINGS[field]["figures"]["tables"]:
        products["samples"] = SETTINGS[field]["figures"]["tables"]
    if has_published(field):
        products["published"] = LOCAL[field]["photometry"]
    return products


def needed_products(wildcards):
    products, figure = figure_products(wildcards.field), FIGURES[wildcards.figure]
    return {name: products[name] for name in (*figure.needs, *figure.wants) if name in products}


def figures_of_field(field):
    """Figures that can be drawn of a field."""
    if field in TABULATED:
        return figures_of_columns(FIELDS[field]["clumps"]["columns"])
    return figures_of(kind_of(field), set(figure_products(field)))


def figure_settings(wildcards):
    settings = SETTINGS[wildcards.field]
    return {
        "redshift_bins": settings["population"]["redshift_bins"],
        "min_broad_bands": settings["population"]["min_broad_bands"],
        "poor_fit": settings["population"]["poor_fit"],
        "reference_sfh": settings["sed"]["reference_sfh"],
        "host_reference_sfh": settings["hosts"]["reference_sfh"],
        "library": settings["sed"]["library"],
        "min_sigma_px": settings["fit"]["min_sigma_px"],
        **{key: value for key, value in settings["figures"].items() if key != "tables"},
    }


def galaxy_pictures(field, galaxy):
    """What is shown of a galaxy -> product."""
    shown = {
        "page": "inspection_page",
        "detection": "detection",
        "residuals": "residual_picture",
        "source plane": "source_plane_picture",
    }
    paths = {label: PRODUCTS[name].path for label, name in shown.items()}
    return {
        label: f"results/{field}/{path.format(galaxy=galaxy, measured=galaxy)}"
        for label, path in paths.items()
        if "{galaxy}" in path or galaxy in clumps_of(field)
    }


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


def report_of(field):
    """What the report shows of one field, as keyword arguments of `clumpscope.report.FieldInputs`."""
    there = {name: row for name, row in PRODUCTS.items() if HAS[row.of](field)}
    shown = {row.shown_as: product(field, name) for name, row in there.items() if row.shown_as}
    shown["population"]["statistics"] = product(field, "statistics")
    if field in IMAGING:
        shown["galaxies"] = {galaxy: galaxy_pictures(field, galaxy) for galaxy in galaxies_of(field)}
    return {
        "name": field,
        "kind": kind_of(field),
        "min_broad_bands": SETTINGS[field]["population"]["min_broad_bands"],
        "poor_fit": SETTINGS[field]["population"]["poor_fit"],
        "further": [
            path for name, row in there.items() if row.used("link") for path in listed(product(field, name))
        ],
        **shown,
    }


def report_files(wildcards):
    """What the report is made of, or links; pages and pictures of galaxies it links without waiting for them."""
    aside = ("name", "kind", "min_broad_bands", "poor_fit", "inspection", "galaxies")
    return [
        path
        for name in FIELDS
        for key, value in report_of(name).items()
        if key not in aside
        for path in listed(value)
    ]


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
        # Not in the place of the product, which would be taken for whole.
        record = ".snakemake/provenance.json"
        inputs = [path for name in FIELDS for path in input_files(name)]
        write_provenance(provenance(config, SETTINGS, filter(os.path.exists, inputs)), record)
    try:
        build(fields, record, "results/report.html")
        # Older than all that it is of: the next run makes the whole one.
        os.utime("results/report.html", (0, 0))
        print("What there is: results/report.html", file=sys.stderr)
    except InputError as error:
        print(f"No report of what there is: {str(error)[:500]}", file=sys.stderr)


def final_products(field):
    """All that a user looks at. Named one by one, what was lost is made again though its siblings are there."""
    names = [name for name, row in PRODUCTS.items() if row.used("run")]
    files = [path for name in names for path in listed(product(field, name))]
    return files if field in TABULATED else [f"results/{field}/clumps.json", *files]
