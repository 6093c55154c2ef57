// A picture that can be erased with mouse, pen or finger. What is erased is sent when the pointer is lifted:
// one byte a pixel, 255 = hidden, in `value`.

const SHOWN = 300; // pixels of the page

function makeCanvas(side) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  return canvas;
}

function makeButton(text, act) {
  const button = document.createElement("button");
  button.textContent = text;
  button.className = "jupyter-button facelab-eraser-button";
  button.style.cssText = "margin: 4px 4px 0 0; padding: 2px 10px; width: auto;";
  button.addEventListener("click", act);
  return button;
}

function render({ model, el }) {
  const side = model.get("side");
  const screen = makeCanvas(2 * SHOWN), pen = screen.getContext("2d");
  const hole = makeCanvas(side), ink = hole.getContext("2d", { willReadFrequently: true });
  screen.className = "facelab-eraser";
  screen.style.cssText = `width: ${SHOWN}px; height: ${SHOWN}px; touch-action: none; cursor: crosshair;`;
  screen.setAttribute("aria-label", "the face; drag to erase");
  let drawing = null; // the pointer that draws; all others are left to the page
  let face = null, newest = null, last = null, past = [];

  function draw() {
    pen.imageSmoothingEnabled = true;
    pen.fillStyle = "#808080";
    pen.fillRect(0, 0, screen.width, screen.height);
    if (face) pen.drawImage(face, 0, 0, screen.width, screen.height);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(hole, 0, 0, screen.width, screen.height);
  }

  function readFace() {
    const bytes = model.get("picture");
    if (!bytes.byteLength) return;
    const address = URL.createObjectURL(new Blob([bytes], { type: "image/png" })), image = new Image();
    newest = image;
    image.onload = () => { URL.revokeObjectURL(address); if (image === newest) { face = image; draw(); } };
    image.onerror = () => URL.revokeObjectURL(address);
    image.src = address;
  }

  function readHole() {
    if (drawing !== null) return; // a stroke under way counts for more; its end tells the whole hole
    const given = model.get("value"), pixels = ink.createImageData(side, side);
    for (let k = 0; k < given.byteLength && k < side * side; k++) {
      const hidden = given.getUint8(k) > 127;
      pixels.data.set([128, 128, 128, hidden ? 255 : 0], 4 * k);
    }
    ink.putImageData(pixels, 0, 0);
    draw();
  }

  function tell() {
    const pixels = ink.getImageData(0, 0, side, side).data, out = new Uint8Array(side * side);
    for (let k = 0; k < out.length; k++) out[k] = pixels[4 * k + 3] > 127 ? 255 : 0;
    model.set("value", new DataView(out.buffer));
    model.save_changes();
  }

  function place(event) {
    const box = screen.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * side, (event.clientY - box.top) / box.height * side];
  }

  function stroke(from, to) {
    ink.globalCompositeOperation = model.get("erases") ? "source-over" : "destination-out";
    ink.strokeStyle = "#808080";
    ink.lineWidth = model.get("brush");
    ink.lineCap = "round";
    ink.beginPath();
    ink.moveTo(...from);
    ink.lineTo(to[0] + 0.01, to[1]);
    ink.stroke();
    draw();
  }

  screen.addEventListener("pointerdown", (event) => {
    if (drawing !== null || !event.isPrimary || event.button !== 0) return;
    event.preventDefault();
    screen.setPointerCapture(event.pointerId);
    past.push(ink.getImageData(0, 0, side, side));
    if (past.length > 50) past.shift();
    drawing = event.pointerId;
    last = place(event);
    stroke(last, last);
  });
  screen.addEventListener("pointermove", (event) => {
    if (event.pointerId !== drawing) return;
    if (!(event.buttons & 1)) return lift(event); // lifted where nobody told us
    const here = place(event);
    stroke(last, here);
    last = here;
  });
  function lift(event) {
    if (event.pointerId !== drawing) return;
    drawing = null;
    tell();
  }
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) screen.addEventListener(end, lift);

  const undo = makeButton("undo", () => {
    if (!past.length) return;
    ink.putImageData(past.pop(), 0, 0);
    draw();
    tell();
  });
  const clear = makeButton("clear", () => {
    past.push(ink.getImageData(0, 0, side, side));
    ink.clearRect(0, 0, side, side);
    draw();
    tell();
  });

  model.on("change:picture", readFace);
  model.on("change:value", readHole);
  el.append(screen, document.createElement("br"), undo, clear);
  readFace();
  readHole();
  return () => { model.off("change:picture", readFace); model.off("change:value", readHole); };
}

export default { render };
