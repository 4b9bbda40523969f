"""The target of scans: real images, a few of them labelled, none both labelled and tested."""

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from syn2real.data.scans import make_scans
from syn2real.data.targets.load import load_splits
from syn2real.data.targets.schema import Target


def test_scans_are_split_by_a_draw_into_labelled_and_tested_ones(tmp_path):
    labels = 2
    files = {}
    for name, seed in (("one", 5), ("other", 6)):
        make_scans(tmp_path / name, labels, seed)
        files[name] = [sorted(p.stem for p in (tmp_path / name / s).rglob("*.png")) for s in ("train", "val")]
    assert files["one"] != files["other"]
    target = Target(layout="image-folder", path=str(tmp_path / "one"), scans={"labels": labels, "seed": 5})
    train, test = load_splits(target, "label")
    assert np.bincount(train.labels).tolist() == [labels] * 10
    assert len(train) + len(test) == len({*files["one"][0], *files["one"][1]}) == 1797

    [file] = (tmp_path / "one").rglob("0000.png")
    pixels = np.asarray(Image.open(file))
    assert file.parent.name == "0" and pixels.shape == (40, 40)
    assert not pixels[:2].any() and not pixels[:, -2:].any() and pixels.max() > 200


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"layout": "imagenet"}, "scans are made in layout image-folder"),
        ({"images": {"train": "a", "test": "b"}}, "remove `images`"),
        ({"folds": 5}, "remove `folds`"),
        ({"scans": {"labels": 0}}, "labels"),
        ({"scans": {"labels": 1000}}, "labels"),
    ],
)
def test_what_does_not_fit_scans_is_refused(keys, problem):
    with pytest.raises(ValidationError, match=problem):
        Target(**{"layout": "image-folder", "path": "results/scans/x", "scans": {"labels": 2}} | keys)
