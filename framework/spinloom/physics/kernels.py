"""Compiled loops of the fast engine: pulses integrated on lanes of vectors, and trains played step by step.

A lane is one column of one propagator: (tissue, pulse, unit vector).  Lanes share the envelope and nothing else, so
a block of them fills the processor's vector units whether they come from many tissues or from one.  Within a cell of
length h the nutation is a straight line in time, w(s) = a + b s for s in [0, 1], whose two moments are those of the
samples; the solution is its own Taylor series in s,

    (j + 1) M[j+1] = h (A0 M[j] + a X M[j] + b X M[j-1] + |w|^2-terms likewise + source at j = 0),

which costs one product with the star-shaped A0 a term, a few operations a pool, and is of fourth order in h.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from spinloom.sequence.atoms import FREE, PULSE, SAMPLE, SPOIL

LANES = 128
"""Vectors in a block: long enough to hide the loops' overhead, short enough for the second-level cache."""


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def integrate_pulses(  # type: ignore[no-untyped-def]
    shift,
    r2,
    r1,
    k,
    kf,
    source,
    bound_rate,
    bound_k,
    bound_kf,
    bound_source,
    absorption,
    nutation,
    tissue_of,
    key_of,
    carrier,
    length,
    wx,
    wx_slope,
    wy,
    wy_slope,
    power,
    power_slope,
    degree,
    parts,
    lift,
    columns,
    first,
    out,
):
    """Propagators of jobs (tissue, key) under one sampled envelope.

    shift, r2, r1, k, kf, source: of the pools, water first, shape `(pools, tissues)`; r2 and r1 include what
        exchange takes away; `shift` [rad/s] from water's nominal resonance
    bound_*: the same of semisolid pools, shape `(bound, tissues)`; absorption: L, shape `(keys, bound, tissues)`
    nutation: at envelope 1, shape `(keys, tissues)` [rad/s]
    tissue_of, key_of: of each job; carrier: of each key [rad/s]
    length, wx .. power_slope: of the cells, the line's value at the cell's begin and its rise over the cell
    degree, parts: Taylor terms, and how many parts each cell is cut into, of each job
    lift: rate [1/s] that is added to the generator and taken off again by a factor, so that its eigenvalues lie
        around zero rather than to the left of it; 0 where the source's column is integrated
    columns: columns from `first` on are integrated; the last of all is the source's
    out: shape `(jobs, columns, size)`
    """
    pools, bound = r2.shape[0], bound_rate.shape[0]
    size = 3 * pools + bound
    jobs, cells = tissue_of.shape[0], length.shape[0]
    lanes = jobs * columns
    has_y = np.any(wy != 0.0) or np.any(wy_slope != 0.0)
    t, u, v, m = np.zeros((size, LANES)), np.zeros((size, LANES)), np.zeros((size, LANES)), np.zeros((size, LANES))
    d, e2, e1 = np.zeros((pools, LANES)), np.zeros((pools, LANES)), np.zeros((pools, LANES))
    give, take, supply = np.zeros((pools, LANES)), np.zeros((pools, LANES)), np.zeros((pools, LANES))
    b_rate, b_give, b_take = np.zeros((bound, LANES)), np.zeros((bound, LANES)), np.zeros((bound, LANES))
    b_supply, b_absorb = np.zeros((bound, LANES)), np.zeros((bound, LANES))
    g, ax, ay, az = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    for block in range(0, lanes, LANES):
        filled = min(LANES, lanes - block)
        terms, cuts = 1, 1
        any_source = False
        m[:] = 0.0
        supply[:] = 0.0
        b_supply[:] = 0.0
        for lane in range(filled):
            job, column = (block + lane) // columns, first + (block + lane) % columns
            tissue, key = tissue_of[job], key_of[job]
            terms, cuts = max(terms, degree[job]), max(cuts, parts[job])
            g[lane] = nutation[key, tissue]
            for i in range(pools):
                d[i, lane] = shift[i, tissue] - carrier[key]
                e2[i, lane] = r2[i, tissue] - lift
                e1[i, lane] = r1[i, tissue] - lift
                give[i, lane] = k[i, tissue]
                take[i, lane] = kf[i, tissue]
            for s in range(bound):
                b_rate[s, lane] = bound_rate[s, tissue] - lift
                b_give[s, lane] = bound_k[s, tissue]
                b_take[s, lane] = bound_kf[s, tissue]
                b_absorb[s, lane] = absorption[key, s, tissue] * g[lane] * g[lane]
            if column < size:
                m[column, lane] = 1.0
            else:
                any_source = True
                for i in range(pools):
                    supply[i, lane] = source[i, tissue]
                for s in range(bound):
                    b_supply[s, lane] = bound_source[s, tissue]
        for c in range(cells):
            for cut in range(cuts):
                h = length[c] / cuts
                begin, rise = cut / cuts, 1.0 / cuts
                a, b = wx[c] + begin * wx_slope[c], rise * wx_slope[c]
                ya, yb = wy[c] + begin * wy_slope[c], rise * wy_slope[c]
                pa, pb = power[c] + begin * power_slope[c], rise * power_slope[c]
                t[:] = m
                u[:] = 0.0
                for j in range(terms):
                    f = h / (j + 1)
                    fa, fb, fya, fyb, fpa, fpb = f * a, f * b, f * ya, f * yb, f * pa, f * pb
                    for lane in range(LANES):
                        ax[lane] = 0.0
                        ay[lane] = 0.0
                        az[lane] = 0.0
                    for i in range(1, pools):
                        for lane in range(LANES):
                            x, y, z = t[i, lane], t[pools + i, lane], t[2 * pools + i, lane]
                            rot = fa * z + fb * u[2 * pools + i, lane]
                            tip = fa * y + fb * u[pools + i, lane]
                            v[i, lane] = f * (take[i, lane] * t[0, lane] - e2[i, lane] * x - d[i, lane] * y)
                            v[pools + i, lane] = (
                                f * (take[i, lane] * t[pools, lane] - e2[i, lane] * y + d[i, lane] * x) + g[lane] * rot
                            )
                            v[2 * pools + i, lane] = (
                                f * (take[i, lane] * t[2 * pools, lane] - e1[i, lane] * z) - g[lane] * tip
                            )
                            ax[lane] += give[i, lane] * x
                            ay[lane] += give[i, lane] * y
                            az[lane] += give[i, lane] * z
                    for s in range(bound):
                        row = 3 * pools + s
                        for lane in range(LANES):
                            z = t[row, lane]
                            v[row, lane] = f * (b_take[s, lane] * t[2 * pools, lane] - b_rate[s, lane] * z) - b_absorb[
                                s, lane
                            ] * (fpa * z + fpb * u[row, lane])
                            az[lane] += b_give[s, lane] * z
                    for lane in range(LANES):
                        x, y, z = t[0, lane], t[pools, lane], t[2 * pools, lane]
                        rot = fa * z + fb * u[2 * pools, lane]
                        tip = fa * y + fb * u[pools, lane]
                        v[0, lane] = f * (ax[lane] - e2[0, lane] * x - d[0, lane] * y)
                        v[pools, lane] = f * (ay[lane] - e2[0, lane] * y + d[0, lane] * x) + g[lane] * rot
                        v[2 * pools, lane] = f * (az[lane] - e1[0, lane] * z) - g[lane] * tip
                    if has_y:
                        for i in range(pools):
                            for lane in range(LANES):
                                rot = fya * t[2 * pools + i, lane] + fyb * u[2 * pools + i, lane]
                                tip = fya * t[i, lane] + fyb * u[i, lane]
                                v[i, lane] -= g[lane] * rot
                                v[2 * pools + i, lane] += g[lane] * tip
                    if any_source and j == 0:
                        for i in range(pools):
                            for lane in range(LANES):
                                v[2 * pools + i, lane] += f * supply[i, lane]
                        for s in range(bound):
                            for lane in range(LANES):
                                v[3 * pools + s, lane] += f * b_supply[s, lane]
                    for row in range(size):
                        for lane in range(LANES):
                            m[row, lane] += v[row, lane]
                    u, t, v = t, v, u
                if lift != 0.0:
                    m *= np.exp(-lift * h)
        for lane in range(filled):
            job, column = (block + lane) // columns, (block + lane) % columns
            for row in range(size):
                out[job, column, row] = m[row, lane]


