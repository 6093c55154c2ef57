"""Frontalization: who moves when, what the critic is shown, what each model learns, what is refused."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from facelab.errors import BadConfig, BadWeights, MissingPart
from facelab.losses import matching
from facelab.losses.adversarial import PAIRS
from facelab.losses.penalties import PENALTIES
from facelab.nets.blocks import parameter_count
from facelab.nets.face_network import FaceNetwork
from facelab.seeding import generator, seed_all
from facelab.systems import frontalize
from facelab.systems.frontalize import step as step_module
from facelab.systems.frontalize.step import judge
from facelab.train.ema import at_rest
from facelab.train.engine import Engine
from facelab.train.state import State
from facelab.train.weights import LIMIT_BYTES, write_weights

MODELS = frontalize.MODELS
JUDGED = [name for name in MODELS if name not in ("ae", "cvae")]


def of(name="flow", **changes):
    return frontalize.Config.for_profile(
        "smoke",
        **{"model": name, "channels": 1, "width": 8, "critic_width": 4, "batch": 4, "steps": 100}
        | ({"blocks": 1} if name in ("flow", "unet") else {})
        | ({"adversarial_from": 0.0} if name in JUDGED else {})
        | changes,
    )


def make(cfg, step=0):
    seed_all(0)
    model = frontalize.build(cfg)
    return model, frontalize.optimizers(model, cfg), State(step, cfg.steps, generator(0, "t"), cfg)


def batch_of(cfg, count=4):
    random = generator(1, "batch")
    draw = lambda: torch.rand(count, cfg.channels, 6, 6, generator=random) * 2 - 1  # noqa: E731
    grown = lambda x: F.interpolate(x, cfg.size, mode="bicubic").clamp(-1, 1)  # noqa: E731
    return {"side": grown(draw()), "front": grown(draw()), "angle": torch.arange(count) % 13}


def weights(net):
    return {name: value.clone() for name, value in net.state_dict().items()}


def changed(before, net):
    now = net.state_dict()
    return any(not torch.equal(value, now[name]) for name, value in before.items())


# ---------------------------------------------------------------- who moves


@pytest.mark.parametrize("name", JUDGED)
def test_critics_half_leaves_the_generator_alone(name):
    cfg = of(name)
    model, opts, state = make(cfg)
    batch, before = batch_of(cfg), (weights(model.G), weights(model.D))
    logs = frontalize.critic_step(batch, -batch["front"], model, opts["D"], state, Engine())
    assert changed(before[1], model.D) and not changed(before[0], model.G) and set(logs) == {"D", "real"}
    assert {id(p) for group in opts["D"].param_groups for p in group["params"]} == {id(p) for p in model.D.parameters()}


@pytest.mark.parametrize("name", JUDGED)
def test_generators_half_leaves_the_critic_alone_and_hears_it(name):
    cfg = of(name)
    model, opts, state = make(cfg)
    batch, before = batch_of(cfg), (weights(model.G), weights(model.D))
    fake = model.G(batch["side"])
    term = frontalize.adversarial_term(batch, fake, model, cfg, Engine())
    frontalize.generator_step({"adv": term}, model, opts["G"], state, Engine())
    assert changed(before[0], model.G) and not changed(before[1], model.D)
    assert all(p.grad is None and p.requires_grad for p in model.D.parameters())


def test_a_step_is_its_two_halves():
    """What lesson 07 writes by hand."""
    cfg = of(penalty="r1", penalty_every=1, ema=0.9)
    (one, opts, state), batch = make(cfg), batch_of(cfg)
    whole = frontalize.train_step(batch, one, opts, state, Engine())
    two, opts, state = make(cfg)
    fake = two.G(batch["side"])
    logs = frontalize.critic_step(batch, fake.detach(), two, opts["D"], state, Engine())
    terms = frontalize.paired_terms(batch, fake, two, cfg, Engine())
    terms["adv"] = frontalize.adversarial_term(batch, fake, two, cfg, Engine())
    logs |= frontalize.generator_step(terms, two, opts["G"], state, Engine())
    assert logs == whole and set(whole) == {"D", "real", "l1", "ssim", "symmetry", "adv"}
    assert not changed(weights(one), two)


def test_models_without_a_critic_have_none():
    for name in ("ae", "cvae"):
        model, opts, _ = make(of(name))
        assert model.D is None and set(opts) == {"G"} and not frontalize.playing(of(name), 1.0)
    silent = of(lambda_adv=0.0)
    assert make(silent)[0].D is None and not frontalize.playing(silent, 1.0)


def test_the_critic_joins_when_it_is_time():
    cfg = of(adversarial_from=0.4)
    for step, named in ((39, False), (40, True)):
        model, opts, state = make(cfg, step)
        before = weights(model.D)
        logs = frontalize.train_step(batch_of(cfg), model, opts, state, Engine())
        assert ("adv" in logs) == ("D" in logs) == named == changed(before, model.D)


def test_rates_fall_but_a_critics_not_before_it_has_joined():
    cfg = of(decay_from=0.2, adversarial_from=0.8)
    rate = {}
    for step in (10, 70, 90):
        model, opts, state = make(cfg, step)
        frontalize.train_step(batch_of(cfg), model, opts, state, Engine())
        rate[step] = [opts[name].param_groups[0]["lr"] for name in "GD"]
    assert rate[10] == [cfg.learning_rate, cfg.critic_learning_rate]
    assert rate[70][0] < cfg.learning_rate / 2 and rate[70][1] == cfg.critic_learning_rate > rate[90][1] > 0


# ---------------------------------------------------------------- what the critic is shown


def shown(cfg, shown_to=None):
    """What enters the critic in one step, in order: the real, the fake, the penalty's real, the generator's."""
    model, opts, state = make(cfg)
    seen = []
    model.D.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach().clone()))
    if shown_to:  # the mistake, for the negative control
        model.D.register_forward_pre_hook(lambda _, given: (shown_to(given[0]),))
        model.D.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach().clone()))
    batch = batch_of(cfg)
    frontalize.train_step(batch, model, opts, state, Engine())
    return seen, batch


def conditioned_on(pictures, condition):
    """Whether the first channels of what a critic was shown are these pictures."""
    return torch.equal(pictures[:, : condition.shape[1]], condition)


@pytest.mark.parametrize("name", JUDGED)
def test_a_critic_is_conditioned_on_the_turned_face_and_never_on_the_target(name):
    """Fault 1 of the source: its pairs were (front, front) and (front, generated)."""
    cfg = of(name, critic_side=True)
    seen, batch = shown(cfg)
    assert len(seen) == (4 if cfg.penalty == "r1" else 3)
    assert all(conditioned_on(pair, batch["side"]) for pair in seen)
    assert not any(conditioned_on(pair, batch["front"]) for pair in seen)
    assert torch.equal(seen[0][:, 1:], batch["front"]) and not torch.equal(seen[1][:, 1:], batch["front"])


def test_the_published_mistake_would_be_seen():
    cfg = of("pix2pix")
    front = batch_of(cfg)["front"]
    seen, batch = shown(cfg, lambda pair: torch.cat([front, pair[:, 1:]], 1))
    assert any(conditioned_on(pair, batch["front"]) for pair in seen[1::2])


@pytest.mark.parametrize("name", ["flow", "dcgan"])
def test_a_critic_without_a_condition_sees_candidates_alone(name):
    seen, batch = shown(of(name))
    assert all(picture.shape == batch["front"].shape for picture in seen)
    assert torch.equal(seen[0], batch["front"])


@pytest.mark.parametrize("name", JUDGED)
def test_no_gradient_reaches_the_side_through_the_penalty(name, monkeypatch):
    """The penalty is of candidates: the turned face is given, not judged."""
    asked = []
    monkeypatch.setitem(
        PENALTIES, "r1", lambda critic, real, fake, rand: asked.append((critic, real)) or real.new_zeros(())
    )
    cfg = of(name, penalty="r1", critic_side=True, penalty_every=1)
    model, opts, state = make(cfg)
    batch = batch_of(cfg)
    frontalize.critic_step(batch, -batch["front"], model, opts["D"], state, Engine())
    ((critic, real),) = asked
    assert torch.equal(real, batch["front"])
    assert critic(real).shape == judge(batch, model, cfg)(real).shape


def test_the_penalty_comes_seldom_and_as_much_heavier(monkeypatch):
    monkeypatch.setitem(PENALTIES, "r1", lambda critic, real, fake, rand: real.new_tensor(2.0))
    for step, added in ((8, 2.0 * 3.0 * 4), (9, 0.0)):
        cfg = of(penalty="r1", lambda_penalty=3.0, penalty_every=4)
        model, opts, state = make(cfg, step)
        engine, losses = Engine(), []
        engine.backward = lambda loss, kept=losses: (kept.append(loss.item()), loss.backward())
        batch = batch_of(cfg)
        logs = frontalize.critic_step(batch, -batch["front"], model, opts["D"], state, engine)
        assert losses[0] - logs["D"] == pytest.approx(added, abs=1e-4)


@pytest.mark.parametrize("name", JUDGED)
def test_a_critic_learns_to_prefer_what_is_real(name):
    cfg = of(name, penalty="none", critic_learning_rate=2e-3)
    model, opts, state = make(cfg)
    batch = batch_of(cfg)
    net, fake = judge(batch, model, cfg), -batch["front"]
    ahead = lambda: (net(batch["front"]).mean() - net(fake).mean()).item()  # noqa: E731
    before = ahead()
    for _ in range(10):
        frontalize.critic_step(batch, fake, model, opts["D"], state, Engine())
    assert ahead() > before


def test_both_halves_of_the_game_use_one_loss():
    """Fault 2: the source's critic had cross-entropy on a linear output, its generator least squares."""
    cfg = of("pix2pix")
    model, opts, state = make(cfg)
    batch = batch_of(cfg)
    fake = -batch["front"]
    scores = [judge(batch, model, cfg)(x) for x in (batch["front"], fake)]
    term = frontalize.adversarial_term(batch, fake, model, cfg, Engine())
    logs = frontalize.critic_step(batch, fake, model, opts["D"], state, Engine())
    assert cfg.loss == "lsgan"
    assert logs["D"] == pytest.approx(PAIRS["lsgan"][0](*scores).item(), rel=1e-5)
    assert term.item() == pytest.approx(PAIRS["lsgan"][1](scores[1]).item(), rel=1e-5)


