"""Shards, subsets and target data sets."""
