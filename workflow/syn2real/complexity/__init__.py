"""Complexity of images: the entropy of a Gaussian fitted to a reference backbone's features (§4.5).

Needs numpy alone; the features come from `syn2real.complexity.features`.
"""
