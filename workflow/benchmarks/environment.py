"""What every process that a benchmark starts has: bytecode, as users have it."""

import os

WITH_BYTECODE = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Where a machine forbids bytecode, every start would compile all of its libraries again."""

ONE_THREAD = WITH_BYTECODE | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
