"""One self-contained page of a run: numbers, tables, figures, links and provenance."""

import base64
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any

from ..figures.registry import FIGURES
from ..files import replacing
from ..resources import resource
from ..tables import read_table
from . import tables
from .counting import flag_counts, headline, selection_counts

__all__ = ["FieldInputs", "build", "what_is_there"]

Location = str | os.PathLike
_ACRONYMS = {"sfh": "SFH", "ssp": "SSP", "f22": "F22"}
_POPULATION = {
    "medians": tables.median_table,
    "mass_function_slopes": tables.slope_table,
    "mass_function_fits": tables.mass_fit_table,
    "host_correlations": tables.correlation_table,
    "gradient_slopes": tables.gradient_table,
}
_INJECTION = {"completeness_limits": tables.completeness_table, "recovery": tables.injection_table}
# Figures that tell whether the others can be trusted; the report begins with them.
_CHECKING = ("coverage", "truth_recovery", "completeness", "f22_comparison")


@dataclass(frozen=True)
class FieldInputs:
    """Products of one field that the report shows.

    Attributes
    ----------
    name : str
        Name of the field.
    kind : str
        ``imaging``, ``photometry`` or ``clumps``.
    catalogue : path-like, optional
        The catalogue; its FITS twin is linked beside it. Missing in a run that did not come so far.
    selection : path-like, optional
        Galaxies with the reasons why they are or are not measured.
    population : mapping of str to path-like
        Population tables by name; those the report knows are shown, all are linked.
    figures : sequence of path-like
        PNG files named after the figures; PDF and data lie beside them.
    psfs : path-like, optional
        Table of the PSFs, with what a reader should know of each.
    recovery : path-like, optional
        Summary of the comparison with a mock field's truth.
    coverage : path-like, optional
        Whether intervals hold that truth, of `clumpscope.population.coverage`.
    recovered : path-like, optional
        Population numbers beside those of that truth, of `clumpscope.population.recovered`.
    statements : path-like, optional
        What C25 say of clumps, recovered beside injected, of `clumpscope.population.statements`.
    injection : mapping of str to path-like
        Tables of `clumpscope.injection` by name; limits and recovery are shown, all are linked.
    published, published_stack : path-like, optional
        Tables of `clumpscope.population.published`.
    further : sequence of path-like
        Other products to link.
    inspection : path-like, optional
        Index of the pages on which every galaxy is looked at.
    galaxies : mapping of str to mapping of str to path-like
        Galaxy -> what is shown -> product, to link.
    missing : sequence of path-like
        Products that a run did not make, of `what_is_there`.
    min_broad_bands : int
        Broad bands with S/N > 3 that a clump needs in statistics.
    poor_fit : bool
        Whether clumps whose best fit is improbable count there.
    """

    name: str
    kind: str
    catalogue: Location | None = None
    selection: Location | None = None
    population: Mapping[str, Location] = field(default_factory=dict)
    figures: Sequence[Location] = ()
    psfs: Location | None = None
    recovery: Location | None = None
    coverage: Location | None = None
    recovered: Location | None = None
    statements: Location | None = None
    injection: Mapping[str, Location] = field(default_factory=dict)
    published: Location | None = None
    published_stack: Location | None = None
    further: Sequence[Location] = ()
    inspection: Location | None = None
    galaxies: Mapping[str, Mapping[str, Location]] = field(default_factory=dict)
    missing: Sequence[Location] = ()
    min_broad_bands: int = 4
    poor_fit: bool = False


def what_is_there(inputs: FieldInputs) -> FieldInputs:
    """Inputs without products that do not exist: those of a run that failed. They are listed as missing."""
    missing: list[Location] = []

    def kept(value: Any) -> Any:
        if isinstance(value, Mapping):
            found = {key: kept(item) for key, item in value.items()}
            return {key: item for key, item in found.items() if item is not None}
        if isinstance(value, (list, tuple)):
            return [item for item in map(kept, value) if item is not None]
        if value is None or Path(value).exists():
            return value
        missing.append(value)
        return None

    products = {
        own.name: kept(getattr(inputs, own.name))
        for own in dataclass_fields(inputs)
        if own.name not in ("name", "kind", "missing", "min_broad_bands", "poor_fit")
    }
    return replace(inputs, **products, missing=missing)


