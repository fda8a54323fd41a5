"""A synthetic imaging field with known truth, drawn by other means than the workflow measures with."""

from .field import error_kind, make_field

__all__ = ["error_kind", "make_field"]
