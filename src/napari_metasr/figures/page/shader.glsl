#version 300 es
// One output pixel: acquired, bicubic or super-resolved; see valueAt() in renderer.js.
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp isampler2DArray;

uniform isampler2DArray codes;      // (column, row, unit / 4) of the codes
uniform sampler2D pixels;           // (source, tissue, excess, kind) of the pixels around
uniform sampler2D bounds;           // (low, high) of the same
uniform sampler2D rowTerms;         // (unit / 4, row)
uniform sampler2D columnTerms;
uniform sampler2D rowTaps;          // three texels of each row, see axisTables()
uniform sampler2D columnTaps;
uniform int height;
uniform int quads;
uniform int split;                  // columns before it are drawn by the method `before`
uniform int before;
uniform bool asBits;                // give the value itself, as the four bytes of a float
uniform float inverseScale;
uniform float low, width;           // from the network's units
uniform vec2 limits, contrast;
uniform bool hasEdge;
uniform float background;

out vec4 colour;

const int ACQUIRED = 0, BICUBIC = 1;
const int NEAR = 2, BEYOND = 4, MISSING = 8;

vec4 pixelAt(int y, int x) {
  ivec2 most = textureSize(pixels, 0) - 1;
  return texelFetch(pixels, clamp(ivec2(x, y), ivec2(0), most), 0);
}

vec4 bicubic(int y, int x, vec4 down, vec4 across) {
  vec4 sum = vec4(0.0);
  for (int i = 0; i < 4; i++) {
    vec4 part = vec4(0.0);
    for (int j = 0; j < 4; j++) part += across[j] * pixelAt(y + i, x + j);
    sum += down[i] * part;
  }
  return sum;
}

vec4 bilinear(int y, int x, vec4 down, vec4 across) {
  return down[0] * (across[0] * pixelAt(y, x) + across[1] * pixelAt(y, x + 1)) +
    down[1] * (across[0] * pixelAt(y + 1, x) + across[1] * pixelAt(y + 1, x + 1));
}

float superResolved(int row, int column, ivec2 cell) {
  float sum = 0.0;
  for (int quad = 0; quad < quads; quad++) {
    vec4 term = texelFetch(rowTerms, ivec2(quad, row), 0) +
      texelFetch(columnTerms, ivec2(quad, column), 0);
    sum += dot(max(term, 0.0), vec4(texelFetch(codes, ivec3(cell, quad), 0)));
  }
  return sum;
}

vec4 bits(float value, bool missing) {
  uint number = missing ? 0x7fc00000u : floatBitsToUint(value);
  return vec4(number & 255u, (number >> 8) & 255u, (number >> 16) & 255u, number >> 24) / 255.0;
}

void main() {
  int column = int(gl_FragCoord.x);
  int row = height - 1 - int(gl_FragCoord.y);
  vec4 y = texelFetch(rowTaps, ivec2(0, row), 0);
  vec4 x = texelFetch(columnTaps, ivec2(0, column), 0);
  if (y[0] < 0.0 || x[0] < 0.0) {
    colour = asBits ? bits(0.0, true) : vec4(0.0);
    return;
  }
  int method = column < split ? before : 2;
  ivec2 cell = ivec2(int(x[1]), int(y[1]));
  vec4 pixel = pixelAt(cell.y, cell.x);
  int kind = int(pixel.w);
  float value = pixel.x;
  if (method != ACQUIRED) {
    vec4 down = texelFetch(rowTaps, ivec2(1, row), 0);
    vec4 across = texelFetch(columnTaps, ivec2(1, column), 0);
    bool near = hasEdge && (kind & NEAR) != 0;
    vec4 smooth4 = vec4(0.0);
    if (method == BICUBIC || near) smooth4 = bicubic(int(y[2]), int(x[2]), down, across);
    if (method == BICUBIC) {
      value = smooth4.x;
    } else {
      if (hasEdge && (kind & BEYOND) != 0) {
        value = background;
      } else {
        value = superResolved(row, column, ivec2(int(x[0]), int(y[0]))) * width + low;
        if (near) {
          vec2 local = texelFetch(bounds, cell, 0).xy;
          float share = clamp((smooth4.y - 0.5) / inverseScale + 0.5, 0.0, 1.0);
          value = share * clamp(value, local.x, local.y) + (1.0 - share) * background;
        }
      }
      vec4 downLinear = texelFetch(rowTaps, ivec2(2, row), 0);
      vec4 acrossLinear = texelFetch(columnTaps, ivec2(2, column), 0);
      value += bilinear(int(y[3]), int(x[3]), downLinear, acrossLinear).z;
    }
    value = clamp(value, limits.x, limits.y);
  }
  bool missing = (kind & MISSING) != 0;
  if (asBits) {
    colour = bits(value, missing);
    return;
  }
  float level = missing ? 0.0 : clamp((value - contrast.x) / (contrast.y - contrast.x), 0.0, 1.0);
  colour = vec4(vec3(level), 1.0);
}