@njit(cache=True, nogil=True)
def chain(nodes, weights, bound, out):  # type: ignore[no-untyped-def]
    """Products of cells whose propagators are weighted sums of those at a few amplitudes.

    nodes: shape `(tissues, nodes, n, n)`; weights: shape `(cells, nodes)`
    bound: factors on the rows of the semisolid pools, which stand before the last, shape `(cells, tissues, bound)`
    out: shape `(tissues, n, n)`
    """
    tissues, count, n = nodes.shape[0], nodes.shape[1], nodes.shape[2]
    pools = bound.shape[2]
    cell = np.empty((n, n))
    for tissue in range(tissues):
        total = np.eye(n)
        for c in range(weights.shape[0]):
            cell[:] = 0.0
            for k in range(count):
                weight = weights[c, k]
                for row in range(n):
                    for column in range(n):
                        cell[row, column] += weight * nodes[tissue, k, row, column]
            for s in range(pools):
                for column in range(n):
                    cell[n - 1 - pools + s, column] *= bound[c, tissue, s]
            total = np.dot(cell, total)
        out[tissue] = total


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def play_train(kind, index, cosine, sine, pulse, across, along, start, reset, pools, mz, mx, my):  # type: ignore[no-untyped-def]
    """Play steps on one tissue after the other.

    kind: as `sequence.atoms` numbers them; index: of the propagator or the sample
    cosine, sine: of the turn before each pulse or at each sample
    pulse: propagators by columns, the source's last, shape `(distinct, tissues, size + 1, size)`
    across, along: of delays, as `constant_pulses.Delays` has them
    start: magnetisation at the start and after each reset, transverse components zero, shape `(tissues, size)`
    mz, mx, my: of water at each sample, written here, shape `(tissues, samples)`
    """
    tissues, size = start.shape
    z = 2 * pools
    state, new = np.ones(size + 1), np.ones(size + 1)
    for tissue in range(tissues):
        state[:size] = start[tissue]
        dark = True
        for step in range(kind.shape[0]):
            what, which = kind[step], index[step]
            if what == PULSE:
                if not dark:
                    _turn(state, cosine[step], sine[step], pools)
                _apply(pulse[which, tissue], state, new)
                state, new = new, state
                dark = False
            elif what == FREE:
                _apply(along[which, tissue], state[z:], new[z:])
                if dark:
                    new[:z] = 0.0
                else:
                    _apply(across[which, tissue], state[:z], new[:z])
                state, new = new, state
            elif what == SPOIL:
                state[:z] = 0.0
                dark = True
            elif what == SAMPLE:
                mx[tissue, which] = cosine[step] * state[0] - sine[step] * state[pools]
                my[tissue, which] = sine[step] * state[0] + cosine[step] * state[pools]
                mz[tissue, which] = state[z]
            elif reset:
                state[:size] = start[tissue]
                dark = True


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _apply(columns, state, new):  # type: ignore[no-untyped-def]
    """`new` from `state` by a propagator's columns, four of them at a time."""
    count, rows = columns.shape
    for row in range(rows):
        new[row] = 0.0
    fours = count - count % 4
    for c in range(0, fours, 4):
        s0, s1, s2, s3 = state[c], state[c + 1], state[c + 2], state[c + 3]
        for row in range(rows):
            new[row] += (
                s0 * columns[c, row] + s1 * columns[c + 1, row] + s2 * columns[c + 2, row] + s3 * columns[c + 3, row]
            )
    for c in range(fours, count):
        s0 = state[c]
        for row in range(rows):
            new[row] += s0 * columns[c, row]


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True, inline="always")
def _turn(state, cosine, sine, pools):  # type: ignore[no-untyped-def]
    for i in range(pools):
        x, y = state[i], state[pools + i]
        state[i] = cosine * x - sine * y
        state[pools + i] = sine * x + cosine * y
