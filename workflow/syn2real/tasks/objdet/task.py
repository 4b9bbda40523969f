"""Object detection: the boxes and classes of the objects (A.1)."""

import contextlib
import io
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor, nn
from torchvision import tv_tensors
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.ops.feature_pyramid_network import FeaturePyramidNetwork, LastLevelMaxPool
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from syn2real.backbones.base import Backbone
from syn2real.errors import InputError
from syn2real.tasks.base import Evaluation, Task
from syn2real.tasks.common.images import MEAN, STD, stack_padded
from syn2real.tasks.objdet.schema import METRIC

POOLED_SIDE = 7
"""Side of the map that torchvision pools each proposal to."""


class Detection(Task):
    """Faster R-CNN with a feature pyramid; the metric is COCO's mean average precision (A.1).

    Annotations are {"boxes": XYXY, "labels": 1..K, "image_id", "iscrowd", …}, torchvision's convention.
    """

    metric: ClassVar[str] = METRIC
    class_layers: ClassVar[dict[str, int]] = {
        "roi_heads.box_predictor.cls_score": 1,
        "roi_heads.box_predictor.bbox_pred": 4,
    }

    def build(self, backbone: Backbone) -> nn.Module:
        """Return Faster R-CNN; all layers of the backbone, batch norm too, are trained."""
        options = self.section.detector
        _check_maps(backbone)
        size = self.section.image_size
        pyramid = Pyramid(backbone, options.pyramid)
        return FasterRCNN(
            pyramid,
            min_size=size,
            max_size=size,
            _skip_resize=True,  # images come in their size, which is smaller in the steps of `small_first`
            image_mean=list(MEAN),
            image_std=list(STD),
            rpn_anchor_generator=AnchorGenerator(
                tuple((anchor,) for anchor in options.anchor_sizes),
                ((0.5, 1.0, 2.0),) * len(options.anchor_sizes),
            ),
            rpn_pre_nms_top_n_train=options.proposals_before_nms,
            rpn_post_nms_top_n_train=options.proposals,
            rpn_pre_nms_top_n_test=options.eval_proposals,
            rpn_post_nms_top_n_test=options.eval_proposals,
            rpn_batch_size_per_image=options.rpn_samples,
            box_head=TwoMLPHead(pyramid.out_channels * POOLED_SIDE**2, options.box_head),
            box_predictor=FastRCNNPredictor(options.box_head, len(self.classes) + 1),
            box_batch_size_per_image=options.box_samples,
            box_score_thresh=options.score_threshold,
            box_detections_per_img=options.detections,
        )

    def detector_parts(self, model: nn.Module) -> dict[str, nn.Module]:
        """Return the feature pyramid and the proposal network: both know no classes."""
        return {"backbone.fpn.": model.backbone.fpn, "rpn.": model.rpn}  # type: ignore[union-attr,dict-item]

    def annotate(self, value: dict[str, Any], size: tuple[int, int]) -> dict[str, Any]:
        """Return torchvision's detection target.

        Boxes are cut at the image's edges; those without an area then are left out: nothing can be learnt
        from them.

        Parameters
        ----------
        value : dict
            Of the channel `objects`, see `AnnotatedImages`.
        size : (height, width)
            Of the image, pixels.

        Returns
        -------
        dict
            `boxes` (BoundingBoxes, float32, XYXY, pixels), `labels` (int64, 1 to K), `image_id` (int),
            `iscrowd` (int64) and `area` (float32, pixels).
        """
        objects, (height, width) = value["objects"], size
        # NumPy, for torch is slower over so few numbers.
        boxes = np.array([item["bbox"] for item in objects], dtype=np.float64).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        boxes = boxes.clip(0, [width, height, width, height]).astype(np.float32)
        kept = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        label, crowd, area = (
            torch.from_numpy(np.array(column, dtype=dtype)[kept])
            for column, dtype in (
                ([item["class"] + 1 for item in objects], np.int64),
                ([item.get("iscrowd", 0) for item in objects], np.int64),
                ([item["area"] for item in objects], np.float32),
            )
        )
        return {
            "boxes": tv_tensors.BoundingBoxes(torch.from_numpy(boxes[kept]), format="XYXY", canvas_size=size),
            "labels": label,
            "image_id": value["image_id"],
            "iscrowd": crowd,
            "area": area,
        }

    def train_transform(self) -> v2.Transform:
        """Keep the single objects, resize to a square, flip (A.1)."""
        return TrainingSample(self.section.image_size, self.section.flip)

    def eval_transform(self) -> v2.Transform:
        """Resize to a square, and keep what leads back from it: the image's id and its own size."""
        size = self.section.image_size
        return v2.Compose([ImageIdentity(), v2.Resize((size, size), antialias=True)])

    def collate(self, samples: list[tuple[Any, Any]]) -> tuple[Any, Any]:
        """Join samples: uint8 images [B, 3, S, S] and a list of targets."""
        images, targets = zip(*samples, strict=True)
        return stack_padded(images, 0), list(targets)

    def move(self, batch: tuple[Any, Any], device: torch.device) -> tuple[Any, Any]:
        """Return a batch on `device`; torchvision's detector normalises a list of images in [0, 1] itself."""
        images, targets = batch
        scaled = list(images.to(device, non_blocking=True).float().div_(255))
        return scaled, [{key: value.to(device) for key, value in target.items()} for target in targets]

    def loss(self, model: nn.Module, images: Any, targets: Any) -> dict[str, Tensor]:
        """Return the detector's four losses.

        torchvision takes their means over the anchors and proposals that it samples, a fixed number an
        image; where a small image has fewer, a step's loss is the mean of its parts' means.
        """
        return model(images, targets)

    def evaluate(
        self, model: nn.Module, batches: Iterable[Any], data: Any, device: torch.device
    ) -> Evaluation:
        """Return COCO's mAP@[.5:.95] over the images of `batches`, and its AP50 and AP75."""
        detections: list[dict[str, Any]] = []
        image_ids: list[int] = []
        for batch in batches:
            images, targets = self.move(batch, device)
            for target, found in zip(targets, model(images), strict=True):
                image_ids.append(int(target["image_id"]))
                detections += to_coco(found, target, self.section.image_size, data.category_ids)
        (value, ap50, ap75), judged = coco_map(data.coco, detections, image_ids)
        each = {"kind": "boxes"} | detected(judged, image_ids, data.category_ids)
        return Evaluation(value, len(image_ids), {"AP50": ap50, "AP75": ap75}, each)


