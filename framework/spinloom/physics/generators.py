"""The Bloch-McConnell generator of a star of pools, written into a lane of the matrices that are exponentiated."""

from __future__ import annotations

from numba import njit

from spinloom.physics.exponentials import row_length
from spinloom.physics.lanes import LANES


@njit(cache=True, error_model="numpy", nogil=True)
def write_generator(  # type: ignore[no-untyped-def]
    shift,
    r2,
    r1,
    coupling,
    source,
    bound_rate,
    bound_coupling,
    bound_source,
    absorption,
    tissue,
    carrier,
    nutation,
    power,
    length,
    matrix,
    lane,
):
    """The generator of a tissue under constant RF along x, times its length [s], zeros left out.

    shift .. bound_source: as `star.Star.balanced` has them
    absorption: L of the semisolid pools [s], shape `(bound, tissues)`
    carrier, nutation: of the RF [rad/s]; power: the mean of the squared nutation [rad2/s2]
    """
    pools, bound = r2.shape[0], bound_rate.shape[0]
    size = 3 * pools + bound
    wide, y, z = row_length(size), pools, 2 * pools
    last = wide - LANES + lane
    for i in range(pools):
        x_row, y_row, z_row = i * wide, (y + i) * wide, (z + i) * wide
        x_column, y_column, z_column = i * LANES + lane, (y + i) * LANES + lane, (z + i) * LANES + lane
        d = length * (shift[i, tissue] - carrier)
        matrix[x_row + x_column] = matrix[y_row + y_column] = -length * r2[i, tissue]
        matrix[z_row + z_column] = -length * r1[i, tissue]
        matrix[x_row + y_column], matrix[y_row + x_column] = -d, d
        matrix[y_row + z_column], matrix[z_row + y_column] = length * nutation, -length * nutation
        matrix[z_row + last] = length * source[i, tissue]
        if i > 0:
            for first in (0, y, z):
                exchange = length * coupling[i, tissue]
                matrix[first * wide + (first + i) * LANES + lane] = exchange
                matrix[(first + i) * wide + first * LANES + lane] = exchange
    for s in range(bound):
        row, column = (z + pools + s) * wide, (z + pools + s) * LANES + lane
        matrix[row + column] = -length * (bound_rate[s, tissue] + power * absorption[s, tissue])
        matrix[z * wide + column] = matrix[row + z * LANES + lane] = length * bound_coupling[s, tissue]
        matrix[row + last] = length * bound_source[s, tissue]


@njit(cache=True, error_model="numpy", nogil=True)
def write_across(shift, r2, coupling, tissue, length, matrix, lane):  # type: ignore[no-untyped-def]
    """The block of transverse magnetisation without RF, times its length."""
    pools = r2.shape[0]
    wide = row_length(2 * pools)
    for i in range(pools):
        x, y, d = i * LANES + lane, (pools + i) * LANES + lane, length * shift[i, tissue]
        matrix[i * wide + x] = matrix[(pools + i) * wide + y] = -length * r2[i, tissue]
        matrix[i * wide + y], matrix[(pools + i) * wide + x] = -d, d
        if i > 0:
            for first in (0, pools):
                exchange = length * coupling[i, tissue]
                matrix[first * wide + (first + i) * LANES + lane] = exchange
                matrix[(first + i) * wide + first * LANES + lane] = exchange


@njit(cache=True, error_model="numpy", nogil=True)
def write_along(r1, coupling, source, tissue, length, pools, first, matrix, lane):  # type: ignore[no-untyped-def]
    """What some pools add to the block of longitudinal magnetisation without RF, times its length.

    pools: of all the block; first: of them that stand before these
    """
    wide = row_length(pools)
    for i in range(r1.shape[0]):
        at = first + i
        matrix[at * wide + at * LANES + lane] = -length * r1[i, tissue]
        matrix[(at + 1) * wide - LANES + lane] = length * source[i, tissue]
        if at > 0:
            exchange = length * coupling[i, tissue]
            matrix[at * LANES + lane] = matrix[at * wide + lane] = exchange
