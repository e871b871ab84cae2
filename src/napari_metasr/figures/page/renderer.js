"use strict";

// What is computed for every output pixel, in plain JavaScript: the grid, the tables of rows and
// columns that both renderers read, and the renderer for browsers without WebGL. It runs on the
// page and in a worker. Rows and columns, pixel edges and units are those of the Python engine.

const METHODS = { acquired: 0, bicubic: 1, superResolved: 2 };
const KIND = { tissue: 1, near: 2, beyond: 4, missing: 8 };
const TAPS = 12; // numbers of a row or column in the table of taps, see taps()
const ROWS_AT_A_TIME = 32;

// Unpack the parts of the page: header (see contents.py) and one buffer of bytes.
function unpacked(header, bytes) {
  const parts = {};
  let start = 0;
  for (const [name, length] of Object.entries(header.lengths)) {
    parts[name] = bytes.slice(start, start + length);
    start += length;
  }
  const floats = ["weight", "bias", "source", "low", "high", "excess"];
  for (const name of floats) parts[name] = new Float32Array(parts[name]);
  const [top, left, bottom, right] = header.coded;
  const codes = joined(new Uint8Array(parts.codes), header.units, (bottom - top) * (right - left));
  const kind = new Uint8Array(parts.kind);
  const tissue = Float32Array.from(kind, (bits) => bits & KIND.tissue);
  return { header, ...parts, codes, kind, tissue, quads: Math.ceil(header.units / 4) };
}

// Put the codes together, unit by unit, and lay them out in fours: [unit / 4][cell][unit % 4].
function joined(bytes, units, cells) {
  const codes = new Int16Array(Math.ceil(units / 4) * cells * 4);
  const high = units * cells;
  for (let unit = 0, from = 0; unit < units; unit++) {
    let to = (unit >> 2) * cells * 4 + (unit & 3);
    for (let cell = 0; cell < cells; cell++, from++, to += 4) {
      const number = bytes[from] | (bytes[high + from] << 8);
      codes[to] = (number >>> 1) ^ -(number & 1);
    }
  }
  return codes;
}

// A scale is a whole number of hundredths, so that the number of output pixels, round(n r) with
// ties to even, is exact.
function outputSize(size, hundredths) {
  const product = size * hundredths;
  const whole = Math.floor(product / 100);
  const rest = 2 * (product % 100);
  return whole + (rest > 100 || (rest === 100 && whole % 2 === 1) ? 1 : 0);
}

// The output grid at a magnification: input and output pixels of rows and columns, and the output
// pixels [i0, j0, i1, j1] whose centres lie in the region.
function gridAt(header, hundredths) {
  const scales = header.ratios.map((ratio) => Math.round(hundredths * ratio));
  const input = header.shape;
  const output = input.map((size, axis) => outputSize(size, scales[axis]));
  const place = (edge, axis) =>
    Math.ceil((2 * edge * output[axis] - input[axis]) / (2 * input[axis]));
  const pixels = header.region.map((edge, side) => place(edge, side % 2));
  const trueScale = output.map((size, axis) => size / input[axis]);
  return { scales, input, output, pixels, trueScale };
}

