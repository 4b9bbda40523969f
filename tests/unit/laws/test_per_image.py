"""The error of a run, again, for any choice of its test images."""

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from syn2real.errors import InputError
from syn2real.laws.per_image import Labelled, Segmented, read_per_image
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
        rows.append(_pixels(k, pairs))
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
