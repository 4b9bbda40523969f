"""Entropy, its invariances, its error, and what is reported where images are few or channels dead."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syn2real.complexity.covariance import Covariance
from syn2real.complexity.entropy import effective_rank, entropy, lifted_entropy, measure_entropy
from syn2real.complexity.scenes import BUFFER, SceneGroups, jackknife
from syn2real.complexity.schema import FLOOR
from syn2real.errors import InputError


def gathered(x, scenes=None, groups=20):
    """Return the groups of vectors, one scene each or as result."""
    scenes = list(range(len(x))) if scenes is None else list(scenes)
    made = SceneGroups(scenes, x.shape[1], groups)
    for scene, row in zip(scenes, x, strict=True):
        made.update(scene, row[None])
    return made


def covariance(x):
    made = Covariance(x.shape[1])
    made.update(x)
    return made


def test_closed_forms() -> None:
    assert entropy(np.array([[1.0]])) == pytest.approx(0.5 * np.log(2 * np.pi * np.e))
    assert entropy(np.eye(5) * 4) == pytest.approx(5 * (np.log(2) + 1.4189385332046727))
    correlated = np.array([[2.0, 0.6], [0.6, 1.0]])
    assert entropy(correlated) == pytest.approx(np.log(2 * np.pi * np.e) + 0.5 * np.log(2 - 0.36))


def test_the_entropy_of_a_known_gaussian_is_found() -> None:
    random = np.random.default_rng(0)
    factor = np.tril(random.normal(size=(6, 6))) + 2 * np.eye(6)
    x = random.normal(size=(20_000, 6)) @ factor.T + 7
    result = measure_entropy(gathered(x), floor=1e-9)
    truth = entropy(factor @ factor.T)
    assert result["entropy"] == pytest.approx(truth, abs=4 * result["standard_error"])
    assert result["standard_error"] == pytest.approx(np.sqrt(6 / 2 / 20_000), rel=0.5)  # Var H = d / 2n
    assert result["empirical_entropy"] == pytest.approx(result["entropy"], abs=1e-6)
    assert result["negative_entropy"] == -result["entropy"]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), dimensions=st.integers(1, 8))
def test_a_linear_map_shifts_the_empirical_entropy_by_its_log_determinant(seed, dimensions) -> None:
    random = np.random.default_rng(seed)
    x = random.normal(size=(50, dimensions))
    a = random.normal(size=(dimensions, dimensions)) + 3 * np.eye(dimensions)
    before, after = (measure_entropy(gathered(v), floor=1e-6)["empirical_entropy"] for v in (x, x @ a.T + 5))
    assert after - before == pytest.approx(np.linalg.slogdet(a)[1], abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 30), scale=st.floats(0.1, 10))
def test_with_a_floor_rotations_change_nothing_and_a_scale_is_the_floors_too(seed, n, scale) -> None:
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, 6)) * [3, 1, 1, 0.1, 0, 0]
    rotation = np.linalg.qr(random.normal(size=(6, 6)))[0]
    h = lifted_entropy(covariance(x), 0.01)
    assert lifted_entropy(covariance(x @ rotation - 2), 0.01) == pytest.approx(h, abs=1e-8)
    scaled = lifted_entropy(covariance(scale * x), 0.01 * scale**2)
    assert scaled == pytest.approx(h + 6 * np.log(scale), abs=1e-8)
    assert lifted_entropy(covariance(x), 0.01, spend=True) == h


def test_fewer_images_than_dimensions_and_dead_channels_are_finite_and_reported() -> None:
    x = np.random.default_rng(1).normal(size=(12, 40))
    x[:, 30:] = 0.5
    result = measure_entropy(gathered(x))
    assert np.isfinite([result["entropy"], result["standard_error"], result["half"]["entropy"]]).all()
    assert result["empirical_entropy"] is None
    assert (result["rank"], result["above_floor"], result["dead_channels"]) == (11, 11, 10)
    assert 8 < result["effective_rank"] < 11
    # Each direction without variance adds ½ log(2πe σ²), no more and no less.
    some = measure_entropy(gathered(x[:, :30]))
    assert result["entropy"] - some["entropy"] == pytest.approx(5 * np.log(2 * np.pi * np.e * FLOOR))


def test_images_all_alike_have_the_floors_entropy() -> None:
    result = measure_entropy(gathered(np.full((9, 4), 2.5)), floor=0.01)
    assert result["entropy"] == pytest.approx(2 * np.log(2 * np.pi * np.e * 0.01))
    assert (result["effective_rank"], result["rank"], result["dead_channels"]) == (0, 0, 4)
    assert result["standard_error"] == pytest.approx(0, abs=1e-12)


def test_a_nearly_singular_covariance_is_regularised() -> None:
    x = np.random.default_rng(2).normal(size=(300, 3))
    x = np.column_stack([x, x[:, 0] + 1e-9 * x[:, 1]])
    result = measure_entropy(gathered(x))
    assert result["rank"] == 3 and result["empirical_entropy"] is None
    assert result["entropy"] == pytest.approx(3 * 1.419 + 0.5 * np.log(2 * np.pi * np.e * FLOOR), abs=1)


def test_effective_rank_of_known_spectra() -> None:
    assert effective_rank(np.ones(7)) == pytest.approx(7)
    assert effective_rank(np.array([5.0, 0, -1e-18])) == pytest.approx(1)


def test_one_scene_has_no_error_and_no_half() -> None:
    result = measure_entropy(gathered(np.random.default_rng(3).normal(size=(5, 3)), ["a"] * 5))
    assert result["standard_error"] is None and result["half"] is None
    assert (result["scenes"], result["vectors"], result["groups"]) == (1, 5, 1)


def test_half_of_the_scenes_is_half_of_the_images() -> None:
    x = np.random.default_rng(4).normal(size=(80, 3))
    result = measure_entropy(gathered(x, np.repeat(np.arange(40), 2)))
    assert (result["scenes"], result["vectors"], result["half"]["vectors"], result["groups"]) == (
        40,
        80,
        40,
        20,
    )


def test_the_order_of_blocks_and_the_share_of_processes_change_nothing() -> None:
    random = np.random.default_rng(5)
    scenes = np.repeat(np.arange(500), 5)
    x = random.normal(10, 1, (len(scenes), 4)).astype(np.float32)
    assert len(x) > 2 * BUFFER
    straight = measure_entropy(gathered(x, scenes, groups=2))
    shares = [SceneGroups(scenes, 4, groups=2) for _ in range(3)]
    for place in random.permutation(len(x)):
        shares[random.integers(3)].update(scenes[place], x[place][None])
    shares[2].merge(shares[0])
    shares[2].merge(shares[1])
    merged = measure_entropy(shares[2])
    for key in ("entropy", "standard_error", "effective_rank", "empirical_entropy"):
        assert merged[key] == pytest.approx(straight[key], rel=1e-10), key
    assert merged["vectors"] == straight["vectors"] == 2500


def test_the_views_of_a_scene_are_left_out_together() -> None:
    random = np.random.default_rng(6)
    scenes = np.repeat(np.arange(100), 10)
    x = np.repeat(random.normal(size=(100, 5)), 10, axis=0)  # ten times the same: 100 samples, not 1,000
    clustered = measure_entropy(gathered(x, scenes))["standard_error"]
    as_if_independent = measure_entropy(gathered(x))["standard_error"]
    assert clustered == pytest.approx(np.sqrt(5 / 2 / 100), rel=0.5)
    assert clustered > 2 * as_if_independent


def test_the_standard_error_is_the_spread_of_repeated_measurements() -> None:
    mix = np.random.default_rng(7).normal(size=(8, 40))

    def repeat(seed):
        random = np.random.default_rng(seed)
        z = np.repeat(random.normal(size=(30, 8)), 2, axis=0) + 0.5 * random.normal(size=(60, 8))
        return measure_entropy(gathered(np.maximum(z @ mix, 0), np.repeat(np.arange(30), 2)))

    result = [repeat(seed) for seed in range(60)]
    spread = np.std([one["entropy"] for one in result], ddof=1)
    mean = np.mean([one["standard_error"] for one in result])
    assert 0.9 * spread < mean < 1.5 * spread  # the jackknife errs on the large side, if at all


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    x = np.random.default_rng(8).normal(size=(25, 1))
    groups = [covariance(row[None]) for row in x]
    result = jackknife(groups, lambda sample: float(sample.mean[0]))
    assert result == pytest.approx(x.std(ddof=1) / 5)


def test_scenes_that_were_not_announced_and_other_scenes_groups_are_refused() -> None:
    groups = SceneGroups(["a", "b"], 2)
    with pytest.raises(InputError, match="scene c is not among"):
        groups.update("c", np.zeros((1, 2)))
    with pytest.raises(InputError, match="other scenes"):
        groups.merge(SceneGroups(["a", "c"], 2))
    with pytest.raises(InputError, match="no scene"):
        SceneGroups([], 2)
