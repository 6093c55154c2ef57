"""VIS → NIR: who moves when, what each term says, what the truth may touch, what is refused."""

import dataclasses
import math

import pytest
import torch

from facelab.errors import BadConfig, BadWeights
from facelab.faces.equalise import equalised
from facelab.images import to_channels
from facelab.losses.similarity import ASPECTS, structure
from facelab.nets.blocks import parameter_count
from facelab.nets.cyclegan import NEARLY, beyond_range
from facelab.seeding import generator, seed_all
from facelab.studies.ablation import variants
from facelab.studies.ablation.nir_variants import BASE, VARIANTS
from facelab.systems import vis2nir
from facelab.systems.vis2nir.step import _set_rates
from facelab.train.engine import Engine
from facelab.train.state import State
from facelab.train.weights import write_weights

TINY = vis2nir.Config(
    size=32, width=8, blocks=1, critic_width=4, reach=16, feature_net="none", lambda_perceptual=0.0, batch=4, steps=100,
    pool=3, ema=0.9, equalise=False, lambda_cyc=10.0, lambda_identity_mapping=5.0, change=False, norm="instance",
    back="pixels", lambda_range=0.0,
)  # fmt: skip
KINDS = {
    "cyclegan": {},
    "no identity mapping": {"lambda_identity_mapping": 0.0},
    "told": {"lambda_pixel": 10.0},
    "pix2pix": {"model": "pix2pix", "lambda_pixel": 100.0},
    "whole pictures": {"reach": 0},
    "batch norm": {"norm": "batch", "critic_norm": "batch", "up": "transposed"},
}


def of(name, **changes):
    return dataclasses.replace(TINY, **KINDS[name], **changes)


def make(cfg, step=0):
    seed_all(0)
    model = vis2nir.build(cfg)
    return model, vis2nir.optimizers(model, cfg), State(step, cfg.steps, generator(0, "t"), cfg)


def batch_of(cfg, count=4, seed=1):
    random = generator(seed, "batch")
    rough = torch.rand(count, 3, 8, 8, generator=random) * 2 - 1
    vis = torch.nn.functional.interpolate(rough, (cfg.size, cfg.size), mode="bicubic").clamp(-1, 1)
    truth = -to_channels(vis, 1)
    return {"vis": to_channels(vis, cfg.channels), "nir": truth.flip(-1), "truth": truth}


def weights(net):
    return {name: value.clone() for name, value in net.state_dict().items()}


def changed(before, net):
    return any(not torch.equal(value, net.state_dict()[name]) for name, value in before.items())


@pytest.mark.parametrize("name", KINDS)
def test_a_step_moves_every_net_and_names_its_terms(name):
    cfg = of(name)
    model, opts, state = make(cfg)
    nets = {"vis2nir": model.G.vis2nir, "nir2vis": model.G.nir2vis} | {f"D_{k}": net for k, net in model.D.items()}
    before = {key: weights(net) for key, net in nets.items() if net is not None}
    logs = vis2nir.train_step(batch_of(cfg), model, opts, state, Engine())
    assert all(changed(was, nets[key]) for key, was in before.items())
    wanted = {"adv_nir", "D_nir", "real_nir"}
    if cfg.model == "cyclegan":
        wanted |= {"adv_vis", "D_vis", "real_vis", "cyc"}
        wanted |= {"identity_mapping"} if cfg.lambda_identity_mapping else set()
    assert set(logs) == wanted | ({"pixel"} if cfg.paired else set())


def test_each_half_leaves_the_other_alone():
    model, opts, state = make(TINY)
    batch, engine = batch_of(TINY), Engine()
    made = vis2nir.translated(model.G, batch, TINY)
    terms = vis2nir.adversarial_terms(made, model, TINY, engine) | vis2nir.cycle_terms(batch, made, model, TINY, engine)
    critics, gradients = weights(model.D), lambda net: [p.grad for p in net.parameters() if p.grad is not None]
    vis2nir.generator_step(terms, model, opts["G"], state, engine)
    assert not changed(critics, model.D) and not gradients(model.D)
    assert all(p.requires_grad for p in model.D.parameters())
    translators = weights(model.G)
    vis2nir.critic_step(batch, made, model, opts["D"], state, engine)
    assert not changed(translators, model.G) and changed(critics, model.D)


