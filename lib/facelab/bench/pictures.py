"""Pictures a second: loading them, drawing on them, comparing them."""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from facelab.bench.timing import framed, interleaved, speeds

if TYPE_CHECKING:
    from facelab.data.synth import SynthFaces

SIZE = 128


def bench_loader(rounds: int, data: str = "orl") -> dict:
    """Sixty-four pictures as a batch: decoded from their files, or gathered from the byte cache."""
    from facelab import images
    from facelab.data.cache import cached
    from facelab.data.catalogue import open_dataset

    dataset = open_dataset(data)
    cache = cached(dataset, SIZE)
    rows = list(range(0, len(cache), max(1, len(cache) // 64)))[:64]
    decode = lambda: torch.stack([images.resize(dataset[int(cache.indices[row])], SIZE) for row in rows])  # noqa: E731
    best = interleaved({"files": decode, "cache": lambda: cache.batch(rows)}, rounds)
    setting = f"{len(rows)} pictures at {SIZE} px"
    return {"what": f"loading {data}", "setting": setting, **speeds(best, len(rows), "files")}


def bench_render(rounds: int, people: int = 38) -> dict:
    """Rendered heads a second: in this process; and by as many as the cache of a set takes, their start included.

    Several processes render the larger pictures only: they are where the time of a cache goes.

    Args:
        rounds: five make one here, which takes about half a minute on two cores.
        people: of the set that several processes render; one process has a sixteenth of it, before and after them.
    """
    import numpy as np

    from facelab.data.decode import HELPERS, MANY, decode
    from facelab.data.synth import open_synth
    from facelab.machine import usable_cores

    whole, speed, ratio = open_synth(people), {}, {}
    several, rounds = min(usable_cores(), HELPERS) if len(whole) >= MANY else 1, max(1, rounds // 5)
    by_one, heads = _by_one(whole, max(1, people // 16))

    def by_several(size: int) -> None:
        if several > 1 and size == SIZE:
            decode(whole, size, 3, np.empty((len(whole), 3, size, size), np.uint8), lambda done, count: None)

    for size in (64, SIZE):
        print(f"render: {size} px", file=sys.stderr, flush=True)
        one, many = framed(partial(by_one, size), partial(by_several, size), rounds)
        speed[f"{size} px, one process"] = round(heads / one, 1)
        if several > 1 and size == SIZE:
            speed[f"{size} px, {several} processes"] = round(len(whole) / many, 1)
            ratio[f"{size} px"] = round(one / heads * len(whole) / many, 2)
    return {"what": "rendering heads", "setting": f"synth, {len(whole)} pictures by several processes",
            "heads per second": speed, "ratio": ratio}  # fmt: skip


def _by_one(dataset: SynthFaces, people: int) -> tuple[Callable[[int], None], int]:
    """A function that renders so many people at a size, and how many heads that makes.

    Every call takes the next people: what is kept of those before does not help, as it does not in a set.
    """
    from facelab.data.synth import VIEWS

    shots = dataset.shots
    starts = itertools.cycle(k for k, shot in enumerate(shots) if k == 0 or shot.person != shots[k - 1].person)
    each = VIEWS + 1  # everybody has the turned ones and at least one from the front

    def run(size: int) -> None:
        for start in itertools.islice(starts, people):
            for place in range(start, start + each):
                dataset.at(place, size, 3)

    return run, people * each


def bench_occluders(rounds: int) -> dict:
    """Occluders drawn on a batch of 64 pictures at 64 px, all training kinds."""
    from facelab.occlude import occlude
    from facelab.seeding import generator

    faces = torch.rand(64, 3, 64, 64) * 2 - 1
    best = interleaved({"occlude": lambda: occlude(faces, None, generator(0, "bench"))}, rounds)
    return {"what": "drawing occluders", "setting": "batches of 64 at 64 px", **speeds(best, 64)}


def bench_facemasks(rounds: int) -> dict:
    """Facemasks of all types put on 64 faces at 128 px, landmarks given: one face at a time, or in batches."""
    from facelab.faces.landmarks import canonical_landmarks
    from facelab.machine import keep_freed_memory
    from facelab.occlude.facemask import wear
    from facelab.seeding import generator

    keep_freed_memory()  # as training does
    count, middle = 64, SIZE / 2
    faces = torch.rand(count, 3, SIZE, SIZE, generator=generator(0, "bench")) * 2 - 1
    points = ((canonical_landmarks(SIZE, SIZE) - middle) * 0.75 + middle)[None].repeat(count, 1, 1)  # as in lfw

    def put_on(batch: int) -> None:
        random = generator(0, "bench", batch)
        for rows in torch.arange(count).split(batch):
            wear(faces[rows], points[rows], random)

    sides = {"one at a time": 1, "batches of 16": 16, "batches of 64": 64}
    best = interleaved({name: partial(put_on, batch) for name, batch in sides.items()}, rounds)
    return {"what": "facemasks", "setting": f"{SIZE} px, all types", **speeds(best, count, "one at a time")}


def bench_restore(rounds: int, count: int = 32) -> dict:
    """``facelab restore`` on a folder of crops at 128 px, system by system: read, restored, written, without the start.

    The pictures are noise under a facemask: how long a network takes does not depend on what it sees. A system that is
    told the hole is given one of 20 to 30 %.
    """
    from facelab import images
    from facelab.occlude.facemask import wear
    from facelab.occlude.irregular import irregular_holes
    from facelab.seeding import generator
    from facelab.studies.restoring import restore_files
    from facelab.studies.tasks import TASKS
    from facelab.train.weights import weights_path

    names = [name for name in TASKS if weights_path(name).is_file()]
    random = generator(0, "bench")
    worn = wear(torch.rand(count, 3, SIZE, SIZE, generator=random) * 2 - 1, None, random).image
    with tempfile.TemporaryDirectory() as folder:
        for place, picture in enumerate(worn):
            images.save_image(picture, Path(folder) / "in" / f"{place}.png")
            images.save_hole(irregular_holes(1, random, SIZE, (0.2, 0.3))[0], Path(folder) / "holes" / f"{place}.png")

        def run(name: str) -> list[float]:
            holes = f"{folder}/holes" if TASKS[name].given else None
            return [r["seconds"] for r in restore_files(name, [f"{folder}/in"], f"{folder}/{name}", holes=holes)]

        best = {}
        for name in names:
            print(f"restore: {name}, {rounds} rounds of {count} pictures", file=sys.stderr, flush=True)
            best[name] = min(sum(run(name)) for _ in range(rounds))
    return {"what": "restore", "setting": f"a folder of {count} crops at {SIZE} px", **speeds(best, count)}


def bench_ssim(rounds: int) -> dict:
    """SSIM of 64 picture pairs at 128 px against scikit-image with the same convention."""
    import numpy as np
    from skimage.metrics import structural_similarity

    from facelab.metrics.image import ssim

    a, b = torch.rand(2, 64, 3, SIZE, SIZE) * 2 - 1
    pairs = [((x + 1) / 2).permute(1, 2, 0).numpy() for x in a], [((x + 1) / 2).permute(1, 2, 0).numpy() for x in b]
    options = dict(channel_axis=2, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    theirs = lambda: np.array([structural_similarity(x, y, **options) for x, y in zip(*pairs, strict=True)])  # noqa: E731
    best = interleaved({"scikit-image": theirs, "ours": lambda: ssim(a, b)}, rounds)
    difference = float(np.abs(theirs() - ssim(a, b).numpy()).max())
    found = speeds(best, 64, "scikit-image")
    return {"what": "SSIM", "setting": "64 pairs at 128 px", **found, "largest difference": difference}


def bench_hog(rounds: int) -> dict:
    """HOG of 64 faces at 128 px against ``skimage.feature.hog`` one by one; 8,100 numbers a face."""
    import numpy as np
    from skimage.feature import hog as one_by_one

    from facelab.data.cache import cached
    from facelab.data.catalogue import open_dataset
    from facelab.hog import hog, soft_hog
    from facelab.images import to_unit
    from facelab.machine import keep_freed_memory

    keep_freed_memory()  # as training does; scikit-image has it, too
    faces = cached(open_dataset("orl"), SIZE).batch(list(range(0, 384, 6)))
    grey = to_unit(faces)[:, 0].numpy()
    options = dict(orientations=9, pixels_per_cell=(8, 8), cells_per_block=(2, 2), block_norm="L2-Hys")
    theirs = lambda: np.stack([one_by_one(face, **options) for face in grey])  # noqa: E731

    def backward() -> None:
        leaf = faces.clone().requires_grad_(True)
        soft_hog(leaf).sum().backward()

    sides = {"scikit-image": theirs, "ours": lambda: hog(faces), "soft, forward and backward": backward}
    found = speeds(interleaved(sides, rounds), len(faces), "scikit-image")
    difference = float(np.abs(theirs() - hog(faces).numpy()).max())
    return {"what": "HOG", "setting": f"64 faces at {SIZE} px", **found, "largest difference": difference}
