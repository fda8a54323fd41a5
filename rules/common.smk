import json
import os
import re
import shutil
import sys
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from snakemake.exceptions import IncompleteCheckpointException, WorkflowError

# One thread a job: the fan-out fills the cores, threaded linear algebra would fight over them.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

sys.path.insert(0, str(Path(workflow.basedir) / "workflow"))

from clumpscope import config as configuration
from clumpscope.cached_files import cache_folder, is_offline
from clumpscope.addresses import is_address, parse_address
from clumpscope.errors import InputError
from clumpscope.files import PACKED_ENDINGS, attend, sweep
from clumpscope.figures.registry import FIGURES, figures_of, figures_of_columns
from clumpscope.filters import get_filter, three_filters
from clumpscope.integrity import damaged, record
from clumpscope.injection import INJECTION_TABLES
from clumpscope.job_server import start
from clumpscope.population import POPULATION_TABLES
from clumpscope.products import PRODUCTS
from clumpscope.redshifts import redshift_quantiles
from clumpscope.resources import resource

# Snakemake's own locks stay behind when a run is killed: who finds nobody else at work takes them away.
if workflow.is_main_process:
    PRESENCE, alone = attend(".snakemake")
    if alone:
        shutil.rmtree(".snakemake/locks", ignore_errors=True)
        for path in Path(".snakemake").glob("starter-*"):
            shutil.rmtree(path)
        for path in damaged():
            print(
                f"{path} is no longer what its job wrote: it is taken away, and made anew when it is needed.",
                file=sys.stderr,
            )
            if not {"-n", "--dry-run", "--dryrun"} & {*sys.argv}:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    elif PRESENCE is not None:
        print(
            "Another snakemake is at work in this folder: wait for it, or stop it, before you start a run of the same files."
            " After a run that was killed, `--unlock` is not needed.",
            file=sys.stderr,
        )

# Files that tell the line of a key; what the command line sets stands in none of them.
CONFIG_FILES = () if workflow.config_settings.config else workflow.configfiles

try:
    for path in workflow.configfiles if workflow.is_main_process else ():
        configuration.refuse_repeated_keys(path)
    config, names_taken = configuration.name_filters(config)
    configuration.validate(config)
except InputError as error:
    raise WorkflowError(str(configuration.located(error, CONFIG_FILES))) from None

FIELDS = config["fields"]
SETTINGS = {name: configuration.field_settings(config, name) for name in FIELDS}
IMAGING = [name for name, field in FIELDS.items() if "images" in field]
# Published clumps, which go through statistics and figures alone.
TABULATED = [name for name, field in FIELDS.items() if "clumps" in field]
PHOTOMETRY = [name for name in FIELDS if name not in (*IMAGING, *TABULATED)]


def one_of(names):
    """Regular expression of exactly these names; matches nothing when there are none."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    field="[^/]+",
    galaxy="[^/]+",
    filter="[A-Za-z0-9_]+",
    sfh="[A-Za-z0-9_]+",
    batch=r"\d+",


def section(*path):
    """Function giving one method section of the wildcard's field, for `params`."""

    def of_field(wildcards):
        value = SETTINGS[wildcards.field]
        for key in path:
            value = value[key]
        return value

    return of_field


def memory(amount):
    """Megabytes or minutes for `resources`, that many more each time a job is repeated."""

    def of_attempt(wildcards, attempt):
        return amount * attempt

    return of_attempt


minutes = memory


def local(field, path, *name):
    """Where an input lies on disk: its own path, or its place below downloads/ when it is an address."""
    if not is_address(path):
        return path
    return f"results/{field}/downloads/{'_'.join(name)}{parse_address(path, '.'.join(name)).ending}"


# Public catalogue in our columns -> what it is made from: the catalogue, and its redshifts where they are apart.
CATALOGUES = {}


def catalogue(field):
    """Where a field's galaxies can be read in our columns."""
    source, layout = local(field, FIELDS[field]["galaxies"], "galaxies"), FIELDS[field].get("catalogue")
    if not layout:
        return source
    converted = f"results/{field}/galaxy_catalogue.fits"
    CATALOGUES[converted] = {"galaxies": source}
    if "redshifts" in layout:
        CATALOGUES[converted]["redshifts"] = local(field, layout["redshifts"], "redshifts")
    return converted


# Unpacked copy of every compressed map of an image -> the compressed file.
PACKED = {}


def readable(field, path, band, key):
    """Where a map of an image can be read in rectangles: a compressed one below unpacked/, since gzip knows no places."""
    source = local(field, path, band, key)
    if key == "psf" or not source.endswith(PACKED_ENDINGS):
        return source
    unpacked = f"results/{field}/unpacked/{band}_{key}.fits"
    PACKED[unpacked] = source
    return unpacked


def lenses(field):
    """A field's lens models by name: ``lens`` is the reference, ``lens2`` and on are the others."""
    models = field.get("lens", {"kind": "none"})
    models = models if isinstance(models, list) else [models]
    return {f"lens{number}" if number > 1 else "lens": model for number, model in enumerate(models, 1)}


