"""HOG-guided inpainting: who moves when, what each net is shown, what guides, what is refused."""

import dataclasses

import pytest
import torch

from facelab import hog
from facelab.errors import BadConfig, BadWeights
from facelab.images import composite, to_channels
from facelab.losses.penalties import PENALTIES
from facelab.nets.blocks import parameter_count
from facelab.nets.edgeconnect import SpectralPatchDiscriminator
from facelab.nets.region import region_of
from facelab.occlude.irregular import irregular_holes
from facelab.seeding import generator, seed_all
from facelab.systems import hog_inpaint
from facelab.systems.hog_inpaint import step as step_module
from facelab.systems.hog_inpaint.guides import canny_edges, enlarged, guide_loss, unknown_places
from facelab.systems.hog_inpaint.step import _says, guide_of_stage, playing
from facelab.train.engine import Engine
from facelab.train.state import State
from facelab.train.weights import write_weights

TINY = hog_inpaint.Config(
    size=32, channels=1, width=8, blocks=1, predictor_width=8, predictor_blocks=1, critic_width=4, critic_downs=3,
    cell=4, feature_net="none", batch=4, steps=100, adversarial_from=0.0, predict_until=0.5, true_until=0.5, ema=0.9,
)  # fmt: skip
KINDS = {
    "hog": {},
    "canny": {"guide": "canny"},
    "none": {"guide": "none"},
    "gated": {"model": "gated", "guide": "none"},
    "gated hog": {"model": "gated"},
    "partial": {"model": "partial", "guide": "none", "start": "empty"},
    "context": {"model": "context", "guide": "none", "start": "empty", "region": True, "critic_downs": 2},
    "no detail": {"detail": False},
    "empty": {"start": "empty"},
    "published": {
        "model": "published",
        "start": "empty",
        "critic_kind": "spectral",
        "size": 48,
        "lambda_guide_adv": 1.0,
    },
}


def of(name, **changes):
    return dataclasses.replace(TINY, **KINDS[name], **changes)


def make(cfg, step=0):
    seed_all(0)
    model = hog_inpaint.build(cfg)
    return model, hog_inpaint.optimizers(model, cfg), State(step, cfg.steps, generator(0, "t"), cfg)


def batch_of(cfg, count=4):
    random = generator(1, "batch")
    rough = torch.rand(count, cfg.channels, 8, 8, generator=random) * 2 - 1
    truth = torch.nn.functional.interpolate(rough, (cfg.size, cfg.size), mode="bicubic").clamp(-1, 1)
    return {"truth": truth, "hole": irregular_holes(count, random, cfg.size, (0.1, 0.4))}


def weights(net):
    return {name: value.clone() for name, value in net.state_dict().items()}


def changed(before, net):
    return any(not torch.equal(value, net.state_dict()[name]) for name, value in before.items())


def moved(cfg, step):
    model, opts, state = make(cfg, step)
    parts = {"painter": model.G.painter, **model.D}
    parts |= {"predictor": model.G.predictor} if model.G.predictor is not None else {}
    before = {name: weights(net) for name, net in parts.items()}
    logs = hog_inpaint.train_step(batch_of(cfg), model, opts, state, Engine())
    return {name for name, net in parts.items() if changed(before[name], net)}, logs


def test_the_published_stages():
    """Predictor, and painter on the true guide; then painter on the predicted guide, while the predictor rests."""
    who, logs = moved(of("hog"), 10)
    assert who == {"painter", "predictor", "picture"} and "guide" in logs
    who, logs = moved(of("hog"), 60)
    assert who == {"painter", "picture"} and "guide" not in logs
    who, logs = moved(of("hog", joint=True), 60)
    assert who == {"painter", "predictor", "picture"} and "guide" in logs
    assert moved(of("none"), 10)[0] == {"painter", "picture"}
    assert moved(of("hog", adversarial_from=0.5), 10)[0] == {"painter", "predictor"}
    assert moved(of("hog", lambda_guide_adv=1.0), 10)[0] == {"painter", "predictor", "picture", "guide"}


def test_the_painter_is_given_the_true_guide_first_and_then_the_predicted_one():
    cfg = of("hog")
    batch = batch_of(cfg)
    known, wanted = (hog_inpaint.known_guide(batch["truth"], hole, cfg) for hole in (batch["hole"], None))
    unknown = unknown_places(batch["hole"], cfg).expand_as(known) > 0
    for step, true in ((0, True), (49, True), (50, False), (99, False)):
        model, _, state = make(cfg, step)
        given, logits = guide_of_stage(batch, known, wanted, model, state, Engine())
        assert logits is None, "only a joint stage asks the predictor again"
        assert torch.equal(given[~unknown], known[~unknown]) and not given.requires_grad
        assert torch.equal(given[unknown], wanted[unknown]) == true
    always, _, state = make(of("hog", true_until=1.0), 99)
    assert torch.equal(guide_of_stage(batch, known, wanted, always, state, Engine())[0][unknown], wanted[unknown])