def _check_maps(backbone: Backbone) -> None:
    """Raise InputError for maps on which torchvision's detector would fail, or misplace its boxes."""
    strides = backbone.strides
    if len(strides) != 4 or any(stride & (stride - 1) for stride in strides):
        problem = f"{backbone.name} has maps of strides {', '.join(map(str, strides))}"
        raise InputError(f"{problem}; detection takes four, powers of two: choose another", key="models")


class Pyramid(nn.Module):
    """The backbone's maps joined into a feature pyramid with one more, coarser level (Lin et al., 2017)."""

    def __init__(self, backbone: Backbone, channels: int) -> None:
        super().__init__()
        self.backbone, self.out_channels = backbone, channels
        self.fpn = FeaturePyramidNetwork(list(backbone.channels), channels, extra_blocks=LastLevelMaxPool())

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the levels by name, "0" the finest; torchvision's detector takes them so."""
        maps = {str(level): values for level, values in enumerate(self.backbone(images))}
        levels: dict[str, Tensor] = self.fpn(maps)
        return levels


class TrainingSample(v2.Transform):
    """Keep an annotation's single objects, resize to a square, flip; boxes below a pixel's width are dropped.

    Crowds are no examples to learn from. torchvision's functions are called one by one: a chain of its
    transforms takes longer to look through each sample than to change it.
    """

    def __init__(self, size: int, flip: bool) -> None:
        super().__init__()
        self.size, self.flip = [size, size], flip

    def forward(self, *sample: Any) -> Any:
        """Return (image, {"boxes", "labels"})."""
        image, target = sample
        boxes, labels = target["boxes"], torch.as_tensor(target["labels"])
        single = torch.as_tensor(target["iscrowd"]) == 0
        if not single.all():
            boxes, labels = tv_tensors.wrap(boxes[single], like=boxes), labels[single]
        image = functional.resize(image, self.size, antialias=True)
        boxes = functional.resize(boxes, self.size)
        if self.flip and torch.rand(()) < 0.5:
            image, boxes = functional.horizontal_flip(image), functional.horizontal_flip(boxes)
        corners = boxes.as_subclass(Tensor)
        kept = (corners[:, 2:] - corners[:, :2] >= 1).all(dim=1)  # they lie within the image already
        return image, {"boxes": tv_tensors.wrap(corners[kept], like=boxes), "labels": labels[kept]}


