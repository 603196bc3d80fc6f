"""Names of curves: beside their curves, in their order, never on each other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from spinloom.evaluation.canvas import png
from spinloom.evaluation.curves import plot_curves

CURVES = {"white matter": 0.500, "grey matter": 0.502, "lesion": 0.501, "CSF": 0.9, "air": 0.1}
"""Left ends."""


@pytest.mark.parametrize("reverse", [False, True], ids=["rising", "falling"])
def test_names_stand_apart_inside_the_figure_in_the_order_of_their_curves(reverse: bool) -> None:
    x = np.linspace(-4, 4, 9)
    x = x[::-1] if reverse else x
    curves = {name: (x, torch.linspace(end, 0.3, 9, dtype=torch.float64)) for name, end in CURVES.items()}
    figure = plot_curves(curves, "Z", "offset [ppm]")
    if reverse:
        figure.axes[0].invert_xaxis()
    png(figure, dpi=round(figure.dpi))
    texts = {text.get_text(): text.get_window_extent() for text in figure.axes[0].texts}
    assert texts.keys() == CURVES.keys()
    order = sorted(texts, key=lambda name: texts[name].y0)
    assert order == sorted(CURVES, key=lambda name: CURVES[name])
    boxes = [texts[name] for name in order]
    assert all(below.y1 <= above.y0 for below, above in pairwise(boxes))
    edge = figure.axes[0].get_window_extent().x0
    assert min(box.x0 for box in boxes) > edge