def test_terms_are_what_the_paper_says():
    """By hand, one picture after the other, on the plain equations."""
    cfg = dataclasses.replace(TINY, loss="lsgan")
    model, _, _ = make(cfg)
    batch, engine = batch_of(cfg), Engine()
    x, y = batch["vis"], batch["nir"]
    made = vis2nir.translated(model.G, batch, cfg)
    G, F = model.G.vis2nir, model.G.nir2vis
    l1 = lambda a, b: (a - b).abs().mean()  # noqa: E731
    cyc = 10 * (l1(F(G(x)), x) + l1(G(F(y)), y))
    same = 5 * (l1(G(y.expand(-1, 3, -1, -1)), y) + l1(F(to_channels(x, 1)), x))
    adv = ((model.D["nir"](G(x)) - 1) ** 2).mean(), ((model.D["vis"](F(y)) - 1) ** 2).mean()
    terms = vis2nir.cycle_terms(batch, made, model, cfg, engine) | vis2nir.adversarial_terms(made, model, cfg, engine)
    for name, value in {"cyc": cyc, "identity_mapping": same, "adv_nir": adv[0], "adv_vis": adv[1]}.items():
        torch.testing.assert_close(terms[name], value, atol=1e-5, rtol=1e-4)
    assert not torch.isclose(terms["cyc"], 10 * (l1(F(G(x)), x) + l1(G(F(y)), x[:, :1])), atol=1e-3)


@pytest.mark.parametrize("what", ASPECTS)
def test_no_more_of_a_visible_picture_has_to_come_back_than_is_asked_for(what):
    """By hand: colour is free without pixels, smooth light without luminance; an infrared picture comes back whole."""
    cfg = dataclasses.replace(TINY, back=what, lambda_identity_mapping=0.0)
    model, _, _ = make(cfg)
    batch = {name: 0.5 * pictures for name, pictures in batch_of(cfg).items()}
    x, y = batch["vis"], batch["nir"]
    cyc = lambda **back: vis2nir.cycle_terms(batch, right._replace(**back), model, cfg, Engine())["cyc"].item()  # noqa: E731
    right = vis2nir.Translated(y, x, vis_back=x, nir_back=y)
    assert cyc() == 0
    tinted = x + 0.4 * torch.tensor([0.587, -0.299, 0.0]).view(1, 3, 1, 1)
    lit = x + torch.linspace(-0.3, 0.3, cfg.size)
    assert (cyc(vis_back=tinted) > 0.5) == (what == "pixels")
    assert (cyc(vis_back=lit) > 1.2) == (what != "structure")
    assert cyc(vis_back=x.flip(-1)) > 1.2
    for other in (y + 0.2, y.flip(-1)):
        assert cyc(nir_back=other) == pytest.approx(10 * (other - y).abs().mean().item(), rel=1e-5)
    seen = {"pixels": x, "luminance": to_channels(x, 1), "structure": structure(x)}[what]
    away = {"pixels": x.flip(-2), "luminance": to_channels(x.flip(-2), 1), "structure": structure(x.flip(-2))}[what]
    assert cyc(vis_back=x.flip(-2)) == pytest.approx(10 * (away - seen).abs().mean().item(), rel=1e-5)


