"""The report: one page with everything a run found, and the record of what it was made from."""

from .build import FieldInputs, build
from .provenance import provenance, write_provenance

__all__ = ["FieldInputs", "build", "provenance", "write_provenance"]
