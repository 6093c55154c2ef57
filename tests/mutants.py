"""Break the library on purpose, one fault at a time: every fault must make a test fail.

Run it with ``make mutants``. Each fault is put into a copy of the library; the tests that guard that place run against
the copy. A fault that no test notices survives, and then the tests are not good enough: exit code 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

REPO = Path(__file__).resolve().parents[1]


class Mutant(NamedTuple):
    """One fault: in ``file`` (under lib/facelab) the first ``old`` becomes ``new``; ``tests`` must notice."""

    what: str
    file: str
    old: str
    new: str
    tests: str


MUTANTS = (
    Mutant(
        "composite with the hole flipped", "images.py",
        "known * (1 - hole) + pred * hole", "known * hole + pred * (1 - hole)", "tests/images",
    ),
    Mutant(
        "the wrong side of the hole in a metric", "metrics/image.py",
        "weight = hole.double()", "weight = 1 - hole.double()", "tests/metrics",
    ),
    Mutant("a hole's overlap with its complement", "metrics/holes.py",
           "hole.flatten(1) > threshold\n", "hole.flatten(1) <= threshold\n", "tests/metrics"),
    Mutant(
        "probabilities fed to a loss on logits", "nets/oagan.py",
        "return self.score(self.body(image))", "return self.score(self.body(image)).sigmoid()",
        "tests/nets/test_logits.py",
    ),
    Mutant(
        "a non-saturating loss that saturates", "losses/adversarial.py",
        "return F.softplus(-fake).mean()", "return -F.softplus(fake).mean()", "tests/losses",
    ),
    Mutant(
        "a mirrored face keeps its old landmark numbers", "data/augment.py",
        "torch.where((sign < 0)", "torch.where((sign > 9)", "tests/data/test_augment.py",
    ),
    Mutant(
        "soft truths to the very end", "studies/batches.py",
        "until is None or step < until", "True", "tests/studies/test_batches.py",
    ),
    Mutant("dilated convolutions with the library's wrong gradients", "nets/blocks.py",
           "if self.in_full and", "if False and", "tests/nets/test_blocks.py"),
    Mutant("HOG with rows and columns exchanged", "hog/exact.py",
           "torch.atan2(down.double(), across.double())", "torch.atan2(across.double(), down.double())", "tests/hog"),
    Mutant("a guide that shows the hole's own outline", "hog/guide.py",
           "histograms = histograms * (1 - touched_cells(hole, cell))", "pass", "tests/hog"),
    Mutant("a painter that sees what is hidden", "systems/hog_inpaint/model.py",
           "begun = smooth_fill(images, hole)", "begun = images", "tests/systems/test_hog_inpaint.py"),
    Mutant("a painter that never has to do without the true guide", "systems/hog_inpaint/step.py",
           "if state.progress < cfg.true_until:", "if True:", "tests/systems/test_hog_inpaint.py"),
    Mutant("a guide's critic that takes the guess for real", "systems/hog_inpaint/step.py",
           'critic_step("guide", real, fake.detach(),', 'critic_step("guide", fake.detach(), real,',
           "tests/systems/test_hog_inpaint.py"),
    Mutant("an inpainting critic that tires before it joins", "systems/hog_inpaint/step.py",
           "start = max(start, cfg.adversarial_from)", "start = max(start, 0.0)", "tests/systems/test_hog_inpaint.py"),
    Mutant("a hole with the border hidden goes through unsaid", "studies/given_holes.py",
           "if rim <= 0.5:", "if rim <= 5:", "tests/studies/test_restoring.py"),
    Mutant("published holes read the wrong way round", "data/hole_pictures.py",
           '_colour_of(dataset.root, files) == "black"', '_colour_of(dataset.root, files) == "white"',
           "tests/data/test_hole_pictures.py"),
    Mutant("who is told the hole is judged without it", "studies/trials.py",
           "if self.given else (self.occluded,)", "if self.given and self.told else (self.occluded,)",
           "tests/studies/test_inpainting.py"),
    Mutant("masked faces taken for real", "systems/mask_removal/step.py",
           '_seen(name, batch["truth"][: len(fake)], hole)', '_seen(name, batch["occluded"][: len(fake)], hole)',
           "tests/systems/test_mask_removal.py"),
    Mutant("the editing net sees what is hidden", "nets/mask_removal.py",
           "torch.cat([images * (1 - hole), hole], 1)", "torch.cat([images, hole], 1)",
           "tests/systems/test_mask_removal.py"),
    Mutant("the painter shrinks the hole", "systems/mask_removal/step.py",
           "hole = hole.detach()", "hole = hole + 0", "tests/systems/test_mask_removal.py"),
    Mutant("the second critic sees the whole", "systems/mask_removal/step.py",
           'if name == "region" else images', 'if name == "none" else images', "tests/systems/test_mask_removal.py"),
    Mutant("facemasks that ignore the face's turn", "occlude/facemask_kinds.py",
           'if look.fit == "upright":', "if True:", "tests/occlude/test_facemask.py"),
    Mutant("the best photographs called the worst", "studies/natural.py",
           "return torch.minimum(hidden_share(hole, MOUTH_BOX)", "return -torch.minimum(hidden_share(hole, MOUTH_BOX)",
           "tests/studies/test_natural.py"),
    Mutant("an upright facemask that rides high", "occlude/fitting.py",
           "(bridge + chin) / 2 - 0.5 * tall", "(bridge + chin) / 2 - 0.6 * tall", "tests/occlude/test_fitting.py"),
    Mutant("an earlier visitor's picture stays", "show/demo.py",
           "        self._shown = None\n        self._draw()\n", "", "tests/show/test_demo.py"),
    Mutant("a window that cuts a facemask off", "occlude/facemask.py",
           "margin = max(MARGIN, min(size) // 12)", "margin = -MARGIN", "tests/occlude/test_facemask.py"),
    Mutant("uploads decoded whatever their size", "studies/upload.py",
           "images.open_picture(bytes(content), MAX_MEGAPIXELS)", "images.open_picture(bytes(content), 1e9)",
           "tests/studies/test_upload.py"),
    Mutant("FID on another file of weights", "metrics/fid.py",
           "if not hashlib", "if False and not hashlib", "tests/metrics/test_fid.py"),
    Mutant("the magnifying glass is forgotten", "systems/oagan/model.py",
           "cfg.outline_blocks, cfg.enlarge)", "cfg.outline_blocks, 1)", "tests/systems/test_oagan.py"),
    Mutant(
        "the critic is shown the answer", "studies/batches.py",
        "[others[k % len(others)] for k in range(batch)]", "places(2 * step * batch, batch)",
        "tests/studies/test_batches.py",
    ),
    Mutant(
        "outlines that no fill can remove", "occlude/surface.py",
        "(2 * coverage).clamp(max=1)", "coverage", "tests/occlude/test_kinds.py",
    ),
    Mutant(
        "features of the occluder pass the gate", "nets/oagan.py",
        "features * (1 - F.avg_pool2d(hidden, 2))", "features", "tests/nets/test_oagan.py",
    ),
    Mutant(
        "training on test people", "data/splits.py",
        'return "test" if number < 20', 'return "test" if number < 10', "tests/data",
    ),
    Mutant(
        "splits by file, not by person", "data/splits.py",
        "bucket(dataset, item.who)", "bucket(dataset, str(item.file))", "tests/data",
    ),
    Mutant(
        "errors that end as success", "cli.py",
        "return _say(error, FAILED)", "return _say(error, 0)", "tests/repo/test_commands.py",
    ),
    Mutant(
        "a penalty that looks at reals alone", "losses/penalties.py",
        "mix * real + (1 - mix) * fake", "real", "tests/losses/test_penalties.py",
    ),
    Mutant(
        "an interval as if three seeds were many", "metrics/intervals.py",
        "(draws, max(1, size - 1))", "(draws, size)", "tests/metrics/test_intervals.py",
    ),
    Mutant(
        "spectral norm that changes where a critic begins", "nets/oagan.py",
        "layers, inside = [], channels", "layers, inside = [*torch.rand(int(norm == 'spectral'))][:0], channels",
        "tests/studies/test_ablation.py",
    ),
    Mutant(
        "differences to another seed of the parent", "studies/ablation/table.py",
        "mine[seed] - parents[seed] for seed in common", "mine[seed] - parents[common[0]] for seed in common",
        "tests/studies/test_ablation.py",
    ),
    Mutant(
        "a row that counts before its course is kept", "studies/ablation/table.py",
        'files.write_text(out / "course.jsonl", _jsonl(seen))',
        'files.write_text(out / "results.jsonl", _jsonl([dict(header), *kept]));'
        ' files.write_text(out / "course.jsonl", _jsonl(seen))',
        "tests/studies/test_ablation.py",
    ),
    Mutant("heads that turn the other way", "synth/view.py",
           "[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw)",
           "[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw)", "tests/synth/test_view.py"),
    Mutant("light from the other side", "synth/view.py",
           "np.array([np.sin(azimuth) *", "np.array([-np.sin(azimuth) *", "tests/synth/test_view.py"),
    Mutant("what is behind is seen", "synth/raster.py",
           "(near.astype(np.float64) * 2.0**40)", "((2.0**-9 - near.astype(np.float64)) * 2.0**40)",
           "tests/synth/test_raster.py"),
    Mutant("weights that are linear in the picture", "synth/raster.py",
           "planes[:, 2]) * inverse\n", "planes[:, 2]) * inverse.mean(0)\n", "tests/synth/test_raster.py"),
    Mutant("a mirror image that is looked at from the same side", "nets/warping.py",
           "[-flipped[:, :1], flipped", "[flipped[:, :1], flipped", "tests/nets/test_correspondence.py"),
    Mutant("a mirror image that is not mirrored", "nets/warping.py",
           "zip((maps, maps.flip(-1))", "zip((maps, maps)", "tests/nets/test_frontal.py"),
    Mutant("a copy of what is hidden", "nets/relighting.py",
           "decided(look.gate.float())", "decided(1 - look.gate.float())", "tests/nets/test_relighting.py"),
    Mutant("a loss on the picture that says what is seen", "nets/relighting.py",
           "share * view.detach()", "share * view", "tests/nets/test_relighting.py"),
    Mutant("what is unknown taught as unseen", "losses/matching.py",
           "known = (match != 0)", "known = (match == match)", "tests/losses/test_matching.py"),
    Mutant("edges of the head are copied", "synth/match.py",
           "return inside & inner & (away", "return inside & (away", "tests/synth/test_match.py"),
    Mutant("edges of a turned photograph are copied", "synth/photo.py",
           "9.0) & inner & head", "9.0) & head", "tests/synth/test_photo.py"),
    Mutant("another face network than the decoder knows", "studies/tasks.py",
           "if start is not None and cfg.face_told:", "if False:", "tests/studies/test_turning.py"),
    Mutant("borrowed eyes that nobody listens to", "nets/frontal.py",
           "maps[-1] = maps[-1] + seen[level]", "maps[-1] = maps[-1] + 0 * seen[level]", "tests/nets/test_frontal.py"),
    Mutant("a norm whose mean is off by bfloat16's rounding", "nets/instance_norm.py",
           "out = (centred - left).mul_(scale)", "out = centred * scale", "tests/nets/test_instance_norm.py"),
    Mutant("a norm's gradient that forgets the spread", "nets/instance_norm.py",
           ".addcmul_(out, _means(rows * out), value=-1)", "", "tests/nets/test_instance_norm.py"),
    Mutant("the translators swapped on the way back", "systems/vis2nir/passes.py",
           "ask(G.nir2vis, _grainy(there_nir, cfg, random))", "ask(G.nir2vis, nir)",
           "tests/systems/test_vis2nir.py"),
    Mutant("grain that does not reach the way back", "systems/vis2nir/passes.py",
           "    if not cfg.grain:\n", "    if True:\n", "tests/systems/test_vis2nir.py"),
    Mutant("all pixels asked back whatever was said", "systems/vis2nir/step.py",
           "aspect(made.vis_back, cfg.back), aspect(vis, cfg.back)", "made.vis_back, vis",
           "tests/systems/test_vis2nir.py"),
    Mutant("smooth light that counts as structure", "losses/similarity.py",
           "return (light - mean) / (square", "return light / (square", "tests/losses/test_losses.py"),
    Mutant("an infrared picture that need not come back whole", "systems/vis2nir/step.py",
           "apart(made.nir_back, nir)", "apart(aspect(made.nir_back, cfg.back), aspect(nir, cfg.back))",
           "tests/systems/test_vis2nir.py"),
    Mutant("a range without its weight", "systems/vis2nir/step.py",
           "cfg.lambda_range * made.beyond", "made.beyond", "tests/systems/test_vis2nir.py"),
    Mutant("a range that counts one pass of four", "systems/vis2nir/passes.py",
           "sum(beyond) if beyond", "beyond[0] if beyond", "tests/systems/test_vis2nir.py"),
    Mutant("a range with one end", "nets/cyclegan.py",
           "values.float().abs() - math", "values.float() - math", "tests/systems/test_vis2nir.py"),
    Mutant("a cycle held against the other domain", "systems/vis2nir/step.py",
           "apart(made.nir_back, nir)", "apart(made.nir_back, made.nir)", "tests/systems/test_vis2nir.py"),
    Mutant("a perceptual term that hears one direction", "systems/vis2nir/step.py",
           "net(together(made.vis_back, made.nir_back))", "net(together(made.vis_back, nir))",
           "tests/systems/test_vis2nir.py"),
    Mutant("a way back that equalises", "systems/vis2nir/model.py",
           '(G.nir2vis if start == "vis" else G.vis2nir)(there)',
           '(G.nir2vis if start == "vis" else G.vis2nir)(as_seen(there, model.cfg))', "tests/systems/test_vis2nir.py"),
    Mutant("crops whose eyes are astray go through unsaid", "studies/one_picture.py",
           "    if off <= ASTRAY:", "    if True:", "tests/studies/test_restoring.py"),
    Mutant("critics move with the translators", "systems/vis2nir/step.py",
           "model.D.requires_grad_(False)", "model.D.requires_grad_(True)", "tests/systems/test_vis2nir.py"),
    Mutant("the truth is looked at without a weight", "systems/vis2nir/step.py",
           "    if cfg.paired:\n", "    if True:\n", "tests/systems/test_vis2nir.py"),
    Mutant("equalised when trained and not when used", "systems/vis2nir/model.py",
           "return equalised(images) if cfg.equalise else images", "return images", "tests/systems/test_vis2nir.py"),
    Mutant("people in both heaps", "studies/infrared.py",
           "if part.identity(row) not in visible)", "if True)", "tests/studies/test_infrared.py"),
    Mutant("a truth that stays where the picture moves", "studies/infrared.py",
           "seen = _moved(torch.cat(seen, 1), random, cfg.view)",
           "seen = torch.cat([_moved(seen[0], random, cfg.view), *seen[1:]], 1)", "tests/studies/test_infrared.py"),
    Mutant("a pool that forgets what it is given", "train/pool.py",
           "            pool[place] = fake\n", "", "tests/train/test_pool.py"),
    Mutant("a translator that knows who is tested", "studies/added_nir.py",
           "    refuse_leaks(", "    (lambda *known: None)(", "tests/studies/test_added_nir.py"),
    Mutant("pictures are made from the first step on", "systems/frontalize/step.py",
           "progress < cfg.paint_from", "progress < 0", "tests/systems/test_frontalize.py"),
    Mutant("questions answered at the mirrored place", "losses/matching.py",
           "flow = pooled(match[:, :2] * weight)", "flow = pooled(match[:, :2].flip(-1) * weight)",
           "tests/nets/test_correspondence.py"),
    Mutant("a picture that finds itself", "losses/contrastive.py",
           "cosines.masked_fill(itself, -1e4)", "cosines", "tests/losses/test_contrastive.py"),
    Mutant("a critic that is shown the target", "systems/frontalize/step.py",
           'torch.cat([batch["side"], candidate], 1)', 'torch.cat([batch["front"], candidate], 1)',
           "tests/systems/test_frontalize.py"),
    Mutant("the front at another angle", "nets/frontal_cvae.py",
           "FRONT = 6", "FRONT = 5", "tests/nets/test_frontal.py"),
    Mutant("portraits framed too low", "faces/align.py",
           "inner - RAISED * side", "inner + RAISED * side", "tests/faces/test_align.py"),
    Mutant("grey on one side of a pair", "studies/turning.py",
           'for name in ("side", "front")}\n\n\ndef training', 'for name in ("side",)}\n\n\ndef training',
           "tests/studies/test_turning.py"),
    Mutant("a pair that shows somebody else", "studies/turning.py",
           "in (part.angles, part.who))", "in (part.angles, part.who[1:] + part.who[:1]))",
           "tests/studies/test_turning.py"),
    Mutant("photographs that turn the other way", "synth/photo.py",
           "x * np.cos(a) + z * np.sin(a), z * np.cos(a) - x * np.sin(a)",
           "x * np.cos(a) - z * np.sin(a), z * np.cos(a) + x * np.sin(a)", "tests/synth/test_photo.py"),
)  # fmt: skip


def copy_library(folder: Path) -> None:
    """A project in ``folder`` whose library may be broken; all else is linked."""
    shutil.copytree(REPO / "lib", folder / "lib", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("tests", "pyproject.toml", "Makefile", "README.md", "notebooks", "weights", "data_scripts", ".ci"):
        if (REPO / name).exists():
            (folder / name).symlink_to(REPO / name)


def run_tests(folder: Path, tests: str) -> int:
    """Exit code of pytest on the tests, with the copy of the library in front."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "lib"), "PYTHONDONTWRITEBYTECODE": "1"}
    environment["FACELAB_CACHE"] = str(folder / "cache")
    where = "import facelab, sys; sys.exit(not facelab.__file__.startswith(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", where, str(folder)], env=environment, check=True)
    words = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", str(REPO / tests)]
    return subprocess.run(words, env=environment, cwd=REPO, capture_output=True).returncode


