"""Structural similarity of maps (SSIM; Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861): the door to
scikit-image, which is an optional extra.

    SSIM = (2 m_x m_y + C1) (2 s_xy + C2) / ((m_x^2 + m_y^2 + C1) (s_x^2 + s_y^2 + C2)),   C = (0.01 L)^2, (0.03 L)^2

with means, variances and covariance in windows of 7 x 7 voxels, and L the range of the reference.
"""

from __future__ import annotations

import numpy as np

from spinloom.evaluation.metrics import MetricError

WINDOW = 7
"""Voxels along each side of the windows."""


def structural_similarity(result: np.ndarray, reference: np.ndarray, inside: np.ndarray) -> float:
    """Mean SSIM over the voxels inside, window after window of each slice.

    result, reference: maps of shape `(x, y, z)`; what lies outside counts as the mean of the reference in both
    inside: which voxels count, boolean, same shape

    Unlike that of whole images it does not grow with the background.  Raises `MetricError` where scikit-image is
    missing, slices are smaller than a window, or the reference is constant.
    """
    if min(reference.shape[:2]) < WINDOW:
        raise MetricError(f"Maps of {reference.shape[0]} x {reference.shape[1]} voxels hold no window of {WINDOW}.")
    values = reference[inside]
    spread = float(values.max() - values.min()) if values.size else 0.0
    if spread == 0:
        raise MetricError("The reference is constant or empty, so that its range cannot be the unit of similarity.")
    x, y = (np.where(inside, image, values.mean()).astype(np.float64) for image in (result, reference))
    found = np.stack([_slice(x[..., z], y[..., z], spread) for z in range(x.shape[2])], axis=-1)
    return float(found[inside].mean())


def _slice(x: np.ndarray, y: np.ndarray, spread: float) -> np.ndarray:
    try:
        from skimage.metrics import structural_similarity as ssim
    except ImportError as error:
        raise MetricError(
            "Similarity needs scikit-image; install it with: pip install 'spinloom[similarity]'"
        ) from error
    picture: np.ndarray = ssim(x, y, win_size=WINDOW, data_range=spread, full=True)[1]
    return picture
