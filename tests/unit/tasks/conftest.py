"""Images with a coloured box for each class they hold, annotated for every task."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from pycocotools.coco import COCO
from torchvision import tv_tensors

from syn2real.config.recipe import SECTIONS, Recipe
from syn2real.data.shards import encode_normals
from syn2real.tasks import make_task

RECIPES = Path(__file__).parents[3] / "config" / "recipes"
COLOURS = torch.tensor([[220, 40, 40], [40, 200, 60], [50, 60, 230]], dtype=torch.uint8)


class Boxes:
    """Image i shows the classes whose bit is set in i % 7 + 1; for sinclass the class i % 3 alone."""

    labels = None
    category_ids = [3, 5, 9]

    def __init__(self, task, n=8, size=32):
        self.task, self.n, self.size = task, n, size
        names = ["red", "green", "blue"]
        self.classes = {"semseg": ["background", *names], "normal": []}.get(task, names)
        self.coco = self._truth() if task == "objdet" else None

    def __len__(self):
        return self.n

    def draw(self, index):
        rng = np.random.default_rng(index)
        image = torch.from_numpy(rng.integers(90, 140, (3, self.size, self.size), dtype=np.uint8))
        seg = torch.zeros(self.size, self.size, dtype=torch.uint8)
        shown = [index % 3] if self.task == "sinclass" else [k for k in range(3) if (index % 7 + 1) >> k & 1]
        side = self.size // 3
        boxes = []
        for k in shown:
            y, x = int(rng.integers(0, self.size - side)), k * side
            image[:, y : y + side, x : x + side] = COLOURS[k].view(3, 1, 1)
            seg[y : y + side, x : x + side] = k + 1
            boxes.append([x, y, x + side, y + side])
        return image, seg, shown, boxes

    def __getitem__(self, index):
        image, seg, shown, boxes = self.draw(index)
        match self.task:
            case "sinclass":
                target = shown[0]
            case "mulclass":
                target = torch.zeros(3)
                target[shown] = 1
            case "semseg":
                target = tv_tensors.Mask(seg)
            case "normal":
                # Each class faces a direction of its own; nothing is known of the background.
                directions = torch.nn.functional.normalize(
                    torch.tensor([[0, 0, 0], [1, 0, 1], [0, 1, 1], [-1, 0, 1.0]])
                )
                packed = encode_normals(directions[seg.long()].numpy(), seg.numpy() > 0)
                target = tv_tensors.Mask(torch.from_numpy(packed).permute(2, 0, 1))
            case "objdet":
                target = {
                    "boxes": tv_tensors.BoundingBoxes(
                        torch.tensor(boxes, dtype=torch.float32), format="XYXY", canvas_size=image.shape[-2:]
                    ),
                    "labels": torch.tensor(shown) + 1,
                    "image_id": index + 100,
                    "iscrowd": torch.zeros(len(shown), dtype=torch.int64),
                }
        return tv_tensors.Image(image), target

    def _truth(self):
        images, annotations = [], []
        for index in range(self.n):
            _, _, shown, boxes = self.draw(index)
            images.append({"id": index + 100, "width": self.size, "height": self.size})
            for k, (x0, y0, x1, y1) in zip(shown, boxes, strict=True):
                box = [x0, y0, x1 - x0, y1 - y0]
                annotations.append(
                    {"id": len(annotations) + 1, "image_id": index + 100, "category_id": self.category_ids[k]}
                    | {"bbox": box, "area": box[2] * box[3], "iscrowd": 0}
                )
        truth = COCO()
        categories = [{"id": i, "name": str(i)} for i in self.category_ids]
        truth.dataset = {"images": images, "annotations": annotations, "categories": categories}
        truth.createIndex()
        return truth


@pytest.fixture
def boxes():
    """Return a function that makes a data set of boxes for a task."""
    return Boxes


@pytest.fixture
def smoke_task():
    """Return a function that makes a task under the smoke recipe, with some of its numbers changed."""
    recipe = Recipe.model_validate(yaml.safe_load((RECIPES / "smoke.yaml").read_text(encoding="utf-8")))

    def make(name, model="resnet18", classes=None, **changes):
        stage = "finetune" if name == "sinclass" else "pretrain"
        section = SECTIONS[name].model_validate(recipe.resolve(stage, name, model) | changes)
        return make_task(name, section, model, Boxes(name).classes if classes is None else classes)

    return make