@pytest.mark.parametrize("name", ["cyclegan", "no identity mapping", "pix2pix"])
def test_what_saturates_a_tanh_is_brought_back(name):
    """The term by hand; it alone reaches a pixel that has gone beyond."""
    cfg = dataclasses.replace(of(name), lambda_range=2.0, change=True, ema=0.0)
    model, opts, state = make(cfg)
    batch, G = batch_of(cfg), model.G
    heard = []
    for net in filter(None, (G.vis2nir, G.nir2vis)):
        with torch.no_grad():
            net.body[-1].bias.fill_(-40.0)
        net.body.register_forward_hook(lambda net, args, out: heard.append((args[0], out)))
    made = vis2nir.translated(G, batch, cfg)
    raw = [out + torch.atanh(NEARLY * to_channels(shown, out.shape[1])) for shown, out in heard]
    far = [one.abs() - math.atanh(NEARLY) for one in raw]
    assert len(far) == {"pix2pix": 1}.get(name, 4)
    torch.testing.assert_close(made.beyond, sum(part.clamp_min(0).mean() for part in far), rtol=1e-4, atol=1e-4)
    assert made.nir.max() < -0.999, "driven to black"
    bias = G.vis2nir.body[-1].bias
    none, = torch.autograd.grad(made.nir.mean(), bias, retain_graph=True)
    found, = torch.autograd.grad(made.beyond, bias, retain_graph=True)
    assert none.abs().max() < 1e-6 and found.item() < -0.5, "down the gradient the pixel grows lighter"
    before = bias.item()
    logs = vis2nir.train_step(batch, model, opts, state, Engine())
    assert logs["range"] == pytest.approx(2 * made.beyond.item(), rel=1e-3) and bias.item() > before


def test_a_picture_that_is_left_as_it_is_saturates_nothing_and_without_a_weight_nothing_is_measured():
    ends = torch.tensor([-1.0, -0.3, 1.0])
    assert beyond_range(torch.atanh(NEARLY * ends)).item() == pytest.approx(0, abs=1e-6)
    assert beyond_range(torch.tensor([-5.0, 5.0])).item() == pytest.approx(5 - math.atanh(NEARLY), rel=1e-5)
    model, opts, state = make(TINY)
    batch = batch_of(TINY)
    assert vis2nir.translated(model.G, batch, TINY).beyond is None
    assert "range" not in vis2nir.train_step(batch, model, opts, state, Engine())
    near = vis2nir.translated(model.G, batch, dataclasses.replace(TINY, lambda_range=1.0))
    for one, other in zip(vis2nir.translated(model.G, batch, TINY)[:-1], near[:-1], strict=True):
        assert torch.equal(one, other), "measuring changes no picture"


def test_grain_lies_over_what_goes_back_and_over_nothing_else():
    cfg, draws = dataclasses.replace(TINY, grain=0.1), lambda: torch.Generator().manual_seed(3)
    model, _, _ = make(cfg)
    batch, again = batch_of(cfg), draws()
    plain, made = vis2nir.translated(model.G, batch, TINY), vis2nir.translated(model.G, batch, cfg, draws())
    assert torch.equal(plain.nir, made.nir) and torch.equal(plain.vis, made.vis)
    wanted = [net((there + 0.1 * torch.randn(there.shape, generator=again)).clamp(-1, 1))
              for net, there in ((model.G.nir2vis, made.nir), (model.G.vis2nir, made.vis))]  # fmt: skip
    torch.testing.assert_close(made.vis_back, wanted[0])
    torch.testing.assert_close(made.nir_back, wanted[1])
    assert not torch.allclose(plain.vis_back, made.vis_back, atol=1e-4)
    with pytest.raises(BadConfig, match="grain"):
        dataclasses.replace(TINY, grain=-0.1)


def test_grain_never_leaves_the_range_in_which_a_picture_can_be_changed():
    cfg = dataclasses.replace(TINY, grain=0.5, change=True)
    model, _, _ = make(cfg)
    bright = {name: torch.ones_like(pictures) for name, pictures in batch_of(cfg).items()}
    made = vis2nir.translated(model.G, bright, cfg)
    assert made.vis_back.isfinite().all() and made.nir_back.isfinite().all()


def test_without_grain_nothing_is_drawn_for_it():
    for grain in (0.0, 0.1):
        cfg = dataclasses.replace(TINY, pool=0, grain=grain)
        model, opts, state = make(cfg)
        before = state.generator.get_state()
        vis2nir.train_step(batch_of(cfg), model, opts, state, Engine())
        assert torch.equal(state.generator.get_state(), before) == (grain == 0)


