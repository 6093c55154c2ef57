"""Restore files: the command ``facelab restore``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from torch import Tensor

from facelab import files, images
from facelab.data.dataset import pictures_under
from facelab.errors import BadConfig, BadImage, FacelabError
from facelab.studies.given_holes import note_on_hole, read_given_hole
from facelab.studies.one_picture import face_anew, note_on_eyes, restore_faces, restore_image, wants_eyes
from facelab.studies.tasks import task
from facelab.studies.training import system
from facelab.train.engine import make_engine

LONGEST = 1.5  # longer side over shorter: what is longer is no crop of a face


def list_inputs(paths: Sequence[str | Path]) -> list[Path]:
    """Files as given, folders opened one level deep and below; refuses two inputs that would write one output.

    Raises:
        BadImage: nothing to do, or two inputs share a stem.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        found += pictures_under(path) if path.is_dir() else [path]
    if not found:
        raise BadImage(" ".join(map(str, paths)), "no pictures here; give files, or folders that hold pictures")
    stems: dict[str, Path] = {}
    for path in found:
        if path.stem in stems:
            raise BadImage(path, f"has the same name as {stems[path.stem]}; rename one, or run twice with two --out")
        stems[path.stem] = path
    for stem in stems:
        if f"hole_{stem}" in stems:
            other = stems[f"hole_{stem}"]
            raise BadImage(other, f"would be written where the hole of {stems[stem]} goes; rename it, or run twice")
    return found


def _in_photograph(restore: Callable, path: Path, photo: Tensor, size: int, channels: int, anew: str):
    search = partial(face_anew, cut=anew) if anew else restore_faces
    found = search(restore, photo, size, channels)  # who takes a badge for a face would paint one on it
    if found is None:
        raise BadImage(path, "no face was found in it; crop the face yourself and leave --find-faces out")
    return (found[1], None, found[2]) if anew else found


def restore_files(
    name: str,
    inputs: Sequence[str | Path],
    out: str | Path,
    *,
    weights: str | Path | None = None,
    holes: str | Path | None = None,
    invert_holes: bool = False,
    find_faces: bool = False,
    device: str = "cpu",
) -> Iterator[dict]:
    """Restore files one after the other; a bad one is reported and the rest go on.

    Args:
        name: the system.
        inputs: files and folders of face crops (of whole photographs with ``find_faces``).
        out: folder; ``a.jpg`` becomes ``out/a.png``, its hole ``out/hole_a.png``. Earlier results there are
            replaced, unless inputs lie in the same folder: there nothing that exists is.
        weights: a file or name; None = the system's shipped weights.
        holes: folder with ``a.png`` for each ``a.jpg``, white = hidden.
        invert_holes: the hole pictures are black where hidden.
        find_faces: find, align, restore and paste back; a system that makes whole pictures anew is shown the largest
            face, and its answer is the result.

    Yields:
        One record a file: ``file out hole error seconds`` (``hole`` None where the system has none), ``faces`` (the
        boxes restored, [left, top, right, bottom] in pixels, where faces were looked for), and ``note`` where the
        picture is hardly a crop of one face, or its eyes are not where a network of aligned faces wants them: crops
        are used as they are.

    Raises:
        BadWeights, BadImage, BadConfig: nothing can be done at all.
    """
    _refuse_holes(name, holes, find_faces, Path(out))
    module, device, paths = system(name), make_engine(device).device, list_inputs(inputs)
    out, folders = files.usable_folder(out), {path.parent.resolve() for path in paths}
    model, cfg = module.load(weights or name)
    model = model.to(device)
    restore = lambda batch, *hole: module.restore(model, batch.to(device), *(h.to(device) for h in hole))  # noqa: E731
    for path in paths:
        started, record = time.perf_counter(), {"file": str(path), "out": None, "hole": None, "error": None}
        try:
            _refuse_overwriting(path, out, folders)
            image = images.load_image(path)
            given = read_given_hole(Path(holes), path, tuple(image.shape[-2:]), invert_holes) if holes else None
            if find_faces:
                anew = task(name).cut
                result, hole, record["faces"] = _in_photograph(restore, path, image, cfg.size, cfg.channels, anew)
            else:
                record |= _note(image, wants_eyes(task(name).cut, cfg))
                record |= {} if given is None else note_on_hole(given, invert_holes)
                result, hole = restore_image(restore, image, cfg.size, cfg.channels, given)
            record |= _write(out, path, result.cpu(), None if hole is None else hole.cpu())
        except FacelabError as error:
            record["error"] = str(error)
        yield {**record, "seconds": round(time.perf_counter() - started, 3)}


def _refuse_holes(name: str, holes: str | Path | None, find_faces: bool, out: Path) -> None:
    """Raise ``BadConfig`` where holes are given, or not, to a system that cannot do with them, or without."""
    if find_faces and task(name).given:
        raise BadConfig("find_faces", True, f"crops of one face and --holes DIR: {name} fills what is marked")
    if holes and task(name).whole:
        raise BadConfig("holes", str(holes), f"pictures alone, without --holes: {name} makes each of them anew")
    if holes and find_faces:
        raise BadConfig("holes", str(holes), "either holes or --find-faces: holes belong to face crops")
    if not holes and task(name).given:
        raise BadConfig("holes", None, f"--holes DIR with a hole for each picture: {name} fills what is marked")
    if holes and Path(holes).resolve() == out.resolve():
        raise BadConfig("out", str(out), "another folder than --holes: results would replace its pictures")


def _note(image: Tensor, by_eyes: bool) -> dict[str, str]:
    """What is said of a picture that is hardly a crop as the network wants it; nothing is done about it."""
    height, width = image.shape[-2:]
    if max(height, width) > LONGEST * min(height, width):
        return {"note": f"{width}×{height} is hardly a crop of one face; whole photographs need --find-faces"}
    said = note_on_eyes(image) if by_eyes else ""
    return {"note": said} if said else {}


def _refuse_overwriting(path: Path, out: Path, folders: Collection[Path]) -> None:
    """Nobody's picture is replaced: in a folder where inputs lie, only new files are written.

    Args:
        path: one input.
        out: folder of the results.
        folders: those the inputs lie in, resolved.
    """
    for target in (out / f"{path.stem}.png", out / f"hole_{path.stem}.png"):
        if target.resolve() == path.resolve():
            raise BadImage(path, "would be overwritten by its own result; choose another --out")
        if out.resolve() in folders and target.exists():
            raise BadImage(path, f"its result would replace {target}, in a folder of inputs; choose another --out")


def _write(out: Path, path: Path, result: Tensor, hole: Tensor | None) -> dict[str, str]:
    images.save_image(result, out / f"{path.stem}.png")
    if hole is None:
        return {"out": str(out / f"{path.stem}.png")}
    images.save_hole(hole, out / f"hole_{path.stem}.png")
    return {"out": str(out / f"{path.stem}.png"), "hole": str(out / f"hole_{path.stem}.png")}


def restore_command(records: Iterable[dict]) -> int:
    """Print one JSON line a record; 1 where any failed, else 0."""
    failed = False
    for record in records:
        print(json.dumps(record, ensure_ascii=False), flush=True)
        failed |= record["error"] is not None
    return int(failed)