def build(fields: Sequence[FieldInputs], provenance: Location, path: Location) -> None:
    """Write the report; the same bytes for the same products.

    Parameters
    ----------
    fields : sequence of FieldInputs
    provenance : path-like
        Record written by `clumpscope.report.write_provenance`; its ``doubts`` (sentences by field), where it has any, are shown.
    path : path-like
        The HTML file. Pictures are inside; links to products are relative to it.

    Raises
    ------
    InputError
        If a table is missing or unreadable.
    """
    import jinja2  # only the report needs it

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    base = Path(path).parent
    record = json.loads(Path(provenance).read_text(encoding="utf-8"))
    text = environment.get_template("report.html.j2").render(
        fields=[_field(one, base, record.get("doubts", {}).get(one.name, [])) for one in fields],
        provenance=record,
        provenance_link=_link(provenance, base),
        progress="progress.txt" if (base / "progress.txt").exists() else None,
        config=json.dumps(record["config"], indent=2, ensure_ascii=False),
    )
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _link(path: Location, base: Path) -> str:
    return Path(os.path.relpath(path, base)).as_posix()


def _field(inputs: FieldInputs, base: Path, doubts: list[str]) -> dict[str, Any]:
    """What the template shows; `doubts` are about the settings, others are in the selection and in the table of PSFs."""
    catalogue = read_table(inputs.catalogue) if inputs.catalogue else None
    selection = read_table(inputs.selection) if inputs.selection else None
    psfs = read_table(inputs.psfs) if inputs.psfs else None
    shown = [
        make(read_table(inputs.population[name]))
        for name, make in _POPULATION.items()
        if name in inputs.population
    ]
    if inputs.kind != "photometry" and "statistics" in inputs.population:
        quoted = read_table(resource("claeyssens2025/numbers.csv"))
        shown.insert(0, tables.statistics_table(read_table(inputs.population["statistics"]), quoted))
    checks = [
        make(read_table(path))
        for path, make in (
            (inputs.recovery, tables.recovery_table),
            (inputs.coverage, tables.coverage_table),
            (inputs.statements, tables.statements_table),
            (inputs.recovered, tables.recovered_table),
            *((inputs.injection.get(name), make) for name, make in _INJECTION.items()),
            (inputs.published, tables.published_table),
            (inputs.published_stack, tables.stack_table),
        )
        if path
    ]
    if psfs is not None:
        shown.append(tables.psf_table(psfs))
    links = [
        *([inputs.catalogue, Path(inputs.catalogue).with_suffix(".fits")] if inputs.catalogue else []),
        inputs.selection,
        inputs.psfs,
        inputs.recovery,
        inputs.coverage,
        inputs.recovered,
        inputs.statements,
        inputs.published,
        inputs.published_stack,
    ]
    links += [*inputs.population.values(), *inputs.injection.values(), *inputs.further]
    figures = _figures(inputs.figures, base)
    return {
        "name": inputs.name,
        "kind": inputs.kind,
        "headline": headline(catalogue, selection, inputs.min_broad_bands, inputs.poor_fit),
        "doubts": doubts
        + [text for table in (selection, psfs) if table is not None for text in table.meta.get("doubts", [])],
        "selection": selection_counts(selection) if selection is not None else [],
        "flags": flag_counts(catalogue) if catalogue is not None else [],
        "missing": [_link(path, base) for path in inputs.missing],
        "checks": [table for table in checks if table.rows],
        "checking_figures": [one for one in figures if one["name"] in _CHECKING],
        "tables": [table for table in shown if table.rows],
        "figures": [one for one in figures if one["name"] not in _CHECKING],
        "links": [(Path(path).name, _link(path, base)) for path in links if path],
        "inspection": _link(inputs.inspection, base) if inputs.inspection else None,
        "galaxies": {
            name: [(text, _link(path, base)) for text, path in shown.items()]
            for name, shown in inputs.galaxies.items()
        },
    }


def _title(name: str) -> str:
    """A figure's name in words."""
    words = [_ACRONYMS.get(word, word) for word in name.split("_")]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def _figures(paths: Sequence[Location], base: Path) -> list[dict[str, Any]]:
    """Pictures in the order of the registry, with their captions."""
    order = {name: place for place, name in enumerate(FIGURES)}
    figures = []
    for path in sorted(map(Path, paths), key=lambda p: (order.get(p.stem, len(order)), p.stem)):
        known = FIGURES.get(path.stem)
        figures.append(
            {
                "name": path.stem,
                "title": _title(path.stem),
                "caption": known.caption if known else "",
                "image": base64.b64encode(path.read_bytes()).decode("ascii"),
                "links": [(end, _link(path.with_suffix(f".{end}"), base)) for end in ("pdf", "png", "ecsv")],
            }
        )
    return figures
