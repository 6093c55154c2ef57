"""The demo: upload a photograph, choose what is to be done, compare, download.

Widgets only; Voilà or JupyterLab serves them. Uploads stay in this process's memory: nothing is written to disk.
Taught in: lesson 11.
"""

from __future__ import annotations

import base64
import html
import io
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import ipywidgets
import torch
from torch import Tensor

from facelab import images
from facelab.errors import BadImage, BadWeights, FacelabError
from facelab.files import weights_root
from facelab.show.lab import LABEL, Rest
from facelab.studies.one_picture import wants_eyes
from facelab.studies.tasks import TASKS
from facelab.studies.training import system
from facelab.studies.upload import MAX_BYTES, MAX_MEGAPIXELS, Answer, answer, blended
from facelab.train.weights import weights_path

LOG = logging.getLogger(__name__)
SHOWN = 300  # pixels of the page, width of a panel
WIDE = ipywidgets.Layout(width="420px")
BUTTON = ipywidgets.Layout(width="200px")
PANEL = ipywidgets.Layout(width=f"{SHOWN}px", height="auto", object_fit="contain")
TITLES = ("what you gave", "where it was hidden (white)", "result")  # above the panels
NONE, FIND, WHOLE = "choose one", "find the faces in it", "the picture is one face"
GUESS = (
    "<b>This is a guess, not evidence.</b> What is painted follows from the faces the network was trained on, and says "
    "nothing about who this is or what they look like."
)


@cache
def _loaded(name: str) -> tuple[Callable, Any]:
    model, cfg = system(name).load(name)
    return partial(system(name).restore, model), cfg


def actions() -> dict[str, str]:
    """What can be done, in words → the system that does it: those whose weights are here, and that find the hole."""
    return {task.action: name for name, task in TASKS.items() if weights_path(name).is_file() and not task.given}


