"""The clumps of one image before they are fitted: which of them together, on which pixels, and where there may be a host."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import scipy

from ..flags import bit
from ..gaussian import FWHM_OF_SIGMA
from .boxes import MAX_BOX, Box, group_clumps, make_box
from .host import Host, bright_surroundings
from .model import Kernel, shape_of
from .noise import Correlation

__all__ = ["STAMP_PX", "Group", "Scene", "build_scene"]

Array = np.ndarray
STAMP_PX = 18
"""Clumps' light is taken off their neighbours inside this many pixels."""
# Members of a group are drawn inside this many pixels at least.
_REACH_PX = 12
# An adaptive box reaches this many FWHM of its clump to each side, in steps of 2 px.
_BOX_FWHM = 1.5
# Share of bright pixels around a clump at which it may be on a host: noise alone has 0.16 and a scatter of a few hundredths.
_BRIGHT = 0.5
# The least and the largest side of a box with a host [px]; more say little about what is under the clump.
_HOST_BOX = 13, 17


@lru_cache(maxsize=32)
def _host(kernel: Kernel, correlation: Correlation, error_scale: float) -> Host:
    """Hosts behind one PSF are the same in every image; injected clumps are fitted in hundreds of them."""
    pixels = np.arange(-STAMP_PX, STAMP_PX + 1)
    star = kernel.spectral(STAMP_PX).images(0.0, 0.0, np.zeros(3), pixels, pixels, 1)[0]
    return Host(star, kernel.fwhm_px, correlation, error_scale)


@dataclass(frozen=True)
class Group:
    """Clumps that are fitted together.

    Attributes
    ----------
    members : (n,) int array
        Their indices.
    size : int
        Side of a clump's part of the box [px].
    box : Box
    wide : Box or None
        The box of a fit with a host, where there may be one.
    crowded : bool
        Whether light of other groups may fall into the box.
    room : float
        Distance to the nearest other clump, along x or y [px].
    """

    members: Array
    size: int
    box: Box
    wide: Box | None
    crowded: bool
    room: float

    @property
    def seen(self) -> Box:
        """The box of its data."""
        return self.box if self.wide is None else self.wide

    @property
    def reach(self) -> int:
        """Members are drawn inside this many pixels."""
        half = self.size // 2 + 1
        return half if len(self.members) == 1 else max(_REACH_PX, half)

    def on_host(self, side: int) -> "Group":
        """The same on its wide box, of at least this side."""
        return replace(self, size=max(self.size, side), box=self.wide)


@dataclass(frozen=True)
class Scene:
    """The clumps of one image.

    Attributes
    ----------
    image, weight : (ny, nx) arrays
        Data, and 1 / error; both zero where there is no good pixel.
    kernel : Kernel
    start : (n_clumps, 2) array
        x, y of every clump where fits begin [px].
    flags : (n_clumps,) int array
        What is known of clumps before they are fitted.
    groups : list of Group
        The brightest first: its light is the largest error of the others' first fits.
    adaptive : bool
        Whether boxes grow with their clumps.
    host : Host or None
        Smooth light behind this PSF, unless none is to be asked for.
    host_side : int
        Least side of a box with a host [px].
    """

    image: Array
    weight: Array
    kernel: Kernel
    start: Array
    flags: Array
    groups: list[Group]
    adaptive: bool
    host: Host | None
    host_side: int

    def box(self, members: Array, size: int) -> Box | None:
        """Box of squares of a side [px] around clumps."""
        return make_box(self.weight, *self.start[members].T, size)

    def side(self, moments: Array) -> int:
        """Side of the box that clumps of these moments (n, 3) [px^2] ask for [px]."""
        half = np.ceil(_BOX_FWHM * np.hypot(self.kernel.fwhm_px, FWHM_OF_SIGMA * shape_of(moments)[0].max()))
        return int(min(2 * half + 1, MAX_BOX))

    def widened(self, group: Group, size: int) -> Group:
        """A group on a box of another side [px]."""
        return replace(group, size=size, box=self.box(group.members, size), wide=None)


