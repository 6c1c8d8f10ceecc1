"""`python -m training`, which is how `torchrun -m` starts it."""

import sys

from training.cli import main

sys.exit(main())
