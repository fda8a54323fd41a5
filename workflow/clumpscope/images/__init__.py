"""From mosaics to clumps: images in nJy, galaxy selection, PSFs, depths, clump detection.

One module an idea: `mosaic` (opening and cutting), `selection`, `stars` and `psf`, `depth`, `detection`.
"""
