"""The exponents of the bound: the cases of Table 1 with their conditions, and where they end.

Everything here is arithmetic on four numbers. r0 and r1 say how smooth the two targets are (A3), γ_l ~ l^-ξ
is the kernel's spectrum (A4), and η1 = s^-ζ the learning rate of fine-tuning.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from syn2real.errors import InputError

LARGEST_XI = 1e6
"""A spectrum that decays faster has one eigenvalue in any arithmetic."""
ROUNDING = 1e-12
"""Numbers that differ by less are equal, so that a boundary is met by numbers that were rounded."""


@dataclass(frozen=True)
class Condition:
    """One inequality of a case, with its numbers.

    Attributes
    ----------
    text : str
        The inequality in symbols.
    left, right : float
        Its two sides; it holds where left is below right.
    equation : str
        Where the paper prints it.
    strict : bool
        Equal sides do not satisfy it.
    needed : bool
        The minimum of the terms (16) needs it too; otherwise it is sufficient, not necessary.
    """

    text: str
    left: float
    right: float
    equation: str
    strict: bool = False
    needed: bool = True

    @property
    def holds(self) -> bool:
        """Whether the inequality is satisfied."""
        return self.left < self.right if self.strict else self.left <= self.right + ROUNDING


@dataclass(frozen=True)
class Case:
    """One case of Table 1: error ≤ ε + C R0^ν s^-β (18).

    Attributes
    ----------
    name : str
        I-A, I-B, II-A or II-B.
    pair : str
        The terms of (16) that λ1 balances.
    conditions : tuple of Condition
    nu, beta : float
        Powers of R0 and of 1/s in the bound (18).
    alpha : float
        ν α0, the power of 1/n (19).
    lambda_s, lambda_r0 : float
        λ1 = s^lambda_s R0^lambda_r0.
    window : float or None
        The bound is a power of n for n far below s^window; None where there is no such n.
    cites : str
        The equations of λ1 and of the bound.
    """

    name: str
    pair: str
    conditions: tuple[Condition, ...]
    nu: float
    beta: float
    alpha: float
    lambda_s: float
    lambda_r0: float
    window: float | None
    cites: str

    @property
    def holds(self) -> bool:
        """Whether all that the paper prints for the case is satisfied."""
        return all(condition.holds for condition in self.conditions)

    @property
    def followed(self) -> bool:
        """Whether the minimum of the terms (16) has the case's exponents."""
        return all(condition.holds for condition in self.conditions if condition.needed)


@dataclass(frozen=True)
class Exponents:
    """What the bound says of one (r0, r1, ξ, ζ).

    Attributes
    ----------
    r0, r1, xi, zeta : float
    alpha0 : float
        The error of pre-training falls as n^-alpha0 (13).
    plateau : float
        As n grows the bound stops at s^-plateau.
    cases : tuple of Case
        Case I and case II for the smaller of r0 and r1.
    """

    r0: float
    r1: float
    xi: float
    zeta: float
    alpha0: float
    plateau: float
    cases: tuple[Case, ...]

    @property
    def printed(self) -> list[Case]:
        """The cases whose printed conditions hold; both at the ζ that they share, none in a gap of B."""
        return [case for case in self.cases if case.holds]

    @property
    def followed(self) -> list[Case]:
        """The cases whose exponents the minimum of the terms (16) has; never none."""
        return [case for case in self.cases if case.followed]

    def as_json(self) -> dict[str, Any]:
        """Return all of it as plain data, with which conditions and cases hold."""
        value = asdict(self)
        for case, entry in zip(self.cases, value["cases"], strict=True):
            entry |= {"holds": case.holds, "followed": case.followed}
            for condition, line in zip(case.conditions, entry["conditions"], strict=True):
                line["holds"] = condition.holds
        return value


def exponents(r0: float, r1: float, xi: float, zeta: float) -> Exponents:
    """Work out the exponents of the bound (Table 1).

    Parameters
    ----------
    r0, r1 : float
        Smoothness of φ0 and φ1 (A3), in [1/2, 1].
    xi : float
        Decay of the kernel's spectrum (A4), above 1.
    zeta : float
        η1 = s^-ζ, in [0, 1).

    Raises
    ------
    InputError
        A number lies outside its range.
    """
    check(r0, r1, xi, zeta)
    r = min(r0, r1)
    alpha0 = alpha0_of(r0, xi)
    # As n grows R0 vanishes: (a) balances (h), or (g) where the learning rate is small.
    plateau = min(2 * r * xi / (2 * r * xi + 1), 4 * r * (1 - zeta) / (2 * r + 1))
    cases = (_small_rate(r0, r1, xi, zeta, plateau), _large_rate(r0, r1, xi, zeta, plateau))
    return Exponents(r0, r1, xi, zeta, alpha0, plateau, cases)


