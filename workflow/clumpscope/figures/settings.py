"""What a user may choose about the figures; the defaults are those of the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from ..errors import InputError

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """Choices that figures share.

    Attributes
    ----------
    redshift_bins : tuple of float
        Edges of the redshift bins (C25 section 4.2).
    min_broad_bands : int
        Broad bands with S/N > 3 that a clump needs to be counted.
    poor_fit : bool
        Whether clumps whose best fit is improbable count too.
    reference_sfh : str
        The star-formation history of the catalogue, the others are compared with.
    host_reference_sfh : str
        The same of the host galaxies.
    library : str
        SSP library of the model tracks.
    gallery_galaxies : int
        Galaxies shown in the gallery, those with the most clumps.
    sed_clumps : tuple of str
        Clumps whose SEDs are shown; without any, the brightest of every redshift bin.
    min_sigma_px : float
        Smallest standard deviation that counts as resolved (C25 section 3.8) [px].
    """

    redshift_bins: tuple[float, ...] = (0.7, 1.5, 2.5, 3.5, 5.5)
    min_broad_bands: int = 4
    poor_fit: bool = False
    reference_sfh: str = "exp_free"
    host_reference_sfh: str = "exp_free"
    library: str = "bc03"
    gallery_galaxies: int = 6
    sed_clumps: tuple[str, ...] = ()
    min_sigma_px: float = 0.4

    @classmethod
    def of(cls, values: Mapping) -> "Settings":
        """Settings from a mapping.

        Raises
        ------
        InputError
            A key that is not a setting.
        """
        known = {field.name for field in fields(cls)}
        for key in values:
            if key not in known:
                raise InputError("figure settings", repr(key), f"one of {', '.join(sorted(known))}")
        chosen = dict(values)
        if "redshift_bins" in chosen:
            chosen["redshift_bins"] = tuple(float(edge) for edge in chosen["redshift_bins"])
        if "sed_clumps" in chosen:
            chosen["sed_clumps"] = tuple(map(str, chosen["sed_clumps"]))
        return cls(**chosen)
