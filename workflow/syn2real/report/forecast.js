"use strict";
// Answers as `syn2real advise` does: from the same draws, with the thresholds and sentences of verdicts.json.
const DATA = JSON.parse(document.getElementById("data").textContent);
const { thresholds: T, classes: CLASSES, verdicts: VERDICTS, sentences: SENTENCES, plain: PLAIN } = DATA.rules;

// --- numbers in words, as Python's format writes them ------------------------------------------------------
const grouped = (x) => x.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ",");
const rounded = (x, digits) => grouped(Number(x.toPrecision(digits)));
function short(x, digits) {
  if (x === null) return "?";
  if (x === Infinity) return "inf";
  const [front, power] = x.toExponential(digits - 1).split("e");
  if (power >= -4 && power < digits) return String(Number(x.toPrecision(digits)));
  return `${Number(front)}e${power[0]}${power.slice(1).padStart(2, "0")}`;
}
const FORMATS = {
  "": String, g: (x) => short(x, 6), ".4g": (x) => short(x, 4), ",.0f": grouped, ".0f": (x) => x.toFixed(0),
  ".2f": (x) => x.toFixed(2),
};
const fill = (text, values) => text.replace(/\{(\w+):?([^}]*)\}/g, (_, name, form) => FORMATS[form](values[name]));
const say = (name, values = {}) => fill(SENTENCES[name], values);
const targetText = (target) => say(DATA.percent ? "target_percent" : "target", { target, percent: 100 * target });

// --- numbers as the command reads them (commands/base.py) --------------------------------------------------
const DIGITS = "\\d+(?:_\\d+)*";
const NUMBER = new RegExp(`^[-+]?(?:${DIGITS}\\.?(?:${DIGITS})?|\\.${DIGITS})(?:e[-+]?${DIGITS})?$`, "i");
const parsed = (text) => (NUMBER.test(text.trim()) ? Number(text.trim().replaceAll("_", "")) : null);
function refuse(why, text, hint = text.includes(",") ? say("hint_comma") : "") {
  throw new RangeError(say(why, { text: `'${text}'`, hint }));
}
function positive(text) {
  const value = parsed(text);
  if (value === null) refuse("not_number", text);
  if (!(value > 0 && value < Infinity)) throw new RangeError(say("not_positive", { value }));
  return value;
}
function target(text) {
  const percent = text.endsWith("%") ? parsed(text.slice(0, -1)) : null;
  if (percent !== null) refuse("not_number", text, say("hint_percent", { value: percent / 100 }));
  const value = positive(text);
  if (DATA.highest !== null && value > DATA.highest) {
    throw new RangeError(say("above", { value, most: DATA.highest, kind: "error rate" }));
  }
  return value;
}
function count(text) {
  const scale = { k: 1e3, M: 1e6 }[text.at(-1)], digits = parsed(scale ? text.slice(0, -1) : text);
  if (digits === null) refuse("not_count", text);
  const value = Number((digits * (scale ?? 1)).toFixed(6));
  if (value >= 1 && value <= 2 ** 53 && Number.isInteger(value)) return value;
  throw new RangeError(say("not_whole", { text, hint: value > 0 && value < 1 ? say("hint_share") : "" }));
}

