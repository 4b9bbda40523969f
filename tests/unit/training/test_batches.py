from itertools import chain
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from syn2real import plugins
from syn2real.data.mixed import MixedImages
from syn2real.data.rendered import RenderedImages
from syn2real.tasks.base import build_model, task_class
from syn2real.tasks.schema import channel_of, read_section, task_schema
from syn2real.training.batches import Annotated, Augmented, EndlessOrder, annotated, training_batches
from syn2real.training.distributed import World, step_share
from syn2real.training.seeding import stream_seed, temporarily_seeded


def indices(order):
    return [[index for _, index in batch] for batch in order]


@pytest.mark.parametrize(("n", "batch"), [(10, 4), (3, 8), (8, 8), (1, 2)])
def test_every_epoch_holds_every_image_once(n, batch):
    flat = list(chain.from_iterable(indices(EndlessOrder(n, batch, seed=0, start=0, stop=3 * n))))
    for epoch in range(3 * batch):
        assert sorted(flat[epoch * n : (epoch + 1) * n]) == list(range(n))
    assert all(len(slots) == batch for slots in EndlessOrder(n, batch, 0, 0, 5))


def test_epochs_and_seeds_differ():
    first = indices(EndlessOrder(50, 50, seed=0, start=0, stop=2))
    other = indices(EndlessOrder(50, 50, seed=1, start=0, stop=2))
    assert first[0] != first[1] and first[0] != other[0]


@pytest.mark.parametrize("start", [1, 7, 19])
def test_position_is_a_function_of_the_iteration(start):
    whole = list(EndlessOrder(13, 4, seed=5, start=0, stop=20))
    assert list(EndlessOrder(13, 4, seed=5, start=start, stop=20)) == whole[start:]
    assert len(EndlessOrder(13, 4, seed=5, start=start, stop=20)) == 20 - start


@pytest.mark.parametrize(("size", "group"), [(1, 8), (1, 4), (2, 4), (4, 2), (8, 8)])
@pytest.mark.parametrize("renders", [1, 4, 6])
def test_every_batch_has_its_share_of_renders_whatever_the_processes(size, group, renders):
    """Every part of it has as many as whole numbers allow, and a resumed run sees the same."""
    mixed = {"renders": 5, "renders_in_batch": renders}
    whole = list(EndlessOrder(13, 8, seed=5, start=0, stop=26, **mixed))
    assert [sum(index >= 13 for _, index in batch) for batch in whole] == [renders] * 26
    numbers = {"batch_size": 8, "norm_batch_size": group, "iterations": 26, "lr": 0.1}
    section = read_section("mulclass", numbers)
    shares = [step_share(section, World(rank, size)) for rank in range(size)]
    passes = [list(EndlessOrder(13, 8, seed=5, start=3, stop=26, share=share, **mixed)) for share in shares]
    parts, even = shares[0].parts, renders * shares[0].images / 8
    for step, batch in enumerate(whole[3:]):
        seen = [passes[rank][step * parts + part] for part in range(parts) for rank in range(size)]
        assert list(chain.from_iterable(seen)) == batch
        assert all(abs(sum(index >= 13 for _, index in one) - even) < 1 for one in seen)


def test_photographs_and_renders_have_epochs_of_their_own():
    mixed = {"renders": 5, "renders_in_batch": 2}
    flat = list(chain.from_iterable(indices(EndlessOrder(13, 8, seed=0, start=0, stop=65, **mixed))))
    own, rendered = [index for index in flat if index < 13], [index - 13 for index in flat if index >= 13]
    for of, n in ((own, 13), (rendered, 5)):
        epochs = [of[first : first + n] for first in range(0, len(of) - n, n)]
        assert all(sorted(epoch) == list(range(n)) for epoch in epochs) and epochs[0] != epochs[1]
    # The photographs come in the order that they have by themselves.
    assert own[:52] == list(chain.from_iterable(indices(EndlessOrder(13, 4, seed=0, start=0, stop=13))))


def test_renders_count_among_what_is_kept_in_memory(boxes, smoke_task):
    small, large = boxes("mulclass", n=4, size=32), boxes("mulclass", n=300, size=64)
    task = smoke_task("mulclass", cache_mib=3)
    assert annotated(small, task).keeps and not annotated(MixedImages(small, large, 1), task).keeps
    assert annotated(MixedImages(small, small, 1), task).keeps


class Numbers:
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return torch.full((2,), float(index)), index