def test_the_target_is_the_guide_of_the_truth_and_the_input_has_none_of_it():
    """The review gives the truth to the predictor, and compares its guide with the picture itself."""
    cfg = of("hog")
    batch = batch_of(cfg)
    torch.testing.assert_close(hog_inpaint.true_guide(batch["truth"], cfg), hog.guide_of(batch["truth"], None, 4))
    model, _, _ = make(cfg)
    heard = batch["truth"].clone().requires_grad_(True)
    guide = hog_inpaint.known_guide(batch["truth"], batch["hole"], cfg)
    model.G.predict(to_channels(heard, 1), guide, batch["hole"]).sum().backward()
    assert heard.grad[batch["hole"] > 0].abs().max() == 0 < heard.grad[batch["hole"] == 0].abs().max()


@pytest.mark.parametrize("name", KINDS)
def test_nothing_hidden_is_looked_at(name):
    cfg = of(name)
    model, _, _ = make(cfg)
    model.eval()
    batch = batch_of(cfg)
    truth, hole = batch["truth"], batch["hole"]
    first = hog_inpaint.restore(model, truth, hole)
    other = hog_inpaint.restore(model, composite(truth, torch.ones(()), hole), hole)
    torch.testing.assert_close(first.raw, other.raw)
    assert torch.equal(first.image[hole == 0], truth[hole == 0]) and torch.equal(first.hole, hole)
    assert torch.equal(first.image[hole == 1], first.raw[hole == 1])
    assert first.raw.shape == truth.shape and first.raw.abs().max() <= 1
    where = 1 - hole  # flipped, the other half would be kept
    assert not torch.allclose(hog_inpaint.restore(model, truth, where).image, first.image)


