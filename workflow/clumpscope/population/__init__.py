"""Catalogue, and statistics of clumps and their hosts."""

__all__ = ["POPULATION_TABLES"]

# Named here, where importing costs nothing: the workflow lists its products before anything is computed.
POPULATION_TABLES = (
    "medians",
    "surface_density",
    "mass_function",
    "mass_function_slopes",
    "mass_function_fits",
    "host_relations",
    "host_medians",
    "host_correlations",
    "positions",
    "gradients",
    "gradient_slopes",
)
"""Names of the tables of `population_tables`, the same for every field."""
