"""Where the data that ships with the project is found."""

from pathlib import Path

__all__ = ["resource"]


def resource(name: str) -> Path:
    """Path of an embedded data file, in a checkout as well as in an installed package.

    Parameters
    ----------
    name : str
        Path below `resources/`, such as ``"filters.csv"``.

    Raises
    ------
    FileNotFoundError
        If neither place has it.
    """
    here = Path(__file__).resolve()
    for folder in (here.parents[2] / "resources", here.parent / "resources"):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(f"resources/{name} is missing: the checkout or the installation is incomplete")