@dataclass
class Demo:
    """Controls and pictures of the demo.

    Args:
        samples: name → image (C, H, W), to try it without a photograph of one's own.
        meant: sample's name → the system it is meant for, which it sets; an action set so goes with its sample.
        load: system's name → its restore and configuration.
        upload, sample, action, where, blend: the controls.
        panels: input, hole and result, in that order.
        message: one line about what happened, class ``facelab-message``.
        download: the link to the result, class ``facelab-download``.
    """

    samples: Mapping[str, Tensor]
    load: Callable[[str], tuple[Callable, Any]] = _loaded
    meant: Mapping[str, str] = field(default_factory=dict)
    upload: ipywidgets.FileUpload = field(
        default_factory=lambda: ipywidgets.FileUpload(
            accept="image/*", multiple=False, description="upload a photo", layout=BUTTON
        )
    )
    blend: ipywidgets.FloatSlider = field(
        default_factory=lambda: ipywidgets.FloatSlider(
            1.0, min=0.0, max=1.0, step=0.02, description="before/after", style=LABEL, layout=WIDE
        )
    )
    message: ipywidgets.HTML = field(default_factory=ipywidgets.HTML)
    download: ipywidgets.HTML = field(default_factory=ipywidgets.HTML)
    panels: tuple[ipywidgets.Image, ...] = field(
        default_factory=lambda: tuple(ipywidgets.Image(format="png", layout=PANEL) for _ in range(3))
    )
    _content: bytes | None = field(default=None, repr=False)
    _name: str = field(default="", repr=False)
    _is_sample: bool = field(default=False, repr=False)
    _shown: Answer | None = field(default=None, repr=False)
    _small: Answer | None = field(default=None, repr=False)
    _rest: Rest = field(default_factory=Rest, repr=False)

    def __post_init__(self):
        choose = partial(ipywidgets.Dropdown, style=LABEL, layout=WIDE)
        self.sample = choose(options=[NONE, *self.samples], description="or a sample")
        self.action = choose(options=list(actions().items()), description="what to do")
        self.where = choose(options=[FIND, WHOLE], description="where")
        for place, panel in enumerate(self.panels):
            panel.add_class(f"facelab-panel-{('input', 'hole', 'result')[place]}")
        pairs = zip(TITLES, self.panels, strict=True)
        self.columns = [ipywidgets.VBox([ipywidgets.HTML(f"<i>{title}</i>"), panel]) for title, panel in pairs]
        self.row = ipywidgets.HBox(self.columns)
        _show(self.row, False)
        self.message.add_class("facelab-message")
        self.download.add_class("facelab-download")
        self.upload.observe(self._uploaded, names="value")
        self.sample.observe(self._sampled, names="value")
        self.blend.observe(lambda change: self._blend(), names="value")
        for control in (self.action, self.where):
            control.observe(lambda change: self.work(), names="value")
        self._say("Upload a photograph, or take a sample.")

    def _uploaded(self, change: Any) -> None:
        if not self.upload.value:
            return
        file = self.upload.value[0]
        if self._is_sample:  # samples are crops; whose photograph comes next is looked at anew
            self._content, self.sample.value, self.where.value = None, NONE, FIND
        self._is_sample = False
        self._content, self._name = bytes(file["content"]), str(file["name"])
        self.upload.value = ()  # the same file may be chosen again
        self.work()

    def _sampled(self, change: Any) -> None:
        name = self.sample.value
        if name not in self.samples:
            return
        out = io.BytesIO()
        images.to_pil(self.samples[name]).save(out, format="PNG")
        self._content = None  # what is set for it does not yet set to work
        self.where.value = WHOLE  # samples are crops of one face
        self._act(name)
        self._content, self._name, self._is_sample = out.getvalue(), name, True
        self.work()

    def _act(self, sample: str) -> None:
        """Set what the sample is meant for; of one that is meant for nothing, what another one has set is undone."""
        here = [system for _, system in self.action.options]
        wanted = self.meant.get(sample, here[0] if self.action.value in self.meant.values() else None)
        if wanted in here:
            self.action.value = wanted

    def work(self) -> None:
        """Restore what was uploaded last, or say why not; whatever happens, nobody sees an earlier picture."""
        if self._content is None:
            return
        self._shown = None
        self._draw()
        self.blend.value = 1.0  # each result is seen whole at first
        self._say("Working …")
        try:
            if self.action.value is None:
                hint = "Restore them from the repository, or put there what `facelab train oagan` makes."
                raise BadWeights(weights_root(), "there are no weights", hint)
            restore, cfg = self.load(self.action.value)
            with torch.no_grad():
                whole, anew = self.where.value == WHOLE, TASKS[self.action.value].cut
                self._shown = answer(self._content, restore, cfg.size, cfg.channels, whole, anew, wants_eyes(anew, cfg))
            self._say(self._shown.note or "Done.")
        except BadImage as error:
            self._say(f"{self._name}: {error.path} {error.reason}.", bad=True)
        except FacelabError as error:
            self._say(str(error), bad=True)
        except Exception:  # a visitor has seen the last picture go; without a word they would wait for ever
            LOG.exception("an upload could not be worked on")
            self._say(f"{self._name}: this picture could not be worked on. Try another one.", bad=True)
        self._draw()

    def _say(self, words: str, bad: bool = False) -> None:
        colour = "#a4262c" if bad else "inherit"
        self.message.value = f"<span style='color:{colour}'>{html.escape(words)}</span>"

    def _draw(self) -> None:
        shown = self._shown
        _show(self.row, shown is not None)
        if shown is None:
            for panel in self.panels:
                panel.value = b""
            self.download.value = ""
            return
        _show(self.columns[1], shown.hole is not None)
        self._small = Answer(small(shown.before), None, small(shown.after), "")
        self.panels[0].value = png(self._small.before)
        self.panels[1].value = b"" if shown.hole is None else png(small(shown.hole * 2 - 1))
        self._blend()

    def _blend(self) -> None:
        """The result at the slider's place, at once; the link to all its pixels when the slider rests."""
        if self._shown is None or self._small is None:
            return
        self.panels[2].value = png(blended(self._small, self.blend.value))
        self.download.value = ""
        self._rest.after(self._offer)

    def _offer(self) -> None:
        if self._shown is None:
            return
        name = f"{self._name.rsplit('.', 1)[0]}-restored.png"
        link = base64.b64encode(png(blended(self._shown, self.blend.value))).decode()
        style = "padding:4px 12px;border:1px solid #888;border-radius:4px;text-decoration:none"
        self.download.value = (
            f"<a download='{html.escape(name, quote=True)}' href='data:image/png;base64,{link}' style='{style}'>"
            "download the picture</a>"
        )

    def box(self) -> ipywidgets.VBox:
        """Everything, ready to be displayed."""
        limits = f"JPEG, PNG or WebP, up to {MAX_BYTES / 1e6:.0f} MB and {MAX_MEGAPIXELS:g} megapixels; kept in memory."
        return ipywidgets.VBox([
            ipywidgets.HBox([self.upload, ipywidgets.HTML(f"<small>{limits}</small>")]),
            self.sample, self.action, self.where, self.message, self.row,
            ipywidgets.HBox([self.blend, self.download]), ipywidgets.HTML(GUESS),
        ])  # fmt: skip

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.box())


def _show(widget: ipywidgets.DOMWidget, there: bool) -> None:
    """Put a part of the page there, or take it away."""
    widget.layout.display = None if there else "none"


def small(picture: Tensor) -> Tensor:
    """The picture as the page shows it: at most twice :data:`SHOWN` pixels long."""
    longest = max(picture.shape[-2:])
    if longest <= 2 * SHOWN:
        return picture
    scale = 2 * SHOWN / longest
    return images.resize(picture, (round(picture.shape[-2] * scale), round(picture.shape[-1] * scale)))


def png(picture: Tensor) -> bytes:
    """(C, H, W) in [-1, 1] as the bytes of a PNG file."""
    out = io.BytesIO()
    images.to_pil(picture.clamp(-1, 1)).save(out, format="PNG", compress_level=1)
    return out.getvalue()
