"""SED models and fits: SSP libraries, model photometry, posteriors."""

from importlib import import_module
from typing import Any

from .inference.grid import GridFit, fit_grid
from .library.ssp import SSPLibrary, load_library
from .models.photometry import PhotometryModel
from .models.spectrum import rest_spectrum, synthesize

# Imported when first asked for: their imports would double the time of `import clumpscope.sed`.
_LATER = {
    "FitSettings": "inference.settings",
    "Fitter": "inference.fit",
    "Posterior": "inference.posterior",
    "RedshiftMixture": "inference.mixture",
    "draw_corner": "products.picture",
    "draw_sed": "products.picture",
    "fit_hosts": "products.hosts",
    "fit_many": "inference.fit",
    "fit_or_reuse": "products.store",
    "fit_posterior": "inference.fit",
    "percentile_table": "inference.posterior",
    "read_posterior": "products.store",
    "table_common": "products.columns_photometry",
    "table_photometry": "products.columns_photometry",
    "write_posteriors": "products.store",
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


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LATER[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
