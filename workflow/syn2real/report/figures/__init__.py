"""Figures: one module each; tables or fits go in, a matplotlib Figure comes out."""
