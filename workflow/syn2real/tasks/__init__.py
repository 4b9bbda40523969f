"""The tasks: a folder each, with the head, the augmentation, the loss and the metric (§4.1, Appendix A)."""
