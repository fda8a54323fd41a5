"""Compressed mosaics in one pass: the same pixels as from the whole file, without the whole in memory or on the disk."""

import bz2
import gzip
import lzma
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from clumpscope.errors import InputError
from clumpscope.images import stars, streaming
from clumpscope.images.mosaic import open_mosaic
from clumpscope.images.needed import needed_rectangles
from clumpscope.images.streaming import copy_rectangles, rectangles_around
from image_fields import moffat, place, tan_wcs

pytest_plugins = ["image_fixtures"]

SHAPE = (300, 200)
RECTANGLES = [(slice(10, 40), slice(5, 60)), (slice(30, 80), slice(50, 90)), (slice(280, 300), slice(0, 200))]


def values(seed=0):
    return np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)


def several(tmp_path):
    """An empty primary image, planes of two types, one binned, and a table."""
    header = tan_wcs(SHAPE, 0.02).to_header()
    hdus = [
        fits.PrimaryHDU(),
        fits.ImageHDU(values(), header, name="SCI"),
        fits.ImageHDU((values(1) * 1e3).astype(np.int32), name="WHT"),
        fits.ImageHDU(values(2)[::4, ::4], name="EXP"),
        fits.BinTableHDU(Table({"a": np.arange(50)}), name="TABLE"),
    ]
    path = tmp_path / "all.fits"
    fits.HDUList(hdus).writeto(path)
    return path


