"""Labeled Faces in the Wild: check the archive you placed (or ``--from`` a mirror) by its MD5, unpack, check, list."""

import sys

from facelab.data.get import main

if __name__ == "__main__":
    sys.exit(main("lfw"))
