"""The paper's claims, one module each: what the paper saw, and how an experiment's results judge it."""
