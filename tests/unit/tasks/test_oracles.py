"""Metrics by their tasks' own evaluation, against others' code and counts by hand, on many random sets."""

import contextlib
import io
import json

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from sklearn.metrics import average_precision_score
from torch import nn

from syn2real.tasks.mulclass.task import mean_average_precision
from syn2real.training.batches import annotated, evaluation_batches

CPU = torch.device("cpu")
SIDE = 48  # of the smoke recipe's detector; the data set's images have 32 pixels


class Detector(nn.Module):
    """Finds prepared boxes, image after image."""

    def __init__(self, found):
        super().__init__()
        self.found = iter(found)

    def forward(self, images):
        return [next(self.found) for _ in images]


def crowded(data):
    """Make one object in four a crowd, and one image in five empty, in a data set's ground truth."""
    kept = [a for a in data.coco.dataset["annotations"] if a["image_id"] % 5]
    for annotation in kept[::4]:
        annotation["iscrowd"] = 1
    data.coco.dataset["annotations"] = kept
    data.coco.createIndex()
    return data


def guesses(data, rng):
    """Return detections in the detector's pixels: near objects and elsewhere, many of equal score."""
    found = []
    for image in data.coco.dataset["images"]:
        truth = data.coco.imgToAnns[image["id"]]
        boxes = [np.array(a["bbox"]) + rng.normal(0, 1.5, 4) for a in truth for _ in range(2)]
        boxes += list(np.c_[rng.uniform(0, 20, (2, 2)), rng.uniform(4, 12, (2, 2))])
        if rng.random() < 0.2:
            boxes = []
        corners = [np.r_[box[:2], box[:2] + np.maximum(box[2:], 1)] for box in boxes]
        found.append(
            {
                "boxes": torch.tensor(np.array(corners).reshape(-1, 4) * SIDE / 32, dtype=torch.float32),
                "labels": torch.from_numpy(rng.integers(1, 4, len(boxes))),
                "scores": torch.from_numpy(np.round(rng.random(len(boxes)), 1)).float(),
            }
        )
    return found


def exported(data, found):
    """Return the same detections as COCO's results file has them, by arithmetic of the test's own."""
    rows = []
    for image, one in zip(data.coco.dataset["images"], found, strict=True):
        for box, label, score in zip(
            *(one[key].tolist() for key in ("boxes", "labels", "scores")), strict=True
        ):
            x0, y0, x1, y1 = (value * (32 / SIDE) for value in box)
            rows.append({"image_id": image["id"], "category_id": [3, 5, 9][label - 1]})
            rows[-1] |= {"bbox": [x0, y0, x1 - x0, y1 - y0], "score": score}
    return rows


@pytest.mark.parametrize("seed", range(6))
def test_map_equals_pycocotools_on_the_exported_detections(seed, smoke_task, boxes, tmp_path):
    task, data = smoke_task("objdet"), crowded(boxes("objdet", n=14))
    found = guesses(data, np.random.default_rng(seed))
    ours = task.evaluate(Detector(found), evaluation_batches(annotated(data, task), task, CPU), data, CPU)
    (tmp_path / "truth.json").write_text(json.dumps(data.coco.dataset))
    (tmp_path / "detections.json").write_text(json.dumps(exported(data, found)))
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(tmp_path / "truth.json"))
        oracle = COCOeval(truth, truth.loadRes(str(tmp_path / "detections.json")), "bbox")
        oracle.evaluate()
        oracle.accumulate()
        oracle.summarize()
    assert ours.value == pytest.approx(oracle.stats[0], abs=1e-12) and 0 < ours.value < 1
    assert ours.extras["AP50"] == pytest.approx(oracle.stats[1], abs=1e-12)
    assert ours.extras["AP75"] == pytest.approx(oracle.stats[2], abs=1e-12)
    assert ours.n == 14


def ade20k_by_hand(truths, predictions, classes):
    """Return ADE20K's mean IoU: classes 1 … K, pixels of truth 0 in nobody's area, eps for empty unions."""
    intersection, union = np.zeros(classes), np.zeros(classes)
    for truth, predicted in zip(truths, predictions, strict=True):
        predicted = predicted * (truth > 0)
        for k in range(1, classes + 1):
            both = np.sum((truth == k) & (predicted == k))
            intersection[k - 1] += both
            union[k - 1] += np.sum(truth == k) + np.sum(predicted == k) - both
    return float(np.mean(intersection / (union + np.spacing(1))))


@pytest.mark.parametrize("seed", range(6))
def test_miou_equals_ade20ks_own_evaluation(seed, smoke_task):
    """Some classes are never there, some are only predicted, some are only missed."""
    rng = np.random.default_rng(seed)
    classes = 10
    task = smoke_task("semseg", classes=[str(k) for k in range(classes)])
    truth = rng.integers(0, 1 + int(rng.integers(2, classes)), (5, 7, 9))
    predicted = rng.integers(int(rng.integers(1, 4)), classes, (5, 7, 9))
    masks = torch.from_numpy(np.where(truth == 0, 255, truth - 1))
    logits = nn.functional.one_hot(torch.from_numpy(predicted - 1), classes).permute(0, 3, 1, 2).float()
    images = torch.zeros(5, 3, 7, 9, dtype=torch.uint8)
    parts = [slice(0, 2), slice(2, 5)]

    class Replay(nn.Module):
        outputs = iter([{"out": logits[part]} for part in parts])

        def forward(self, images):
            return next(self.outputs)

    result = task.evaluate(Replay(), [(images[part], masks[part]) for part in parts], None, CPU)
    oracle = ade20k_by_hand(truth, predicted, classes)
    assert result.extras["mIoU_all"] == pytest.approx(oracle, abs=1e-12)
    seen = {*truth[truth > 0], *predicted[truth > 0]}  # ours leaves out classes that are in neither
    assert result.value == pytest.approx(oracle * classes / len(seen), abs=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_multilabel_map_equals_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    truth = rng.random((int(rng.integers(5, 1500)), 7)) < rng.random(7)
    truth[0] = True
    scores = rng.random(truth.shape)
    scores = np.round(scores, 1) if seed % 2 else scores  # with and without ties
    ours = mean_average_precision(torch.from_numpy(scores), torch.from_numpy(truth.astype(np.int64)))
    assert ours == pytest.approx(average_precision_score(truth, scores, average="macro"), abs=1e-12)
