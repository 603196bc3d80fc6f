"""The Shepp-Logan head with relaxation times: ten ellipses, or ellipsoids, of tissues as MR sees them.

The ellipses are those of Shepp and Logan (1974), in units of half the field of view; the half axes along z, and all
centres in the middle plane, are chosen here, so that the middle plane of the 3-D head is the 2-D one.  The tissues
follow the idea of Gach et al. (2008), with values at 3 T chosen here from the range of published ones.
"""

from __future__ import annotations

import math

from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.lattice import Lattice
from spinloom.tissue.phantoms.solids import Ellipsoid, fill, paint

_TISSUES = {  # proton density, T1 [s], T2 [s]
    "scalp": (0.80, 0.40, 0.070),
    "grey matter": (0.80, 1.60, 0.095),
    "csf": (1.00, 4.00, 1.600),
    "white matter": (0.70, 1.05, 0.069),
    "oedema": (0.85, 1.90, 0.160),
    "blood": (0.85, 1.65, 0.130),
    "tumour": (0.90, 1.70, 0.200),
}
_ELLIPSOIDS = (  # tissue, centre x and y, half axes along x, y, z, angle in degrees
    ("scalp", 0.0, 0.0, 0.69, 0.92, 0.81, 0.0),
    ("grey matter", 0.0, -0.0184, 0.6624, 0.874, 0.78, 0.0),
    ("csf", 0.22, 0.0, 0.11, 0.31, 0.22, -18.0),
    ("csf", -0.22, 0.0, 0.16, 0.41, 0.28, 18.0),
    ("white matter", 0.0, 0.35, 0.21, 0.25, 0.41, 0.0),
    ("oedema", 0.0, 0.1, 0.046, 0.046, 0.05, 0.0),
    ("oedema", 0.0, -0.1, 0.046, 0.046, 0.05, 0.0),
    ("blood", -0.08, -0.605, 0.046, 0.023, 0.05, 0.0),
    ("tumour", 0.0, -0.605, 0.023, 0.023, 0.02, 0.0),
    ("blood", 0.06, -0.605, 0.023, 0.046, 0.02, 0.0),
)


def shepp_logan(lattice: Lattice) -> Phantom:
    """The head in the middle of the field of view, whose extents along x, y and z scale it."""
    x, y, z = (extent / 2 for extent in lattice.fov)
    if lattice.shape[0] == 1:
        z = math.inf
    solids = [
        Ellipsoid((x * right, y * up, 0.0), (x * a, y * b, z * c), math.radians(angle))
        for _, right, up, a, b, c, angle in _ELLIPSOIDS
    ]
    m0, t1, t2 = zip(*(_TISSUES[row[0]] for row in _ELLIPSOIDS), strict=True)
    label = paint(lattice, solids)
    return lattice.phantom(
        "shepp_logan",
        m0=fill(label, m0, 0.0, lattice.dtype),
        t1=fill(label, t1, 1.0, lattice.dtype),
        t2=fill(label, t2, 1.0, lattice.dtype),
    )
