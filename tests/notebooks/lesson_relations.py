"""What each lesson's ``metrics.json`` must satisfy after a smoke run, each with numbers that would break it.

A relation without a counterexample could be true of anything, so it cannot be written down here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

# Every record says what was run on what.
KEYS = ("lesson", "profile", "data", "seed", "device", "seconds")


@dataclass(frozen=True)
class Relation:
    """A sentence, its test on the record, and a (partial) record for which it is false."""

    sentence: str
    holds: Callable[[dict], bool]
    counterexample: dict


ONE_PSNR = ("shift by 1 px", "noise", "light", "blur")


def _spread(record: dict, metric: str) -> float:
    values = [record["table"][name][metric] for name in ONE_PSNR]
    return max(values) - min(values)


SAME_PSNR = ("moved", "brighter", "blurred", "noise", "occluder left in")


def _apart(record: dict, metric: str) -> float:
    values = [record["attacks"][name][metric] for name in SAME_PSNR]
    return max(values) - min(values)


def _set_distance(row: dict) -> float:
    return row["frechet"] if "frechet" in row else row["frechet_few"]


def _gain(part: dict, row: str) -> float:
    return part["rows"][row]["psnr_gain"]["mean"]


def _mean(record: dict, row: str, metric: str) -> float:
    return record["rows"][row][metric]["mean"]


RELATIONS: dict[str, list[Relation]] = {
    "00_start_here": [
        Relation(
            "a picture survives the way to 8 bits and back within half a grey level",
            lambda m: 0 < m["round_trip_error"] <= 1 / 255 + 1e-6,
            {"round_trip_error": 2 / 255},
        ),
        Relation(
            "the shipped weights gain on their input, and a network that was never trained does not",
            lambda m: m["psnr_restored"] > m["psnr_input"] + 1 > m["psnr_untrained"] + 1,
            {"psnr_restored": 20.0, "psnr_input": 19.5, "psnr_untrained": 18.0},
        ),
    ],
    "01_faces_and_datasets": [
        Relation(
            "two of six files are damaged, and only two are rejected",
            lambda m: m["rejected"] == 2,
            {"rejected": 0},
        ),
        Relation(
            "the split by identity leaks nobody, every fifth picture leaks most, and a copier profits by it",
            lambda m: (
                m["leaks"]["by identity"] == 0 < 0.9 < m["leaks"]["every fifth picture"]
                and m["nearest_neighbour_psnr"]["every fifth picture"] > m["nearest_neighbour_psnr"]["by identity"] + 1
            ),
            {
                "leaks": {"by identity": 0.1, "every fifth picture": 1.0},
                "nearest_neighbour_psnr": {"by identity": 17.0, "every fifth picture": 20.0},
            },
        ),
        Relation(
            "shift, noise, light and blur have one PSNR, and not one SSIM",
            lambda m: _spread(m, "psnr") < 0.01 and _spread(m, "ssim") > 0.1,
            {"table": {name: {"psnr": 26.0, "ssim": 0.8} for name in ONE_PSNR}},
        ),
        Relation(
            "a mean face has a higher PSNR than another person's, and far less sharpness",
            lambda m: (
                m["table"]["mean face"]["psnr"] > m["table"]["another person"]["psnr"]
                and m["table"]["mean face"]["sharpness"] < 0.5 < m["table"]["another person"]["sharpness"]
            ),
            {"table": {"mean face": {"psnr": 12, "sharpness": 0.3}, "another person": {"psnr": 14, "sharpness": 1}}},
        ),
        Relation(
            "tiles add 0.168 dB to sixteen faces and 0.547 dB to thirty-two",
            lambda m: abs(m["grid_inflation"]["16"] - 0.168) < 0.001 and abs(m["grid_inflation"]["32"] - 0.547) < 0.001,
            {"grid_inflation": {"16": 0.0, "32": 0.0}},
        ),
        Relation(
            "alignment by the eyes makes the mean face crisper",
            lambda m: m["mean_face_sharper"] > 1.02,
            {"mean_face_sharper": 1.0},
        ),
    ],
    "02_occlusions": [
        Relation(
            "the hole of the course leaves half as much of an outline as the coverage would",
            lambda m: m["outline"]["h = 2a, at most 1"] == m["outline"]["h = a"] / 2 > 0,
            {"outline": {"h = a": 0.375, "h = 2a, at most 1": 0.375}},
        ),
        Relation(
            "only black squares are found by the rule that black is hidden",
            lambda m: m["rule_iou"]["squares"] > 0.9 > 0.5 > max(v for k, v in m["rule_iou"].items() if k != "squares"),
            {"rule_iou": {"squares": 1.0, "hand": 0.6}},
        ),
        Relation(
            "a perfect guess brings back squares exactly and nothing else",
            lambda m: [k for k, v in m["ceiling_db"].items() if v >= 60] == ["squares"],
            {"ceiling_db": {"squares": 60, "hand": 60, "cap": 30}},
        ),
        Relation(
            "each band of areas costs more PSNR than the one before, about as much as its area says",
            lambda m: (
                m["input_psnr"] == sorted(m["input_psnr"], reverse=True)
                and max(abs(a - b) for a, b in zip(m["input_psnr"], m["law_psnr"], strict=True)) < 1.6
            ),
            {"input_psnr": [22.0, 19.0], "law_psnr": [22.0, 21.0]},
        ),
        Relation(
            "a flipped hole never lowers PSNR, and leaves the inside of the hole as it was",
            lambda m: min(m["flip_gain_db"]) >= 0 and m["change_inside"]["right"] > 10 * m["change_inside"]["flipped"],
            {"flip_gain_db": [0.1], "change_inside": {"right": 0.1, "flipped": 0.1}},
        ),
    ],
    "03_gan_stability": [
        Relation(
            "a critic that is right is silent in the minimax game, and loud in the non-saturating one",
            lambda m: m["push_at_2"]["minimax"] < 0.01 < 1 < m["push_at_2"]["non-saturating"],
            {"push_at_2": {"minimax": 8.0, "non-saturating": 8.0}},
        ),
        Relation(
            "with R1 the duel comes home; clipped or with GP it circles, and without a leash it flies away",
            lambda m: (
                max(m["duels"]["WGAN, R1"], m["duels"]["non-saturating, R1"]) < 0.01
                and min(m["duels"][name] for name in ("WGAN, clip", "WGAN, GP", "WGAN, DRAGAN")) > 0.5
                and m["duels"]["WGAN"] > 5
            ),
            {"duels": {"WGAN, R1": 0.9, "non-saturating, R1": 0.9, "WGAN": 8.2}},
        ),
        Relation(
            "GP and DRAGAN set the slope to 1, spectral norm keeps it below, and no leash lets it grow",
            lambda m: (
                all(0.7 < m["table"][name]["slope_between"] < 1.4 for name in ("GP", "DRAGAN"))
                and all(m["table"][name]["slope_between"] < 1.01 for name in ("SN, WGAN", "SN, hinge"))
                and m["table"]["none"]["slope_between"] > 10
            ),
            {"table": {name: {"slope_between": 1.0} for name in ("GP", "DRAGAN", "SN, WGAN", "SN, hinge", "none")}},
        ),
        Relation(
            "a normed critic's slope grows as one over the contrast, a plain one's does not",
            lambda m: abs(m["faded"]["IN"] / 16 - 1) < 0.15 and m["faded"]["no norm"] < 1.5,
            {"faded": {"IN": 1.0, "no norm": 1.0}},
        ),
        Relation(
            "no critic is steeper than its convolutions' true norms allow, and spectral norm does not make those 1",
            lambda m: m["norms"]["measured"] <= m["norms"]["bound"] and m["norms"]["largest_layer"] > 1.1,
            {"norms": {"measured": 1.0, "bound": 1.0, "largest_layer": 1.0}},
        ),
        Relation(
            "beyond the heaps a normed critic's score hardly changes along a ray, and GP's falls off",
            lambda m: m["along_rays"]["IN"] < 0.5 * m["along_rays"]["GP"],
            {"along_rays": {"IN": 1.0, "GP": 1.0}},
        ),
        Relation(
            "in few steps GP's generator finds more heaps than those of the spectral critics, whatever the seed",
            lambda m: min(m["heaps"]["GP"]) > max(m["heaps"]["SN, WGAN"] + m["heaps"]["SN, hinge"]),
            {"heaps": {"GP": [4, 4, 1], "SN, WGAN": [1, 1, 1], "SN, hinge": [0, 0, 0]}},
        ),
        Relation(
            "a heavy penalty is obeyed, a light one is not, and a quicker critic steepens only where nothing holds it",
            lambda m: (
                abs(m["answers"]["GP, weight 100"]["slope"] - 1) < 0.3 < 1 < m["answers"]["GP, weight 0.01"]["slope"]
                and abs(m["answers"]["GP, twice the rate"]["slope"] - 1) < 0.4
                and m["answers"]["none, twice the rate"]["slope"] > 3 * m["answers"]["none"]["slope"]
            ),
            {
                "answers": {
                    name: {"slope": 1.0}
                    for name in (
                        "GP, weight 100",
                        "GP, weight 0.01",
                        "GP, twice the rate",
                        "none",
                        "none, twice the rate",
                    )
                }
            },
        ),
    ],
    "04_oagan": [
        Relation(
            "the finder learns first, then the painter joins, then the critic",
            lambda m: 1 == m["joined"]["hole"] < m["joined"]["hidden"] < m["joined"]["D"],
            {"joined": {"hole": 1, "hidden": 1, "D": 120}},
        ),
        Relation(
            "the losses fall",
            lambda m: all(last < first for first, last in m["losses"].values()),
            {"losses": {"hidden": [0.2, 0.1], "visible": [0.2, 0.2]}},
        ),
        Relation(
            "the trained network gains on its input, and on its untrained self, and finds more of the hole",
            lambda m: (
                _mean(m, "OA-GAN", "psnr_gain") > max(0.5, _mean(m, "untrained", "psnr_gain") + 1)
                and _mean(m, "OA-GAN", "iou") > _mean(m, "untrained", "iou")
            ),
            {"rows": {name: {"psnr_gain": {"mean": 0.6}, "iou": {"mean": 0.2}} for name in ("OA-GAN", "untrained")}},
        ),
        Relation(
            "the rows beside it are there: input, mean face, biharmonic",
            lambda m: {"input", "mean face in the true hole", "biharmonic in the true hole"} <= set(m["rows"]),
            {"rows": {"input": {}, "OA-GAN": {}}},
        ),
        Relation(
            "the step by hand is the library's",
            lambda m: m["by_hand"]["apart"] < 0.01 * m["by_hand"]["step"],
            {"by_hand": {"apart": 0.1, "step": 0.2}},
        ),
        Relation(
            "planes are continued better than the mean plane would, and their holes are lost without supervision",
            lambda m: (
                m["toy"]["OA-GAN"] > m["toy"]["mean plane in the true hole"] > m["toy"]["input"]
                and m["toy"]["iou"] > 0.5 > 0.3 > m["toy"]["iou_unsupervised"]
            ),
            {
                "toy": {
                    "OA-GAN": 30,
                    "mean plane in the true hole": 25,
                    "input": 20,
                    "iou": 0.7,
                    "iou_unsupervised": 0.7,
                },
            },
        ),
        Relation(
            "a flipped hole costs PSNR, down to the input's or below",
            lambda m: m["flipped_psnr"] < min(_mean(m, "OA-GAN", "psnr"), _mean(m, "input", "psnr") + 1),
            {"flipped_psnr": 24.0, "rows": {"OA-GAN": {"psnr": {"mean": 26.0}}, "input": {"psnr": {"mean": 20.0}}}},
        ),
        Relation(
            "told where the hole is the network gains more, on both exams",
            lambda m: all(part["told"] > part["finds"] for part in m["blame"].values()),
            {"blame": {"trained kinds": {"told": 5.0, "finds": 3.0}, "unseen kinds": {"told": 3.0, "finds": 3.0}}},
        ),
    ],
    "05_oagan_ablations": [
        Relation(
            "an interval over seeds and people holds the truth more often than one over the pictures of one seed",
            lambda m: m["hits"]["seeds and people"] > m["hits"]["one seed, pictures"] + 0.2,
            {"hits": {"seeds and people": 0.5, "one seed, pictures": 0.5}},
        ),
        Relation(
            "where seeds decide, six of them give fewer verdicts about nothing than three",
            lambda m: m["worth"]["6 seeds, scatter 2.0"][1] < m["worth"]["3 seeds, scatter 2.0"][1],
            {"worth": {"6 seeds, scatter 2.0": [0.9, 0.2], "3 seeds, scatter 2.0": [0.8, 0.2]}},
        ),
        Relation(
            "more slope is possible under spectral norm than it promises, and the WGAN loss alone uses most of it",
            lambda m: (
                all(row["possible"][-1] > 2 * row["promised"][-1] for row in m["alone"].values())
                and m["alone"]["SN"]["slope"][-1]
                > m["alone"]["SN + GP"]["slope"][-1]
                > m["alone"]["SN + hinge"]["slope"][-1]
            ),
            {
                "alone": {
                    name: {"possible": [3.0], "promised": [1.0], "slope": [1.0]}
                    for name in ("SN", "SN + GP", "SN + hinge")
                }
            },
        ),
        Relation(
            "a better finder beats the base for sure, and a critic as loud as released does not",
            lambda m: "eyes, enlarged" in m["winners"] and "loud" not in m["winners"],
            {"winners": ["loud"]},
        ),
        Relation(
            "the critic outshouts the truth where instance norm broke down, and not in the base",
            lambda m: all(
                m["loudest"][f"loud, DRAGAN + IN · {seed}"] > 1 > 2 * m["loudest"][f"base · {seed}"]
                for seed in m["seeds"]
            ),
            {"seeds": [0], "loudest": {"loud, DRAGAN + IN · 0": 0.3, "base · 0": 0.3}},
        ),
        Relation(
            "the small sweep of its own has all the rows that were asked for",
            lambda m: {"base", "no critic"} <= set(m["own"]),
            {"own": {"base": {}}},
        ),
        Relation(
            "the typo condemns one run more than the numbers that were printed",
            lambda m: len(m["condemned"]["typed"]) == len(m["condemned"]["printed"]) + 1,
            {"condemned": {"typed": ["DRAGAN + IN"], "printed": ["DRAGAN + IN"]}},
        ),
    ],
    "06_mask_removal": [
        Relation(
            "the step by hand, three optimisers and all, is the library's",
            lambda m: m["by_hand"]["apart"] < 0.01 * m["by_hand"]["step"],
            {"by_hand": {"apart": 0.1, "step": 0.2}},
        ),
        Relation(
            "maps ten times as large make squares a hundred times as large, and leave the relative loss alone",
            lambda m: (
                abs(m["features"]["square"][1] / m["features"]["square"][0] - 100) < 0.1
                and abs(m["features"]["relative"][1] - m["features"]["relative"][0]) < 0.002
            ),
            {"features": {"square": [1.0, 100.0], "relative": [1.0, 100.0]}},
        ),
        Relation(
            "curtains are continued better than the mean curtain would, and the noise on them is found",
            lambda m: m["toy"]["ours"] > m["toy"]["mean curtain in the true hole"] + 2 and m["toy"]["iou"] > 0.6,
            {"toy": {"ours": 21.0, "mean curtain in the true hole": 20.7, "iou": 0.9}},
        ),
        Relation(
            "the hole net learns first, then the editing net, then the critics in the published order; losses fall",
            lambda m: (
                1 == m["joined"]["hole"] < m["joined"]["l1"] < m["joined"]["D_whole"] < m["joined"]["D_region"]
                and all(last < first for first, last in m["losses"].values())
            ),
            {"joined": {"hole": 1, "l1": 46, "D_whole": 163, "D_region": 145}, "losses": {"l1": [2.0, 1.0]}},
        ),
        Relation(
            "trained, it gains on its input and on its untrained self, and finds the facemasks",
            lambda m: (
                _mean(m, "mask removal", "psnr_gain") > max(1.0, _mean(m, "untrained", "psnr_gain") + 2)
                and _mean(m, "mask removal", "iou") > 0.7 > _mean(m, "untrained", "iou")
            ),
            {
                "rows": {
                    name: {"psnr_gain": {"mean": 1.6}, "iou": {"mean": 0.5}} for name in ("mask removal", "untrained")
                }
            },
        ),
        Relation(
            "no wrong hole serves better than the right one, and half a hole least of all",
            lambda m: (
                m["wrong_hole"]["right"] >= max(m["wrong_hole"].values()) - 0.1
                and m["wrong_hole"]["half missing"] == min(m["wrong_hole"].values())
            ),
            {"wrong_hole": {"right": 5.0, "too large": 6.0, "half missing": 1.0}},
        ),
    ],
    "07_frontalization": [
        Relation(
            "the further a head is turned the less of its face is seen, and its mirror image always shows more",
            lambda m: (
                all(near >= far for near, far in itertools.pairwise(alone for alone, _ in m["seen"].values()))
                and all(alone <= both for alone, both in m["seen"].values())
                and m["seen"]["90°"][1] > m["seen"]["90°"][0] + 0.2
            ),
            {"seen": {"0°": [1.0, 1.0], "45°": [0.7, 0.9], "90°": [0.5, 0.5]}},
        ),
        Relation(
            "the detector finds faces from the front and no profiles",
            lambda m: m["found"]["0°"] > 0.9 > 0.1 > m["found"]["90°"],
            {"found": {"0°": 1.0, "90°": 0.5}},
        ),
        Relation(
            "a true flow copies together a picture nearer to the truth than the turned one is, and than the mean face",
            lambda m: m["copied"]["and mirrored"] > max(m["copied"]["side"] + 3, m["copied"]["mean face"]),
            {"copied": {"side": 12.0, "and mirrored": 14.0, "mean face": 13.0}},
        ),
        Relation(
            "the step by hand, critic, questions and all, is the library's",
            lambda m: m["by_hand"]["apart"] < 0.01 * m["by_hand"]["step"],
            {"by_hand": {"apart": 0.1, "step": 0.2}},
        ),
        Relation(
            "posters are carried back better where they may be fetched",
            lambda m: m["toy"]["fetched"] > m["toy"]["plain skips"] + 0.3 and m["toy"]["fetched"] > m["toy"]["turned"],
            {"toy": {"fetched": 16.0, "plain skips": 16.0, "turned": 12.0}},
        ),
        Relation(
            "the losses fall, those of the flow among them",
            lambda m: len(m["losses"]) == 4 and all(last < first for first, last in m["losses"].values()),
            {"losses": {"l1": [2.0, 1.0], "ssim": [2.0, 1.0], "match": [2.0, 1.0], "asked": [2.0, 2.1]}},
        ),
        Relation(
            "trained, it is nearer to the true picture than its input, and than its untrained self",
            lambda m: (
                _mean(m, "ours", "psnr") > _mean(m, "input", "psnr") + 2
                and _mean(m, "ours", "psnr") > _mean(m, "untrained", "psnr") + 2
            ),
            {"rows": {name: {"psnr": {"mean": 15.0}} for name in ("ours", "input", "untrained")}},
        ),
        Relation(
            "the rows beside it are there: input, mean face, and the source's four",
            lambda m: {"input", "mean face", "AE", "pix2pix", "DCGAN", "CVAE"} <= set(m["rows"]),
            {"rows": {"input": {}, "ours": {}}},
        ),
    ],
    "08_vis_to_nir": [
        Relation(
            "the room's lamps change nothing under the camera's own, and at 850 nm as much as in visible light",
            lambda m: (
                m["light"]["850 nm, own lamp"] < 0.001
                and m["light"]["850 nm, same lamps"] > 0.7 * m["light"]["visible"] > 0.03
            ),
            {"light": {"visible": 0.1, "850 nm, same lamps": 0.02, "850 nm, own lamp": 0.0}},
        ),
        Relation(
            "melanin takes most of the red light and little at 850 nm",
            lambda m: m["skin"]["red"] < 0.2 < 0.5 < m["skin"]["850 nm"],
            {"skin": {"red": 0.1, "850 nm": 0.4}},
        ),
        Relation(
            "nobody is in both heaps, nobody of them is held out, and no counterpart lies in the other heap",
            lambda m: len(m["heaps"]) == 3 and not any(m["heaps"].values()),
            {"heaps": {"in both": 0, "held out, too": 0, "counterparts": 1}},
        ),
        Relation(
            "aligned eyes are at one place, and equalising ranks brightness as the library does",
            lambda m: m["eyes"]["aligned"] < 0.001 < 0.02 < m["eyes"]["as they come"] and 0 <= m["equalised"] < 0.02,
            {"eyes": {"aligned": 0.03, "as they come": 0.03}, "equalised": 0.0},
        ),
        Relation(
            "structure asks nothing of colour and brightness, half of light from a side, and more of lines astray",
            lambda m: (
                m["charged"]["structure"]["without colour"] == m["charged"]["structure"]["brighter"] == 0
                and abs(m["charged"]["structure"]["lit from the side"] - 1 / 2) < 0.05
                and abs(m["charged"]["pixels"]["lit from the side"] - 5 / 6) < 0.05
                and m["charged"]["structure"]["moved by two pixels"] > 1 > m["charged"]["pixels"]["moved by two pixels"]
                and m["charged"]["luminance"]["without colour"] == 0 < 1 < m["charged"]["luminance"]["brighter"]
            ),
            {
                "charged": {
                    "pixels": {"lit from the side": 0.84, "moved by two pixels": 0.77},
                    "luminance": {"without colour": 0.0, "brighter": 1.09},
                    "structure": {
                        "without colour": 0.0, "brighter": 0.0, "lit from the side": 0.5, "moved by two pixels": 0.7,
                    },
                }
            },
        ),
        Relation(
            "structure charges half of what A charges for the right answer",
            lambda m: abs(m["price"]["1, structure"] - 0.12) < 0.006 and abs(m["price"]["3"] - 0.25) < 0.006,
            {"price": {"1, structure": 0.25, "3": 0.25}},
        ),
        Relation(
            "a saturated tanh lets no slope through: from far enough only the term for the range brings a pixel back",
            lambda m: (
                abs(m["through"]["2.09"] - 0.06) < 0.005 and m["through"]["9.5"] == 0
                and m["mended"]["-20, 0"] == -1
                and all(abs(m["mended"][way] + 0.5) < 0.03 for way in ("-5, 0", "-5, 1", "-20, 1"))
            ),
            {"through": {"2.09": 0.06, "9.5": 0}, "mended": {"-5, 0": -0.5, "-5, 1": -0.5, "-20, 0": -1, "-20, 1": -1}},
        ),
        Relation(
            "critics reach as far as they are named for, and with instance norm over the whole picture",
            lambda m: (
                all(m["reach"]["none"][side] == int(side) for side in ("1", "16", "34", "70"))
                and set(m["reach"]["instance"].values()) == {m["reach"]["none"]["0"]} == {128}
            ),
            {"reach": {"none": {"1": 1, "16": 16, "34": 34, "70": 71, "0": 128}, "instance": {"70": 128}}},
        ),
        Relation(
            "with batch norm the answer depends on the neighbour, with instance norm it does not",
            lambda m: m["neighbour"]["instance"] < 1e-4 < 0.01 < m["neighbour"]["batch"],
            {"neighbour": {"instance": 0.0, "batch": 0.0}},
        ),
        Relation(
            "a translator that changes begins near the luminance, one that paints anew does not",
            lambda m: m["fresh"]["changed"] > 0.3 + abs(m["fresh"]["painted anew"]),
            {"fresh": {"changed": 0.1, "painted anew": 0.0}},
        ),
        Relation(
            "the step by hand, pools and all, is the library's",
            lambda m: m["by_hand"]["apart"] < 0.01 * m["by_hand"]["step"],
            {"by_hand": {"apart": 0.1, "step": 0.2}},
        ),
        Relation(
            "discs become their negative, and of mosaics no loss knows whether they must",
            lambda m: (
                m["toy"]["discs"]["made"] > max(m["toy"]["discs"]["copied"], m["toy"]["mosaic"]["made"]) + 4
                and min(m["toy"]["mosaic"]["made"], m["toy"]["mosaic"]["negated"]) < 10 < m["toy"]["mosaic"]["back"]
            ),
            {"toy": {"discs": {"copied": 4.4, "made": 8.0}, "mosaic": {"made": 4.4, "negated": 28.0, "back": 27.0}}},
        ),
        Relation(
            "what comes back gets nearer, and the bound nearer to the truth",
            lambda m: len(m["losses"]) == 2 and all(last < 0.9 * first for first, last in m["losses"].values()),
            {"losses": {"cyc": [1.0, 0.3], "pixel, pix2pix": [39.0, 38.0]}},
        ),
        Relation(
            "trained, it is nearer to the truth than untrained; told the truth, far nearer than the input",
            lambda m: (
                _mean(m, "A", "psnr") > _mean(m, "untrained", "psnr") + 0.3
                and _mean(m, "pix2pix", "psnr") > max(_mean(m, "input", "psnr"), _mean(m, "untrained", "psnr")) + 2
            ),
            {"rows": {name: {"psnr": {"mean": 12.0}} for name in ("A", "untrained", "pix2pix", "input")}},
        ),
        Relation(
            "the rows beside it are there: input, mean face, untrained, and the bound",
            lambda m: {"input", "mean face", "untrained", "A", "pix2pix"} <= set(m["rows"]),
            {"rows": {"input": {}, "A": {}}},
        ),
        Relation(
            "the published cycle charges more for the right answer than the critic can pay, ours less",
            lambda m: m["price"]["10"] > 0.75 > m["price"]["3"] > 0,
            {"price": {"10": 0.5, "3": 0.15}},
        ),
        Relation(
            "all colours pass through three channels that look grey, and 8 bits stop them",
            lambda m: (
                m["hidden"]["seen"] < 0.02
                and m["hidden"]["back"] < 0.01 < 0.5 * m["hidden"]["grey"] < m["hidden"]["back, 8 bits"]
            ),
            {"hidden": {"seen": 0.01, "grey": 0.15, "back": 0.15, "back, 8 bits": 0.15}},
        ),
        Relation(
            "three histograms change the colours, one does not",
            lambda m: m["shift"]["each channel"] > 5 * m["shift"]["luminance alone"],
            {"shift": {"each channel": 0.1, "luminance alone": 0.1}},
        ),
        Relation(
            "a test picture's colour half is refused, and a translator that knows somebody of the test",
            lambda m: m["refused"] == ["a colour half", "a person"],
            {"refused": ["a person"]},
        ),
    ],
    "09_hog_inpainting": [
        Relation(
            "the HOG by hand and the library's are scikit-image's",
            lambda m: 0 < max(m["hog"].values()) < 1e-5,
            {"hog": {"by hand": 1e-7, "library": 1e-3}},
        ),
        Relation(
            "an emptied picture's own HOG draws the hole, and the guide that does not loses more than the hole covers",
            lambda m: m["false_edges"] > 0.2 and m["lost"]["cells"] > m["lost"]["pixels"],
            {"false_edges": 0.1, "lost": {"pixels": 0.3, "cells": 0.4}},
        ),
        Relation(
            "a smooth fill is far ahead of grey, and a painter that has learned nothing spoils it",
            lambda m: m["start"]["smooth"] > m["start"]["left"] + 5 and m["start"]["untrained"] < m["start"]["smooth"],
            {"start": {"left": 16.0, "smooth": 19.0, "untrained": 16.0}},
        ),
        Relation(
            "only a true guide knows how a coin fell",
            lambda m: (
                m["toy"]["differ"]["no guide"]
                == m["toy"]["differ"]["predicted"]
                == 0
                < m["toy"]["differ"]["true guide"]
            ),
            {"toy": {"differ": {"no guide": 0.0, "predicted": 0.1, "true guide": 0.2}}},
        ),
        Relation(
            "the step by hand, predictor, critic and painter, is the library's",
            lambda m: m["by_hand"]["apart"] < 0.01 * m["by_hand"]["step"],
            {"by_hand": {"apart": 0.1, "step": 0.2}},
        ),
        Relation(
            "the losses fall",
            lambda m: len(m["losses"]) == 3 and all(last < first for first, last in m["losses"].values()),
            {"losses": {"guide": [0.2, 0.1], "l1": [2.0, 1.0], "ssim": [2.0, 2.1]}},
        ),
        Relation(
            "the larger the hole, the worse, for everybody",
            lambda m: all(
                small > large
                for name in ("biharmonic", "no guide", "guide", "true guide")
                for small, large in itertools.pairwise(found[name] for found in m["buckets"].values())
            ),
            {
                "buckets": {
                    "a": dict.fromkeys(("biharmonic", "no guide", "guide", "true guide"), 20.0),
                    "b": dict.fromkeys(("biharmonic", "no guide", "guide", "true guide"), 21.0),
                }
            },
        ),
        Relation(
            "whoever has learned something is ahead of the mean face, and that of grey",
            lambda m: (
                _mean(m, "guide", "psnr") > _mean(m, "mean face in the true hole", "psnr") > _mean(m, "input", "psnr")
            ),
            {"rows": {name: {"psnr": {"mean": 20.0}} for name in ("guide", "mean face in the true hole", "input")}},
        ),
    ],
    "10_compare_and_judge": [
        Relation(
            "an edge blurred by a quarter has 9.03 dB more than one moved by a pixel",
            lambda m: abs(m["edge"]["blurred"] - m["edge"]["moved"] - 9.031) < 0.01,
            {"edge": {"moved": 21.07, "blurred": 12.04}},
        ),
        Relation(
            "four judges do not see what they cannot see",
            lambda m: len(m["blind"]) == 4 and max(m["blind"].values()) < 1e-3,
            {"blind": {"PSNR": 0.0, "SSIM": 0.0, "Fréchet": 0.2, "sharpness": 0.0}},
        ),
        Relation(
            "a hole that is told hides all that is changed; what is worn throws a shadow beside it, and has a ceiling",
            lambda m: (
                m["untouched"]["irregular hole"] == m["untouched"]["nothing"] == 1 > m["untouched"]["facemask"]
                and m["ceiling"]["facemask"] < 55 < m["ceiling"]["irregular hole"]
            ),
            {
                "untouched": {"irregular hole": 1.0, "nothing": 1.0, "facemask": 1.0},
                "ceiling": {"facemask": 50.0, "irregular hole": 60.0},
            },
        ),
        Relation(
            "attacks that leave each face the same PSNR have not one SSIM, and not one sharpness",
            lambda m: (
                min(m["reached"].values()) > 0.5
                and _apart(m, "psnr") < 1
                and m["attacks"]["brighter"]["ssim"] > m["attacks"]["noise"]["ssim"] + 0.3
                and m["attacks"]["blurred"]["sharpness"] < 0.5 < 1.5 < m["attacks"]["noise"]["sharpness"]
            ),
            {
                "reached": dict.fromkeys(SAME_PSNR, 1.0),
                "attacks": {name: {"psnr": 22.0, "ssim": 0.8, "sharpness": 1.0} for name in SAME_PSNR},
            },
        ),
        Relation(
            "nobody's face has more PSNR than a stranger's, whose set is at no distance at all",
            lambda m: (
                m["attacks"]["mean face"]["psnr"] > m["attacks"]["somebody else"]["psnr"]
                and _set_distance(m["attacks"]["somebody else"]) < 1e-3 < _set_distance(m["attacks"]["mean face"])
                and m["attacks"]["somebody else"].get("identity", 1) > m["attacks"]["moved"].get("identity", 0) + 0.2
            ),
            {
                "attacks": {
                    "mean face": {"psnr": 17.0, "frechet_few": 400.0},
                    "somebody else": {"psnr": 13.0, "frechet_few": 80.0, "identity": 0.7},
                    "moved": {"identity": 0.1},
                }
            },
        ),
        Relation(
            "real faces are far from real faces, the farthest where they are fewest",
            lambda m: (
                len(m["bias"]) > 2
                and max(m["bias"].values()) == m["bias"][min(m["bias"], key=int)]
                and min(m["bias"].values()) > 1
            ),  # fmt: skip
            {"bias": {"4": 0.0, "8": 0.0, "16": 0.0}},
        ),
        Relation(
            "two nets' Fréchet distances agree; PSNR and sharpness do in one sweep and have no relation in the largest",
            lambda m: (
                min(
                    found["frechet | frechet_second"]
                    for found in m["tau"].values()
                    if "frechet | frechet_second" in found
                )
                > 0.6
                and m["tau"]["09_lfw"]["psnr_hole | sharpness"] > 0.5
                and abs(m["tau"]["05_orl"]["psnr_hole | sharpness"]) < 0.2
            ),
            {
                "tau": {
                    "09_lfw": {"frechet | frechet_second": 1.0, "psnr_hole | sharpness": 0.9},
                    "05_orl": {"psnr_hole | sharpness": 0.4},
                }
            },
        ),
        Relation(
            "of three pairs of twins L1 alone has the PSNR, and all terms the sharpness and the Fréchet distance",
            lambda m: (
                len(m["twins"]) == 3
                and all(
                    l1["psnr"] > whole["psnr"]
                    and l1["sharpness"] < whole["sharpness"]
                    and l1["frechet"] > whole["frechet"]
                    for l1, whole in m["twins"].values()
                )
            ),  # fmt: skip
            {"twins": dict.fromkeys("abc", [{"psnr": 27.0, "sharpness": 0.5, "frechet": 20.0}] * 2)},
        ),
        Relation(
            "one file has 19 dB between its exams",
            lambda m: m["exams"]["hog_inpaint"][1] - m["exams"]["hog_inpaint"][0] > 15,
            {"exams": {"hog_inpaint": [27.0, 29.0]}},
        ),
        Relation(
            "all error is in the hole, and half a hole is 3.01 dB",
            lambda m: m["area"]["apart"] < 1e-3 and abs(m["area"]["halved"] - 3.0103) < 1e-3,
            {"area": {"apart": 0.5, "halved": 3.01}},
        ),
        Relation(
            "whose job it is gains on the input, and a stranger's pixels score less than the told painter",
            lambda m: (
                len(m["protocol"]) == 3
                and all(
                    found["rows"][name]["psnr_gain"]["mean"] > 0
                    for found in m["protocol"].values()
                    for name in m["systems"]
                    if name in found["rows"]
                )
                and all(
                    _gain(found, "hog_inpaint") > _gain(found, "somebody else in the hole")
                    for found in m["protocol"].values()
                )
            ),  # fmt: skip
            {
                "systems": ["hog_inpaint"],
                "protocol": dict.fromkeys(
                    "abc",
                    {"rows": dict.fromkeys(("hog_inpaint", "somebody else in the hole"), {"psnr_gain": {"mean": 1.0}})},
                ),
            },  # fmt: skip
        ),
        Relation(
            "a difference face by face has the shorter interval",
            lambda m: (
                m["paired"]["low"] <= m["paired"]["mean"] <= m["paired"]["high"]
                and m["paired"]["width"] < m["paired"]["width, unpaired"]
            ),  # fmt: skip
            {"paired": {"low": -1.0, "mean": 0.0, "high": 1.0, "width": 2.0, "width, unpaired": 1.5}},
        ),
        Relation(
            "to photographs as they are who is told nothing and who finds no mask do nothing, OA-GAN a little; a new "
            "picture is judged by identity alone",
            lambda m: (
                m["harm"]["hog_inpaint"]["changed"] == m["harm"]["mask_removal"]["changed"] == 0
                and 0 < m["harm"]["oagan"]["changed"] < 0.1
                and "changed" not in m["harm"]["frontalize"]
                and (m["harm"]["frontalize"]["identity"] > m["harm"]["oagan"]["identity"] if m["identity"] else True)
                and list(m["most changed"].values()) == sorted(m["most changed"].values(), reverse=True)
                and next(iter(m["most changed"].values())) >= m["harm"]["oagan"]["changed"]
            ),
            {
                "identity": True,
                "harm": {
                    "hog_inpaint": {"changed": 0.0},
                    "mask_removal": {"changed": 0.0},
                    "oagan": {"changed": 0.02, "identity": 0.4},
                    "frontalize": {"identity": 0.3},
                },
                "most changed": {"3": 0.05, "1": 0.04},
            },
        ),
        Relation(
            "somebody else's lower face is recognised less than the mask, and no system was shown to be more",
            lambda m: (
                not m["identity"]
                or (
                    m["recognised"]["somebody else in the hole"]["share"] < m["recognised"]["input"]["share"]
                    and all(
                        m["recognised"][name]["input"]["low"] <= 0 for name in m["systems"] if name in m["recognised"]
                    )
                )
            ),
            {
                "identity": True,
                "systems": ["oagan"],
                "recognised": {
                    "input": {"share": 0.8},
                    "somebody else in the hole": {"share": 0.3},
                    "oagan": {"share": 0.95, "input": {"mean": 0.15, "low": 0.05, "high": 0.25}},
                },
            },
        ),
        Relation(
            "only [0, 1] with range 1 calls two near greys alike and a facemask not; 255 calls everything equal",
            lambda m: (
                m["ssim"]["two greys"]["[0, 1], range 1"] > 0.9
                and m["ssim"]["two greys"]["[-1, 1], range 2"] < -0.9
                and min(found["[0, 1], range 255"] for found in m["ssim"].values()) > 0.98
                and m["ssim"]["facemasks"]["[0, 1], range 1"] < 0.9
            ),
            {
                "ssim": {
                    name: {"[0, 1], range 1": 0.95, "[-1, 1], range 2": 0.9, "[0, 1], range 255": 0.99}
                    for name in ("two greys", "facemasks")
                }
            },
        ),
        Relation(
            "an average of averages depends on the order of files",
            lambda m: (
                len({round(value, 2) for value in m["averages"].values()}) == 3
                and abs(m["averages"]["of pictures"] - 28.889) < 0.01
            ),  # fmt: skip
            {"averages": {"of pictures": 28.889, "of batches": 28.889, "of batches, turned round": 28.889}},
        ),
        Relation(
            "the best of four is further from the mean than its interval reaches, and one of one is the mean",
            lambda m: (
                m["best_of"]["4"] - m["best_of"]["all"] > m["best_of"]["half width"] > 0
                and abs(m["best_of"]["1"] - m["best_of"]["all"]) < 0.3
            ),
            {"best_of": {"1": 6.0, "4": 6.8, "all": 6.0, "half width": 1.0}},
        ),
        Relation(
            "three seeds of one exam promise more than they hold, and drawing people, too, keeps more of it",
            lambda m: m["hits"]["t over three seeds"] < 0.8 < m["hits"]["people and seeds"],
            {"hits": {"t over three seeds": 0.95, "people and seeds": 0.95}},
        ),
        Relation(
            "two truths behind one mask get one answer, and from one of them it is at least half the way; a mask that "
            "leaks gets two",
            lambda m: (
                m["truths"]["answers apart"] == 0
                and m["truths"]["leaking"] > 0.01
                and m["truths"]["worse"] <= m["truths"]["bound"]
                and abs(m["truths"]["bound"] - m["truths"]["between"] - 6.0206) < 1e-2
            ),  # fmt: skip
            {"truths": {"answers apart": 0.0, "leaking": 0.0, "worse": 21.0, "bound": 27.02, "between": 21.0}},
        ),
    ],
    "11_demo": [
        Relation(
            "what is no photograph, too large or empty is told so",
            lambda m: (
                "PDF" in m["said"]["a PDF named .jpg"]
                and "megapixels" in m["said"]["31 megapixels"]
                and "empty" in m["said"]["an empty file"]
            ),
            {"said": {"a PDF named .jpg": "read", "31 megapixels": "megapixels", "an empty file": "empty"}},
        ),
        Relation("there is something to do", lambda m: len(m["actions"]) > 0, {"actions": []}),
    ],
}
