"""The entropy of a Gaussian fitted to features (paper, §4.5), defined for few images and dead channels too.

The paper's H = ½ log det(2πe Σ) is -∞ as soon as one channel is dead or there are no more images than
dimensions, and close to that it is decided by the smallest eigenvalues, which are the least well known. So
the entropy is that of the features seen with a little independent noise of variance σ², the *floor*:

    H = ½ log det(2πe (S + σ² I)),    S the empirical covariance (divided by n).

Every eigenvalue is lifted by the floor, and a direction without any variance adds a constant. The floor is
a fixed number in the squared units of the activations (batch norm keeps them near one), not a part of a
setting's own variance nor an intensity estimated from its images, as Ledoit and Wolf's and OAS are:
settings are compared, so the estimator must be the same for all, and the noise of an estimated intensity
enters H once for every direction that it fills. Where two settings were simulated
(`workflow/benchmarks/entropy.py`: 320 images of 256 dimensions, two views a scene), the difference of their H
in units of its standard deviation was 3.8 with this floor, 2.9 with OAS and 1.8 with Ledoit and Wolf's
shrinkage. With long tails (Student's t with 8 degrees of freedom) it was 3.2, 2.2 and 0.9, with 3 degrees of
freedom 2.3, 1.1 and 0.1: there settings must differ more to be seen apart. A floor ten times as high gave
3.8, 3.2 and 2.2.

The standard error may be trusted to about a sixth. In these simulations it was on average 3.3 nats where
repeated measurements scattered by 3.2 ± 0.15, but 3.6 for 3.9 ± 0.2 and 4.9 for 5.4 ± 0.25 with the long
tails; with ten views a scene it was 1.95 for 1.7 ± 0.1. One measurement's own scattered by 16 % about that.

What the floor hides is reported beside it: the effective rank, how many eigenvalues lie above the floor, how
many channels are dead, and the paper's own H without a floor wherever S has full rank.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf

from syn2real.complexity.covariance import Covariance
from syn2real.complexity.scenes import SceneGroups, jackknife
from syn2real.complexity.schema import FLOOR


def measure_entropy(groups: SceneGroups, floor: float = FLOOR) -> dict[str, Any]:
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
    the number of dimensions. `half` shows how far it still is from there. With d dimensions -H is at most
    -½ d log(2πe σ²): 4,168 for 2,048 and the default floor, so it is not to be compared with Figure 6.

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
        `dimensions` d; `floor`; `effective_rank`; `rank`: eigenvalues that are not rounding errors;
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
        "standard_error": standard_error(parts, floor),
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


def standard_error(parts: Sequence[Covariance], floor: float) -> float | None:
    """Return the standard error of H in nats, by the jackknife over groups of scenes; None for one group."""
    return jackknife(parts, lambda sample: lifted_entropy(sample, floor, spend=True))


def _half(parts: Sequence[Covariance], floor: float) -> dict[str, Any] | None:
    """Return the entropy of half of the groups; they are random, so any half will do."""
    some = parts[: len(parts) // 2]
    if not some:
        return None
    sample = Covariance.of(some)
    return {"entropy": lifted_entropy(sample, floor), "vectors": sample.count}


def entropy(covariance: NDArray[np.float64], *, overwrite: bool = False) -> float:
    """Return the differential entropy of a Gaussian, H = ½ log det(2πe Σ), in nats.

    Parameters
    ----------
    covariance : array, shape (d, d)
        Σ, positive definite; only its lower triangle counts.
    overwrite : bool
        Work in its memory, which holds nothing of use afterwards.

    Raises
    ------
    numpy.linalg.LinAlgError
        Σ is not positive definite.
    """
    factor, failed = dpotrf(covariance, lower=1, clean=0, overwrite_a=overwrite)
    if failed:
        raise np.linalg.LinAlgError("the covariance is not positive definite")
    diagonal = np.diag(factor)
    return float(0.5 * len(diagonal) * np.log(2 * np.pi * np.e) + np.log(diagonal).sum())


def lifted_entropy(sample: Covariance, floor: float, *, spend: bool = False) -> float:
    """Return H of the module's first paragraph, in nats; for rows of any number from one on.

    `spend` works in the memory of the sample, which is of no use afterwards.
    """
    covariance = sample.divided(spend=spend)
    covariance[np.diag_indices_from(covariance)] += floor
    return entropy(covariance, overwrite=True)


def effective_rank(eigenvalues: NDArray[np.float64]) -> float:
    """Return exp of the entropy of the eigenvalues' shares (Roy and Vetterli, EUSIPCO 2007).

    Parameters
    ----------
    eigenvalues : array, shape (d,)
        Of a covariance; rounding may have made some slightly negative.

    Returns
    -------
    float
        Between 1 and d; 0 where there is no variance at all.
    """
    shares = np.clip(eigenvalues, 0, None)
    if not shares.any():
        return 0.0
    shares = shares[shares > 0] / shares.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def numerical_rank(eigenvalues: NDArray[np.float64]) -> int:
    """Return how many eigenvalues rounding cannot have made (numpy.linalg.matrix_rank's tolerance)."""
    tolerance = eigenvalues.max() * len(eigenvalues) * np.finfo(np.float64).eps
    return int((eigenvalues > tolerance).sum())
