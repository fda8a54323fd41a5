"""Loops of images, as machine code."""

import numpy as np

from ..machine_code import compiled

__all__ = ["middle_ranks"]

_BLOCK = 256


@compiled(set())
def _exchange(there, blocks, block, old, new):
    """Let a rank leave the histogram and another enter; the change of the number of those below a block."""
    there[old], there[new] = 0, 1
    blocks[old // _BLOCK] -= 1
    blocks[new // _BLOCK] += 1
    return int(new // _BLOCK < block) - int(old // _BLOCK < block)


@compiled(set())
def middle_ranks(rank, side):
    """Rank of the middle one of the pixels in every square, (ny, nx); every rank is that of one pixel."""
    ny, nx = rank.shape[0] - side + 1, rank.shape[1] - side + 1
    middle = side * side // 2
    there = np.zeros(rank.size + _BLOCK, dtype=np.uint8)
    blocks = np.zeros(rank.size // _BLOCK + 1, dtype=np.int32)
    result = np.empty((ny, nx), dtype=np.int32)
    for row in range(side):
        for column in range(side):
            there[rank[row, column]] = 1
            blocks[rank[row, column] // _BLOCK] += 1
    block, below = 0, 0
    column, step = 0, 1
    for row in range(ny):
        for move in range(nx):
            if move > 0:
                # Sideways, to the right in even rows and back in odd ones, so that no square is begun anew.
                left, right = (column, column + side) if step > 0 else (column + side - 1, column - 1)
                column += step
                for i in range(row, row + side):
                    below += _exchange(there, blocks, block, rank[i, left], rank[i, right])
            while below > middle:
                block -= 1
                below -= blocks[block]
            while below + blocks[block] <= middle:
                below += blocks[block]
                block += 1
            count, place = below, block * _BLOCK
            while True:
                count += there[place]
                if count > middle:
                    break
                place += 1
            result[row, column] = place
        step = -step
        if row + 1 < ny:
            for j in range(column, column + side):
                below += _exchange(there, blocks, block, rank[row, j], rank[row + side, j])
    return result