def verdict(mutant: Mutant | None, tests: str) -> tuple[bool, str]:
    """Whether all is as it should be, and a word for it; without a mutant the tests must pass."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        folder = Path(name)
        copy_library(folder)
        if mutant:
            path = folder / "lib" / "facelab" / mutant.file
            source = path.read_text(encoding="utf-8")
            if mutant.old not in source:
                return False, "no longer applies: " + mutant.old.strip()
            path.write_text(source.replace(mutant.old, mutant.new, 1), encoding="utf-8")
        code = run_tests(folder, tests)
    if mutant:
        return code == 1, {0: "SURVIVED", 1: "caught"}.get(code, f"could not be judged (pytest said {code})")
    return code == 0, "pass" if code == 0 else f"FAIL WITHOUT A FAULT (pytest said {code})"


def main() -> int:
    """Print the table; 0 where every fault is caught, else 1."""
    wanted = [m for m in MUTANTS if not sys.argv[1:] or any(word in m.what + m.tests for word in sys.argv[1:])]
    good = True
    for tests in sorted({m.tests for m in wanted}):
        good &= report(f"({tests} as they are)", None, tests)
    for mutant in wanted:
        good &= report(mutant.what, mutant, mutant.tests)
    return 0 if good and wanted else 1


def report(what: str, mutant: Mutant | None, tests: str) -> bool:
    """One line of the table."""
    started = time.monotonic()
    fine, word = verdict(mutant, tests)
    print(f"{what:<44} {tests:<30} {time.monotonic() - started:5.0f} s  {word}", flush=True)
    return fine


if __name__ == "__main__":
    sys.exit(main())