def build_scene(
    image: Array,
    error: Array,
    kernel: Kernel,
    x: Array,
    y: Array,
    moments: Array,
    *,
    n_free: int,
    distance_px: float,
    box: int | str,
    joint_box: int,
    host_fwhm: float,
    correlation: Correlation,
    error_scale: float,
) -> Scene:
    """Group the clumps of an image; those that cannot be fitted are flagged and in no group.

    Parameters
    ----------
    image, error : (ny, nx) arrays
        Data and standard deviations; NaN where there is no good pixel.
    kernel : Kernel
    x, y : (n_clumps,) arrays
        Where fits begin [px].
    moments : (n_clumps, 3) array
        S_xx, S_yy, S_xy, as far as they are known [px^2].
    n_free : int
        Free parameters of a clump.
    distance_px : float
        Clumps closer than this are one group.
    box, joint_box : int
        Side of the box of a clump, or ``adaptive``, and of one of several [px].
    host_fwhm : float
        Side of the boxes in which hosts are modelled [FWHM of the PSF]; 0: none are.
    correlation, error_scale
        Of the noise, as `clumpscope.photometry.evidence.Rules` has them.
    """
    good = np.isfinite(image) & np.isfinite(error) & (error > 0)
    weight = np.zeros(image.shape)
    weight[good] = 1.0 / error[good]
    image = np.where(good, image, 0.0)
    start, flags = np.column_stack([x, y]), np.zeros(x.size, dtype=np.int64)
    ny, nx = image.shape
    # Comparisons with NaN are false.
    inside = (y >= -0.5) & (y < ny - 0.5) & (x >= -0.5) & (x < nx - 0.5)
    flags[~inside] |= bit("edge", "few_pixels")
    inside = np.flatnonzero(inside)
    rows, columns = np.rint(start[inside, ::-1]).astype(int).T
    flags[inside[~good[rows, columns]]] |= bit("saturated")
    host, host_side, on_host = None, 0, np.zeros(x.size, dtype=bool)
    if host_fwhm > 0.0:
        host = _host(kernel, correlation, error_scale)
        host_side = 2 * int(np.clip(host_fwhm * kernel.fwhm_px, *_HOST_BOX) // 2) + 1
        around = bright_surroundings(image * weight / error_scale, host_side)
        on_host[inside] = around[rows, columns] > _BRIGHT

    linked = [inside[group] for group in group_clumps(*start[inside].T, distance_px)]
    crowded, room = _crowding(start, inside, linked)
    adaptive, groups = box == "adaptive", []
    scene = Scene(image, weight, kernel, start, flags, groups, adaptive, host, host_side)
    for members in linked:
        single = len(members) == 1
        size = joint_box if not single else scene.side(moments[members]) if adaptive else box
        pixels = scene.box(members, size)
        if pixels.cut:
            flags[members] |= bit("edge")
        if not single:
            flags[members] |= bit("blended")
        if pixels.n_good < 5 + len(members) * n_free:
            flags[members] |= bit("few_pixels")
            continue
        wide = scene.box(members, max(size, host_side)) if on_host[members].any() else None
        groups.append(Group(members, size, pixels, wide, crowded[members].any(), room[members].min()))
    rows, columns = np.rint(np.nan_to_num(start[:, ::-1])).astype(int).T
    groups.sort(
        key=lambda group: (-image[rows[group.members], columns[group.members]].max(), group.members[0])
    )
    return scene


def _crowding(start: Array, inside: Array, groups: list[Array]) -> tuple[Array, Array]:
    """Tell the clumps whose light may fall into the box of another group, and how far away the next clump is (n,)."""
    label, room = np.full(len(start), -1), np.full(len(start), np.inf)
    for number, members in enumerate(groups):
        label[members] = number
    tree = scipy.spatial.cKDTree(start[inside])
    near = tree.query_pairs(STAMP_PX + MAX_BOX / 2, p=np.inf, output_type="ndarray")
    room[inside] = tree.query(start[inside], k=[2], p=np.inf)[0][:, 0]
    first, second = inside[near.T]
    apart = label[first] != label[second]
    crowded = np.zeros(label.size, dtype=bool)
    crowded[first[apart]] = crowded[second[apart]] = True
    return crowded, room
