"use strict";

// The page itself: what is seen of the slice, and the controls.

const LARGEST_SIZE = 8; // screen pixels for an output pixel
const NEAR_LINE = 16; // CSS pixels within which a press takes the swipe line
const STEP = 1.05; // of the magnification, for a key
const WHEEL = 500; // wheel units that magnify e-fold

const element = (id) => document.getElementById(id);

class Page {
  constructor(header) {
    this.header = header;
    this.stage = element("stage");
    this.pointers = new Map();
    this.size = 1;
    this.split = 0.5;
    this.before = "bicubic";
    const [top, left, bottom, right] = header.region;
    this.centre = [(top + bottom) / 2, (left + right) / 2];
    this.contrast = [...header.contrast];
    this.hundredths = Math.round(100 * header.scale);
  }

  async start() {
    const { header } = this;
    const packed = Uint8Array.from(atob(element("parts").textContent), (c) => c.charCodeAt(0));
    if (!("DecompressionStream" in window)) {
      throw new Error("This page needs a browser of 2023 or later.");
    }
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = await new Response(stream).arrayBuffer();
    this.renderer = this.chosenRenderer(header, bytes);
    element("drawn").textContent = `Drawn by ${this.renderer.name}.`;
    this.prepareControls();
    this.listen();
    this.fit();
    element("message").textContent = "";
    new ResizeObserver(() => this.draw()).observe(this.stage);
  }

  // WebGL, or JavaScript where it is missing or the address ends in #javascript.
  chosenRenderer(header, bytes) {
    const plain = (canvas) =>
      new WorkerRenderer(canvas, header, bytes, element("renderer").textContent);
    if (location.hash === "#javascript") return plain(element("picture"));
    try {
      const contents = unpacked(header, bytes);
      const canvas = element("picture");
      canvas.addEventListener("webglcontextlost", () => {
        this.renderer = plain(this.freshCanvas());
        this.draw();
      });
      return new WebGLRenderer(canvas, contents, element("shader").textContent.trim());
    } catch (error) {
      console.warn(error);
      return plain(this.freshCanvas());
    }
  }

  // A canvas that once had a WebGL context gives no other one.
  freshCanvas() {
    const old = element("picture");
    const fresh = old.cloneNode();
    old.replaceWith(fresh);
    return fresh;
  }

  prepareControls() {
    const { header } = this;
    element("scale").max = header.largestScale;
    for (let size = 1; size <= LARGEST_SIZE; size++) {
      element("size").append(new Option(`${size} × ${size} on screen`, size));
    }
    const [low, high] = header.contrast;
    const [least, most] = [Math.min(header.limits[0], low), Math.max(header.limits[1], high)];
    const step = (most - least) / 1000;
    Object.assign(element("level"), { min: least, max: most, step });
    Object.assign(element("window"), { min: step, max: most - least, step });
    for (const side of ["top", "bottom", "left", "right"]) {
      element(side).textContent = header.letters[side] ?? "";
    }
  }

  listen() {
    const on = (id, event, action) => element(id).addEventListener(event, action);
    const number = (id) => Number(element(id).value);
    on("scale", "input", () => this.magnify(100 * number("scale")));
    on("swipe", "input", () => this.set({ split: number("swipe") / 100 }));
    on("before", "change", () => this.set({ before: element("before").value }));
    on("size", "change", () => this.set({ size: number("size") }));
    for (const id of ["level", "window"]) {
      on(id, "input", () => this.setWindow(number("level"), number("window")));
    }
    on("fit", "click", () => this.fit());
    on("reset", "click", () => {
      this.contrast = [...this.header.contrast];
      this.set({ split: 0.5, before: "bicubic" });
      this.fit();
    });
    on("controls", "submit", (event) => event.preventDefault());
    on("theme", "click", () => {
      const root = document.documentElement;
      const dark = getComputedStyle(root).colorScheme === "dark";
      root.dataset.theme = dark ? "light" : "dark";
    });
    on("stage", "keydown", (event) => this.onKey(event));
    on("stage", "wheel", (event) => this.onWheel(event));
    on("stage", "pointerdown", (event) => this.onPress(event));
    on("stage", "pointermove", (event) => this.onMove(event));
    for (const event of ["pointerup", "pointercancel"]) {
      on("stage", event, ({ pointerId }) => {
        this.pointers.delete(pointerId);
        this.swiping = false;
        this.stage.classList.remove("moving");
      });
    }
  }

  set(changes) {
    Object.assign(this, changes);
    this.draw();
  }

  setWindow(level, width) {
    this.set({ contrast: [level - width / 2, level + width / 2] });
  }

  // Output pixels that the stage has room for, as fractions: rows, columns.
  room(size = this.size) {
    const ratio = window.devicePixelRatio / size;
    return [this.stage.clientHeight * ratio, this.stage.clientWidth * ratio];
  }

