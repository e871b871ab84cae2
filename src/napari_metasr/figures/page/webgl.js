"use strict";

// The renderer on the graphics processor; throws where WebGL 2 is missing.
class WebGLRenderer {
  constructor(canvas, contents, shader) {
    this.name = "WebGL";
    const options = { antialias: false, premultipliedAlpha: false, preserveDrawingBuffer: true };
    const gl = canvas.getContext("webgl2", options);
    if (!gl) throw new Error("WebGL 2 is missing");
    Object.assign(this, { canvas, contents, gl });
    this.largest = gl.getParameter(gl.MAX_TEXTURE_SIZE);
    this.program = this.linked(shader);
    gl.useProgram(this.program);
    gl.bindVertexArray(gl.createVertexArray());
    this.uploadContents();
    this.rowTables = [this.texture(3, "rowTerms"), this.texture(4, "rowTaps")];
    this.columnTables = [this.texture(5, "columnTerms"), this.texture(6, "columnTaps")];
    this.setConstants();
  }

  linked(fragment) {
    const { gl } = this;
    const corners = `#version 300 es
      void main() {
        gl_Position = vec4(ivec2(gl_VertexID & 1, gl_VertexID >> 1) * 4 - 1, 0, 1);
      }`;
    const program = gl.createProgram();
    for (const [kind, text] of [
      [gl.VERTEX_SHADER, corners],
      [gl.FRAGMENT_SHADER, fragment],
    ]) {
      const part = gl.createShader(kind);
      gl.shaderSource(part, text);
      gl.compileShader(part);
      if (!gl.getShaderParameter(part, gl.COMPILE_STATUS)) {
        throw new Error(gl.getShaderInfoLog(part));
      }
      gl.attachShader(program, part);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
      throw new Error(gl.getProgramInfoLog(program));
    }
    return program;
  }

  uniform(name) {
    return this.gl.getUniformLocation(this.program, name);
  }

  // Make a texture that is read by the pixel, for a sampler of the shader.
  texture(unit, sampler, target = this.gl.TEXTURE_2D) {
    const { gl } = this;
    const texture = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(target, texture);
    gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(target, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.texParameteri(target, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(target, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.uniform1i(this.uniform(sampler), unit);
    return unit;
  }

  uploadContents() {
    const { gl, contents } = this;
    const { header, quads } = contents;
    const size = ([top, left, bottom, right]) => [right - left, bottom - top];
    this.texture(0, "codes", gl.TEXTURE_2D_ARRAY);
    const coded = size(header.coded);
    gl.texImage3D(
      gl.TEXTURE_2D_ARRAY, 0, gl.RGBA16I, ...coded, quads, 0, gl.RGBA_INTEGER, gl.SHORT,
      contents.codes,
    );
    const around = size(header.around);
    const count = around[0] * around[1];
    const pixels = new Float32Array(4 * count);
    const bounds = new Float32Array(2 * count);
    for (let at = 0; at < count; at++) {
      pixels.set(
        [contents.source[at], contents.tissue[at], contents.excess[at], contents.kind[at]], 4 * at,
      );
      bounds.set([contents.low[at], contents.high[at]], 2 * at);
    }
    this.texture(1, "pixels");
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, ...around, 0, gl.RGBA, gl.FLOAT, pixels);
    this.texture(2, "bounds");
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RG32F, ...around, 0, gl.RG, gl.FLOAT, bounds);
  }

  setConstants() {
    const { gl, contents } = this;
    const { header } = contents;
    gl.uniform1i(this.uniform("quads"), contents.quads);
    gl.uniform1f(this.uniform("low"), header.low);
    gl.uniform1f(this.uniform("width"), header.width);
    gl.uniform2f(this.uniform("limits"), ...header.limits);
    gl.uniform1i(this.uniform("hasEdge"), header.background !== null);
    gl.uniform1f(this.uniform("background"), header.background ?? 0);
  }

  uploadTables([terms, taps], table) {
    const { gl } = this;
    for (const [unit, numbers] of [
      [terms, table.terms],
      [taps, table.taps],
    ]) {
      const count = table.taps.length / TAPS;
      const across = numbers.length / 4 / count;
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, across, count, 0, gl.RGBA, gl.FLOAT, numbers);
    }
  }

  draw(frame, asBits = false) {
    const { gl, canvas } = this;
    const tables = tablesOf(this.contents, frame);
    canvas.width = frame.columns.length;
    canvas.height = frame.rows.length;
    gl.viewport(0, 0, canvas.width, canvas.height);
    this.uploadTables(this.rowTables, tables.rows);
    this.uploadTables(this.columnTables, tables.columns);
    gl.uniform1i(this.uniform("height"), canvas.height);
    gl.uniform1i(this.uniform("split"), frame.split);
    gl.uniform1i(this.uniform("before"), frame.before);
    gl.uniform1i(this.uniform("asBits"), asBits);
    gl.uniform1f(this.uniform("inverseScale"), tables.inverse);
    gl.uniform2f(this.uniform("contrast"), ...frame.contrast);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  // The values of a frame, in the units of the slice, row by row; NaN where there are none.
  async values(frame) {
    const { gl, canvas } = this;
    this.draw(frame, true);
    const bytes = new Uint8Array(4 * canvas.width * canvas.height);
    gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
    const upwards = new Float32Array(bytes.buffer);
    const values = new Float32Array(upwards.length);
    for (let row = 0; row < canvas.height; row++) {
      const from = (canvas.height - 1 - row) * canvas.width;
      values.set(upwards.subarray(from, from + canvas.width), row * canvas.width);
    }
    return values;
  }
}
