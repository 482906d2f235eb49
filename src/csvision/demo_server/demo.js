"use strict";

const find = (id) => document.getElementById(id);
const canvas = find("canvas");
const context = canvas.getContext("2d", { willReadFrequently: true });
let model = null;
let drawing = false;
let last = null;
let waiting = false;
let changed = false;

// One byte for each value, channels first, as csvision stores images.
function readImage() {
  const { channels, height, width } = model;
  const rgba = context.getImageData(0, 0, width, height).data;
  const bytes = new Uint8Array(channels * height * width);
  for (let pixel = 0; pixel < height * width; pixel++) {
    const [red, green, blue] = rgba.subarray(4 * pixel, 4 * pixel + 3);
    if (channels === 1) {
      bytes[pixel] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
    } else {
      [red, green, blue].forEach((value, channel) => {
        bytes[channel * height * width + pixel] = value;
      });
    }
  }
  return bytes;
}

// At most one request at a time; changes during a request are sent after it.
async function update() {
  changed = true;
  if (waiting) return;
  waiting = true;
  try {
    while (changed) {
      changed = false;
      const response = await fetch("/predict", {
        method: "POST",
        headers: { "Content-Type": "application/octet-stream" },
        body: readImage(),
      });
      if (!response.ok) throw new Error(await response.text());
      show(await response.json());
    }
  } catch (error) {
    find("prediction").textContent = `No prediction: ${error.message}`;
  } finally {
    waiting = false;
  }
}

function element(name, text, properties = {}) {
  return Object.assign(document.createElement(name), { textContent: text }, properties);
}

function image({ uri, width, height, alt }) {
  return Object.assign(new Image(), { src: uri, width, height, alt });
}

function show(answer) {
  const percent = (value) => `${(100 * value).toFixed(1)} %`;
  const best = answer.probabilities.reduce((one, two) => (two.value > one.value ? two : one));
  find("prediction").textContent = `${best.name}: ${percent(best.value)}`;
  find("probabilities").replaceChildren(
    ...answer.probabilities.map(({ name, value }) => {
      const item = element("li", "");
      const meter = element("meter", percent(value), { value });
      meter.setAttribute("aria-label", name);
      item.append(element("span", name), meter, element("span", percent(value)));
      return item;
    }),
  );
  const cam = answer.grad_cam;
  find("grad-cam").replaceChildren(
    cam.missing ? element("p", `Not shown: ${cam.missing}.`) : image(cam),
  );
  find("layers").replaceChildren(
    ...answer.layers.map((layer) => {
      const part = element("div", "");
      const scroll = element("div", "", { className: "scroll", tabIndex: 0 });
      scroll.append(image(layer));
      part.append(element("h3", `${layer.name} ${layer.shape}`), scroll);
      return part;
    }),
  );
}

function position(event) {
  const box = canvas.getBoundingClientRect();
  return [
    ((event.clientX - box.left) / box.width) * canvas.width,
    ((event.clientY - box.top) / box.height) * canvas.height,
  ];
}

function draw(event) {
  const point = position(event);
  context.strokeStyle = find("color").value;
  context.lineWidth = (Number(find("size").value) * canvas.width) / 28;
  context.lineCap = "round";
  context.beginPath();
  context.moveTo(...(last ?? point));
  // A line of length 0 would not be drawn.
  context.lineTo(point[0], point[1] + (last ? 0 : 0.01));
  context.stroke();
  last = point;
  update();
}

function clear() {
  context.fillStyle = "#000000";
  context.fillRect(0, 0, canvas.width, canvas.height);
  update();
}

function invert() {
  const data = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let index = 0; index < data.data.length; index++) {
    if (index % 4 !== 3) data.data[index] = 255 - data.data[index];
  }
  context.putImageData(data, 0, 0);
  update();
}

async function upload() {
  const [file] = find("file").files;
  if (!file) return;
  try {
    const bitmap = await createImageBitmap(file);
    context.fillStyle = "#000000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    update();
  } catch {
    find("prediction").textContent = `${file.name} is not an image that this browser can read.`;
  }
}

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  drawing = true;
  last = null;
  draw(event);
});
canvas.addEventListener("pointermove", (event) => {
  if (drawing) draw(event);
});
for (const name of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(name, () => {
    drawing = false;
  });
}
find("clear").addEventListener("click", clear);
find("invert").addEventListener("click", invert);
find("file").addEventListener("change", upload);

fetch("/model")
  .then((response) => response.json())
  .then((answer) => {
    model = answer;
    canvas.width = model.width;
    canvas.height = model.height;
    find("color").parentElement.hidden = model.channels === 1;
    const size = `${model.channels}x${model.height}x${model.width}`;
    const hint = model.channels === 1 ? "; draw as bright on dark as the data are" : "";
    find("run").textContent = `${model.run}; images ${size}${hint}`;
    clear();
  });
