"""Real World Occluded Faces: read the publisher's lists safely, fetch the photographs, cut the faces, check, list."""

import sys

from facelab.data.get import main

if __name__ == "__main__":
    sys.exit(main("rof"))
