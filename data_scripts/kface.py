"""K-FACE: say how to get it, check what you placed, count it by camera; ``--cut`` cuts the faces out."""

import sys

from facelab.data.get import main

if __name__ == "__main__":
    sys.exit(main("kface"))