@pytest.mark.parametrize("name", ["hog", "canny"])
def test_the_painter_follows_its_guide(name):
    cfg = of(name)
    model, _, _ = make(cfg)
    truth, hole = batch_of(cfg).values()
    guide = hog_inpaint.predicted_guide(model.best_generator(), truth, hole, cfg)
    assert guide.shape == (4, cfg.bins, 32 // cfg.guide_cell, 32 // cfg.guide_cell)
    same = hog_inpaint.restore(model, truth, hole, guide)
    assert torch.equal(same.raw, hog_inpaint.restore(model, truth, hole).raw)
    assert not torch.equal(same.raw, hog_inpaint.restore(model, truth, hole, guide.flip(0)).raw)


@pytest.mark.parametrize("name", ["hog", "canny"])
def test_an_oracle_knows_every_true_edge_of_the_hole(name):
    cfg = of(name)
    truth, hole = batch_of(cfg).values()
    given, wanted = hog_inpaint.oracle_guide(truth, hole, cfg), hog_inpaint.true_guide(truth, cfg)
    inside = unknown_places(hole, cfg)
    ring = torch.nn.functional.max_pool2d(hole, 3, 1, 1) if name == "canny" else inside
    assert torch.equal(given * ring, wanted * ring) and (wanted * ring).max() > 0.3


def test_edges_are_blind_to_the_hole_too():
    truth, hole = batch_of(of("canny")).values()
    seen = canny_edges(truth, hole)
    assert torch.equal(seen, canny_edges(composite(truth, torch.ones(()), hole), hole))
    assert seen[hole > 0].max() == 0 and seen.max() == 1
    whole = canny_edges(truth)
    assert set(whole.unique().tolist()) == {0.0, 1.0} and whole.sum() > seen.sum()


def test_a_hole_is_needed_and_fits_its_picture():
    model, _, _ = make(TINY)
    with pytest.raises(BadConfig, match="--holes"):
        hog_inpaint.restore(model, torch.zeros(1, 1, 32, 32))
    for hole in (torch.zeros(1, 1, 32, 40), torch.zeros(1, 32, 32), torch.zeros(2, 1, 32, 32)):
        with pytest.raises(BadConfig, match="hole"):
            hog_inpaint.restore(model, torch.zeros(1, 1, 32, 32), hole)
    with pytest.raises(BadConfig, match="8 divides"):
        hog_inpaint.restore(model, torch.zeros(1, 1, 36, 36), torch.zeros(1, 1, 36, 36))


@pytest.mark.parametrize("name", ["hog", "canny", "empty"])
def test_a_soft_hole_is_looked_into_no_more_than_a_hard_one(name):
    """Where it is neither 0 nor 1 the photograph is blended with the fill; the networks see none of it."""
    model, _, _ = make(of(name))
    truth, hole = batch_of(of(name)).values()
    raw = [hog_inpaint.restore(model, picture, 0.5 * hole).raw for picture in (truth, truth + 0.5 * hole)]
    assert torch.equal(raw[0] * hole, raw[1] * hole)


def test_critics_judge_and_are_left_alone_by_the_painter():
    cfg = of("hog", lambda_guide_adv=1.0)
    model, opts, state = make(cfg, 10)
    batch, before = batch_of(cfg), weights(model.D)
    known, wanted = (hog_inpaint.known_guide(batch["truth"], hole, cfg) for hole in (batch["hole"], None))
    raw = model.G.paint(batch["truth"], batch["hole"], wanted)
    terms = hog_inpaint.paint_terms(batch, raw, composite(batch["truth"], raw, batch["hole"]), model, cfg, Engine())
    for name, seen in (("picture", raw), ("guide", torch.cat([raw.repeat(1, 10, 1, 1)], 1))):
        terms[name] = _says(name, seen, model, cfg, Engine())
    sum(terms.values()).backward()
    assert all(p.grad is None and p.requires_grad for p in model.D.parameters() if p.is_floating_point())
    frozen = {k: v for k, v in before.items() if "_u" not in k and "_v" not in k}  # spectral norm looks along
    assert not any(changed({k: v}, model.D) for k, v in frozen.items())
    assert model.G.painter.head.weight.grad.abs().max() > 0, "and the opinion does reach the painter"
    generators = weights(model.G)
    for name, real in (("picture", batch["truth"]), ("guide", torch.rand(4, 10, 32, 32))):
        hog_inpaint.critic_step(name, real, torch.zeros_like(real), model, opts, state, Engine())
    assert changed(before, model.D) and not changed(generators, model.G)
    assert [playing(of("hog", adversarial_from=0.3), at) for at in (0.29, 0.3)] == [[], ["picture"]]


def test_real_is_the_truth_for_every_critic(monkeypatch):
    cfg, asked = of("hog", lambda_guide_adv=1.0, region=True, critic_downs=2), {}
    model, opts, state = make(cfg, 10)
    monkeypatch.setattr(
        step_module, "critic_step", lambda name, real, fake, *rest: asked.update({name: (real, fake)}) or {}
    )
    batch = batch_of(cfg)
    hog_inpaint.train_step(batch, model, opts, state, Engine())
    truth, hole = batch["truth"], batch["hole"]
    wanted = enlarged(hog_inpaint.true_guide(truth, cfg), cfg)
    real = {"picture": truth, "region": region_of(truth, hole), "guide": torch.cat([to_channels(truth, 1), wanted], 1)}
    assert set(asked) == set(real)
    for name, (shown, fake) in asked.items():
        assert torch.equal(shown, real[name]) and not torch.equal(fake, shown) and not fake.requires_grad


@pytest.mark.parametrize("name", ["picture", "region", "guide"])
def test_a_critic_learns_to_prefer_what_is_real(name):
    cfg = of("hog", lambda_guide_adv=1.0, region=True, critic_downs=2, penalty="none")
    model, opts, state = make(cfg)
    random, channels = generator(3, "critic"), 10 if name == "guide" else 1
    real, fake = (torch.randn(4, channels, 32, 32, generator=random) * 0.3 + shift for shift in (0.5, -0.5))
    ahead = lambda: (model.D[name](real).mean() - model.D[name](fake).mean()).item()  # noqa: E731
    before = ahead()
    for _ in range(5):
        hog_inpaint.critic_step(name, real, fake, model, opts, state, Engine())
    assert ahead() > before


class Ledger(Engine):
    """An engine that keeps every loss it is asked to go back from."""

    def __init__(self):
        super().__init__()
        self.losses = []

    def backward(self, loss):
        self.losses.append(loss.item())
        super().backward(loss)


def test_a_penalty_weighs_as_much_more_as_it_is_rarer(monkeypatch):
    monkeypatch.setitem(PENALTIES, "r1", lambda critic, real, fake, rand: real.new_tensor(2.0))
    cfg = of("hog", lambda_penalty=3.0, penalty_every=4)
    for step, added in ((8, 2.0 * 3.0 * 4), (9, 0.0)):
        model, opts, state = make(cfg, step)
        ledger, real = Ledger(), torch.zeros(4, 1, 32, 32)
        logs = hog_inpaint.critic_step("picture", real, real + 1, model, opts, state, ledger)
        assert ledger.losses[0] - logs["D_picture"] == pytest.approx(added)


@pytest.mark.parametrize(
    ("weight", "term"), [("lambda_guide", "guide"), ("lambda_guide_adv", "adv_guide"), ("lambda_adv", "adv_picture")]
)
def test_what_is_learned_together_has_its_weight(weight, term):
    found = []
    for factor in (1.0, 2.0):
        cfg = of("hog", lambda_guide_adv=1.0)
        cfg = dataclasses.replace(cfg, **{weight: factor * getattr(cfg, weight)})
        found.append(moved(cfg, 10)[1][term])
    assert found[1] == pytest.approx(2 * found[0], rel=1e-4) and found[0] > 0


def test_visible_pixels_weigh_what_the_setting_says():
    batch = batch_of(TINY)
    raw = batch["truth"] + 0.5 * (1 - batch["hole"])  # wrong where it is visible, and there alone
    for share in (0.0, 0.1, 1.0):
        cfg = of("empty", visible=share, lambda_ssim=0.0)
        model, _, _ = make(cfg)
        terms = hog_inpaint.paint_terms(batch, raw, batch["truth"], model, cfg, Engine())
        mean = (0.5 * (1 - batch["hole"])).mean().item()
        assert terms["l1"].item() == pytest.approx(cfg.lambda_l1 * share * mean, abs=1e-4)


def test_the_loss_of_edges_pulls_back_whoever_is_sure_and_wrong():
    cfg, unknown = of("canny"), torch.ones(1, 1, 2, 2)
    for sure, edge in ((40.0, 0.0), (-40.0, 1.0)):
        logits = torch.full((1, 1, 2, 2), sure, requires_grad=True)
        guide_loss(logits, torch.full_like(logits, edge), unknown, cfg).backward()
        assert torch.allclose(logits.grad.abs(), torch.tensor(0.25)), "a mean over four places, at full strength each"


@pytest.mark.parametrize("region", [False, True])
def test_a_critic_may_be_shown_the_hole_and_its_penalty_is_of_pictures_alone(region, monkeypatch):
    cfg = of("hog", critic_hole=True, region=region, critic_downs=2, adversarial_from=0.0, penalty="r1")
    model, opts, state = make(cfg, 0)
    asked, batch = [], batch_of(cfg)

    def keep(critic, real, fake, rand):
        asked.append((critic(real), real))
        return PENALTIES["none"](critic, real, fake, rand)

    monkeypatch.setitem(PENALTIES, "r1", keep)
    seen = {name: [] for name in model.D}
    for name, net in model.D.items():
        net.register_forward_pre_hook(lambda _, given, name=name: seen[name].append(given[0].detach()))
    hog_inpaint.train_step(batch, model, opts, state, Engine())
    side, channels = (16 if region else 32), cfg.channels
    assert [real.shape[1:] for _, real in asked][-1] == (channels, side, side)
    for name, pictures in seen.items():
        hole = region_of(batch["hole"], batch["hole"]) if name == "region" else batch["hole"]
        assert len(pictures) == 4, "real, fake, the penalty's real, and the painter's"
        assert all(torch.equal(picture[:, channels:], hole) for picture in pictures)
    plain, _, _ = make(of("hog"))
    assert next(plain.D["picture"].parameters()).shape[1] == channels, "shown only on request"


def test_every_term_has_its_weight():
    cfg = of("hog", lambda_hog=10.0, feature_net="effnet-lite0", lambda_style=5.0)
    model, _, _ = make(cfg)
    batch = batch_of(cfg)
    raw = torch.zeros_like(batch["truth"])
    restored = composite(batch["truth"], raw, batch["hole"])
    find = lambda settings: hog_inpaint.paint_terms(batch, raw, restored, model, settings, Engine())  # noqa: E731
    terms = find(cfg)
    assert set(terms) == {"l1", "ssim", "hog", "perceptual", "style"} and all(term > 0 for term in terms.values())
    for name in terms:
        twice = dataclasses.replace(cfg, **{f"lambda_{name}": 2 * getattr(cfg, f"lambda_{name}")})
        torch.testing.assert_close(find(twice)[name], 2 * terms[name])
    alike = hog_inpaint.paint_terms(batch, batch["truth"], batch["truth"], model, cfg, Engine())
    assert max(alike[name].item() for name in ("l1", "hog", "perceptual", "style")) < 1e-4


@pytest.mark.parametrize("name", KINDS)
def test_one_fixed_batch_is_learnt(name):
    cfg = of(name, steps=120, adversarial_from=1.0, predict_until=1.0, true_until=1.0, learning_rate=4e-3)
    model, opts, state = make(cfg)
    batch, terms = batch_of(cfg), []
    for _ in range(120):
        terms.append(hog_inpaint.train_step(batch, model, opts, state, Engine()))
        state.step += 1
    for term in {"l1", "guide"} & set(terms[0]):
        assert terms[-1][term] < 0.75 * terms[0][term], term


def test_the_published_networks_have_their_published_size():
    model = hog_inpaint.build(hog_inpaint.Config.published(guide="canny", feature_net="none"))
    assert parameter_count(model.G.predictor) == 10_765_185
    drop_hole = 7 * 7 * 64  # the published one is not told the hole but sees it painted white
    assert parameter_count(model.G.painter) == 10_774_595 + drop_hole
    critic = SpectralPatchDiscriminator(3)
    assert parameter_count(critic) == 2_763_776 and critic(torch.zeros(1, 3, 256, 256)).shape == (1, 1, 30, 30)


def test_what_ships_fits_into_a_weight_file():
    model = hog_inpaint.build(hog_inpaint.Config.for_profile("gpu", channels=3, feature_net="none"))
    assert 2 * parameter_count(model.best_generator()) <= 11.9e6


def test_predictor_rates_fall_within_its_own_time():
    cfg = of("hog", decay_from=0.5)
    rate = lambda step, name: (lambda m: m[1][name].param_groups[0]["lr"])(_stepped(cfg, step))  # noqa: E731
    assert rate(20, "predictor") == cfg.learning_rate > rate(40, "predictor") > 0
    assert rate(40, "painter") == cfg.learning_rate > rate(80, "painter")


def test_a_critics_rate_does_not_fall_before_it_has_joined():
    cfg = of("hog", decay_from=0.2, adversarial_from=0.5)
    rate = lambda step: _stepped(cfg, step)[1]["D_picture"].param_groups[0]["lr"]  # noqa: E731
    assert rate(40) == rate(49) == cfg.critic_learning_rate > rate(80) > 0


def _stepped(cfg, step):
    model, opts, state = make(cfg, step)
    hog_inpaint.train_step(batch_of(cfg), model, opts, state, Engine())
    return model, opts


@pytest.mark.parametrize(
    ("field", "value"),
    [("model", "dcgan"), ("guide", "sobel"), ("cell", 5), ("size", 40), ("width", 12), ("share_high", 0.8),
     ("share_low", 0.7), ("critic_downs", 6), ("true_until", 1.5), ("crop", 24), ("crop_until", 0.5),
     ("norm", "L2"), ("steps", 0), ("perceptual", "square")],
)  # fmt: skip
def test_impossible_settings_are_refused_by_name(field, value):
    with pytest.raises(BadConfig, match=field if field != "share_low" else "share_high"):
        dataclasses.replace(TINY, **{field: value})


def test_baselines_without_room_for_a_guide_say_so():
    with pytest.raises(BadConfig, match="no place"):
        dataclasses.replace(TINY, model="partial", start="empty")
    with pytest.raises(BadConfig, match="start"):
        dataclasses.replace(TINY, model="partial", guide="none")


@pytest.mark.parametrize("profile", ["smoke", "laptop", "gpu"])
def test_profiles_and_published_settings(profile):
    own = hog_inpaint.Config.for_profile(profile, channels=3)
    assert own.guide == "hog" and own.channels == 3
    published = hog_inpaint.Config.for_profile(profile, model="published")
    assert published.steps == own.steps
    assert (published.lambda_l1, published.lambda_adv, published.lambda_perceptual, published.lambda_style) == (
        0.5, 0.1, 0.1, 250.0,
    )  # fmt: skip
    with pytest.raises(BadConfig, match="profile"):
        hog_inpaint.Config.for_profile("huge")


def test_weights_survive_the_round_trip(tmp_path):
    model, _, _ = make(TINY)
    card = {"system": "hog_inpaint", "config": dataclasses.asdict(TINY)}
    file = tmp_path / "weights.safetensors"
    write_weights(file, {"G": model.best_generator()}, card)
    again, cfg = hog_inpaint.load(file)
    assert cfg == TINY
    truth, hole = batch_of(TINY).values()
    torch.testing.assert_close(
        hog_inpaint.restore(again, truth, hole).image, hog_inpaint.restore(model, truth, hole).image, atol=5e-3, rtol=0
    )
    write_weights(file, {"G": model.G.painter}, card)
    with pytest.raises(BadWeights):
        hog_inpaint.load(file)
