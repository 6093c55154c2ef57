"""CelebA: say which files to take from its publisher, check what you placed, unpack, check, list."""

import sys

from facelab.data.get import main

if __name__ == "__main__":
    sys.exit(main("celeba"))