def check(r0: float, r1: float, xi: float, zeta: float) -> None:
    """Raise InputError where a number lies outside what the theory assumes."""
    for key, r in (("--r0", r0), ("--r1", r1)):
        if not 0.5 <= r <= 1:
            raise InputError(f"{r:.12g} lies outside [1/2, 1] (A3); choose a number within it", key=key)
    if not 1 < xi <= LARGEST_XI:
        reason = f"is not above 1 and at most {LARGEST_XI:,.0f} (A4); choose a number between"
        raise InputError(f"{xi:.12g} {reason}", key="--xi")
    if not 0 <= zeta < 1:
        hint = (
            "at 1 and above λ1 does not vanish and there is no rate"
            if zeta >= 1
            else "choose a number within it"
        )
        raise InputError(f"{zeta:.12g} lies outside [0, 1); {hint}", key="--zeta")


def alpha0_of(r0: float, xi: float) -> float:
    """Return α0 of pre-training (13)."""
    return 2 * r0 * xi / (2 * r0 * xi + 1)


def lambda0_power(r0: float, xi: float) -> float:
    """Return the power of n in λ0, the penalty of pre-training (before (13))."""
    return -xi / (2 * r0 * xi + 1)


def lambda1_powers(r0: float, r1: float, zeta: float) -> tuple[float, float]:
    """Return the powers of s and of R0 in λ1 that balance the largest terms: (27), (30), else (21), (24)."""
    r = min(r0, r1)
    return _large_powers(r) if zeta <= r / (2 * r + 1) + ROUNDING else _small_powers(r, zeta)


def _small_powers(r: float, zeta: float) -> tuple[float, float]:
    """Return the powers of s and of R0 in λ1 of case I: (21), (24)."""
    return -(1 - zeta) / (r + 1), 1 / (2 * r + 2)


def _large_powers(r: float) -> tuple[float, float]:
    """Return the powers of s and of R0 in λ1 of case II: (27), (30)."""
    return -1 / (2 * r + 1), 1 / (2 * r + 1)


def _small_rate(r0: float, r1: float, xi: float, zeta: float, plateau: float) -> Case:
    """Return case I, T λ1 η1² ≪ 1: (e) exceeds (b)."""
    r, letter, pair, order = _dominant(r0, r1)
    equation = "(22)" if letter == "r1" else "(26)"
    conditions = [order, Condition(f"{letter} / (2 {letter} + 1) <= zeta", r / (2 * r + 1), zeta, equation)]
    if letter == "r0":
        least = ((2 * r1 - r0) * xi + 1 - xi) / (2 * r1 * xi + 1)
        text = "((2 r1 - r0) xi + 1 - xi) / (2 r1 xi + 1) <= zeta"
        conditions.append(Condition(text, least, zeta, f"(17), {equation}", needed=False))
    conditions.append(Condition("zeta < 1", zeta, 1.0, equation, strict=True))
    nu, beta = r / (r + 1), 2 * r * (1 - zeta) / (r + 1)
    powers = _small_powers(r, zeta)
    # R0^ν s^-β exceeds the plateau while R0 is far above s^-reach.
    alpha0, reach = alpha0_of(r0, xi), (plateau - beta) / nu
    name, cites = ("I-A", "(21), (23)") if letter == "r1" else ("I-B", "(24), (25)")
    window = _window(reach, alpha0)
    return Case(name, f"{pair} = (e)", tuple(conditions), nu, beta, nu * alpha0, *powers, window, cites)


def _large_rate(r0: float, r1: float, xi: float, zeta: float, plateau: float) -> Case:
    """Return case II, T λ1 η1² ≫ 1: (b) exceeds (e)."""
    r, letter, pair, order = _dominant(r0, r1)
    equation = "(29)" if letter == "r1" else "(32)"
    conditions = [
        order,
        Condition("0 <= zeta", 0.0, zeta, equation),
        Condition(f"zeta <= {letter} / (2 {letter} + 1)", zeta, r / (2 * r + 1), equation),
    ]
    if letter == "r0":
        text = "r1 <= r0 + (xi - 1) / (2 xi)"
        conditions.append(Condition(text, r1, r0 + (xi - 1) / (2 * xi), f"(17), {equation}", needed=False))
    nu = beta = 2 * r / (2 * r + 1)
    powers = _large_powers(r)
    # As in case I; but before the plateau (e) may outgrow (b), and from there on ν is case I's.
    alpha0, reach = alpha0_of(r0, xi), min((plateau - beta) / nu, 2 * r - 2 * zeta * (2 * r + 1))
    name, cites = ("II-A", "(27), (28)") if letter == "r1" else ("II-B", "(30), (31)")
    window = _window(reach, alpha0)
    return Case(name, f"{pair} = (b)", tuple(conditions), nu, beta, nu * alpha0, *powers, window, cites)


def _dominant(r0: float, r1: float) -> tuple[float, str, str, Condition]:
    """Return the smaller r, its name, its term and the condition: A where it is r1, B where it is r0."""
    if r0 >= r1:
        return r1, "r1", "(a1)", Condition("r1 <= r0", r1, r0, "(A)")
    return r0, "r0", "(a0)", Condition("r0 < r1", r0, r1, "(B)", strict=True)


def _window(reach: float, alpha0: float) -> float | None:
    """Return the power of s that n has to stay below, as R0 = n^-α0; None where no n does."""
    return reach / alpha0 if reach > ROUNDING else None