  // Show the whole region: as large as the first magnification fills the stage, smaller if it is
  // too large.
  fit() {
    const [top, left, bottom, right] = this.header.region;
    const { ratios, scale } = this.header;
    const sides = [(bottom - top) * ratios[0], (right - left) * ratios[1]];
    const room = this.room(1);
    const fitting = Math.min(room[0] / sides[0], room[1] / sides[1]);
    this.size = Math.min(Math.max(Math.floor(fitting / scale), 1), LARGEST_SIZE);
    const largest = Math.max(Math.floor((100 * fitting) / this.size), 100);
    this.hundredths = Math.min(Math.round(100 * scale), largest);
    this.centre = [(top + bottom) / 2, (left + right) / 2];
    this.draw();
  }

  // Change the magnification; a place, in CSS pixels of the stage, stays where it is.
  magnify(hundredths, place = [this.stage.clientHeight / 2, this.stage.clientWidth / 2]) {
    const before = this.pointAt(place);
    const largest = 100 * this.header.largestScale;
    this.hundredths = Math.min(Math.max(Math.round(hundredths), 100), largest);
    const after = this.pointAt(place);
    this.centre = this.centre.map((centre, axis) => centre + before[axis] - after[axis]);
    this.draw();
  }

  // Where in the slice, in pixel edges, a place of the stage is.
  pointAt(place) {
    const { trueScale } = gridAt(this.header, this.hundredths);
    const room = this.room();
    const ratio = window.devicePixelRatio / this.size;
    return this.centre.map((centre, axis) => {
      const away = (place[axis] * ratio - room[axis] / 2) / trueScale[axis];
      return centre + (this.header.flipped[axis] ? -away : away);
    });
  }

  move(down, across) {
    const { trueScale } = gridAt(this.header, this.hundredths);
    const ratio = window.devicePixelRatio / this.size;
    this.centre = this.centre.map((centre, axis) => {
      const away = ([down, across][axis] * ratio) / trueScale[axis];
      const [first, last] = [this.header.region[axis], this.header.region[axis + 2]];
      return Math.min(Math.max(centre - (this.header.flipped[axis] ? -away : away), first), last);
    });
    this.draw();
  }

  onKey(event) {
    const far = this.stage.clientHeight / 10;
    const actions = {
      ArrowUp: () => this.move(far, 0),
      ArrowDown: () => this.move(-far, 0),
      ArrowLeft: () => this.move(0, far),
      ArrowRight: () => this.move(0, -far),
      "+": () => this.magnify(this.hundredths * STEP),
      "=": () => this.magnify(this.hundredths * STEP),
      "-": () => this.magnify(this.hundredths / STEP),
      ",": () => this.set({ split: Math.max(this.split - 0.05, 0) }),
      ".": () => this.set({ split: Math.min(this.split + 0.05, 1) }),
      b: () => this.set({ before: this.before === "bicubic" ? "acquired" : "bicubic" }),
      0: () => this.fit(),
    };
    const action = actions[event.key] ?? actions[event.key.toLowerCase()];
    if (action && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      action();
    }
  }

  onWheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    const factor = Math.exp((-event.deltaY * lines) / WHEEL);
    this.magnify(this.hundredths * factor, this.placeOf(event));
  }

  placeOf(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientY - box.top, event.clientX - box.left];
  }

  onPress(event) {
    this.stage.setPointerCapture(event.pointerId);
    const place = this.placeOf(event);
    this.pointers.set(event.pointerId, place);
    const line = this.split * this.stage.clientWidth;
    this.swiping = this.pointers.size === 1 && Math.abs(place[1] - line) < NEAR_LINE;
    this.stage.classList.toggle("moving", !this.swiping);
  }

  onMove(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const place = this.placeOf(event);
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId);
    this.pointers.set(event.pointerId, place);
    if (others.length) {
      const other = others[0][1];
      const apart = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]) || 1;
      const middle = place.map((at, axis) => (at + other[axis]) / 2);
      this.magnify((this.hundredths * apart(place)) / apart(last), middle);
    } else if (this.swiping) {
      this.set({ split: Math.min(Math.max(place[1] / this.stage.clientWidth, 0), 1) });
    } else {
      this.move(place[0] - last[0], place[1] - last[1]);
    }
  }

  draw() {
    if (this.scheduled || !this.renderer) return;
    this.scheduled = requestAnimationFrame(() => {
      this.scheduled = null;
      this.renderer.draw(this.frame());
      this.tell();
    });
  }

  // The output pixels that are seen, one for each pixel of the canvas.
  frame() {
    const { header } = this;
    const grid = gridAt(header, this.hundredths);
    const room = this.room();
    const [rows, columns] = room.map((size, axis) => {
      const count = Math.min(Math.max(Math.round(size), 1), this.renderer.largest);
      const middle = this.centre[axis] * grid.trueScale[axis];
      const first = Math.round(middle - count / 2);
      const place = header.flipped[axis] ? (k) => first + count - 1 - k : (k) => first + k;
      return Int32Array.from({ length: count }, (_, k) => place(k));
    });
    return {
      hundredths: this.hundredths,
      rows,
      columns,
      split: Math.round(this.split * columns.length),
      before: METHODS[this.before],
      contrast: this.contrast,
    };
  }

  // Bring everything around the picture up to date.
  tell() {
    const { header, stage } = this;
    const grid = gridAt(header, this.hundredths);
    const css = this.size / window.devicePixelRatio;
    const canvas = this.renderer.canvas;
    const [rows, columns] = this.room().map((size) => Math.max(Math.round(size), 1));
    canvas.style.width = `${columns * css}px`;
    canvas.style.height = `${rows * css}px`;
    const scale = grid.trueScale.map((one) => `×${one.toFixed(2)}`);
    const scaleText = scale[0] === scale[1] ? scale[0] : `${scale[0]} rows, ${scale[1]} columns`;
    const after = `${header.model} ${scaleText}`;
    const names = { bicubic: "Bicubic", acquired: "Acquired pixels" };
    const text = (id, value) => {
      if (element(id).textContent !== value) element(id).textContent = value;
    };
    text("scaleText", scaleText);
    text("nameBefore", `← ${names[this.before]}`);
    text("nameAfter", `${after} →`);
    canvas.setAttribute("aria-label", `${names[this.before]} beside ${after}`);
    element("scale").value = this.hundredths / 100;
    element("scale").setAttribute("aria-valuetext", scaleText);
    element("swipe").value = 100 * this.split;
    text("swipeText", `${Math.round(100 * this.split)}%`);
    element("before").value = this.before;
    element("size").value = this.size;
    const [low, high] = this.contrast;
    const digits = (value) => Number(value.toPrecision(4)).toString();
    for (const [id, value] of [
      ["level", (low + high) / 2],
      ["window", high - low],
    ]) {
      element(id).value = value;
      text(`${id}Text`, digits(value));
    }
    const line = this.split * stage.clientWidth;
    element("divider").style.left = `${line}px`;
    this.placeName("nameBefore", line - element("nameBefore").offsetWidth - 8);
    this.placeName("nameAfter", line + 8);
    this.tellSpacing(grid);
    this.drawBar(grid, css);
  }

  // Keep a name on its side of the line, as far as it is seen.
  placeName(id, left) {
    const name = element(id);
    const room = this.stage.clientWidth - name.offsetWidth;
    name.style.left = `${left}px`;
    name.style.visibility = left < 0 || left > room ? "hidden" : "visible";
  }

  tellSpacing(grid) {
    const { header } = this;
    const lengths = (steps) => steps.map((step) => Number(step.toPrecision(3))).join(" × ");
    const steps = header.spacing.map((step, axis) => step / grid.trueScale[axis]);
    const trained = header.trained[1];
    const beyond = Math.max(...grid.trueScale) > 1.02 * trained;
    const { unit } = header;
    element("spacing").textContent = beyond
      ? `${lengths(steps)} ${unit}; beyond the ×${trained} that ${header.model} was trained on`
      : `${lengths(steps)} ${unit} a pixel; acquired ${lengths(header.spacing)} ${unit}`;
    element("spacing").classList.toggle("beyond", beyond);
  }

  drawBar(grid, css) {
    const { header } = this;
    const step = header.spacing[1] / grid.trueScale[1]; // across, of an output pixel
    const third = (this.stage.clientWidth / css) * (step / 3);
    const power = 10 ** Math.floor(Math.log10(third));
    const length = Math.max(...[1, 2, 5].map((one) => one * power).filter((one) => one <= third));
    const bar = element("bar");
    bar.style.width = `${(length / step) * css}px`;
    bar.firstElementChild.textContent = `${Number(length.toPrecision(1))} ${header.unit}`;
  }

  // Values of output pixels [i0, j0, i1, j1] by a method, in the units of the slice.
  async values(method, hundredths, [i0, j0, i1, j1]) {
    const range = (first, last) => Int32Array.from({ length: last - first }, (_, k) => first + k);
    const before = METHODS[method];
    const columns = range(j0, j1);
    const split = before === METHODS.superResolved ? 0 : columns.length;
    const frame = { hundredths, rows: range(i0, i1), columns, split, before, contrast: [0, 1] };
    return this.renderer.values(frame);
  }
}

const page = new Page(JSON.parse(element("header").textContent));
page.ready = page.start().catch((error) => {
  element("message").textContent = error.message;
  throw error;
});
window.metasr = page;
