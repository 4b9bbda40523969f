"""Scaling laws for synthetic-to-real transfer: render, train, measure, fit, advise."""