# ---------------------------------------------------------------- losses


def test_every_term_has_its_weight():
    names = ("l1", "mse", "ssim", "symmetry", "tv", "perceptual", "identity_preserving")
    cfg = of(feature_net="effnet-lite0", **{f"lambda_{name}": 3.0 for name in names})
    model, _, _ = make(cfg)
    batch = batch_of(cfg)
    fake = -batch["front"]
    find = lambda settings: frontalize.paired_terms(batch, fake, model, settings, Engine())  # noqa: E731
    terms = find(cfg)
    assert set(terms) == set(names) and all(term > 0 for term in terms.values())
    for name in names:
        torch.testing.assert_close(find(dataclasses.replace(cfg, **{f"lambda_{name}": 6.0}))[name], 2 * terms[name])
        assert name not in find(dataclasses.replace(cfg, **{f"lambda_{name}": 0.0}))
    alike = frontalize.paired_terms(batch, batch["front"], model, cfg, Engine())
    for name in ("l1", "mse", "ssim", "perceptual", "identity_preserving"):
        assert alike[name].item() == pytest.approx(0.0, abs=1e-4)


class FaceNet(torch.nn.Module):
    """A network of faces that looks at one thing: how bright the left half is beside the right one."""

    def forward(self, pictures):
        return torch.stack([half.mean((1, 2, 3)) for half in pictures.chunk(2, -1)], 1)


