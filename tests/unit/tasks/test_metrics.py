"""Each metric against an independent count."""

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

from syn2real.channels.normals import pack
from syn2real.laws.per_image import Detected
from syn2real.tasks.mulclass.task import mean_average_precision
from syn2real.tasks.objdet.task import coco_map, detected, to_coco
from syn2real.tasks.semseg.task import iou

CPU = torch.device("cpu")


class Replay(nn.Module):
    """A model that gives prepared outputs, batch after batch."""

    def __init__(self, outputs):
        super().__init__()
        self.outputs = iter(outputs)

    def forward(self, images):
        return next(self.outputs)


def test_multilabel_map_equals_scikit_learn():
    rng = np.random.default_rng(0)
    truth = rng.random((60, 5)) < [0.1, 0.3, 0.5, 0.9, 0.2]
    scores = np.round(rng.random((60, 5)), 1)  # many ties
    ours = mean_average_precision(torch.from_numpy(scores), torch.from_numpy(truth.astype(np.int64)))
    assert ours == pytest.approx(average_precision_score(truth, scores, average="macro"), abs=1e-12)


def test_multilabel_classes_without_positives_are_left_out():
    truth = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0]])
    scores = np.random.default_rng(1).random((3, 3))
    ours = mean_average_precision(torch.from_numpy(scores), torch.from_numpy(truth))
    assert ours == pytest.approx(average_precision_score(truth[:, :2], scores[:, :2]), abs=1e-12)
    assert np.isnan(mean_average_precision(torch.from_numpy(scores), torch.zeros(3, 3, dtype=torch.int64)))


def test_multilabel_evaluation_counts_them(smoke_task):
    task = smoke_task("mulclass")
    truth = torch.tensor([[1.0, 0, 0], [0, 1, 0]])
    batch = (torch.zeros(2, 3, 32, 32, dtype=torch.uint8), truth)
    result = task.evaluate(Replay([torch.tensor([[5.0, -1, 0], [-5.0, 3, 0]])]), [batch], None, CPU)
    assert result[:3] == (1.0, 2, {"classes_without_positives": 1.0})


def test_top_1_is_a_plain_count(smoke_task):
    task = smoke_task("sinclass")
    rng = np.random.default_rng(2)
    logits, truth = rng.random((7, 3)), rng.integers(0, 3, 7)
    batches = [
        (torch.zeros(len(part), 3, 32, 32, dtype=torch.uint8), torch.from_numpy(truth[part]))
        for part in (np.arange(4), np.arange(4, 7))
    ]
    model = Replay([torch.from_numpy(logits[:4]), torch.from_numpy(logits[4:])])
    right = sum(int(max(range(3), key=lambda k: row[k]) == t) for row, t in zip(logits, truth, strict=True))
    assert task.evaluate(model, batches, None, CPU)[:3] == (right / 7, 7, {})


def test_miou_equals_a_confusion_matrix_by_hand(smoke_task):
    task = smoke_task("semseg", classes=["background", "a", "b", "absent"])
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, (4, 9, 9))
    truth[rng.random(truth.shape) < 0.1] = 255
    predicted = rng.integers(0, 3, (4, 9, 9))
    logits = torch.nn.functional.one_hot(torch.from_numpy(predicted), 4).permute(0, 3, 1, 2).float()
    images = torch.zeros(4, 3, 9, 9, dtype=torch.uint8)
    batches = [(images[:3], torch.from_numpy(truth[:3])), (images[3:], torch.from_numpy(truth[3:]))]
    model = Replay([{"out": logits[:3]}, {"out": logits[3:]}])
    result = task.evaluate(model, batches, None, CPU)

    each = []
    for k in range(3):
        counted = truth != 255
        both = np.sum((truth == k) & (predicted == k))
        either = np.sum(((truth == k) | (predicted == k)) & counted)
        each.append(both / either)
    assert result.value == result.extras["mIoU_present"] == pytest.approx(sum(each) / 3, abs=1e-12)
    # ADE20K's own evaluation: a class that is nowhere has IoU 0 and is in the mean.
    assert result.extras["mIoU_all"] == pytest.approx(sum(each) / 4, abs=1e-12)
    assert result.n == 4


@pytest.mark.parametrize(
    ("truth", "predicted", "value"),
    [
        ([0, 1, 1], [0, 1, 1], 1.0),  # a perfect model has no error, whatever else is listed
        ([0, 1, 1], [0, 1, 2], (1 + 0.5 + 0) / 3),  # a class that is only predicted counts
        ([0, 0, 255], [0, 0, 3], 1.0),  # what is predicted where there is no label does not
        ([255, 255, 255], [0, 1, 2], float("nan")),
    ],
)
def test_miou_is_over_classes_in_truth_or_prediction(smoke_task, truth, predicted, value):
    task = smoke_task("semseg", classes=["background", "a", "b", "c"])
    shape = (1, 1, len(truth))
    logits = torch.nn.functional.one_hot(torch.tensor(predicted), 4).T.reshape(1, 4, 1, -1).float()
    batch = (torch.zeros(1, 3, *shape[1:], dtype=torch.uint8), torch.tensor(truth).reshape(shape))
    found = task.evaluate(Replay([{"out": logits}]), [batch], None, CPU)
    assert found.value == pytest.approx(value, nan_ok=True)
    assert task.metric == "mIoU (classes in truth or prediction)"


def test_iou_counts_exactly_beyond_single_precision():
    large = 2**24 + 1
    assert float(iou(torch.tensor([[large, 0], [1, large]]))[0]) == large / (large + 1)