// --- the draws of a curve (laws/bayes/draws.py) ------------------------------------------------------------
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const floats = (text) => new Float32Array(bytes(text).buffer);
const range = (count, of) => Array.from({ length: count }, (_, i) => of(i));
const clip = (x, low, high) => Math.min(Math.max(x, low), high);
const sum = (values) => values.reduce((total, x) => total + x, 0);
const dot = (a, b) => a.reduce((total, x, i) => total + x * b[i], 0);
function wander([walk, slope], s, t) {
  const low = Math.min(s, t), high = Math.max(s, t);
  return walk * low + slope * low ** 2 * (3 * high - low) / 6;
}
class Part {
  constructor(raw) {
    Object.assign(this, raw, { pick: bytes(raw.pick) });
    for (const name of ["alpha", "share", "level", "sigma", "first", "second", "inverse"]) this[name] = floats(raw[name]);
    this.t = this.n.map((n) => Math.log2(n / this.n[0]));
    // What the deviation at any n is predicted from: V⁻¹ times the residuals of each draw.
    this.weighted = range(this.alpha.length, (s) =>
      this.weigh(this.pick[s], this.n.map((n, i) => this.y[i] - this.logLaw(s, n))));
  }
  weigh(kind, values) {  // V⁻¹ of a kind of walk, times values
    const m = values.length, start = (i) => (kind * m + i) * m;
    return values.map((_, i) => dot(values, this.inverse.subarray(start(i), start(i + 1))));
  }
  logLaw(s, n) {
    const fall = Math.expm1(-this.alpha[s] * Math.log((n + this.shift) / this.n0));
    return this.level[s] + Math.log(Math.max(1 + this.share[s] * fall, 1e-300));
  }
  errors(n) {
    const t = Math.max(Math.log2(n / this.n[0]), 0);
    const kinds = DATA.walks.map((walk, kind) => {
      const cross = this.t.map((s) => wander(walk, s, t));
      const left = wander(walk, t, t) - dot(cross, this.weigh(kind, cross));
      return { cross, spread: Math.sqrt(Math.max(left, 0)) };
    });
    return range(this.alpha.length, (s) => {
      const { cross, spread } = kinds[this.pick[s]];
      const deviation = dot(cross, this.weighted[s]) + spread * this.sigma[s] * this.first[s];
      return Math.exp(clip(this.logLaw(s, n) + deviation, -700, 700));
    });
  }
  measurements(n) {
    return this.errors(n).map((error, s) => {
      const tested = this.test_size === null ? 0 : clip(1 - error, 0, 1) / Math.max(error * this.test_size, 1e-300);
      const noise = Math.sqrt(Math.max(this.sigma[s] ** 2, tested)) * this.second[s];
      return error * Math.exp(clip(noise, -50, 50));
    });
  }
}
const partsOf = (curve) => (curve.unpacked ??= curve.parts.map((raw) => new Part(raw)));
function drawn(curve, n) {
  const kept = (curve.kept ??= new Map());
  if (kept.size > 400) kept.clear();
  if (!kept.has(n)) kept.set(n, Float64Array.from(partsOf(curve).flatMap((part) => part.errors(n))));
  return kept.get(n);
}

// --- what the draws say of a target (laws/forecast.py) -----------------------------------------------------
const ascending = (values) => [...new Set(values)].sort((a, b) => a - b);
function quantile(sorted, q) {
  const at = q * (sorted.length - 1), low = Math.floor(at), high = Math.ceil(at);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}