def test_a_given_face_network_says_who_it_is():
    cfg = of(lambda_identity_preserving=1.0)
    assert cfg.feature_net == "none"
    seed_all(0)
    model = frontalize.build(cfg, embed=FaceNet())
    half = torch.cat([torch.ones(1, 1, 32, 16), -torch.ones(1, 1, 32, 16)], -1)
    terms = lambda fake: frontalize.paired_terms({"front": half}, fake, model, cfg, Engine())  # noqa: E731
    assert terms(0.5 * half)["identity_preserving"].item() == pytest.approx(0.0, abs=1e-5)
    assert terms(half.flip(-1))["identity_preserving"].item() == pytest.approx(2.0, abs=1e-5)
    assert "perceptual" not in terms(half)
    assert not any("embed" in name for name in model.state_dict()), "it is not ours to save"
    plain, _, _ = make(cfg)
    assert "identity_preserving" not in frontalize.paired_terms({"front": half}, half, plain, cfg, Engine())


def test_a_decoder_that_is_told_a_face_networks_vector_listens_and_leaves_the_network_alone(tmp_path):
    cfg = of(face_steps=9, face_told=True, face_width=8, lambda_identity_preserving=0.0)
    seed_all(3)
    face = FaceNetwork(1, 8).eval().requires_grad_(False)
    seed_all(0)
    model = frontalize.build(cfg, embed=face)
    opts, state = frontalize.optimizers(model, cfg), State(0, cfg.steps, generator(0, "t"), cfg)
    assert all(torch.equal(a, b) for a, b in zip(model.G.face.parameters(), face.parameters(), strict=True))
    before = weights(model.G.face)
    for _ in range(3):  # what says it to the decoder begins at zero
        frontalize.train_step(batch_of(cfg), model, opts, state, Engine())
    assert not changed(before, model.G.face)
    batch = batch_of(cfg)
    shown = frontalize.restore(model, batch["side"]).image
    write_weights(tmp_path / "w.safetensors", {"G": model.best_generator()}, {"config": dataclasses.asdict(cfg)})
    again, _ = frontalize.load(tmp_path / "w.safetensors")
    assert (frontalize.restore(again, batch["side"]).image - shown).abs().max() < 0.05, "the network travels with it"
    torch.nn.init.normal_(model.best_generator().face.say.weight)
    assert (frontalize.restore(model, batch["side"]).image - shown).abs().max() > 1e-4
    for wrong in (dict(face_steps=0), dict(model="ae")):
        with pytest.raises(BadConfig, match="face_told"):
            dataclasses.replace(cfg, **wrong)


