"""Measure star-forming clumps and star clusters in gravitationally lensed galaxies.

The rooms follow the data: `images` -> `photometry` -> `lensing` -> `sed` ->
`population` -> `figures`. A room imports only from earlier rooms and from the
shared ground beside this file (errors, tables, filters, flags, columns, cosmology).

Conventions kept everywhere: arrays are (y, x), pixel positions are zero-based with
pixel centres at integers; fluxes are nJy and magnitudes AB; position angles are
counter-clockwise from the +x axis of the image, in degrees.
"""

__version__ = "0.1.0"
