"""Injection and recovery: clumps of known flux, size and colours put into the images that are measured.

They are drawn by other means than the fit's (`render`), but with the same PSF: errors of the PSF itself are not
seen. Their own photon noise is left out, since mosaics do not tell the gain: faint clumps, which decide the
completeness, are far below the sky's noise.
"""

__all__ = ["INJECTION_TABLES"]

# Named here, where importing costs nothing: the workflow lists its products before anything is computed.
INJECTION_TABLES = (
    "injected",
    "completeness",
    "completeness_limits",
    "recovery",
    "environments",
    "clump_limits",
)
"""Names of the tables of `injection.products.injection_tables`."""