def test_the_perceptual_term_is_what_comes_back_to_either_domain():
    """By hand, one direction after the other, from a feature net of our own."""
    cfg = dataclasses.replace(TINY, lambda_perceptual=0.7, feature_net="resnet34-random")
    model, opts, state = make(cfg)
    net, batch, engine = model.features[0], batch_of(cfg), Engine()
    made = vis2nir.translated(model.G, batch, cfg)
    term = vis2nir.cycle_terms(batch, made, model, cfg, engine)["perceptual"]
    ends = [(made.vis_back, batch["vis"]), (to_channels(made.nir_back, 3), to_channels(batch["nir"], 3))]
    maps = [[net(picture) for picture in pair] for pair in ends]
    stages = range(len(maps[0][0]))
    both = lambda k, side: torch.cat([pair[side][k] for pair in maps])  # noqa: E731
    relative = sum(((both(k, 0) - both(k, 1)) ** 2).mean() / (both(k, 1) ** 2).mean() for k in stages)
    torch.testing.assert_close(term, 0.7 * relative, atol=1e-5, rtol=1e-3)
    for change in ({"vis_back": batch["vis"]}, {"nir_back": batch["nir"]}):
        other = vis2nir.cycle_terms(batch, made._replace(**change), model, cfg, engine)["perceptual"]
        assert other < 0.95 * term, f"{change.keys()} must count"
    same = made._replace(vis_back=batch["vis"], nir_back=batch["nir"])
    assert vis2nir.cycle_terms(batch, same, model, cfg, engine)["perceptual"].item() == pytest.approx(0, abs=1e-6)
    before = weights(net)
    reached = torch.autograd.grad(term, list(model.G.parameters()), retain_graph=True, allow_unused=True)
    assert all(slope is not None for slope in reached), "the term speaks to both translators"
    logs = vis2nir.train_step(batch, model, opts, state, engine)
    assert logs["perceptual"] > 0 and not changed(before, net) and all(p.grad is None for p in net.parameters())


def test_the_feature_net_is_neither_saved_nor_trained():
    with_it, without = (make(dataclasses.replace(TINY, **more))[0] for more in (
        {"lambda_perceptual": 0.7, "feature_net": "resnet34-random"}, {}))  # fmt: skip
    assert len(with_it.features) == 1 and not without.features
    assert set(with_it.state_dict()) == set(without.state_dict())
    assert parameter_count(with_it) == parameter_count(without)


@pytest.mark.parametrize("name", ["cyclegan", "no identity mapping"])
def test_the_truth_is_never_looked_at_without_a_weight(name):
    cfg, ends = of(name), []
    for truth in (0.0, 1.0, None):
        model, opts, state = make(cfg)
        batch = batch_of(cfg)
        batch.pop("truth") if truth is None else batch["truth"].fill_(truth)
        for _ in range(2):
            vis2nir.train_step(batch, model, opts, state, Engine())
        ends.append(weights(model))
    assert all(torch.equal(ends[0][key], other[key]) for other in ends[1:] for key in ends[0])


def test_one_batch_is_learned_by_heart():
    cfg = of("pix2pix", lambda_adv=0.0, learning_rate=3e-3, ema=0.0)
    model, opts, state = make(cfg)
    batch = batch_of(cfg)
    first = vis2nir.train_step(batch, model, opts, state, Engine())["pixel"]
    for _ in range(60):
        last = vis2nir.train_step(batch, model, opts, state, Engine())["pixel"]
    assert last < 0.35 * first


def test_a_cycle_of_one_batch_comes_back():
    cfg = of("no identity mapping", lambda_adv=0.0, learning_rate=3e-3, ema=0.0)
    model, opts, state = make(cfg)
    batch = batch_of(cfg)
    first = vis2nir.train_step(batch, model, opts, state, Engine())["cyc"]
    for _ in range(60):
        last = vis2nir.train_step(batch, model, opts, state, Engine())["cyc"]
    assert last < 0.5 * first


