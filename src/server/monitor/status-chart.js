/**
 * The charts: lines over the last hour, drawn as SVG. Times are ms since 1970 by the browser's clock; a value is
 * null where nothing was measured.
 */
const HOUR = 3600000;
const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 168,
  LEFT = 58,
  RIGHT = 12,
  TOP = 10,
  BOTTOM = 22;

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** 1, 2 or 5 times a power of ten, so that about four steps reach the highest value. */
function stepFor(highest, whole) {
  const rough = highest / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  return whole ? Math.max(1, step) : step;
}

/** A power of two, so that about four steps reach the highest value. */
function byteStepFor(highest) {
  let step = 1048576;
  while (step * 4 < highest) step *= 2;
  return step;
}

class Chart {
  constructor(card, spec, show, clock) {
    this.spec = spec;
    this.show = show;
    this.clock = clock;
    this.svg = card.querySelector("svg");
    this.grid = element("g", {});
    this.area = spec.series.length === 1 ? element("path", { class: "area a" }) : undefined;
    this.lines = spec.series.map((series, index) => element("path", { class: "line " + "abcde"[index] }));
    this.cursor = element("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" });
    this.when = element("text", { class: "when", y: TOP + 8, visibility: "hidden" });
    this.svg.append(
      this.grid,
      ...(this.area ? [this.area] : []),
      ...this.lines.toReversed(),
      this.cursor,
      this.when,
    );
    this.values = [...card.querySelectorAll(".legend b")];
  }

  get width() {
    return Math.max(200, this.svg.clientWidth);
  }

  timeAt(x, now) {
    return now - HOUR + ((x - LEFT) / (this.width - LEFT - RIGHT)) * HOUR;
  }

  /** Draws all samples up to now; a gap in them is not bridged. */
  draw(samples, now, longestGap) {
    const { width } = this;
    this.svg.setAttribute("viewBox", "0 0 " + width + " " + HEIGHT);
    let highest = this.spec.least;
    for (const sample of samples) {
      for (const key of this.spec.series) highest = Math.max(highest, sample[key] ?? 0);
    }
    const step =
      this.spec.unit === "bytes" ? byteStepFor(highest) : stepFor(highest, this.spec.unit === "count");
    const top = Math.ceil(highest / step) * step;
    this.x = (time) => LEFT + ((time - now + HOUR) / HOUR) * (width - LEFT - RIGHT);
    const y = (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
    this.drawGrid(now, step, top, y);
    this.spec.series.forEach((key, index) => {
      const runs = this.runs(samples, key, longestGap, y);
      const path = runs.map((run) => "M" + run.join("L") + (run.length === 1 ? "h0.01" : "")).join("");
      this.lines[index].setAttribute("d", path);
      if (this.area === undefined) return;
      const floor = HEIGHT - BOTTOM;
      const foot = (point) => point.split(" ")[0] + " " + floor;
      const areas = runs.map(
        (run) => "M" + [foot(run[0]), ...run, foot(run[run.length - 1])].join("L") + "Z",
      );
      this.area.setAttribute("d", areas.join(""));
    });
  }

  /** Points of a line, in unbroken runs. */
  runs(samples, key, longestGap, y) {
    const runs = [];
    let run = [];
    let before = -Infinity;
    for (const sample of samples) {
      const value = sample[key];
      if (value === null || sample.time - before > longestGap) run = [];
      if (value === null) continue;
      if (run.length === 0) runs.push(run);
      run.push(this.x(sample.time).toFixed(1) + " " + y(value).toFixed(1));
      before = sample.time;
    }
    return runs;
  }

  drawGrid(now, step, top, y) {
    const { width } = this;
    const marks = [];
    for (let value = 0; value <= top * 1.0001; value += step) {
      const at = y(value).toFixed(1);
      marks.push(
        element("line", {
          class: value === 0 ? "base" : "grid",
          x1: LEFT,
          x2: width - RIGHT,
          y1: at,
          y2: at,
        }),
      );
      const text = this.show(value, this.spec.unit);
      marks.push(element("text", { x: LEFT - 8, y: Number(at) + 4, "text-anchor": "end" }, text));
    }
    const every = (width < 480 ? 15 : 10) * 60000;
    const zone = new Date(now).getTimezoneOffset() * 60000;
    const first = Math.ceil((now - HOUR - zone) / every) * every + zone;
    for (let time = first; time <= now; time += every) {
      const at = this.x(time);
      marks.push(
        element("line", { class: "grid", x1: at, x2: at, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM + 4 }),
      );
      if (at > LEFT + 12 && at < width - RIGHT - 14) {
        marks.push(
          element("text", { x: at, y: HEIGHT - 6, "text-anchor": "middle" }, this.clock(time, false)),
        );
      }
    }
    this.grid.replaceChildren(...marks);
  }

  /** Shows the values of one sample beside their names, and marks the time under the pointer. */
  showValues(sample, isPointedAt) {
    this.spec.series.forEach((key, index) => {
      this.values[index].textContent = this.show(sample === undefined ? null : sample[key], this.spec.unit);
    });
    const visibility = isPointedAt && sample !== undefined ? "visible" : "hidden";
    this.cursor.setAttribute("visibility", visibility);
    this.when.setAttribute("visibility", visibility);
    if (visibility === "hidden") return;
    const at = this.x(sample.time);
    const isRight = at > this.width - 90;
    this.cursor.setAttribute("x1", at);
    this.cursor.setAttribute("x2", at);
    this.when.setAttribute("x", isRight ? at - 6 : at + 6);
    this.when.setAttribute("text-anchor", isRight ? "end" : "start");
    this.when.textContent = this.clock(sample.time, true);
  }
}
