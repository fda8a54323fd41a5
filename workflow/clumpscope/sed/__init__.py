"""SED models and fits: SSP libraries, model photometry, posteriors."""

from importlib import import_module

from .grid import GridFit, fit_grid
from .library import SSPLibrary, load_library
from .photometry import PhotometryModel
from .spectrum import rest_spectrum, synthesize

# Imported when first asked for: their imports would double the time of `import clumpscope.sed`.
_LATER = {
    "FitSettings": "settings",
    "Fitter": "fit",
    "Posterior": "posterior",
    "RedshiftMixture": "mixture",
    "draw_corner": "picture",
    "draw_sed": "picture",
    "fit_hosts": "hosts",
    "fit_many": "fit",
    "fit_or_reuse": "store",
    "fit_posterior": "fit",
    "percentile_table": "posterior",
    "read_posterior": "store",
    "table_common": "columns_photometry",
    "table_photometry": "columns_photometry",
    "write_posteriors": "store",
}

__all__ = [
    "FitSettings",
    "Fitter",
    "GridFit",
    "PhotometryModel",
    "Posterior",
    "RedshiftMixture",
    "SSPLibrary",
    "draw_corner",
    "draw_sed",
    "fit_grid",
    "fit_hosts",
    "fit_many",
    "fit_or_reuse",
    "fit_posterior",
    "load_library",
    "percentile_table",
    "read_posterior",
    "rest_spectrum",
    "synthesize",
    "table_common",
    "table_photometry",
    "write_posteriors",
]


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LATER[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