def test_rates_fall_on_a_straight_line_from_half_way():
    model, opts, _ = make(TINY)
    for progress, share in ((0.0, 1.0), (0.5, 1.0), (0.75, 0.5), (1.0, 0.0)):
        _set_rates(opts, TINY, progress)
        assert opts["G"].param_groups[0]["lr"] == pytest.approx(TINY.learning_rate * share)
        assert opts["D"].param_groups[0]["lr"] == pytest.approx(TINY.critic_learning_rate * share)


def test_pools_are_kept_in_the_state_one_a_domain():
    model, opts, state = make(TINY)
    vis2nir.train_step(batch_of(TINY), model, opts, state, Engine())
    assert {name: tuple(pool.shape) for name, pool in state.tensors.items()} == {
        "pool_nir": (3, 1, 32, 32), "pool_vis": (3, 3, 32, 32),
    }  # fmt: skip


# ------------------------------------------------------------------------------------------- afterwards
def test_restore_gives_one_channel_and_equalises_where_it_learned_so():
    model, _, _ = make(TINY)
    images = batch_of(TINY)["vis"] * 0.3 - 0.5
    out = vis2nir.restore(model, images)
    assert out.image.shape == (4, 1, 32, 32) and out.hole is None and torch.equal(out.image, out.raw)
    assert out.image.abs().max() <= 1 and model.G.training
    model.cfg = dataclasses.replace(TINY, equalise=True)
    other = vis2nir.restore(model, images)
    assert not torch.allclose(out.image, other.image)
    model.cfg = TINY
    torch.testing.assert_close(vis2nir.restore(model, equalised(images)).image, other.image)


def test_no_answer_depends_on_who_else_is_in_the_batch():
    model, opts, state = make(of("batch norm"))
    vis2nir.train_step(batch_of(TINY), model, opts, state, Engine())
    images = batch_of(TINY)["vis"]
    alone = torch.cat([vis2nir.restore(model, one).image for one in images.split(1)])
    torch.testing.assert_close(vis2nir.restore(model, images).image, alone, atol=1e-5, rtol=1e-4)


def test_the_way_back_alone_is_the_second_half_and_equalises_nothing():
    model, _, _ = make(of("cyclegan", ema=0.0, norm="batch", equalise=True))
    batch = batch_of(TINY)
    batch["vis"] = batch["vis"] * 0.3 - 0.5
    for start in ("vis", "nir"):
        _, there, back = vis2nir.there_and_back(model, batch[start], start)
        assert torch.equal(vis2nir.lead_back(model, there, start), back) and model.G.training
    alone = vis2nir.lead_back(model, batch["vis"], "nir")
    assert alone.shape == (4, 1, 32, 32) and not torch.allclose(alone, vis2nir.restore(model, batch["vis"]).image)
    torch.testing.assert_close(alone[:1], vis2nir.lead_back(model, batch["vis"][:1], "nir"), atol=1e-5, rtol=1e-4)
    for wrong in ((batch["vis"], "vis"), (batch["nir"], "nir"), (batch["nir"], "ir")):
        with pytest.raises(BadConfig):
            vis2nir.lead_back(model, *wrong)
    with pytest.raises(BadConfig, match="back"):
        vis2nir.lead_back(make(of("pix2pix"))[0], batch["nir"])


def test_there_and_back():
    model, _, _ = make(of("cyclegan", ema=0.0))
    batch = batch_of(TINY)
    start, there, back = vis2nir.there_and_back(model, batch["vis"])
    assert (start.shape[1], there.shape[1], back.shape[1]) == (3, 1, 3)
    torch.testing.assert_close(there, vis2nir.restore(model, batch["vis"]).image)
    torch.testing.assert_close(back, model.G.nir2vis(there))
    start, there, back = vis2nir.there_and_back(model, batch["nir"], "nir")
    assert (start.shape[1], there.shape[1], back.shape[1]) == (1, 3, 1)
    with pytest.raises(BadConfig, match="vis or nir"):
        vis2nir.there_and_back(model, batch["vis"], "ir")
    with pytest.raises(BadConfig, match="back"):
        vis2nir.there_and_back(make(of("pix2pix"))[0], batch["vis"])


