"use strict";

// The renderer in plain JavaScript, off the page's thread.
class WorkerRenderer {
  constructor(canvas, header, bytes, source) {
    this.name = "JavaScript";
    this.largest = 4096;
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.id = 0;
    this.awaited = new Map();
    const address = URL.createObjectURL(new Blob([source, "\nserve(self);"]));
    this.worker = new Worker(address);
    this.worker.onmessage = ({ data }) => this.take(data);
    this.worker.postMessage({ header, bytes }, [bytes]);
  }

  draw(frame) {
    this.id += 1;
    this.size = [frame.columns.length, frame.rows.length];
    this.worker.postMessage({ id: this.id, frame });
  }

  take(data) {
    if (data.values) {
      this.awaited.get(data.id)(data.values);
      this.awaited.delete(data.id);
    } else if (data.id === this.id) {
      const [width, height] = this.size;
      if (data.first === 0 && (this.canvas.width !== width || this.canvas.height !== height)) {
        [this.canvas.width, this.canvas.height] = this.size;
      }
      this.context.putImageData(new ImageData(data.pixels, data.width), 0, data.first);
    }
  }

  values(frame) {
    this.id += 1;
    return new Promise((resolve) => {
      this.awaited.set(this.id, resolve);
      this.worker.postMessage({ id: this.id, frame, values: true });
    });
  }
}
