"""Scaling laws of transfer from synthetic images: fits with honest uncertainty, and advice.

Useful alone, on anybody's measurements: it needs numpy, scipy and pandas.
"""

from syn2real.laws.advice import advise_table
from syn2real.laws.api import fit_table
from syn2real.laws.convert import convert_table
from syn2real.laws.table import read_csv
from syn2real.laws.wording import advice_text, fit_text

__all__ = ["advice_text", "advise_table", "convert_table", "fit_table", "fit_text", "read_csv"]