@pytest.mark.parametrize("shape", [(1, 1, 32, 32), (1, 3, 30, 32), (3, 32, 32)])
def test_pictures_that_do_not_fit_are_refused(shape):
    with pytest.raises(BadConfig, match="divisible by 4"):
        vis2nir.restore(make(TINY)[0], torch.zeros(shape))


@pytest.mark.parametrize("name", ["cyclegan", "pix2pix"])
def test_weights_come_back(name, tmp_path):
    cfg = of(name)
    model, _, _ = make(cfg)
    path = write_weights(
        tmp_path / "w.safetensors", {"G": model.best_generator()}, {"system": "vis2nir", "config": vars(cfg)}
    )
    again, read = vis2nir.load(path)
    assert read == cfg
    images = batch_of(cfg)["vis"]
    torch.testing.assert_close(vis2nir.restore(again, images).image, vis2nir.restore(model, images).image, atol=5e-3,
                               rtol=1e-2)  # fmt: skip
    with pytest.raises(BadWeights):
        vis2nir.load(tmp_path / "none.safetensors")


# ------------------------------------------------------------------------------------------- settings
def test_published_settings_and_weights_that_fit_their_file():
    for variant, wanted in {
        "": (False, False, 0.0),
        "A": (True, False, 0.0),
        "B": (True, True, 0.0),
        "C": (True, True, 0.1),
    }.items():
        cfg = vis2nir.Config.published(variant)
        assert (cfg.align, cfg.equalise, cfg.lambda_perceptual) == wanted and cfg.batch == 1 and cfg.width == 64
    for unknown in ("D", "a", "base"):
        with pytest.raises(BadConfig, match="A, B, C"):
            vis2nir.Config.published(unknown)
        with pytest.raises(BadConfig, match="A, B, C"):
            vis2nir.studied(unknown)
    with pytest.raises(BadConfig, match="not published"):
        vis2nir.Config.published("ours")
    shipped = dataclasses.replace(vis2nir.Config.for_profile("gpu"), lambda_perceptual=0.0, ema=0.0)
    assert parameter_count(vis2nir.build(shipped).G) < 5_900_000


def test_weights_whose_card_is_older_than_a_setting_are_what_they_were(tmp_path):
    model, _, _ = make(TINY)
    settings = {k: v for k, v in dataclasses.asdict(TINY).items() if k not in ("back", "lambda_range")}
    write_weights(tmp_path / "old.safetensors", {"G": model.G}, {"system": "vis2nir", "config": settings})
    _, cfg = vis2nir.load(tmp_path / "old.safetensors")
    assert cfg == TINY and (cfg.back, cfg.lambda_range) == ("pixels", 0.0)


def test_ours_is_a_with_less_asked_back_batch_norm_and_a_range_and_what_there_is_unless_told_otherwise():
    a, ours = (vis2nir.Config(**vis2nir.studied(variant)) for variant in ("A", "ours"))
    changes = {"back": "structure", "lambda_cyc": 1.0, "norm": "batch", "lambda_range": 1.0}
    assert dataclasses.replace(a, **changes) == ours == vis2nir.Config() and (a.back, a.lambda_range) == ("pixels", 0.0)
    variant = variants.configuration("ours", "synth:40:nir", 10, VARIANTS, BASE, vis2nir.Config)
    assert {name: getattr(variant, name) for name in vis2nir.studied("ours")} == vis2nir.studied("ours")
    with pytest.raises(BadConfig, match="back"):
        vis2nir.Config(back="colours")


@pytest.mark.parametrize("changes", [
    {"size": 30}, {"size": 48, "reach": 0}, {"norm": "layer"}, {"up": "nearest"}, {"reach": 33}, {"model": "pix2pix"},
    {"lambda_perceptual": 1.0}, {"pool": -1}, {"equalise": "yes"}, {"decay_from": 1.5}, {"loss": "l2"},
])  # fmt: skip
def test_impossible_settings_are_refused_by_name(changes):
    with pytest.raises(BadConfig):
        dataclasses.replace(TINY, **changes)
    with pytest.raises(BadConfig):
        vis2nir.Config.for_profile("tiny")
