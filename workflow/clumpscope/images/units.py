"""From whatever a FITS image counts to nanojansky per pixel."""

import math
from collections.abc import Mapping

from astropy import units as u

from ..errors import InputError

__all__ = ["njy_per_unit", "parse_unit"]

_FORMS = (
    "a flux density ('nJy', '10 nJy', 'uJy'), a surface brightness ('MJy/sr', 'nJy/arcsec2'), "
    "or a count rate ('electron/s', 'DN/s') with PHOTFNU or PHOTMJSR in the header"
)
# Spellings found in the headers of real mosaics that astropy does not read, or reads as siemens.
_SPELLINGS = {
    "electrons": "electron",
    "ELECTRONS": "electron",
    "counts": "ct",
    "COUNTS": "ct",
    "cps": "ct/s",
    "CPS": "ct/s",
    "/SR": "/sr",
    "/S": "/s",
    "e-/s": "electron/s",
}


def parse_unit(text: str, where: str) -> u.UnitBase:
    """Read a unit, tolerant of the spellings in real headers.

    Parameters
    ----------
    text : str
        Such as ``10 nJy``, ``10.0*nanoJansky``, ``MJy/sr`` or ``ELECTRONS/S``.
    where : str
        Place named in the error.

    Raises
    ------
    InputError
        If it is not a unit.
    """
    cleaned = str(text).strip()
    for found, standard in _SPELLINGS.items():
        cleaned = cleaned.replace(found, standard)
    if cleaned == "e/s":  # not by parts: an e ends many a unit
        cleaned = "electron/s"
    try:
        return u.Unit(cleaned)
    except ValueError as error:
        raise InputError(where, f"unit {text!r}", _FORMS) from error


def _number(header: Mapping, card: str, where: str) -> float:
    """Positive number on a card of a header."""
    try:
        value = float(header[card])
    except (TypeError, ValueError):
        value = math.nan
    if not 0.0 < value < math.inf:
        raise InputError(
            where, f"{card} = {header[card]!r} in the header", "a positive number", "Or give `unit`."
        )
    return value


def njy_per_unit(unit: str | None, header: Mapping, pixel_area_sr: float, where: str) -> float:
    """Factor that turns pixel values into nJy per pixel.

    Parameters
    ----------
    unit : str or None
        The unit stated in the configuration; it wins over the header. None: take BUNIT, else PHOTFNU.
    header : mapping
        FITS header: BUNIT, PHOTFNU [Jy per unit of the data], PHOTMJSR [MJy/sr per unit of the data].
    pixel_area_sr : float
        Solid angle of one pixel [sr].
    where : str
        File named in the errors.

    Returns
    -------
    float
        nJy per pixel for a pixel value of 1.

    Raises
    ------
    InputError
        If there is no unit, or it is not one of a flux.

    Notes
    -----
    PHOTFNU and PHOTMJSR are used only for count rates, or (PHOTFNU) when no unit is stated at all:
    in calibrated images they describe the detector's original counts, not the pixels' values.
    """
    stated = unit if unit is not None else header.get("BUNIT")
    if stated is None or not str(stated).strip():
        if "PHOTFNU" in header:
            return _number(header, "PHOTFNU", where) * 1e9
        raise InputError(
            where,
            "no unit in the configuration, no BUNIT and no PHOTFNU in the header",
            _FORMS,
            "Add `unit:` to this image in the configuration.",
        )
    parsed = parse_unit(stated, where)
    if isinstance(parsed, u.function.FunctionUnitBase):
        raise InputError(where, f"unit {stated!r}, a logarithm", _FORMS, "Convert magnitudes to fluxes.")
    for per_pixel in (parsed, parsed * u.pix):
        if per_pixel.is_equivalent(u.nJy):
            return float(per_pixel.to(u.nJy))
    if parsed.is_equivalent(u.nJy / u.sr):
        return float(parsed.to(u.nJy / u.sr)) * pixel_area_sr
    counts = [u.electron / u.s, u.ct / u.s, u.adu / u.s, u.DN / u.s]
    if any(parsed.is_equivalent(rate) for rate in counts):
        scale = float(next(parsed.to(rate) for rate in counts if parsed.is_equivalent(rate)))
        if "PHOTFNU" in header:
            return scale * _number(header, "PHOTFNU", where) * 1e9
        if "PHOTMJSR" in header:
            return scale * _number(header, "PHOTMJSR", where) * 1e15 * pixel_area_sr
        raise InputError(where, f"unit {stated!r} without PHOTFNU or PHOTMJSR in the header", _FORMS)
    raise InputError(where, f"unit {stated!r}, which is not one of a flux", _FORMS)