def test_the_vaes_loss_is_one_a_picture_with_kl_once():
    """Fault 10: one mean over the batch, and KL counted twice."""
    cfg = of("cvae", lambda_kl=1.0, lambda_mse=1.0)
    model, _, state = make(cfg)
    batch = batch_of(cfg)
    for head in (model.G.mu, model.G.logvar):
        torch.nn.init.zeros_(head.weight)
    model.G.mu.bias.data[:] = torch.tensor([1.0, 2.0])
    model.G.decode = lambda z, angle: torch.zeros(8, 1, 32, 32)
    terms = frontalize.cvae_terms(batch, model, state, Engine())
    pictures = torch.cat([batch["side"], batch["front"]])
    assert terms["kl"].item() == pytest.approx(0.5 * (1 + 4))
    assert terms["mse"].item() == pytest.approx((pictures / 2).square().sum((1, 2, 3)).mean().item(), rel=1e-5)


def test_the_vae_is_shown_both_faces_at_their_angles():
    cfg = of("cvae")
    model, opts, state = make(cfg)
    batch, told = batch_of(cfg), {}
    for name in ("encode", "decode"):
        true = getattr(model.G, name)
        setattr(model.G, name, lambda x, angle, n=name, f=true: told.update({n: (x, angle)}) or f(x, angle))
    frontalize.train_step(batch, model, opts, state, Engine())
    assert torch.equal(told["encode"][0], torch.cat([batch["side"], batch["front"]]))
    for _, angle in told.values():
        assert angle.tolist() == [0, 1, 2, 3, 6, 6, 6, 6]


# ---------------------------------------------------------------- learning


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", MODELS)
def test_one_fixed_batch_is_learnt(name, precision):
    steps = 40 if precision == "bf16" else 60
    rest = {"learning_rate": 4e-3, "ema": 0.0, "decay_from": 1.0, "lambda_kl": 0.0}
    cfg = of(name, steps=steps, adversarial_from=1.0, copy=False, **rest)  # these batches know no matches
    model, opts, state = make(cfg)
    batch, term = batch_of(cfg), {"ae": "mse", "cvae": "mse"}.get(name, "l1")
    logs = []
    for _ in range(steps):
        logs.append(frontalize.train_step(batch, model, opts, state, Engine(precision=precision))[term])
        state.step += 1
    assert min(logs[-3:]) < (0.85 if name == "dcgan" else 0.6) * logs[0]


def test_every_model_trains_with_all_it_has_and_stays_finite():
    for name in JUDGED:
        cfg = of(name, penalty="r1", lambda_penalty=1.0, penalty_every=1, critic_side=True, lambda_tv=0.01, ema=0.9)
        model, opts, state = make(cfg)
        for state.step in range(3):
            logs = frontalize.train_step(batch_of(cfg), model, opts, state, Engine(precision="bf16"))
        assert all(value == value and abs(value) < 1e6 for value in logs.values()), name


@pytest.mark.parametrize("name", ["flow", "cvae"])
def test_the_average_follows_the_generator(name):
    cfg = of(name, ema=0.5)
    model, opts, state = make(cfg)
    before = weights(model.average)
    frontalize.train_step(batch_of(cfg), model, opts, state, Engine())
    assert changed(before, model.average) and changed(weights(model.G), model.average)


