// Images of a galaxy in all filters, with one place, scale and stretch.
"use strict";
(function () {
  const cs = window.clumpscope;

  const mix = (anchors) => {
    const table = new Uint8Array(3 * 256);
    for (let step = 0; step < 256; step++) {
      const place = (step / 255) * (anchors.length - 1);
      const low = Math.min(Math.floor(place), anchors.length - 2);
      for (let k = 0; k < 3; k++) table[3 * step + k] = Math.round(anchors[low][k] + (place - low) * (anchors[low + 1][k] - anchors[low][k]));
    }
    return table;
  };
  // Told apart by all kinds of colour vision: lightness rises, or goes from blue over black to orange.
  const GREY = mix([[6, 8, 12], [255, 255, 255]]);
  const TWO_SIDED = mix([[176, 212, 255], [70, 130, 196], [24, 44, 70], [14, 15, 19], [72, 32, 18], [196, 92, 44], [255, 204, 150]]);
  const GROWING = mix([[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]]);
  const NOTHING = [58, 66, 84];
  const RESIDUAL_SIGMAS = 5;
  const SOFTENING = 2;

  async function unpack(text) {
    const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  function decoded(bytes, where, [width, height]) {
    const table = new Float32Array(256);
    for (let k = 1; k < 256; k++) table[k] = where.noise * Math.sinh((k - where.zero) / where.scale);
    table[0] = NaN;
    const image = new Float32Array(width * height);
    for (let k = 0; k < image.length; k++) image[k] = table[bytes[where.start + k]];
    return image;
  }

  // What is smooth over two widths of the PSF, as a galaxy's light is: the median in boxes.
  function withoutSmoothLight(image, [width, height], side) {
    const rest = new Float32Array(image.length);
    const half = Math.max(Math.round(side), 2), box = [];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        box.length = 0;
        for (let v = Math.max(y - half, 0); v <= Math.min(y + half, height - 1); v++) {
          for (let u = Math.max(x - half, 0); u <= Math.min(x + half, width - 1); u++) {
            const value = image[v * width + u];
            if (value === value) box.push(value);
          }
        }
        rest[y * width + x] = image[y * width + x] - (box.length ? cs.middle(box) : 0);
      }
    }
    return rest;
  }

  // Median by partial sorting (Hoare's selection).
  cs.middle = function (values) {
    const k = values.length >> 1;
    let low = 0, high = values.length - 1;
    while (low < high) {
      const pivot = values[k];
      let i = low, j = high;
      while (i <= j) {
        while (values[i] < pivot) i++;
        while (values[j] > pivot) j--;
        if (i <= j) {
          const kept = values[i];
          values[i++] = values[j];
          values[j--] = kept;
        }
      }
      if (j < k) low = i;
      if (k < i) high = j;
    }
    return values[k];
  };

  class Layer {
    // One filter; `rest` and `model` add up to the image, or there is the image alone.
    constructor(bytes, filter) {
      Object.assign(this, filter);
      this.kept = new Map();
      const planes = { model: filter.model, rest: filter.rest, data: filter.data };
      for (const [kind, where] of Object.entries(planes)) if (where) this.kept.set(kind, decoded(bytes, where, this.size));
      if (!this.kept.has("data")) {
        const model = this.kept.get("model"), rest = this.kept.get("rest");
        this.kept.set("data", rest.map((value, k) => value + model[k]));
      }
    }
    get modelled() {
      return this.kept.has("model");
    }
    image(kind) {
      if (kind === "residual" && !this.kept.has(kind)) {
        // 6.5 m: the width of JWST's PSF, near enough for a box.
        const width = (0.0000010313 * this.um * 206265 / 6.5) / this.scale;
        this.kept.set(kind, withoutSmoothLight(this.kept.get("rest"), this.size, Math.min(width, 5)));
      }
      return this.kept.get(this.kept.has(kind) ? kind : "data");
    }
  }

  function paint([width, height], colour) {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const picture = context.createImageData(width, height);
    const rgb = [0, 0, 0];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        colour(y * width + x, rgb);
        const at = 4 * ((height - 1 - y) * width + x);
        picture.data[at] = rgb[0];
        picture.data[at + 1] = rgb[1];
        picture.data[at + 2] = rgb[2];
        picture.data[at + 3] = 255;
      }
    }
    context.putImageData(picture, 0, 0);
    return canvas;
  }

  const by = (table, share, rgb) => {
    if (share !== share) [rgb[0], rgb[1], rgb[2]] = NOTHING;
    else {
      const at = 3 * Math.max(0, Math.min(255, Math.round(255 * share)));
      rgb[0] = table[at];
      rgb[1] = table[at + 1];
      rgb[2] = table[at + 2];
    }
  };

  cs.Viewer = class {
    static async open(galaxy, text) {
      return new cs.Viewer(galaxy, await unpack(text));
    }

    constructor(galaxy, bytes) {
      this.galaxy = galaxy;
      this.layers = new Map();
      for (const filter of galaxy.filters) {
        const scale = galaxy.pixel_scale / Math.sqrt(Math.abs(filter.affine[0] * filter.affine[3] - filter.affine[1] * filter.affine[2]));
        this.layers.set(filter.name, new Layer(bytes, { ...filter, scale }));
      }
      this.reference = this.layers.get(galaxy.reference);
      if (galaxy.magnification) this.mu = { ...galaxy.magnification, image: decoded(bytes, galaxy.magnification, galaxy.magnification.size) };
      this.painted = new Map();
      this.home();
      const sorted = this.reference.image("data").filter((v) => v === v).sort();
      const bright = sorted.length ? sorted[Math.floor(0.998 * (sorted.length - 1))] / this.reference.noise : 20;
      this.normal = Math.min(Math.max(bright, 15), 3000);
      this.white = this.normal;
    }

    home() {
      const [width, height] = this.galaxy.size;
      this.view = { x: (width - 1) / 2, y: (height - 1) / 2, span: Math.max(width, height) };
    }

    // A painted image and the matrix from its pixels to those of the reference filter.
    shown(name, kind) {
      const key = `${name} ${kind} ${name === "magnification" ? "" : this.white}`;
      if (!this.painted.has(key)) {
        if (this.painted.size > 120) this.painted.clear();
        this.painted.set(key, this.make(name, kind));
      }
      return this.painted.get(key);
    }

    make(name, kind) {
      if (name === "colour") return { canvas: this.composite(kind), affine: [1, 0, 0, 1, 0, 0] };
      if (name === "magnification") {
        const { image, size, binned: n } = this.mu;
        const canvas = paint(size, (k, rgb) => by(GROWING, Math.log(image[k]) / Math.log(100), rgb));
        return { canvas, affine: [1 / n, 0, 0, 1 / n, 0.5 / n - 0.5, 0.5 / n - 0.5] };
      }
      const layer = this.layers.get(name);
      const image = layer.image(kind), noise = layer.noise;
      if (kind === "residual" && layer.modelled) {
        const range = 2 * RESIDUAL_SIGMAS * noise * (this.white / this.normal);
        return { canvas: paint(layer.size, (k, rgb) => by(TWO_SIDED, image[k] / range + 0.5, rgb)), affine: layer.affine };
      }
      const low = Math.asinh(-1), high = Math.asinh(this.white / SOFTENING);
      const canvas = paint(layer.size, (k, rgb) => by(GREY, (Math.asinh(image[k] / noise / SOFTENING) - low) / (high - low), rgb));
      return { canvas, affine: layer.affine };
    }

    // Colours that keep their hue however bright (Lupton et al. 2004).
    composite(kind) {
      const [width] = this.galaxy.size;
      const planes = this.galaxy.colours.map(({ name, scale }) => {
        const layer = this.layers.get(name), image = layer.image(kind);
        return { image, scale, size: layer.size, affine: layer.affine };
      });
      const full = Math.asinh(this.white / 3), value = [0, 0, 0];
      return paint(this.galaxy.size, (k, rgb) => {
        const x = k % width, y = (k - x) / width;
        let mean = 0;
        for (let c = 0; c < 3; c++) {
          const { image, scale, size, affine: [a, b, cc, d, e, f] } = planes[c];
          const u = Math.round(a * x + cc * y + e), v = Math.round(b * x + d * y + f);
          const found = u >= 0 && v >= 0 && u < size[0] && v < size[1] ? image[v * size[0] + u] * scale : NaN;
          value[c] = found === found ? found : 0;
          mean += value[c] / 3;
        }
        mean = Math.max(mean, 1e-9);
        const gain = Math.asinh(mean / 3) / full / mean;
        const most = Math.max(value[0] * gain, value[1] * gain, value[2] * gain, 1);
        for (let c = 0; c < 3; c++) rgb[c] = Math.max(10, Math.min(255, (255 * value[c] * gain) / most));
      });
    }

    // Pixels of the reference filter -> those of a canvas, which shows `span` of them across its shorter side.
    toScreen(canvas) {
      const zoom = Math.min(canvas.width, canvas.height) / this.view.span;
      return {
        zoom,
        place: (x, y) => [canvas.width / 2 + zoom * (x - this.view.x), canvas.height / 2 - zoom * (y - this.view.y)],
        back: (u, v) => [this.view.x + (u - canvas.width / 2) / zoom, this.view.y - (v - canvas.height / 2) / zoom],
      };
    }

    draw(canvas, name, kind) {
      const context = canvas.getContext("2d");
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.fillStyle = "#0c1017";
      context.fillRect(0, 0, canvas.width, canvas.height);
      const { canvas: picture, affine: [a, b, c, d, e, f] } = this.shown(name, kind);
      const { zoom, place } = this.toScreen(canvas);
      const area = a * d - b * c;
      const inverse = [d / area, -b / area, -c / area, a / area];
      const back = (x, y) => [inverse[0] * (x - e) + inverse[2] * (y - f), inverse[1] * (x - e) + inverse[3] * (y - f)];
      const [left, top] = place(...back(-0.5, picture.height - 0.5));
      context.setTransform(zoom * inverse[0], -zoom * inverse[1], -zoom * inverse[2], zoom * inverse[3], left, top);
      context.imageSmoothingEnabled = false;
      context.drawImage(picture, 0, 0);
      context.setTransform(1, 0, 0, 1, 0, 0);
    }

    sky(x, y) {
      const { ra, dec, x: x0, y: y0, matrix } = this.galaxy.sky;
      const radian = Math.PI / 180 / 3600;
      const east = radian * (matrix[0][0] * (x - x0) + matrix[0][1] * (y - y0));
      const north = radian * (matrix[1][0] * (x - x0) + matrix[1][1] * (y - y0));
      const d0 = (dec * Math.PI) / 180;
      const under = Math.cos(d0) - north * Math.sin(d0);
      const a = Math.atan2(east, under);
      const d = Math.atan2((Math.sin(d0) + north * Math.cos(d0)) * Math.cos(a), under);
      return [(((ra + (a * 180) / Math.PI) % 360) + 360) % 360, (d * 180) / Math.PI];
    }

    pixel(ra, dec) {
      const { ra: ra0, dec: dec0, x: x0, y: y0, matrix: [[a, b], [c, d]] } = this.galaxy.sky;
      const radian = Math.PI / 180, da = (ra - ra0) * radian, delta = dec * radian, d0 = dec0 * radian;
      const cosine = Math.sin(d0) * Math.sin(delta) + Math.cos(d0) * Math.cos(delta) * Math.cos(da);
      const east = (Math.cos(delta) * Math.sin(da)) / cosine / radian * 3600;
      const north = ((Math.cos(d0) * Math.sin(delta) - Math.sin(d0) * Math.cos(delta) * Math.cos(da)) / cosine / radian) * 3600;
      const area = a * d - b * c;
      return [x0 + (d * east - b * north) / area, y0 + (a * north - c * east) / area];
    }

    inside(x, y) {
      const [width, height] = this.galaxy.size;
      return x >= -0.5 && y >= -0.5 && x < width - 0.5 && y < height - 0.5;
    }

    // Value of a filter's image at a place of the reference filter.
    value(name, kind, x, y) {
      const layer = this.layers.get(name), [a, b, c, d, e, f] = layer.affine;
      const u = Math.round(a * x + c * y + e), v = Math.round(b * x + d * y + f);
      return u >= 0 && v >= 0 && u < layer.size[0] && v < layer.size[1] ? layer.image(kind)[v * layer.size[0] + u] : NaN;
    }

    magnificationAt(x, y) {
      if (!this.mu) return null;
      const n = this.mu.binned, u = Math.floor((x + 0.5) / n), v = Math.floor((y + 0.5) / n), [width, height] = this.mu.size;
      return u >= 0 && v >= 0 && u < width && v < height ? this.mu.image[v * width + u] : null;
    }
  };
})();
