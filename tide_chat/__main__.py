"""`python -m tide_chat`: the same as `tide-chat`."""

import sys

from tide_chat.cli import main

if __name__ == "__main__":
    sys.exit(main())