const TAILS = { median: 0.5, lower: (1 - DATA.level) / 2, upper: (1 + DATA.level) / 2 };
const atTails = (of) => Object.fromEntries(Object.entries(TAILS).map(([name, q]) => [name, of(q)]));
class Forecast {
  constructor(curve, goal, count = null) {  // count: of photographs, to answer for all like them
    Object.assign(this, { curve, goal, count, least: curve.n[0], most: curve.n[curve.n.length - 1] });
    this.limit = goal.max_images ?? T.limit * this.most;
    this.farthest = Math.max(T.farthest * this.most, this.limit);
  }
  share(n) {
    const errors = drawn(this.curve, n), { photographs } = this.curve, target = this.goal.target_error;
    if (this.count === null) return errors.filter((error) => error <= target).length / errors.length;
    if (photographs.bounded && target >= 1) return 1;
    const scaled = (error) => (photographs.bounded ? 2 * Math.asin(Math.sqrt(clip(error, 0, 1))) : Math.log(error));
    const root = Math.sqrt(photographs.variance * photographs.count / this.count);
    const edge = scaled(target) + photographs.bias, steps = (photographs.steps ??= floats(photographs.student));
    return errors.filter((error, s) => scaled(error) + root * steps[s] <= edge).length / errors.length;
  }
  get shares() {
    if (this.found) return this.found;
    const ratio = this.farthest / this.least, count = Math.floor(T.per_doubling * Math.log2(ratio)) + 1;
    const even = range(count, (i) => this.least * ratio ** (i / count));
    const sizes = ascending([...even, ...this.curve.n, Math.max(this.limit, this.least), this.farthest]);
    const share = sizes.map((n) => this.share(n)), most = sizes.indexOf(this.most);
    for (let k = most + 1; k < sizes.length; k++) share[k] = Math.max(share[k], share[k - 1]);
    for (let k = most - 1; k >= 0; k--) share[k] = Math.min(share[k], share[k + 1]);
    return (this.found = { sizes, share });
  }
  chance(n) {
    const { sizes, share } = this.shares;
    return share[sizes.indexOf(Math.max(n, this.most))];
  }
  required(q) {
    const { sizes, share } = this.shares, k = share.findIndex((value) => value >= q);
    if (k <= 0) return k < 0 ? null : sizes[0];
    return sizes[k - 1] * (sizes[k] / sizes[k - 1]) ** ((q - share[k - 1]) / (share[k] - share[k - 1]));
  }
  get reachable() { return this.chance(this.limit); }
  get never() {
    return this.chance(this.farthest) <= 1 - T.sure && this.goal.target_error < this.curve.least_reached;
  }
  get atLimit() {
    if (this.ends) return this.ends;
    const top = this.curve.ceiling ?? Infinity, errors = drawn(this.curve, this.limit);
    const sorted = errors.map((error) => Math.min(error, top)).sort();
    return (this.ends = atTails((q) => quantile(sorted, q)));
  }
  cost(n) {
    const { cost_per_image: image, cost_per_run: run } = this.goal;
    return (run ?? image * this.most) + image * Math.max(n - this.most, 0);
  }
}
function claim(forecast) {
  const { curve, goal, most, limit } = forecast, { count } = curve.photographs;
  const size = forecast.chance(most) >= T.sure ? most : limit, these = forecast.chance(size);
  const all = (photographs) => new Forecast(curve, goal, photographs).chance(size);
  const holds = (p) => Math.min(these, p) >= T.sure || Math.max(these, p) <= 1 - T.sure;
  const found = { p_these: these, p_all: all(count), sure: holds(all(count)), settles: null };
  if (found.sure || !holds(these)) return found;
  const more = range(2 * T.most_doublings, (k) => count * 2 ** ((k + 1) / 2));
  return { ...found, settles: more.find((photographs) => holds(all(photographs))) ?? null };
}

