"""The report: one page with everything a run found, and the record of what it was made from."""

from .build import FieldInputs, build, what_is_there
from .provenance import provenance, write_provenance

__all__ = ["FieldInputs", "build", "provenance", "what_is_there", "write_provenance"]
