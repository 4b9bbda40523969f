"""Channels: what an image is rendered with, and what a data set is labelled with; one module each."""