class ImageIdentity(v2.Transform):
    """Reduce an annotation to the image's id and its size (height, width) before any resizing."""

    def forward(self, *sample: Any) -> Any:
        """Return (image, {"image_id", "size"})."""
        image, target = sample
        size = torch.tensor(image.shape[-2:])
        return image, {"image_id": torch.as_tensor(target["image_id"]), "size": size}


def to_coco(
    found: dict[str, Tensor], target: dict[str, Tensor], size: int, categories: list[int]
) -> list[dict[str, Any]]:
    """Return one image's detections in COCO's result format, in the pixels of the original image.

    Parameters
    ----------
    found : dict
        "boxes" [N, 4] XYXY in the resized image, "labels" 1..K, "scores".
    target : dict
        "image_id" and "size" (height, width) of the original.
    size : int
        Side of the resized image in pixels.
    categories : list of int
        Category ids by label: label k is `categories[k - 1]`.
    """
    height, width = (target["size"].double() / size).tolist()
    boxes = found["boxes"].double().cpu() * torch.tensor([width, height, width, height], dtype=torch.float64)
    boxes[:, 2:] -= boxes[:, :2]
    return [
        {
            "image_id": int(target["image_id"]),
            "category_id": categories[label - 1],
            "bbox": box,
            "score": score,
        }
        for box, label, score in zip(
            boxes.tolist(), found["labels"].tolist(), found["scores"].double().tolist(), strict=True
        )
    ]


def coco_map(
    truth: COCO, detections: list[dict[str, Any]], image_ids: list[int]
) -> tuple[tuple[float, float, float], COCOeval]:
    """Return pycocotools' mAP@[.5:.95], AP50 and AP75 over some images, and what they were read from.

    A set without any object has no average precision; pycocotools calls it -1, this function NaN.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        if detections:
            results = truth.loadRes(detections)
        else:  # pycocotools' loadRes looks at the first detection
            results = COCO()
            results.dataset = {**truth.dataset, "annotations": []}
            results.createIndex()
        evaluation = COCOeval(truth, results, "bbox")
        evaluation.params.imgIds = sorted(set(image_ids))
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    average, ap50, ap75 = (float(value) for value in evaluation.stats[:3])
    return (average, ap50, ap75) if average >= 0 else (float("nan"),) * 3, evaluation


def detected(judged: COCOeval, image_ids: list[int], categories: list[int]) -> dict[str, Any]:
    """Return the fields of `Detected`: what pycocotools matched in objects of any size.

    Parameters
    ----------
    judged : COCOeval
        After its `evaluate`.
    image_ids : list of int
        The images, in the order of the evaluation.
    categories : list of int
        Category ids by class.
    """
    rows = {image: row for row, image in enumerate(image_ids)}
    columns = {category: column for column, category in enumerate(categories)}
    overlaps = len(judged.params.iouThrs)
    objects = np.zeros((len(rows), len(columns)), np.int32)
    parts: list[tuple[Any, ...]] = [
        (np.zeros(0, np.int32),) * 2 + (np.zeros(0),) + (np.zeros((0, overlaps), bool),) * 2
    ]
    for one in judged.evalImgs:
        if one is None or one["aRng"] != judged.params.areaRng[0]:
            continue
        row, column = rows[one["image_id"]], columns[one["category_id"]]
        objects[row, column] = np.sum(np.asarray(one["gtIgnore"]) == 0)
        place = np.full(len(one["dtScores"]), row, np.int32), np.full(len(one["dtScores"]), column, np.int32)
        parts.append(
            (*place, np.asarray(one["dtScores"], float), one["dtMatches"].T != 0, one["dtIgnore"].T != 0)
        )
    image, of_class, score, matched, ignored = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(np.array(image_ids)[image], kind="stable")
    return {
        "image": image[order],
        "of_class": of_class[order],
        "score": score[order],
        "matched": matched[order],
        "ignored": ignored[order],
        "objects": objects,
    }


TASK = Detection