// --- the verdict (laws/advice.py, laws/levers.py) ----------------------------------------------------------
const mean = (values) => sum(values) / values.length;
function variance(values) {
  const middle = mean(values);
  return mean(values.map((x) => (x - middle) ** 2));
}
function explained(value, decision) {
  const order = range(value.length, (i) => i).sort((a, b) => value[a] - value[b]), size = order.length / T.bins;
  const means = range(T.bins, (k) => mean(order.slice(k * size, (k + 1) * size).map((i) => decision[i])));
  const chance = variance(decision) / size, found = variance(means);
  return found > 2 * chance ? found - chance : 0;
}
function bestNext(forecast) {
  const { curve, most, goal } = forecast, top = Math.max(forecast.limit, most);
  const sizes = ascending([...curve.n, ...range(T.doublings, (k) => Math.min(most * 2 ** (k + 1), top))]);
  const decision = Array.from(drawn(curve, top), (error) => Number(error <= goal.target_error));
  const said = sizes.map((n) => explained(partsOf(curve).flatMap((part) => part.measurements(n)), decision));
  if (!said.some(Boolean)) return 2 * most;
  const worth = said.map((value, k) => value / forecast.cost(sizes[k]));
  return sizes[worth.indexOf(Math.max(...worth))];
}
function leversOf(forecast) {  // the best other curve of each lever, the best lever first
  const best = {}, rank = ({ to }) => [Number(to.reachable.toFixed(2)), -to.atLimit.median];
  const above = ([p, error], [q, other]) => p > q || (p === q && error > other);
  for (const [name, place, change] of forecast.curve.levers) {
    const lever = { name, change, to: new Forecast(DATA.curves[place], forecast.goal) };
    if (!best[name] || above(rank(lever), rank(best[name]))) best[name] = lever;
  }
  return Object.values(best).sort((a, b) => Number(above(rank(b), rank(a))) - Number(above(rank(a), rank(b))));
}
function decide(forecast) {
  const { reachable, most, curve } = forecast, reached = forecast.chance(most);
  const measured = (next) => ({ kind: curve.n.includes(next) ? "repeat" : "measure", next });
  if (reached >= T.sure) return { kind: "reached" };
  if (reachable >= T.sure) return reached >= T.likely ? { kind: "probably", next: most } : { kind: "more" };
  const levers = leversOf(forecast), [first] = levers;
  const helps = first !== undefined && first.to.reachable >= Math.max(T.likely, reachable);
  if (curve.open_n !== null && !helps) return { ...measured(curve.open_n), levers };
  if (1 - reachable < T.sure) return measured(bestNext(forecast));
  if (helps) return { kind: "lever", name: first.name, change: first.change, levers };
  return { kind: "blind", levers, next: !forecast.never && reachable > T.no_chance ? bestNext(forecast) : null };
}

// --- the answer, as in `advise --json` ---------------------------------------------------------------------
function imagesOf(n, answer) {
  if (n !== null) return rounded(n, 3);
  return answer.never ? say("images_none") : say("images_beyond", { farthest: answer.farthest_n });
}
function lead({ change, to }) {
  const { median: error, lower, upper } = to.atLimit;
  return { words: change, p_reach: to.reachable, error, lower, upper };
}
function advise(index, goal) {
  const curve = DATA.curves[index];
  if (curve.reason !== null) {
    const kind = "undetermined", n = curve.next_n;
    return { kind, verdict: VERDICTS[kind], probabilities: null, next_n: n, lever: null, plain: curve.effect + fill(PLAIN[kind], { n }) };
  }
  const forecast = new Forecast(curve, goal), { most, limit, farthest, never, reachable } = forecast;
  const reached = forecast.chance(most), far = never ? forecast.chance(farthest) : 1;
  const chances = [reached, reachable - reached, far - reachable, 1 - far];
  const { kind, next = null, name = kind === "more" ? VERDICTS.more : null, change, levers } = decide(forecast);
  const need = atTails((q) => forecast.required(q)), met = curve.n.filter((_, i) => curve.error[i] <= goal.target_error);
  const { median, lower, upper } = forecast.atLimit;
  const answer = {
    kind, verdict: kind === "lever" ? name : fill(VERDICTS[kind], { n: next }), lever: name, next_n: next, never,
    probabilities: Object.fromEntries(CLASSES.map((each, i) => [each, chances[i]])), required_n: need,
    cost: kind === "reached" ? 0 : need.median === null ? null : forecast.cost(need.median),
    met_at: met.length && met[met.length - 1] < most ? met[0] : null,
    largest_n: most, limit_n: limit, farthest_n: farthest,
    error_at_limit: median, error_at_limit_lower: lower, error_at_limit_upper: upper,
  };
  if (kind === "lever") answer.to = DATA.curves.indexOf(levers[0].to.curve);
  if (levers) answer.levers = Object.fromEntries(levers.map((lever) => [lever.name, lead(lever)]));
  if (curve.photographs) answer.photographs = claim(forecast);
  const images = imagesOf(need.median, answer);
  const words = { target: targetText(goal.target_error), limit, most, n: next, name, change, images };
  answer.plain = curve.effect + fill(PLAIN[kind], words);
  return answer;
}
