"""Batches of SED fits, of clumps and of hosts, and what they depend on."""


def library_file(wildcards):
    return {
        "bc03": str(resource("ssp/bc03_miles_cloudy.npz")),
        "fsps": "results/ssp/fsps.npz",
    }[SETTINGS[wildcards.field]["sed"]["library"]]


@cache
def grouped(index, size):
    """Galaxies with clumps of an index (`version_of`), and how many they have, so many together: every job asks for its own."""
    counts = [(galaxy, count) for galaxy, count in parsed(*index).items() if count]
    return [dict(counts[first : first + size]) for first in range(0, len(counts), size)]


def clumps_in_groups(field):
    """Galaxies with clumps, and how many they have, in groups whose clumps are fitted together."""
    index = checkpoints.clumps.get(field=field).output.index
    return grouped(version_of(index), SETTINGS[field]["run"]["galaxies_per_job"])


def batches_of(field, galaxy=None):
    """Names of the SED jobs, all or those of a galaxy's group: the number of a group of galaxies, and that of a part of its clumps."""
    size = SETTINGS[field]["run"]["clumps_per_job"]
    return [
        f"{number}_{part}"
        for number, group in enumerate(clumps_in_groups(field))
        if galaxy is None or galaxy in group
        for part in range(-(-sum(group.values()) // size))
    ]


def galaxies_of_batch(wildcards):
    return list(clumps_in_groups(wildcards.field)[int(wildcards.batch.partition("_")[0])])


def sed_files(field, sfh, ending, galaxy=None):
    return [f"results/{field}/sed/{sfh}/{batch}.{ending}" for batch in batches_of(field, galaxy)]


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
        "total_flux",
    )
    return {key: value for key, value in settings.items() if key not in others}


def aperture_corrections(wildcards):
    """Table of the PSFs, where fluxes are corrected to those out to the kernels' edges."""
    corrected = wildcards.field in IMAGING and SETTINGS[wildcards.field]["sed"]["total_flux"]
    return f"results/{wildcards.field}/psf/psf.ecsv" if corrected else []


def host_reddening(wildcards):
    """Reddening of hosts' fluxes, unless their catalogue has taken it off."""
    field = FIELDS[wildcards.field]
    return None if field.get("catalogue", {}).get("dereddened") else field.get("reddening")


def host_batches(field):
    """Every batch of hosts with its history, as ``{sfh}/{batch}``; asks for the later checkpoint, as `catalogue_has` does."""
    checkpoints.clumps.get(field=field)
    size = SETTINGS[field]["run"]["galaxies_per_job"]
    count = len(galaxies_of(field))
    return [f"{sfh}/{batch}" for sfh in SETTINGS[field]["hosts"]["sfh"] for batch in range(-(-count // size))]


def host_settings(wildcards):
    """Hosts are fitted as clumps are, but for their own section, and what is of clumps: limits of flux and of mass."""
    settings = {key: value for key, value in sed_settings(wildcards).items() if key != "mag_limit_ab"}
    bounds = {key: pair for key, pair in settings["bounds"].items() if key != "log_mass_formed"}
    own = {key: SETTINGS[wildcards.field]["hosts"][key] for key in ("nested", "priors")}
    return {**settings, "limits": "flux", "bounds": bounds, **own}


def hosts_apart(wildcards):
    """Galaxies of a batch of hosts whose clumps are taken apart from them."""
    field, settings = wildcards.field, SETTINGS[wildcards.field]
    if settings["hosts"]["light"] == "total" or settings["sed"]["reference_sfh"] == "ssp":
        return []
    size, batch = settings["run"]["galaxies_per_job"], int(wildcards.batch)
    measured = clumps_of(field)
    return [name for name in galaxies_of(field)[batch * size : (batch + 1) * size] if measured.get(name)]


def per_host_apart(file_of):
    return lambda w: [file_of(w.field, galaxy) for galaxy in hosts_apart(w)]


def fits_apart(wildcards):
    """Fits of the clumps of these galaxies, which may share files."""
    field = wildcards.field
    sfh = SETTINGS[field]["sed"]["reference_sfh"]
    files = [path for galaxy in hosts_apart(wildcards) for path in sed_files(field, sfh, "ecsv", galaxy)]
    return list(dict.fromkeys(files))