# ---------------------------------------------------------------- restoring


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", MODELS)
def test_a_whole_new_picture_and_no_hole(name, channels):
    cfg = of(name, channels=channels)
    model, _, _ = make(cfg)
    side = batch_of(cfg)["side"]
    out = frontalize.restore(model, side)
    assert out.hole is None and out.image is out.raw and out.image.shape == side.shape
    assert out.image.abs().max() <= 1 and not out.image.requires_grad
    assert model.G.training, "and training goes on as before"
    alone = frontalize.restore(model, side[:1]).image
    torch.testing.assert_close(alone, out.image[:1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_other_sizes(name):
    cfg = of(name)
    model, _, _ = make(cfg)
    larger = torch.zeros(1, 1, 48, 64)
    if cfg.one_size:
        with pytest.raises(BadConfig, match="32 × 32"):
            frontalize.restore(model, larger)
    else:
        assert frontalize.restore(model, larger).image.shape == larger.shape
        with pytest.raises(BadConfig, match="16 divides"):
            frontalize.restore(model, torch.zeros(1, 1, 40, 40))
    with pytest.raises(BadConfig, match="1 channels"):
        frontalize.restore(model, torch.zeros(1, 3, 32, 32))


class Rigged(torch.nn.Module):
    """A face is grey; its brightness is its angle. Told the right angle it paints what it was shown."""

    def encode(self, images, angle):
        return images.mean((1, 2, 3))[:, None].repeat(1, 2), torch.zeros(len(images), 2)

    def decode(self, z, angle):
        return (angle / 12 * 2 - 1).view(-1, 1, 1, 1).expand(-1, 1, 32, 32).clone()

    def forward(self, images, angle):
        return (angle / 100).view(-1, 1, 1, 1).expand_as(images).clone()


def test_the_vae_finds_the_angle_by_itself():
    model, _, _ = make(of("cvae", ema=0.0))
    model.G = Rigged()
    angle = torch.tensor([0, 3, 6, 12, 11])
    side = (angle / 12 * 2 - 1).view(-1, 1, 1, 1).expand(5, 1, 32, 32)
    assert torch.equal(frontalize.found_angle(model, side), angle)
    told = frontalize.restore(model, side, torch.full((5,), 2)).image
    assert torch.equal(told, torch.full_like(told, 0.02)), "who is told does not look"
    found = frontalize.restore(model, side).image
    assert torch.equal(found[:, 0, 0, 0], angle / 100)


def test_codes_and_pictures_of_the_plane():
    cfg = of("cvae", latent=3)
    model, _, _ = make(cfg)
    batch = batch_of(cfg)
    mu, logvar = frontalize.encode(model, batch["side"], batch["angle"])
    assert mu.shape == logvar.shape == (4, 3)
    front = frontalize.decode(model, mu, torch.full((4,), frontalize.FRONT))
    assert torch.equal(front, frontalize.restore(model, batch["side"], batch["angle"]).image)
    with pytest.raises(BadConfig, match="z = "):
        frontalize.decode(model, mu[:, :2], batch["angle"])
    for angle in (torch.tensor([0, 1, 2, 13]), torch.tensor([0, 1, 2, -1]), torch.zeros(4), torch.tensor([6])):
        with pytest.raises(BadConfig, match="angle"):
            frontalize.restore(model, batch["side"], angle)
    with pytest.raises(BadConfig, match="cvae"):
        frontalize.encode(make(of("ae"))[0], batch["side"], batch["angle"])


def test_evaluation_mode_ends_with_the_picture():
    model, _, _ = make(of("pix2pix", ema=0.0))
    with at_rest(model) as G:
        assert not G.training and not torch.is_grad_enabled()
    assert model.G.training and torch.is_grad_enabled()
    with pytest.raises(RuntimeError), at_rest(model):
        raise RuntimeError
    assert model.G.training


# ---------------------------------------------------------------- settings and files


@pytest.mark.parametrize(
    ("field", "value"),
    [("model", "gan"), ("channels", 2), ("size", 40), ("width", 12), ("penalty", "gp2"), ("loss", "bce"),
     ("encoder", "resnet"), ("latent", 0), ("batch", 0), ("adversarial_from", 1.5),
     ("lambda_adv", -1.0), ("feature_net", "vgg11"), ("attention", 5), ("steps", 10.5), ("mirror", 1),
     ("paint_from", 1.0), ("paint_from", -0.1)],
)  # fmt: skip
def test_impossible_settings_are_refused_by_name(field, value):
    with pytest.raises(BadConfig, match=field):
        dataclasses.replace(of(), **{field: value})


@pytest.mark.parametrize("name", ["dcgan", "cvae"])
def test_nets_without_maps_have_no_use_for_frozen_eyes(name):
    with pytest.raises(BadConfig, match="encoder"):
        of(name, encoder="effnet-lite0")


def test_profiles_give_the_same_eyes_to_all_who_had_some():
    for profile, wanted in (("smoke", "none"), ("laptop", "effnet-lite0"), ("gpu", "effnet-lite0")):
        found = {name: frontalize.Config.for_profile(profile, model=name).encoder for name in MODELS}
        assert found == {name: "none" if name in ("dcgan", "cvae") else wanted for name in MODELS}


def test_sizes_that_a_model_cannot_take():
    for model, size in (("dcgan", 48), ("ae", 144), ("cvae", 40)):
        with pytest.raises(BadConfig, match="size"):
            of(model, size=size)
    for size in (48, 96, 160):  # questions on a grid of 12, 24 or 20 places, matches on one of 32
        with pytest.raises(BadConfig, match="size"):
            of("flow", size=size)
    assert of("unet", size=96).multiple == 16
    assert of("unet", size=160).multiple == of("ae", size=160).multiple == 32


def test_copies_want_somebody_who_teaches_their_flows():
    with pytest.raises(BadConfig, match="copy"):
        of("flow", lambda_match=0.0)
    assert of("flow", lambda_match=0.0, copy=False).model == "flow"
    assert of("unet", lambda_match=0.0).copy, "whoever copies nothing needs no teacher"


@pytest.mark.parametrize("profile", ["smoke", "laptop", "gpu"])
@pytest.mark.parametrize("name", MODELS)
def test_profiles(profile, name):
    cfg, own = (frontalize.Config.for_profile(profile, model=model) for model in (name, "flow"))
    assert (cfg.size, cfg.steps, cfg.batch) == (own.size, own.steps, own.batch) and cfg.model == name
    if profile != "gpu":
        model = frontalize.build(dataclasses.replace(cfg, feature_net="none"))
        assert 2 * parameter_count(model.G) < 12_000_000
    assert cfg.lambda_l1 > 0 or cfg.lambda_mse > 0, "all are told the truth, a DCGAN, too"
    with pytest.raises(BadConfig, match="profile"):
        frontalize.Config.for_profile("huge", model=name)


def test_what_ships_fits_into_a_weight_file():
    model = frontalize.build(frontalize.Config.for_profile("gpu", feature_net="none"))
    assert 2 * parameter_count(model.G) < 12_000_000


def test_published_settings():
    """Widths, weights and rates of the source's four; the critic of pix2pix learns as fast as its generator."""
    of_model = {name: frontalize.Config.published(name) for name in ("ae", "pix2pix", "dcgan", "cvae")}
    assert {cfg.size for cfg in of_model.values()} == {128} and {cfg.feature_net for cfg in of_model.values()} == {
        "none"
    }
    ae, pix, dcgan, cvae = of_model.values()
    assert (ae.encoder, ae.width, ae.lambda_mse, ae.learning_rate, ae.beta1, ae.batch) == (
        "vggface",
        64,
        1,
        1e-4,
        0.9,
        64,
    )
    assert (pix.encoder, pix.lambda_l1, pix.lambda_adv, pix.critic_side, pix.loss) == ("vggface", 100, 1, True, "lsgan")
    assert (pix.learning_rate, pix.critic_learning_rate, pix.beta1) == (2e-4, 2e-4, 0.5)
    assert (dcgan.lambda_adv, dcgan.lambda_l1, dcgan.learning_rate, dcgan.critic_side) == (1, 0, 2e-4, False)
    assert (cvae.latent, cvae.lambda_mse, cvae.lambda_kl, cvae.learning_rate, cvae.batch) == (2, 1, 1, 1e-3, 32)
    assert frontalize.Config.published() == pix and frontalize.Config.published("dcgan", lambda_l1=9.0).lambda_l1 == 9
    with pytest.raises(BadConfig, match="model"):
        frontalize.Config.published("flow")
    model = frontalize.build(dcgan)
    assert parameter_count(model.G) == 13_983_651 and parameter_count(model.D) == 2_805_457
    assert parameter_count(frontalize.build(cvae).G) == 3_338_967


def test_a_face_encoder_that_is_not_here_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("FACELAB_VGGFACE", str(tmp_path / "none.safetensors"))
    with pytest.raises(MissingPart, match="effnet-lite0 or none"):
        frontalize.build(of("ae", encoder="vggface"))


@pytest.mark.parametrize(("name", "frozen", "learning"), [
    ("ae", lambda G: G.encoder, lambda G: G.steps),
    ("flow", lambda G: G.borrowed.eyes, lambda G: G.borrowed.read),
    ("unet", lambda G: G.borrowed.eyes, lambda G: G.borrowed.read),
])  # fmt: skip
def test_a_frozen_encoder_is_not_trained(name, frozen, learning):
    cfg = of(name, encoder="effnet-lite0", channels=3, ema=0.9)
    model, opts, state = make(cfg)
    before = weights(frozen(model.G)), weights(learning(model.G))
    frontalize.train_step(batch_of(cfg), model, opts, state, Engine())
    assert not changed(before[0], frozen(model.G)) and changed(before[1], learning(model.G))
    assert sum(p.numel() for group in opts["G"].param_groups for p in group["params"]) == sum(
        p.numel() for p in model.G.parameters() if p.requires_grad
    )


@pytest.mark.parametrize(("name", "changes"), [(name, {}) for name in MODELS] + [
    ("flow", {"mirror": False}), ("ae", {"encoder": "effnet-lite0"}), ("flow", {"encoder": "effnet-lite0"}),
])  # fmt: skip
def test_weights_survive_the_round_trip(tmp_path, name, changes):
    cfg = of(name, **changes)
    model, opts, state = make(cfg)
    frontalize.train_step(batch_of(cfg), model, opts, state, Engine())
    path = tmp_path / "w.safetensors"
    card = {"system": "frontalize", "config": dataclasses.asdict(cfg)}
    write_weights(path, {"G": model.best_generator()}, card)
    again, read = frontalize.load(path)
    side, angle = batch_of(cfg)["side"], torch.arange(4)
    a, b = (frontalize.restore(net, side, angle).image for net in (model, again))
    assert (a - b).abs().mean() < 5e-3 and read == cfg
    card["config"]["width"] = 16
    write_weights(path, {"G": model.G}, card)
    with pytest.raises(BadWeights, match="another network"):
        frontalize.load(path)


def test_an_encoder_read_with_the_rest_needs_no_file_of_its_own(tmp_path, monkeypatch):
    """Weights that hold VGGFace's convolutions are read where its file is missing."""
    monkeypatch.setenv("FACELAB_VGGFACE", str(tmp_path / "none.safetensors"))
    cfg = of("ae", encoder="vggface", ema=0.0)
    seed_all(0)
    model = frontalize.Frontalize(cfg, pretrained=False)
    path = tmp_path / "w.safetensors"
    write_weights(path, {"G": model.G}, {"config": dataclasses.asdict(cfg)})
    side = batch_of(cfg)["side"]
    again, _ = frontalize.load(path)
    torch.testing.assert_close(
        frontalize.restore(again, side).image, frontalize.restore(model, side).image, atol=2e-2, rtol=0
    )


# ---------------------------------------------------------------- matches


def matched_batch(count: int = 2, size: int = 32) -> dict[str, torch.Tensor]:
    """Fronts of stripes, and the same shifted by a quarter of the side: where each place is seen is known."""
    seed_all(1)
    front = torch.nn.functional.interpolate(torch.rand(count, 1, 4, 4), (size, size), mode="bilinear") * 2 - 1
    side = torch.roll(front, size // 4, -1)
    match = torch.zeros(count, 3, 8, 8)
    match[:, 0], match[:, 2] = 0.5, 1.0
    match[:, 2, :, 6:] = 0  # rolled out of the picture
    return {"side": side, "front": front, "angle": torch.full((count,), 6), "match": match}


def test_flows_learn_from_known_matches():
    cfg = frontalize.Config.for_profile(
        "smoke",
        size=32,
        channels=1,
        steps=60,
        lambda_l1=0.0,
        lambda_ssim=0.0,
        lambda_symmetry=0.0,
        lambda_adv=0.0,
        ema=0.0,
    )
    seed_all(0)
    model, batch = frontalize.build(cfg), matched_batch()
    opts, engine = frontalize.optimizers(model, cfg), Engine()
    state = State(total_steps=cfg.steps, generator=generator(0, "match"), cfg=cfg)
    logs = [frontalize.train_step(batch, model, opts, state, engine) for _ in range(60)]
    assert logs[-1]["match"] < 0.25 * logs[0]["match"]
    assert logs[-1]["gate"] < logs[0]["gate"]


def test_flows_alone_learn_before_pictures_are_made():
    cfg = frontalize.Config.for_profile("smoke", size=32, channels=1, steps=10, paint_from=0.5, adversarial_from=0.0)
    model, opts, state = make(cfg)
    own = {name for name in model.G.state_dict() if name.split(".")[0] in ("stem", "down", "middle", "match")}
    before, critic, batch = weights(model.G), weights(model.D), matched_batch()
    logs = frontalize.train_step(batch, model, opts, state, Engine())
    assert set(logs) == {"match", "gate", "asked"} and not changed(critic, model.D)
    moved = {name for name, value in model.G.state_dict().items() if not torch.equal(value, before[name])}
    assert moved <= own and any(name.startswith("stem") for name in moved)
    state.step = 5
    assert {"l1", "adv", "match"} <= set(frontalize.train_step(batch, model, opts, state, Engine()))


@pytest.mark.parametrize("changes", [{"model": "unet"}, {"ask": False}, {"lambda_match": 0.0, "copy": False}, {}])
def test_pictures_are_made_at_once_where_nothing_could_be_learned_without(changes):
    cfg = frontalize.Config.for_profile("smoke", size=32, channels=1, paint_from=0.5, **changes)
    batch = matched_batch()
    if not changes:
        del batch["match"]
    model, opts, state = make(cfg)
    assert "l1" in frontalize.train_step(batch, model, opts, state, Engine())


@pytest.mark.parametrize("size", [32, 64, 128])
def test_flows_learn_the_same_before_and_after_pictures_are_made(size):
    """Nothing that is compared with the truth is coarser than the truth."""
    cfg = of(size=size, channels=1, paint_from=0.5, encoder="effnet-lite0")
    model, opts, state = make(cfg)
    batch = matched_batch(size=size) | {
        "match": matched_batch()["match"].repeat_interleave(4, -1).repeat_interleave(4, -2)
    }
    seen, real = [], matching.match_l1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step_module, "match_l1", lambda flow, match: seen.append(flow.shape[-1]) or real(flow, match))
        for state.step in (0, 60):
            frontalize.train_step(batch, model, opts, state, Engine())
    assert min(seen) >= batch["match"].shape[-1] == 32


def test_borrowed_eyes_stay_as_they_are_in_the_average_too():
    cfg = of(channels=3, encoder="effnet-lite0", ema=0.9)
    model, opts, state = make(cfg)
    for _ in range(3):
        frontalize.train_step(batch_of(cfg), model, opts, state, Engine())
    assert not changed(weights(model.G.borrowed.eyes), model.average.borrowed.eyes)


def test_borrowed_eyes_look_in_half_precision_too():
    cfg = of(channels=3, encoder="effnet-lite0")
    model, opts, state = make(cfg)
    logs = frontalize.train_step(batch_of(cfg), model, opts, state, Engine(precision="bf16"))
    assert all(np.isfinite(value) for value in logs.values())


def test_the_reference_generator_fits_into_a_file_that_ships():
    cfg = frontalize.Config.for_profile("gpu")
    model = frontalize.Frontalize(dataclasses.replace(cfg, feature_net="none", ema=0.0), pretrained=False)
    assert 2 * parameter_count(model.G) < 0.98 * LIMIT_BYTES


def test_where_to_look_is_found_without_painting():
    model, _, _ = make(of(size=32))
    images = batch_of(model.cfg)["side"]
    plan, answers = model.G.find(images)
    made = model.G.paint(images)
    assert torch.equal(answers, made.answers) and plan.shape[-1] == 16
    assert (F.interpolate(plan, 32, mode="bilinear") - made.plan).abs().max() < 1e-4


def test_matches_are_for_flows_and_optional():
    for changes in ({"model": "unet"}, {"lambda_match": 0.0, "copy": False}):
        cfg = frontalize.Config.for_profile("smoke", size=32, channels=1, **changes)
        seed_all(0)
        model, engine = frontalize.build(cfg), Engine()
        state = State(total_steps=cfg.steps, generator=generator(0, "match"), cfg=cfg)
        logs = frontalize.train_step(matched_batch(), model, frontalize.optimizers(model, cfg), state, engine)
        assert "match" not in logs and "gate" not in logs