@pytest.mark.parametrize(
    ("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
)
def test_rectangles_are_those_of_the_whole_file(tmp_path, ending, pack):
    plain = several(tmp_path)
    packed, target = tmp_path / f"all.fits.{ending}", tmp_path / "some.fits"
    packed.write_bytes(pack(plain.read_bytes()))
    copy_rectangles(packed, target, RECTANGLES, SHAPE)
    assert target.stat().st_size == plain.stat().st_size
    with fits.open(plain) as whole, fits.open(target) as some:
        assert [hdu.header.tostring() for hdu in some] == [hdu.header.tostring() for hdu in whole]
        kept = np.zeros(SHAPE, bool)
        for box in RECTANGLES:
            kept[box] = True
        for name in ("SCI", "WHT"):
            np.testing.assert_array_equal(some[name].data, np.where(kept, whole[name].data, 0))
        for rows, columns in RECTANGLES:
            box = np.s_[rows.start // 4 : -(-rows.stop // 4), columns.start // 4 : -(-columns.stop // 4)]
            np.testing.assert_array_equal(some["EXP"].data[box], whole["EXP"].data[box])
        np.testing.assert_array_equal(some["TABLE"].data["a"], np.arange(50))
    copy_rectangles(packed, target, [(slice(0, 300), slice(0, 200))], SHAPE)
    assert target.read_bytes() == plain.read_bytes()


def test_damaged_files_are_refused_and_leave_what_was_there(tmp_path):
    packed, target = tmp_path / "a.fits.gz", tmp_path / "a.fits"
    target.write_bytes(b"old")
    whole = gzip.compress(several(tmp_path).read_bytes())
    noise = bytearray(whole)
    noise[len(whole) // 2] ^= 255
    for content in (whole[:-1000], whole[:3000], bytes(noise), b"SIMPLE" + whole[6:], gzip.compress(b"text")):
        packed.write_bytes(content)
        with pytest.raises(InputError, match=r"a\.fits\.gz: found a damaged file"):
            copy_rectangles(packed, target, RECTANGLES, SHAPE)
    assert target.read_bytes() == b"old"


def test_squares_end_at_the_image(tmp_path):
    wcs = tan_wcs(SHAPE, 0.02)
    ra, dec = wcs.all_pix2world([0.3, 100.3, 500], [0.3, 150.3, 0], 0)
    found = rectangles_around(wcs, SHAPE, [*ra, np.nan], [*dec, np.nan], [10, 10, 10, 10])
    assert found == [(slice(0, 12), slice(0, 12)), (slice(140, 162), slice(90, 112))]


def test_a_stream_is_read_forward_as_the_whole_is(tmp_path, monkeypatch):
    plain = several(tmp_path)
    packed = tmp_path / "all.fits.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    options = {"unit": "nJy", "name": "F150W"}
    whole = open_mosaic(plain, wht=plain, **options)
    stream = open_mosaic(packed, wht=packed, forward=True, **options)
    assert stream.shape == whole.shape and stream.pixel_scale_arcsec == whole.pixel_scale_arcsec
    for box in RECTANGLES:
        for one, two in zip(stream.read(*box), whole.read(*box), strict=True):
            np.testing.assert_array_equal(one, two)
    assert stream.read(slice(40, 50), slice(0, 10))[0].shape == (10, 10)  # a little back, for the sky around
    stream = open_mosaic(packed, wht=packed, forward=True, **options)
    monkeypatch.setattr(streaming, "_BACK_ROWS", 20)
    stream.read(slice(100, 110), slice(0, 10))
    with pytest.raises(ValueError, match="read forward"):
        stream.read(slice(60, 70), slice(0, 10))


def test_stars_of_a_stream_are_those_of_the_whole(tmp_path, make_mosaic, monkeypatch):
    image = np.random.default_rng(4).normal(scale=0.05, size=(420, 400))
    for x, y in ((60, 50), (200, 120), (310, 220), (90, 300), (250, 380)):
        place(image, moffat((41, 41), 20.2, 19.7, 2.5, 3.0, 400.0), x - 20, y - 20)
    mosaic = make_mosaic(image.astype(np.float32), 0.05)
    files = {}
    for key, path in (("sci", mosaic.path), ("err", mosaic.error_plane.path)):
        files[key] = tmp_path / f"{key}.fits.gz"
        files[key].write_bytes(gzip.compress(Path(path).read_bytes(), 1))
    monkeypatch.setattr(stars, "_BLOCK_PX", 100)
    for keys in (["sci", "err"], ["sci"]):
        plain = mosaic if "err" in keys else open_mosaic(mosaic.path, name="F150W")
        stream = open_mosaic(**{key: files[key] for key in keys}, name="F150W", forward=True)
        whole, streamed = stars.star_candidates(plain), stars.star_candidates(stream)
        assert len(whole) > 3 and (whole["status"] == streamed["status"]).all()
        np.testing.assert_array_equal(whole["x"], streamed["x"])


def test_cutouts_of_what_is_needed_are_those_of_the_whole(tmp_path, make_mosaic):
    mosaic = make_mosaic(
        np.random.default_rng(3).choice(np.float32([-1, 1]), (4600, 4700)), scale_arcsec=0.02
    )
    ra, dec = mosaic.wcs.all_pix2world([300, 4650], [2000, 4590], 0)
    galaxies = Table({"ra": ra, "dec": dec, "radius_arcsec": [1.5, 0.8]})
    point_sources = Table({"ra": ra[:1], "dec": dec[:1] + 0.01, "status": ["faint"]})
    needed = needed_rectangles(mosaic, galaxies, point_sources, 5, 0.4, False)
    assert len(needed) == 2 + 64
    packed, target = tmp_path / "s.fits.gz", tmp_path / "s.fits"
    packed.write_bytes(gzip.compress(Path(mosaic.path).read_bytes(), 1))
    copy_rectangles(packed, target, needed, mosaic.shape)
    some = open_mosaic(target, name="F150W")
    for position, radius in zip(zip(ra, dec, strict=True), galaxies["radius_arcsec"], strict=True):
        one, two = (image.cutout(*position, 2 * (radius + 1.0)) for image in (some, mosaic))
        np.testing.assert_array_equal(one.data, two.data)
        np.testing.assert_array_equal(one.error, two.error)
    full = mosaic.shape[0] * mosaic.shape[1] * 4
    assert target.stat().st_size > full > target.stat().st_blocks * 512


CUT = """
import resource, sys
from astropy.io import fits
from clumpscope.images.streaming import copy_rectangles
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
copy_rectangles(sys.argv[1], sys.argv[2], [(slice(50 * k, 50 * k + 266), slice(0, 266)) for k in range(100)], (8000, 4000))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_the_mosaic(tmp_path):
    header = fits.PrimaryHDU(np.zeros((1, 1), np.float32)).header
    header["NAXIS1"], header["NAXIS2"] = 4000, 8000
    packed = tmp_path / "large.fits.gz"
    with gzip.open(packed, "wb", compresslevel=1) as stream:
        stream.write(header.tostring().encode())
        for _ in range(8):
            stream.write(bytes(16_000_000))
        stream.write(bytes(-128_000_000 % 2880))
    done = subprocess.run(
        [sys.executable, "-c", CUT, packed, tmp_path / "large.fits"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 40_000  # kB, of a mosaic of 128 000
    assert (tmp_path / "large.fits").stat().st_blocks * 512 < 30_000_000
