"""What the rules ask of the configuration and of each other: input functions, in the order of the data."""


def download_jobs():
    """Local path of every downloaded input -> its URL and, for science images, its checksum."""
    jobs = {}
    for name, field in FIELDS.items():
        entries = [((key,), value, None) for key, value in field.items() if isinstance(value, str)]
        entries += [
            ((model, key), value, None)
            for model, lens in lenses(field).items()
            for key, value in lens.items()
            if isinstance(value, str)
        ]
        if "clumps" in field:
            entries.append((("clumps",), field["clumps"]["table"], None))
        if "redshifts" in field.get("catalogue", {}):
            entries.append((("redshifts",), field["catalogue"]["redshifts"], None))
        for band, image in field.get("images", {}).items():
            entries += [
                ((band, key), value, image.get("sha256") if key == "sci" else None)
                for key, value in image.items()
                if isinstance(value, str)
            ]
        jobs |= {
            local(name, value, *key): (value, checksum)
            for key, value, checksum in entries
            if is_address(value)
        }
    return jobs


DOWNLOADS = download_jobs()
# All fields share one cache.
DOWNLOAD_SETTINGS = next(iter(SETTINGS.values()))["downloads"]
CACHE, OFFLINE = str(cache_folder(DOWNLOAD_SETTINGS)), is_offline(DOWNLOAD_SETTINGS)

if workflow.is_main_process:
    wanted = {url for url, _ in DOWNLOADS.values()}
    missing = sorted(url for url in wanted if not parse_address(url).cached(CACHE).exists())
    if missing and OFFLINE:
        raise WorkflowError(
            f"Downloads are switched off, and {len(missing)} files are not in the cache {CACHE}: {', '.join(missing)}"
        )
    if missing:
        print(
            f"{len(missing)} of {len(wanted)} files come from the network into {CACHE}:"
            " the target `downloads_list` says which, and how large they are.",
            file=sys.stderr,
        )


def image_maps(wildcards):
    """Files of one mosaic, as far as the configuration has them."""
    image = LOCAL[wildcards.field]["images"][wildcards.filter]
    return {key: image[key] for key in configuration.IMAGE_MAPS if key in image}


def packed_maps(wildcards):
    """Files of one mosaic before they are unpacked."""
    return {key: PACKED.get(path, path) for key, path in image_maps(wildcards).items()}


def psf_stars(wildcards):
    """Table of a mosaic's stars: the user's, or those that were found in a compressed one; none where they are still to be found."""
    if "stars" in LOCAL[wildcards.field]:
        return LOCAL[wildcards.field]["stars"]
    packed = any(path in PACKED for path in image_maps(wildcards).values())
    return f"results/{wildcards.field}/unpacked/{wildcards.filter}_stars.ecsv" if packed else []


def psf_inputs(wildcards):
    field = LOCAL[wildcards.field]
    image = field["images"][wildcards.filter]
    stars = {"stars": psf_stars(wildcards)} if psf_stars(wildcards) else {}
    given = {"psf": image["psf"]} if "psf" in image else {}
    return {**image_maps(wildcards), **given, **stars}


def image_options(wildcards):
    """What the configuration says of a mosaic beside its files."""
    image = FIELDS[wildcards.field]["images"][wildcards.filter]
    return configuration.mosaic_options(image, maps=())


def psf_options(wildcards):
    """How a given PSF is sampled, as far as the configuration says."""
    image = FIELDS[wildcards.field]["images"][wildcards.filter]
    given = {"oversampling": "psf_oversampling", "has_pixel": "psf_has_pixel"}
    return {name: image[key] for name, key in given.items() if key in image}


def per_filter(pattern):
    return lambda w: expand(pattern, field=w.field, filter=FIELDS[w.field]["images"])


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


def read_index(path):
    """Content of a checkpoint's index, parsed anew only when the file has changed: every job asks for it."""
    status = os.stat(path)
    return parsed(str(path), status.st_mtime_ns, status.st_size)


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


def per_measured_galaxy(*patterns):
    return lambda w: [
        pattern.format(field=w.field, galaxy=galaxy) for pattern in patterns for galaxy in clumps_of(w.field)
    ]


def photometry_file(field, galaxy):
    """Fluxes of a galaxy's clumps with the errors that are believed."""
    corrected = field in IMAGING and SETTINGS[field]["injection"]["correct_errors"]
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
    return lens["kind"] == "lenstool" or "deflection_x" in lens


