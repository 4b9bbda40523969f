"""The complexity of a set of images from its features: the entropy, its error, and what to mistrust."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from syn2real.complexity.covariance import Covariance
from syn2real.complexity.entropy import (
    FLOOR,
    effective_rank,
    entropy,
    lifted_entropy,
    numerical_rank,
)
from syn2real.complexity.scenes import SceneGroups, jackknife


def measure(groups: SceneGroups, floor: float = FLOOR) -> dict[str, Any]:
    """Return the complexity of the images whose features were gathered.

    On the sign. H is the larger the wider the features scatter. If H is complexity, more diverse images have
    more diverse features, which is how one would read the word. The paper calls the *negative* entropy -H the
    complexity (§4.5; in Figure 6 it lies between 3,500 and 5,000) and says that it rises with the number of
    objects, random light and background, and textures. If -H is complexity, the features of a more varied
    setting are *more* concentrated: so it may be where a backbone trained on photographs answers to unusual,
    plain images with large deviations; or the words and the sign do not agree. Nothing is assumed here: both
    are given, and `syn2real.complexity.ordering` says which of them rises with the paper's ordering.

    Entropies may be compared only between sets with the same reference backbone, activation, image size,
    floor, and numbers of images and of scenes: H grows with the number of images until that is large beside
    the number of dimensions. `half` shows how far it still is from there.

    Parameters
    ----------
    groups : SceneGroups
        The features, all of them.
    floor : float
        σ², added to every eigenvalue (see `syn2real.complexity.entropy`).

    Returns
    -------
    dict
        `entropy` H and `negative_entropy` -H in nats with one `standard_error` (None with one scene);
        `half`: the same entropy at half of the scenes (None with one group); `scenes`, `vectors` n and
        `dimensions` d; `floor`; `effective_rank`; `rank`: eigenvalues that are no rounding error;
        `above_floor`: eigenvalues above the floor; `dead_channels`: channels without any variance;
        `mean_variance` of a channel; `empirical_entropy`: ½ log det(2πe S) as in the paper, None where S is
        singular; `groups` of the jackknife.
    """
    parts = [part for part in groups.finished() if part.count]
    whole = Covariance.of(parts)
    covariance = whole.scatter / whole.count
    eigenvalues = np.linalg.eigvalsh(covariance).astype(np.float64)
    rank = numerical_rank(eigenvalues)
    value = lifted_entropy(whole, floor)
    return {
        "entropy": value,
        "negative_entropy": -value,
        "standard_error": jackknife(parts, lambda sample: lifted_entropy(sample, floor)),
        "half": _half(parts, floor),
        "scenes": groups.scenes,
        "vectors": whole.count,
        "dimensions": len(covariance),
        "floor": floor,
        "effective_rank": effective_rank(eigenvalues),
        "rank": rank,
        "above_floor": int((eigenvalues > floor).sum()),
        "dead_channels": int((np.diag(covariance) == 0).sum()),
        "mean_variance": float(np.trace(covariance)) / len(covariance),
        "empirical_entropy": entropy(covariance) if rank == len(covariance) else None,
        "groups": len(parts),
    }


def _half(parts: Sequence[Covariance], floor: float) -> dict[str, Any] | None:
    """Return the entropy of half of the groups; they are random, so any half will do."""
    some = parts[: len(parts) // 2]
    if not some:
        return None
    sample = Covariance.of(some)
    return {"entropy": lifted_entropy(sample, floor), "vectors": sample.count}
