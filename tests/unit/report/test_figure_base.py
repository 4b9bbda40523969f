"""What all figures share: labels, colours and ticks."""

from itertools import pairwise

import pytest
from matplotlib.figure import Figure

from syn2real.report.figures.base import coloured, curve_labels, label_errors
from syn2real.report.figures.full_law import _tick_labels


@pytest.mark.parametrize(("low", "high"), [(0.5, 0.9), (0.1, 0.9), (0.02, 1.0), (1e-8, 20.0)])
def test_labels_of_an_error_axis_do_not_overlap(low: float, high: float) -> None:
    figure = Figure(figsize=(5, 4), dpi=100)
    ax = figure.subplots()
    ax.set(yscale="log", ylim=(low, high))
    label_errors(ax)
    figure.canvas.draw()
    boxes = [label.get_window_extent() for label in ax.get_yticklabels(which="both") if label.get_text()]
    inside = sorted((box.y0, box.y1) for box in boxes if ax.bbox.y0 <= (box.y0 + box.y1) / 2 <= ax.bbox.y1)
    assert len(inside) >= 3
    assert all(above[0] > below[1] for below, above in pairwise(inside))


def test_labels_name_what_differs() -> None:
    common = {"setting": "a", "ptask": "p", "ftask": "f", "target": "t", "model": "m", "recipe": "r"}
    assert curve_labels([common | {"s": 1}, common | {"s": 2}]) == ["s = 1", "s = 2"]
    assert curve_labels([common, common | {"setting": "b", "model": "n"}]) == ["a, m", "b, n"]
    assert curve_labels([common]) == ["a"]
    arms = [common | {"arm": "whole", "s": 1}, common | {"arm": "renders-only", "s": 0}]
    assert curve_labels(arms) == ["whole, s = 1", "renders-only, s = 0"]


def test_curves_that_differ_in_a_column_of_the_users_own_are_set_apart() -> None:
    common = {"setting": "a", "ptask": "p", "ftask": "f", "model": "m"}
    curves = [
        {"curve": common | {"target": target, "lens": lens}}
        for target in ("t", "u")
        for lens in ("wide", "long")
    ]
    _, labels, colours = zip(*coloured(curves), strict=True)
    assert labels == ("wide", "long") * 2, "the target has a panel of its own"
    assert colours[:2] == colours[2:] and colours[0] != colours[1]


def test_a_hundred_curves_look_different_and_long_labels_have_lines() -> None:
    curves = [{"curve": {"setting": f"{'a-long-name ' * 9}{i}"}} for i in range(100)]
    _, labels, looks = zip(*coloured(curves), strict=True)
    assert len(set(looks)) == 100
    assert max(len(line) for line in labels[0].split("\n")) <= 60 < len(labels[0])


def test_sizes_that_lie_close_share_a_label() -> None:
    assert _tick_labels([500, 1000, 1100, 64_000, 70_000]) == ["500", "1k", "", "64k", ""]