def local_field(name):
    """Configuration of a field with every URL replaced by the path of its download, compressed images by unpacked ones."""
    field = dict(FIELDS[name])
    for key in ("galaxies", "stars", "edits", "segmentation", "photometry"):
        if key in field:
            field[key] = catalogue(name) if key == "galaxies" else local(name, field[key], key)
    if "clumps" in field:
        field["clumps"] = field["clumps"] | {"table": local(name, field["clumps"]["table"], "clumps")}
    field["lens"], *field["other_lenses"] = (
        {
            key: local(name, value, model, key) if isinstance(value, str) else value
            for key, value in lens.items()
        }
        for model, lens in lenses(field).items()
    )
    field["images"] = {
        band: {
            key: readable(name, value, band, key) if key in (*configuration.IMAGE_MAPS, "psf") else value
            for key, value in image.items()
        }
        for band, image in field.get("images", {}).items()
    }
    return field


try:
    LOCAL = {name: local_field(name) for name in FIELDS}
except InputError as error:
    raise WorkflowError(f"an address of the configuration: {error}") from None


def lens_files(lens):
    """Files of a lens model by key; those of realisations of maps by key and number."""
    files = configuration.lens_paths(lens)
    samples = lens.get("samples", [])
    for number, sample in enumerate(samples if isinstance(samples, list) else []):
        files |= {f"{key}_{number}": path for key, path in sample.items()}
    return files


def files_of(images, keys=configuration.IMAGE_MAPS):
    """Files of some images: the maps, or those of `keys`, that each of them has."""
    return [image[key] for image in images.values() for key in keys if key in image]


def image_files(name):
    """Every file of a field's images: maps and PSFs."""
    return files_of(LOCAL[name]["images"], (*configuration.IMAGE_MAPS, "psf"))


def input_files(name):
    """Every input file of a field."""
    field = LOCAL[name]
    single = [
        field[key] for key in ("galaxies", "stars", "edits", "segmentation", "photometry") if key in field
    ]
    if "clumps" in field:
        single.append(field["clumps"]["table"])
    models = [field["lens"], *field["other_lenses"]]
    lens = [path for model in models for path in lens_files(model).values()]
    return single + lens + image_files(name)


def downloads(name):
    """Whether an input of a field is a download."""
    files = [PACKED.get(path, path) for path in input_files(name)]
    files += CATALOGUES.get(f"results/{name}/galaxy_catalogue.fits", {}).values()
    return any(path.startswith(f"results/{name}/downloads/") for path in files)


if workflow.is_main_process and names_taken:
    print(*names_taken, sep="\n", file=sys.stderr)


# Inputs that already lie there are checked before any job starts; downloads and mock fields when they arrive.
if workflow.is_main_process:
    from clumpscope.checking import check_selection, check_settings, few_filters, own_files
    from clumpscope.field_checks import check_field, check_samples
    from clumpscope.progress import follow
    from clumpscope.report.provenance import remarks_on_results
    from snakemake.logging import logger

    follow(logger, FIELDS)

    for name, field in FIELDS.items():
        if "mock" in field:
            continue
        here = own_files(field) if downloads(name) else {"images": {}, "lens": {"kind": "none"}, **field}
        try:
            doubts = check_field(name, here) + check_settings(name, here, SETTINGS[name]) if here else []
            check_selection(here or {}, SETTINGS[name]["selection"])
            check_samples(SETTINGS[name]["figures"]["tables"])
            doubts += few_filters(name, field, SETTINGS[name])
        except InputError as error:
            raise WorkflowError(f"field {name}: {configuration.located(error, CONFIG_FILES)}") from None
        for text in doubts:
            print(f"In doubt: {text}", file=sys.stderr)
    for text in remarks_on_results("results/provenance.json", config, SETTINGS):
        print(text, file=sys.stderr)


def summary():
    """What to look at, of what was asked for."""
    whole = ["results/report.html"]
    for name in FIELDS:
        whole += [
            f"results/{name}/{product}" for product in ("catalogue.ecsv", "figures/", "inspect/index.html")
        ]
    targets = sorted(path for path in workflow.dag_settings.targets if os.path.isfile(path))
    return "\n  ".join(["\nDone. Look at", *(targets or filter(os.path.exists, whole))])


def start_jobs_at_once():
    """Take off Snakemake's default limit of jobs a second.

    While a limit stands, it looks through all jobs that are ready every second, and once more a second for every job that has ended:
    hundreds of jobs keep it busy for nothing. One that the user sets is kept. The settings are not there before the run starts.
    """
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


def start_jobs_by_forking():
    """Have jobs started by a process that has done their imports, where a job's Python is the one that runs Snakemake."""
    if (
        sys.platform == "linux"
        and not workflow.deployment_settings.deployment_method
        and os.environ.get("CLUMPSCOPE_FORK") != "0"
    ):
        executable, workflow.starter = start(shell.get_executable(), f".snakemake/starter-{os.getpid()}")
        shell.executable(executable)
