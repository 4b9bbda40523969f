"""Scaling laws for synthetic-to-real transfer: render, train, measure, fit, advise."""

__version__ = "0.1.0"
