"""The error of a run, again, for any choice of its test images."""

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from syn2real.errors import InputError
from syn2real.laws.per_image import Detected, Labelled, PerImage, Segmented, pooled, read_per_image, read_runs
from syn2real.tasks.semseg.task import _pixels, per_image

IDS, CLASSES = np.array(["a.png", "b.png", "c.png"]), np.array(["x", "y", "z"])


def test_rates_count_each_image_as_often_as_it_is_drawn():
    each = Labelled(IDS, CLASSES, label=np.array([0, 0, 1]), wrong=np.array([True, False, True]))
    assert each.error(np.array([1, 1, 1])) == pytest.approx(2 / 3)
    assert each.error(np.array([0, 3, 0])) == 0
    np.testing.assert_allclose(each.class_errors(np.array([2, 1, 0])), [2 / 3, np.nan, np.nan])


def test_mean_iou_of_drawn_images_is_that_of_all_their_pixels():
    import torch

    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 3, (2, 3, 50))
    rows = []
    for k in range(3):
        pairs = torch.bincount(torch.from_numpy(truth[k] * 3 + predicted[k]), minlength=9).reshape(3, 3)
        rows.append(_pixels(k, pairs[None]))
    fields = per_image(np.concatenate(rows))
    each = Segmented(IDS, CLASSES, **{key: value for key, value in fields.items() if key != "kind"})
    for times in ([1, 1, 1], [0, 2, 1], [3, 0, 0]):
        pixels = [np.repeat(labels, times, axis=0).ravel() for labels in (truth, predicted)]
        expected = 1 - jaccard_score(*pixels, average=None)
        np.testing.assert_allclose(each.class_errors(np.array(times)), expected)
        assert each.error(np.array(times)) == pytest.approx(expected.mean())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", None])
def test_a_file_that_is_missing_or_not_whole_is_refused(content, tmp_path):
    file = tmp_path / "per_image.npz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match="run this fine-tuning again"):
        read_per_image(file)


ROWS = {"image": np.array([0, 2]), "of_class": np.array([1, 0])}
BOXES = ROWS | {"score": np.ones(2), "matched": np.ones((2, 10), bool), "ignored": np.ones((2, 10), bool)}


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("label", {"label": np.array([0, 1, 2]), "wrong": np.array([True, False])}),
        ("label", {"label": np.array([0, 1]), "wrong": np.array([True, False])}),
        ("label", {"label": np.array([0, 1, 3]), "wrong": np.ones(3, bool)}),
        ("label", {"label": np.array([0, 1, -1]), "wrong": np.ones(3, bool)}),
        ("label", {"label": np.array([[0, 1, 2]]), "wrong": np.ones(3, bool)}),
        ("label", {"wrong": np.ones(3, bool)}),
        ("pixels", ROWS | {"pixels": np.ones((2, 2), int)}),
        ("pixels", ROWS | {"pixels": np.ones((3, 3), int)}),
        ("pixels", ROWS | {"image": np.array([0, 3]), "pixels": np.ones((2, 3), int)}),
        ("boxes", BOXES | {"objects": np.ones((2, 3), int)}),
        ("boxes", BOXES | {"objects": np.ones((3, 3), int), "score": np.ones(1)}),
        ("boxes", BOXES | {"objects": np.ones((3, 3), int), "matched": np.ones((2, 9), bool)}),
        ("rates", {}),
    ],
)
def test_a_file_whose_columns_do_not_fit_is_refused(kind, columns, tmp_path):
    np.savez(tmp_path / "per_image.npz", kind=kind, ids=IDS, classes=CLASSES, **columns)
    with pytest.raises(InputError, match="not the results of each test image .*; run this fine-tuning again"):
        read_per_image(tmp_path / "per_image.npz")


def test_folds_of_other_tasks_or_classes_are_refused(tmp_path):
    rng, files = np.random.default_rng(0), [tmp_path / f"{k}.npz" for k in range(3)]
    for file, kind, classes in zip(
        files, (Labelled, Segmented, Labelled), (CLASSES, CLASSES, IDS), strict=True
    ):
        np.savez(file, kind=kind.kind, **vars(_made(kind, rng)) | {"classes": classes})
    assert read_runs(f"{files[0]}; {files[0]}").photographs == 6
    for other in files[1:]:
        with pytest.raises(InputError, match=f"{other}: of another task or other classes than {files[0]}"):
            read_runs(f"{files[0]}; {other}")


def _made(kind: type[PerImage], rng: np.random.Generator) -> PerImage:
    """Return results of three images at random."""
    image, of_class = rng.integers(0, 3, (2, 12))
    if kind is Labelled:
        return Labelled(IDS, CLASSES, label=rng.integers(0, 3, 3), wrong=rng.random(3) < 0.5)
    if kind is Segmented:
        return Segmented(IDS, CLASSES, image=image, of_class=of_class, pixels=rng.integers(0, 9, (12, 3)))
    scores, matched, ignored = rng.random(12), rng.random((12, 10)) < 0.5, rng.random((12, 10)) < 0.1
    return Detected(IDS, CLASSES, np.sort(image), of_class, scores, matched, ignored, np.full((3, 3), 4))


@pytest.mark.parametrize("kind", [Labelled, Segmented, Detected])
def test_pooled_results_are_those_of_all_images(kind):
    rng = np.random.default_rng(0)
    first, second = _made(kind, rng), _made(kind, rng)
    both, times = pooled([first, second]), np.array([1, 0, 2, 0, 0, 0])
    assert both.photographs == 6 and both.error(times) == pytest.approx(first.error(times[:3]))
    assert both.error(times[::-1]) == pytest.approx(second.error(times[2::-1]))
