"""CASIA NIR-VIS 2.0: say how to get it, check what you placed, count its subjects as the paper of lesson 08 does."""

import sys

from facelab.data.get import main

if __name__ == "__main__":
    sys.exit(main("casia"))
