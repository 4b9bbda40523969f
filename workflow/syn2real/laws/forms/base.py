"""What every law is: a sum of coefficients times columns that fall with n, s or the model's size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np

from syn2real.errors import InputError
from syn2real.laws.results import Rows
from syn2real.laws.table import Curve, fewest
from syn2real.plugins import load, names, require_name

Powers = Mapping[str, Mapping[str, str]]
LOG_N = (-50.0, 700.0)  # logs of the n among which a required one is searched: none, and all a double holds
HALVINGS = 54  # of that range, to 1e-13 of n


class Law:
    """A law: error = columns(exponents) @ coefficients, with coefficients that are not negative.

    A law that is a sum of powers says so in `terms`, from which all else follows. Any other law names its
    exponents and coefficients and says what each coefficient is multiplied with.

    Attributes
    ----------
    equation, source : str
        Its formula, and the paper's number of it.
    terms : dict of str to dict of str to str
        Each coefficient, with the columns of `Rows` it falls with and the exponent of each.
    describes : str
        What it is a law of; a law of the transfer gap is fitted to the gaps of several models.
    bounds : (float, float)
        The range in which exponents are searched.
    scales : tuple of str
        Those of `exponents` that are no exponents but sizes; `natural` gives them their unit.
    uses_zero : bool
        It describes rows without pre-training (n = 0), and without labels (s = 0), as well.
    """

    equation: ClassVar[str]
    source: ClassVar[str]
    terms: ClassVar[Powers] = {}
    describes: ClassVar[str] = "error"
    bounds: ClassVar[tuple[float, float]] = (0.01, 5.0)
    scales: ClassVar[tuple[str, ...]] = ()
    uses_zero: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The name it is asked for by: that of its file."""
        return type(self).__module__.rpartition(".")[2].replace("_", "-")

    @property
    def exponents(self) -> tuple[str, ...]:
        """The parameters that enter nonlinearly, in the order of the terms."""
        return tuple(dict.fromkeys(name for powers in self.terms.values() for name in powers.values()))

    @property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """The range in which each of `exponents` is searched, a size in the unit that `natural` gives it."""
        return tuple(self.bounds for _ in self.exponents)

    def natural(self, exponents: np.ndarray, unit: Rows) -> np.ndarray:
        """Return exponents (..., q) with sizes in the data's own units, from sizes in units at one row."""
        return exponents

    @property
    def coefficients(self) -> tuple[str, ...]:
        """The parameters that enter linearly, one a column."""
        return tuple(self.terms)

    @property
    def varies(self) -> tuple[str, ...]:
        """The columns it describes besides n: `s` (labels), `n_params` (the model's parameters)."""
        columns = dict.fromkeys(column for powers in self.terms.values() for column in powers)
        return tuple(column for column in columns if column != "n")

    @property
    def constant(self) -> str | None:
        """The coefficient that stands alone, such as the transfer gap C; None where there is none."""
        places = Rows.at([2.0, 3.0], [2.0, 3.0], [2.0, 3.0])
        alone = (self.log_columns(np.ones(len(self.exponents)), places) == 0).all(axis=0)
        return next((name for name, is_alone in zip(self.coefficients, alone, strict=True) if is_alone), None)

    def log_columns(self, exponents: np.ndarray, rows: Rows) -> np.ndarray:
        """Logarithm of each coefficient's column.

        Parameters
        ----------
        exponents : ndarray, shape (..., q)
        rows : Rows
            Its arrays have shape (m,), or (..., m) and are broadcast against the exponents.

        Returns
        -------
        ndarray, shape (..., m, k)
        """
        place = {name: i for i, name in enumerate(self.exponents)}
        nothing = np.zeros(np.broadcast_shapes(exponents[..., :1].shape, rows.n.shape))
        columns = []
        for powers in self.terms.values():
            falls = (-exponents[..., place[e], None] * np.log(getattr(rows, c)) for c, e in powers.items())
            columns.append(sum(falls, nothing))
        return np.stack(columns, axis=-1)

    def log_ratio(self, exponents: np.ndarray, rows: Rows, unit: Rows) -> np.ndarray:
        """Logarithm of each column over its value at `unit`, shape (..., m, k)."""
        if self.terms:  # the power of a ratio: the difference of two logarithms would lose digits
            return self.log_columns(exponents, rows.over(unit))
        return self.log_columns(exponents, rows) - self.log_columns(exponents, unit)

    def columns(self, exponents: np.ndarray, rows: Rows, unit: Rows | None = None) -> np.ndarray:
        """Each coefficient's column, over its value at `unit` where one is given; shape (..., m, k)."""
        if not self.terms:
            logs = self.log_ratio(exponents, rows, unit) if unit else self.log_columns(exponents, rows)
            return np.exp(logs)
        place = {name: i for i, name in enumerate(self.exponents)}
        rows = rows.over(unit) if unit else rows
        one = np.ones(np.broadcast_shapes(exponents[..., :1].shape, rows.n.shape))
        columns = []
        for powers in self.terms.values():
            column = one
            for name, exponent in powers.items():
                column = column * getattr(rows, name) ** -exponents[..., place[exponent], None]
            columns.append(column)
        return np.stack(columns, axis=-1)

    def named(self, exponents: np.ndarray, coefficients: np.ndarray) -> dict[str, np.ndarray]:
        """Name the parameters as the paper does; arrays of shape (...)."""
        linear = {name: coefficients[..., i] for i, name in enumerate(self.coefficients)}
        return linear | {name: exponents[..., i] for i, name in enumerate(self.exponents)}

    def coefficients_of(self, params: Mapping[str, np.ndarray | float]) -> list[np.ndarray | float]:
        """Return the coefficients that belong to parameters as `named` names them."""
        return [params[name] for name in self.coefficients]

    def predict(self, params: Mapping[str, np.ndarray | float], rows: Rows) -> np.ndarray:
        """Error at each row.

        Parameters
        ----------
        params : dict of str to float or ndarray, shape (...)
            Parameters by the names that the law's equation has, such as the values of a fit.
        rows : Rows
            Its arrays have shape (m,), or (..., m) and are broadcast against the parameters.

        Returns
        -------
        ndarray, shape (..., m)
        """
        exponents = _stack([params[name] for name in self.exponents])
        coefficients = _stack(self.coefficients_of(params))
        return np.asarray((self.columns(exponents, rows) @ coefficients[..., None])[..., 0])

    def required_n(
        self,
        params: Mapping[str, np.ndarray | float],
        error: np.ndarray | float,
        s: float = np.nan,
        n_params: float = np.nan,
    ) -> np.ndarray:
        """Images at which the law falls to an error; infinite where it never does.

        Parameters
        ----------
        params : dict of str to float or ndarray, shape (...)
            As for `predict`.
        error : float or ndarray, shape (...)
        s, n_params : float
            Labels and model parameters, for a law that varies with them.

        Returns
        -------
        ndarray, shape (...)
        """
        shape = np.broadcast_shapes(np.shape(error), *(np.shape(value) for value in params.values()))

        places = Rows.at(np.ones((*shape, 1)), s, n_params)

        def predicted(log_n: np.ndarray) -> np.ndarray:
            return self.predict(params, replace(places, n=np.exp(log_n)[..., None]))[..., 0]

        low, high = np.full(shape, LOG_N[0]), np.full(shape, LOG_N[1])
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            reached = predicted(middle) <= error  # not so where a law is not defined: at n too small for it
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        reachable = predicted(np.full(shape, np.inf)) < error
        return np.where(reachable, np.exp(high), np.inf)

    def why_not(self, curve: Curve) -> str | None:
        """Say why the law cannot be fitted to a curve, or None where it can."""
        distinct = len(np.unique(curve.n))
        if distinct < fewest(self.varies):
            return f"{distinct} distinct n above 0; a fit needs {fewest(self.varies)}"
        return self.missing(curve)

    def missing(self, curve: Curve) -> str | None:
        """Say what the law needs that a curve of enough n does not have, or None."""
        for column in self.varies:
            values = getattr(curve, column)
            if not np.isfinite(values).all():
                return f"the {self.name} law needs the column {column}"
            if len(np.unique(values)) < 2:
                return f"one {column} only; the {self.name} law needs 2 or more"
        need = len(self.exponents) + len(self.coefficients)
        if len(curve.n) < need:
            return f"{len(curve.n)} points; the {self.name} law has {need} parameters"
        return None


def find_law(name: str, *, loss: bool = False) -> Law:
    """Return a law by its name.

    Parameters
    ----------
    name : str
        Of a module of `laws.forms`.
    loss : bool
        With the irreducible loss E of §3, which the module gives as `WITH_LOSS`.

    Raises
    ------
    InputError
        The name is not a law's, or the law has no form with E.
    """
    require_name(name, names("laws.forms"), key="--law")
    module = load("laws.forms", name)
    if not loss:
        return module.LAW
    if not hasattr(module, "WITH_LOSS"):
        raise InputError(f"the {name} law has no irreducible loss; leave out --loss", key="--loss")
    return module.WITH_LOSS


def _stack(values: list[np.ndarray | float]) -> np.ndarray:
    """Stack parameters of one shape (...) to an array of shape (..., number)."""
    return np.stack(np.broadcast_arrays(*(np.asarray(value, float) for value in values)), axis=-1)