def library_file(wildcards):
    return {
        "bc03": str(resource("ssp/bc03_miles_cloudy.npz")),
        "fsps": "results/ssp/fsps.npz",
    }[SETTINGS[wildcards.field]["sed"]["library"]]


def clumps_in_groups(field):
    """Galaxies with clumps, and how many they have, in groups whose clumps are fitted together."""
    counts = [(galaxy, count) for galaxy, count in clumps_of(field).items() if count]
    size = SETTINGS[field]["run"]["galaxies_per_job"]
    return [dict(counts[first : first + size]) for first in range(0, len(counts), size)]


def batches_of(field):
    """Names of the SED jobs: the number of a group of galaxies, and that of a part of its clumps."""
    size = SETTINGS[field]["run"]["clumps_per_job"]
    return [
        f"{number}_{part}"
        for number, group in enumerate(clumps_in_groups(field))
        for part in range(-(-sum(group.values()) // size))
    ]


def galaxies_of_batch(wildcards):
    return list(clumps_in_groups(wildcards.field)[int(wildcards.batch.partition("_")[0])])


def sed_files(field, sfh, ending):
    return [f"results/{field}/sed/{sfh}/{batch}.{ending}" for batch in batches_of(field)]


def sed_batches(ending):
    return lambda w: sed_files(w.field, w.sfh, ending)


def sed_settings(wildcards):
    """Every setting that a posterior depends on, and nothing else."""
    settings = SETTINGS[wildcards.field]["sed"]
    others = (
        "sfh",
        "reference_sfh",
        "filter_sets",
        "library",
        "mass_filter",
        "universe_age_limit",
        "redshift_quantiles",
    )
    return {key: value for key, value in settings.items() if key not in others}


def host_reddening(wildcards):
    """Reddening of hosts' fluxes, unless their catalogue has taken it off."""
    field = FIELDS[wildcards.field]
    return None if field.get("catalogue", {}).get("dereddened") else field.get("reddening")


def host_batches(field, ending):
    """Tables (ecsv) or posterior samples (nc) of every batch of hosts and every history."""
    size = SETTINGS[field]["run"]["galaxies_per_job"]
    count = len(galaxies_of(field))
    return [
        f"results/{field}/hosts/{sfh}/{batch}.{ending}"
        for sfh in SETTINGS[field]["hosts"]["sfh"]
        for batch in range(-(-count // size))
    ]


def host_settings(wildcards):
    """Hosts are fitted as clumps are, but for their own section, and what is of clumps: limits of flux and of mass."""
    settings = {key: value for key, value in sed_settings(wildcards).items() if key != "mag_limit_ab"}
    bounds = {key: pair for key, pair in settings["bounds"].items() if key != "log_mass_formed"}
    nested = SETTINGS[wildcards.field]["hosts"]["nested"]
    return {**settings, "limits": "flux", "bounds": bounds, "nested": nested}


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


def injected_clumps(wildcards):
    """Settings of the injection itself, without what only its tables depend on."""
    settings = SETTINGS[wildcards.field]["injection"]
    return {key: value for key, value in settings.items() if key not in ("completeness", "correct_errors")}


def injection_tables(field):
    """Table name -> path of what injected clumps tell; empty where none are injected."""
    if field not in IMAGING or not SETTINGS[field]["injection"]["clumps"]:
        return {}
    return {name: f"results/{field}/injection/{name}.ecsv" for name in INJECTION_TABLES}


def sed_samples(wildcards):
    """Posterior samples of the reference SFH, whose scatter is combined with the magnification's."""
    sfh = SETTINGS[wildcards.field]["sed"]["reference_sfh"]
    if sfh == "ssp":
        return []
    return sed_files(wildcards.field, sfh, "nc")


def sed_tables(field):
    """SFH -> table of its fits, observed; none where clumps are not fitted."""
    if field in TABULATED:
        return {}
    return {sfh: f"results/{field}/sed/{sfh}.ecsv" for sfh in SETTINGS[field]["sed"]["sfh"]}


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


def sed_sheets(field):
    """Pages with the fits of the reference SFH; those of the others are drawn when asked for."""
    sfh = SETTINGS[field]["sed"]["reference_sfh"]
    return [] if sfh == "ssp" else [f"results/{field}/sed/{sfh}.pdf"]


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