def test_normals_metric_by_hand(smoke_task):
    task = smoke_task("normal", classes=[])
    outputs = torch.zeros(1, 3, 1, 3)
    outputs[0, :, 0, :] = torch.tensor([[0, 0, 5.0], [3.0, 0, 0], [0, 0, -1.0]]).T  # need not be unit vectors
    # All truths are +z; the last, opposite one is not valid.
    packed = pack(np.array([[[0, 0, 1.0]] * 3]), np.array([[True, True, False]]))
    targets = torch.from_numpy(packed).permute(2, 0, 1).unsqueeze(0)
    images = torch.zeros(1, 3, 1, 3, dtype=torch.uint8)
    result = task.evaluate(Replay([{"out": outputs}]), [(images, targets)], None, CPU)
    # Packed in 8 bits a vector is up to half a degree off.
    assert result.value == pytest.approx((1.0 + 0.5) / 2, abs=0.002)
    assert result.extras["mean_angle_degrees"] == pytest.approx(45, abs=0.5)


def random_detections(truth, rng):
    """Return detections near the truth and elsewhere, with ties, some images without any."""
    found = []
    for annotation in truth.dataset["annotations"]:
        if annotation["image_id"] % 4 == 0:
            continue
        for _ in range(2):
            box = [float(v) for v in np.array(annotation["bbox"]) + rng.normal(0, 1.5, 4)]
            category = int(rng.choice([annotation["category_id"], 5]))
            found.append({"image_id": annotation["image_id"], "category_id": category, "bbox": box})
            found[-1]["score"] = float(np.round(rng.random(), 1))
    return found


def oracle(truth, detections, tmp_path):
    """Return mAP by way of files and pycocotools alone."""
    (tmp_path / "truth.json").write_text(json.dumps(truth.dataset))
    (tmp_path / "found.json").write_text(json.dumps(detections))
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO(str(tmp_path / "truth.json"))
        evaluation = COCOeval(reference, reference.loadRes(str(tmp_path / "found.json")), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def test_coco_map_equals_pycocotools(boxes, tmp_path):
    truth = boxes("objdet", n=12).coco
    truth.dataset["annotations"][3]["iscrowd"] = 1
    truth.dataset["images"].append({"id": 500, "width": 32, "height": 32})  # no objects
    truth.createIndex()
    found = random_detections(truth, np.random.default_rng(4))
    expected = oracle(truth, found, tmp_path)
    ours, _ = coco_map(truth, found, [image["id"] for image in truth.dataset["images"]])
    assert ours == pytest.approx(expected[:3], abs=1e-12)
    assert 0 < ours[0] < 1


def repeated(truth, detections, times):
    """Return a truth whose image k is there times[k] times, with its detections each time."""
    images, objects, found = [], [], []
    for image, count in zip(truth.dataset["images"], times, strict=True):
        for copy in range(count):
            own = {"image_id": 1000 * copy + image["id"]}
            images.append(image | {"id": own["image_id"]})
            objects += [a | own | {"id": 1000 * copy + a["id"]} for a in truth.imgToAnns[image["id"]]]
            found += [d | own for d in detections if d["image_id"] == image["id"]]
    larger = COCO()
    larger.dataset = truth.dataset | {"images": images, "annotations": objects}
    larger.createIndex()
    return larger, found


def test_average_precision_of_images_counted_several_times_is_that_of_their_copies(boxes, tmp_path):
    rng = np.random.default_rng(4)
    truth = boxes("objdet", n=12).coco
    truth.dataset["annotations"][3]["iscrowd"] = 1
    truth.dataset["images"].append({"id": 500, "width": 32, "height": 32})  # no objects
    truth.createIndex()
    found = random_detections(truth, rng)
    for detection in found:
        detection["score"] = rng.random()
    ids = [image["id"] for image in truth.dataset["images"]]
    (value, _, _), judged = coco_map(truth, found, ids)
    categories = [category["id"] for category in truth.dataset["categories"]]
    fields = {key: column for key, column in detected(judged, ids, categories).items() if key != "kind"}
    each = Detected(np.array(ids).astype(str), np.array(categories).astype(str), **fields)
    assert each.error(np.ones(13, int)) == pytest.approx(1 - value, abs=1e-12)
    for _ in range(5):
        times = rng.multinomial(13, np.full(13, 1 / 13))
        expected = oracle(*repeated(truth, found, times), tmp_path)[0]
        assert each.error(times) == pytest.approx(1 - expected, abs=1e-12)


def test_coco_map_without_detections_or_objects(boxes):
    truth = boxes("objdet", n=3).coco
    assert coco_map(truth, [], [100, 101, 102])[0][0] == 0
    truth.dataset["annotations"] = []
    truth.createIndex()
    assert np.isnan(coco_map(truth, [], [100, 101, 102])[0][0])


def test_detections_are_told_in_the_original_pixels_and_category_ids():
    found = {
        "boxes": torch.tensor([[8.0, 4.0, 24.0, 12.0]]),
        "labels": torch.tensor([2]),
        "scores": torch.tensor([0.5]),
    }
    target = {"image_id": torch.tensor(42), "size": torch.tensor([16, 64])}  # height, width
    results = to_coco(found, target, 32, [3, 5, 9])
    assert results == [{"image_id": 42, "category_id": 5, "bbox": [16.0, 2.0, 32.0, 4.0], "score": 0.5}]