def test_augmentation_belongs_to_the_position_and_leaves_the_generator_alone():
    task = SimpleNamespace(
        train_transform=lambda: lambda image, target: (image + torch.rand(2), target),
        section=SimpleNamespace(small_iterations=0, batch_size=1),
    )
    data = Augmented(Numbers(), task, seed=3)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, again, later = data[(5, 1)][0], data[(5, 1)][0], data[(9, 1)][0]
    assert torch.equal(first, again) and not torch.equal(first, later)
    assert torch.equal(torch.get_rng_state(), before)


def test_cache_decodes_once():
    seen = []

    class Counting(Numbers):
        def __getitem__(self, index):
            seen.append(index)
            return super().__getitem__(index)

    data = Annotated(Counting(), SimpleNamespace(annotate=lambda value, size: value))
    data.keeps = True
    assert [data[i][1] for i in (2, 2, 0, 2)] == [2, 2, 0, 2]
    assert seen == [2, 0] and len(data) == 4


def test_streams_are_apart_and_zero_is_a_seed():
    seeds = {
        stream_seed(seed, name, i) for seed in (0, 1) for name in ("order", "augmentation") for i in (0, 1)
    }
    assert len(seeds) == 8
    assert stream_seed(0, "order", 1) == stream_seed(0, "order", 1)


def test_borrowing_survives_an_error():
    before = torch.get_rng_state()
    with pytest.raises(KeyError), temporarily_seeded(1):
        torch.rand(1)
        raise KeyError
    assert torch.equal(torch.get_rng_state(), before)


def equal(first, second):
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    pairs = zip(
        first.values() if isinstance(first, dict) else first,
        second.values() if isinstance(second, dict) else second,
        strict=True,
    )
    return all(equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("ptask", ["mulclass", "objdet", "semseg", "normal"])
def test_batches_are_the_same_whatever_the_number_of_processes(ptask, shards, resolve):
    """Fourteen images in batches of six: the third batch reaches into the second epoch."""
    data = RenderedImages(shards[0], 14, channel_of(ptask))

    def load(workers):
        numbers = resolve("pretrain", ptask, batch_size=6, iterations=5, images=None, workers=workers)
        task = task_class(ptask)(read_section(ptask, numbers), data.classes)
        return list(
            training_batches(annotated(data, task), task, seed=0, start=0, device=torch.device("cpu"))
        )

    alone = load(0)
    # A program that used OpenCV's threads before: forked with them, a loading process would wait for ever.
    cv2.setNumThreads(2)
    cv2.resize(np.zeros((900, 900, 3), np.uint8), (1800, 1800), interpolation=cv2.INTER_CUBIC)
    together = load(2)
    assert len(alone) == len(together) == 5
    assert all(equal(one, other) for one, other in zip(alone, together, strict=True))
    assert not equal(alone[0][0], alone[1][0])
    assert alone[0][0].dtype == torch.uint8 and alone[0][0].is_contiguous(memory_format=torch.channels_last)


SIZED = [name for name in plugins.names("tasks") if task_schema(name).Section.SIZES]


@pytest.mark.parametrize("name", SIZED)
def test_the_first_steps_see_smaller_images_whatever_step_a_run_resumes_at(name, smoke_task, samples):
    def load(start, **changes):
        task = smoke_task(name, batch_size=2, norm_batch_size=None, iterations=6, warmup_images=0, **changes)
        batches = training_batches(samples(name), task, seed=0, start=start, device=torch.device("cpu"))
        return task, [images for images, _ in batches]

    task, whole = load(0, small_first={"part": 0.5, "scale": 0.5})
    side = getattr(task.section, task.section.SIZES[-1])
    assert [images.shape[-1] for images in whole] == [round(side / 2)] * 3 + [side] * 3
    assert equal(load(2, small_first={"part": 0.5, "scale": 0.5})[1], whole[2:])
    assert equal(load(3)[1], whole[3:])  # the large ones are as they are without smaller ones


def test_the_detector_computes_images_in_the_size_that_they_come_in(smoke_task, samples):
    changes = {"batch_size": 2, "image_size": 128, "iterations": 2, "warmup_images": 0}
    task = smoke_task("objdet", **changes, small_first={"part": 0.5, "scale": 0.5})
    backbone, model = build_model(task, "resnet18")
    seen = []
    backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[-1]))
    for batch in training_batches(samples("objdet"), task, 0, 0, torch.device("cpu")):
        task.loss(model.train(), *task.move(batch, torch.device("cpu")))
    assert seen == [64, 128]
