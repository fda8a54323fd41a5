"""What is downloaded, and the files of images, PSFs and stars."""


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


def colour_images(wildcards):
    """Options of the mosaics behind red, green and blue."""
    images = LOCAL[wildcards.field]["images"]
    return {band: configuration.mosaic_options(images[band]) for band in three_filters(list(images))}