function keysCubic(distance) {
  const x = Math.abs(distance);
  if (x <= 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? -0.5 * (((x - 5) * x + 8) * x - 4) : 0;
}

// For output pixels of an axis: what the first layer gives (terms), and where to read (taps), in
// twelve numbers each: the cell whose code is read and the one it lies in (both counted from where
// the page's parts begin; -1 outside of the region), the first of four bicubic taps, the first of
// two linear ones, four bicubic and two linear weights, and two unused.
function axisTables(contents, grid, axis, indices) {
  const { header, weight, bias, quads } = contents;
  const n = grid.input[axis];
  const N = grid.output[axis];
  const [first, last] = [grid.pixels[axis], grid.pixels[axis + 2]];
  const coded = header.coded[axis];
  const around = header.around[axis];
  const most = header.around[axis + 2] - around - 1;
  const inverse = 1 / Math.sqrt(grid.trueScale[0] * grid.trueScale[1]);
  const terms = new Float32Array(indices.length * quads * 4);
  const taps = new Float32Array(indices.length * TAPS);
  indices.forEach((i, place) => {
    const table = taps.subarray(place * TAPS, (place + 1) * TAPS);
    if (i < first || i >= last) {
      table[0] = -1;
      return;
    }
    const cell = Math.floor(((2 * i + 1) * n) / (2 * N));
    const codeCell = header.corner ? Math.floor((i * n) / N) : cell;
    const offset = header.corner
      ? (i * n - codeCell * N) / N
      : ((2 * i + 1) * n - (2 * cell + 1) * N) / (2 * N);
    const to = terms.subarray(place * quads * 4);
    for (let unit = 0; unit < header.units; unit++) {
      const own = Math.fround(offset) * weight[3 * unit + axis];
      to[unit] = axis === 0 ? own + (weight[3 * unit + 2] * inverse + bias[unit]) : own;
    }
    table[0] = codeCell - coded;
    table[1] = cell - around;
    const position = ((2 * i + 1) * n) / (2 * N) - 0.5; // in pixel centres
    const base = Math.floor(position);
    weigh(table, 4, 4, base - 1, position, n, keysCubic);
    weigh(table, 8, 2, base, position, n, (x) => Math.max(1 - Math.abs(x), 0));
    table[2] = base - 1 - around;
    table[3] = base - around;
  });
  return { terms, taps, most };
}

// Weights of taps; those outside of the slice get none, and the rest sums to 1.
function weigh(table, to, count, start, position, size, kernel) {
  let sum = 0;
  for (let tap = 0; tap < count; tap++) {
    const inside = start + tap >= 0 && start + tap < size;
    sum += table[to + tap] = inside ? kernel(start + tap - position) : 0;
  }
  for (let tap = 0; tap < count; tap++) table[to + tap] /= sum;
}

// Tables of a frame: the output pixels of its rows and columns, at a magnification in hundredths.
function tablesOf(contents, frame) {
  const grid = gridAt(contents.header, frame.hundredths);
  const inverse = Math.fround(1 / Math.sqrt(grid.trueScale[0] * grid.trueScale[1]));
  return {
    inverse,
    rows: axisTables(contents, grid, 0, frame.rows),
    columns: axisTables(contents, grid, 1, frame.columns),
  };
}

// Evaluate one output pixel of a frame, in the units of the slice; NaN where it has none.
function valueAt(contents, tables, method, row, column) {
  const { header } = contents;
  const y = tables.rows.taps.subarray(row * TAPS, (row + 1) * TAPS);
  const x = tables.columns.taps.subarray(column * TAPS, (column + 1) * TAPS);
  const across = header.around[3] - header.around[1];
  const cell = y[1] * across + x[1];
  if (y[0] < 0 || x[0] < 0 || contents.kind[cell] & KIND.missing) return NaN;
  if (method === METHODS.acquired) return contents.source[cell];
  const read = (plane, count, tap, weight) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const line = Math.min(Math.max(y[tap] + i, 0), tables.rows.most) * across;
      let part = 0;
      for (let j = 0; j < count; j++) {
        const at = Math.min(Math.max(x[tap] + j, 0), tables.columns.most);
        part += x[weight + j] * plane[line + at];
      }
      sum += y[weight + i] * part;
    }
    return sum;
  };
  const clipped = (value) => Math.min(Math.max(value, header.limits[0]), header.limits[1]);
  if (method === METHODS.bicubic) return clipped(read(contents.source, 4, 2, 4));
  let value = superResolvedAt(contents, tables, row, column, y[0], x[0]);
  value = value * header.width + header.low;
  if (header.background !== null) {
    if (contents.kind[cell] & KIND.near) {
      const inside = Math.min(Math.max(value, contents.low[cell]), contents.high[cell]);
      const tissue = (read(contents.tissue, 4, 2, 4) - 0.5) / tables.inverse + 0.5;
      const share = Math.min(Math.max(tissue, 0), 1);
      value = share * inside + (1 - share) * header.background;
    }
    if (contents.kind[cell] & KIND.beyond) value = header.background;
  }
  return clipped(value + read(contents.excess, 2, 3, 8));
}

// sum_m relu(a_y(i) + a_x(j))_m code_m: the network's last layers, in its own units.
function superResolvedAt(contents, tables, row, column, codeRow, codeColumn) {
  const { codes, header, quads } = contents;
  const [top, left, bottom, right] = header.coded;
  const cells = (bottom - top) * (right - left) * 4;
  const a = tables.rows.terms;
  const b = tables.columns.terms;
  let sum = 0;
  let from = (codeRow * (right - left) + codeColumn) * 4;
  let y = row * quads * 4;
  let x = column * quads * 4;
  for (let quad = 0; quad < quads; quad++, from += cells, y += 4, x += 4) {
    for (let unit = 0; unit < 4; unit++) {
      const term = a[y + unit] + b[x + unit];
      if (term > 0) sum += term * codes[from + unit];
    }
  }
  return sum;
}

function methodAt(frame, column) {
  return column < frame.split ? frame.before : METHODS.superResolved;
}

// Draw some rows of a frame as gray levels; outside of the region nothing is drawn.
function drawRows(contents, tables, frame, first, last, out) {
  const [low, high] = frame.contrast;
  for (let row = first; row < last; row++) {
    for (let column = 0; column < frame.columns.length; column++) {
      const value = valueAt(contents, tables, methodAt(frame, column), row, column);
      const level = Math.min(Math.max((value - low) / (high - low), 0), 1);
      const inside = tables.rows.taps[row * TAPS] >= 0 && tables.columns.taps[column * TAPS] >= 0;
      const at = 4 * ((row - first) * frame.columns.length + column);
      out[at] = out[at + 1] = out[at + 2] = Math.round(255 * (level || 0));
      out[at + 3] = inside ? 255 : 0;
    }
  }
}

// In a worker: draw the newest frame that was asked for, some rows at a time.
function serve(scope) {
  let contents = null;
  let newest = 0;
  scope.onmessage = async ({ data }) => {
    if (data.bytes) {
      contents = unpacked(data.header, data.bytes);
      return;
    }
    const { frame, id } = data;
    const tables = tablesOf(contents, frame);
    if (data.values) {
      const values = new Float32Array(frame.rows.length * frame.columns.length);
      for (let at = 0, row = 0; row < frame.rows.length; row++) {
        for (let column = 0; column < frame.columns.length; column++, at++) {
          values[at] = valueAt(contents, tables, methodAt(frame, column), row, column);
        }
      }
      scope.postMessage({ id, values }, [values.buffer]);
      return;
    }
    newest = id;
    for (let first = 0; first < frame.rows.length && newest === id; first += ROWS_AT_A_TIME) {
      const last = Math.min(first + ROWS_AT_A_TIME, frame.rows.length);
      const pixels = new Uint8ClampedArray(4 * (last - first) * frame.columns.length);
      drawRows(contents, tables, frame, first, last, pixels);
      scope.postMessage({ id, first, width: frame.columns.length, pixels }, [pixels.buffer]);
      await new Promise((resume) => setTimeout(resume));
    }
  };
}
