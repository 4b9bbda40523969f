"""Figures: a tidy frame or a fit goes in, a matplotlib Figure comes out."""
