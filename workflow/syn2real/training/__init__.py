"""Training: one loop for every task, exact resumption, and the results it leaves behind."""
