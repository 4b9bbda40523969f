"use strict";
// Answers as `syn2real advise` does: from the same draws, with the thresholds and sentences of verdicts.json.
const DATA = JSON.parse(document.getElementById("data").textContent);
const { thresholds: T, classes: CLASSES, verdicts: VERDICTS, sentences: SENTENCES, plain: PLAIN } = DATA.rules;
const TINY = 1e-300;

// --- numbers in words: as Python's format writes them, halves to even -------------------------------------
function fixed(x, digits) {
  if (Math.abs((x * 2 ** (digits + 1)) % 2) !== 1) return x.toFixed(digits);
  const low = Math.floor(x * 10 ** digits);
  return ((low % 2 === 0 ? low : low + 1) / 10 ** digits).toFixed(digits);
}
const grouped = (x) => fixed(x, 0).replace(/\B(?=(\d{3})+$)/g, ",");
const exponent = (x) => Number(x.toExponential().split("e")[1]);
function short(x, digits) {
  if (x === null) return "?";
  const place = x === 0 ? 0 : Number(x.toExponential(digits - 1).split("e")[1]);
  if (place >= -4 && place < digits) {
    const text = fixed(x, digits - 1 - place);
    return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  }
  const [front, power] = x.toExponential(digits - 1).split("e");
  const mantissa = front.includes(".") ? front.replace(/\.?0+$/, "") : front;
  return `${mantissa}e${power[0]}${power.slice(1).padStart(2, "0")}`;
}
function rounded(x, digits) {
  const place = digits - 1 - exponent(x), unit = 10 ** -place;
  if (place >= 0) return grouped(Number(fixed(x, place)));
  const rest = x % unit, low = x - rest;
  if (rest * 2 === unit) return grouped((low / unit) % 2 === 0 ? low : low + unit);
  return grouped(Number(x.toPrecision(digits)));
}
const FORMATS = {
  "": String, g: (x) => short(x, 6), ".4g": (x) => short(x, 4), ",.0f": grouped, ".0f": (x) => fixed(x, 0),
  ".2f": (x) => fixed(x, 2), ".1%": (x) => `${fixed(100 * x, 1)}%`,
};
const fill = (text, values) => text.replace(/\{(\w+):?([^}]*)\}/g, (_, name, form) => FORMATS[form](values[name]));
const say = (name, values = {}) => fill(SENTENCES[name], values);
const verdictOf = (name, n) => fill(VERDICTS[name], { n });
const asSentences = (texts) => texts.map((text) => `${text[0].toUpperCase()}${text.slice(1)}.`).join(" ");

// --- the draws of a curve (laws/bayes/draws.py) -----------------------------------------------------------
const floats = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const range = (count, of) => Array.from({ length: count }, (_, i) => of(i));
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
function wander([walk, slope], s, t) {
  const low = Math.min(s, t), high = Math.max(s, t);
  return walk * low + slope * low ** 2 * (3 * high - low) / 6;
}
function inverse(matrix) {  // Gauss-Jordan; symmetric and positive definite, so that no pivot is 0
  const m = matrix.length, rows = matrix.map((row, i) => [...row, ...range(m, (j) => Number(i === j))]);
  for (let i = 0; i < m; i++) {
    const pivot = rows[i][i];
    rows[i] = rows[i].map((value) => value / pivot);
    for (let k = 0; k < m; k++) {
      const factor = rows[k][i];
      if (k !== i && factor) rows[k] = rows[k].map((value, j) => value - factor * rows[i][j]);
    }
  }
  return rows.map((row) => row.slice(m));
}
class Part {
  constructor(raw) {
    Object.assign(this, raw);
    for (const name of ["alpha", "share", "level", "sigma", "first", "second"]) this[name] = floats(raw[name]);
    this.pick = Uint8Array.from(atob(raw.pick), (c) => c.charCodeAt(0));
    this.t = this.n.map((n) => Math.log2(n / this.n[0]));
    this.inverse = DATA.walks.map((walk, q) => (this.pick.includes(q) ? inverse(this.t.map((s, i) =>
      this.t.map((t, j) => wander(walk, s, t) + (i === j ? 1 / this.weight[i] : 0)))) : null));
    // What the deviation at any n is predicted from: V⁻¹ times the residuals of each draw.
    this.weighted = range(this.alpha.length, (s) => {
      const residuals = this.n.map((n, i) => this.y[i] - this.logLaw(s, Math.log((n + this.shift) / this.n0)));
      return this.inverse[this.pick[s]].map((row) => dot(row, residuals));
    });
  }
  logLaw(s, ratio) {
    return this.level[s] + Math.log(Math.max(1 + this.share[s] * Math.expm1(-this.alpha[s] * ratio), TINY));
  }
  errors(n) {
    const t = Math.max(Math.log2(Math.max(n, TINY) / this.n[0]), 0), ratio = Math.log((n + this.shift) / this.n0);
    const kinds = DATA.walks.map((walk, q) => {
      if (!this.inverse[q]) return null;
      const c = this.t.map((s) => wander(walk, t, s));
      const left = wander(walk, t, t) - dot(c, this.inverse[q].map((row) => dot(row, c)));
      return { c, spread: Math.sqrt(Math.max(left, 0)) };
    });
    return range(this.alpha.length, (s) => {
      const { c, spread } = kinds[this.pick[s]];
      const log = this.logLaw(s, ratio) + dot(c, this.weighted[s]) + spread * this.sigma[s] * this.first[s];
      return Math.exp(Math.min(Math.max(log, -700), 700));
    });
  }
  measurements(n) {
    return this.errors(n).map((error, s) => {
      const test = this.test_size === null ? 0
        : Math.min(Math.max(1 - error, 0), 1) / Math.max(error * this.test_size, TINY);
      const noise = Math.sqrt(Math.max(this.sigma[s] ** 2, test)) * this.second[s];
      return error * Math.exp(Math.min(Math.max(noise, -50), 50));
    });
  }
}
const made = new Map();  // draws at each n, by curve
function drawn(curve, n) {
  curve.parts = curve.parts.map((part) => (part instanceof Part ? part : new Part(part)));
  if (!made.has(curve)) made.set(curve, new Map());
  const kept = made.get(curve);
  if (kept.size > 400) kept.clear();
  if (!kept.has(n)) kept.set(n, Float64Array.from(curve.parts.flatMap((part) => part.errors(n))));
  return kept.get(n);
}

// --- what the draws say of a target (laws/forecast.py) ----------------------------------------------------
const ascending = (values) => [...new Set(values)].sort((a, b) => a - b);
function quantile(sorted, q) {
  const at = q * (sorted.length - 1), low = Math.floor(at), high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}
class Forecast {
  constructor(curve, goal, count = null) {
    Object.assign(this, { curve, goal, count, least: curve.n[0], most: curve.n[curve.n.length - 1] });
    this.limit = goal.max_images === null ? T.limit * this.most : goal.max_images;
    this.farthest = Math.max(T.farthest * this.most, this.limit);
  }
  share(n) {
    const errors = drawn(this.curve, n), { photographs } = this.curve, target = this.goal.target_error;
    if (this.count === null) return errors.reduce((sum, error) => sum + (error <= target), 0) / errors.length;
    if (photographs.bounded && target >= 1) return 1;
    const scaled = (error) => (photographs.bounded
      ? 2 * Math.asin(Math.sqrt(Math.min(Math.max(error, 0), 1))) : Math.log(error));
    const root = Math.sqrt(photographs.variance * photographs.count / this.count), edge = scaled(target);
    photographs.draws ??= floats(photographs.student);
    return errors.reduce((sum, error, s) =>
      sum + (scaled(error) + root * photographs.draws[s] - photographs.bias <= edge), 0) / errors.length;
  }
  get shares() {
    if (this.found) return this.found;
    const count = Math.floor(T.per_doubling * Math.log2(this.farthest / this.least)) + 2;
    const step = (Math.log10(this.farthest) - Math.log10(this.least)) / (count - 1);
    const even = range(count, (i) => (i === 0 ? this.least : i === count - 1 ? this.farthest
      : 10 ** (Math.log10(this.least) + i * step)));
    const sizes = ascending([...even, ...this.curve.n, Math.max(this.limit, this.least)]);
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
    if (k < 0) return null;
    if (k === 0) return sizes[0];
    return sizes[k - 1] * (sizes[k] / sizes[k - 1]) ** ((q - share[k - 1]) / (share[k] - share[k - 1]));
  }
  get reachable() { return this.chance(this.limit); }
  get never() {
    return this.chance(this.farthest) <= 1 - T.sure && this.goal.target_error < this.curve.least_reached;
  }
  get atLimit() {
    if (!this.ends) {
      const top = this.curve.ceiling ?? Infinity;
      const sorted = drawn(this.curve, this.limit).map((error) => Math.min(error, top)).sort();
      this.ends = [0.5, (1 - DATA.level) / 2, (1 + DATA.level) / 2].map((q) => quantile(sorted, q));
    }
    return this.ends;
  }
  get run() { return this.goal.cost_per_run ?? this.goal.cost_per_image * this.most; }
  cost(n) { return this.run + this.goal.cost_per_image * Math.max(n - this.most, 0); }
}
function claim(forecast) {
  const { photographs } = forecast.curve, { sure } = T;
  const size = forecast.chance(forecast.most) >= sure ? forecast.most : forecast.limit;
  const same = (a, b) => Math.min(a, b) >= sure || Math.max(a, b) <= 1 - sure;
  const chance = (count) => new Forecast(forecast.curve, forecast.goal, count).chance(size);
  const these = forecast.chance(size), all = chance(photographs.count);
  const settled = { p_these: these, p_all: all, sure: same(these, all), settles: null };
  if (settled.sure || !same(these, these)) return settled;
  const more = range(2 * T.most_doublings, (k) => photographs.count * 2 ** ((k + 1) / 2));
  return { ...settled, settles: more.find((count) => same(these, chance(count))) ?? null };
}

// --- the verdict (laws/advice.py, laws/levers.py) ---------------------------------------------------------
function explained(value, decision) {
  const order = range(value.length, (i) => i).sort((a, b) => value[a] - value[b] || a - b);
  const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = (values) => { const m = mean(values); return mean(values.map((x) => (x - m) ** 2)); };
  const size = Math.floor(order.length / T.bins), larger = order.length % T.bins;
  const start = (k) => k * size + Math.min(k, larger);
  const means = range(T.bins, (k) => mean(order.slice(start(k), start(k + 1)).map((i) => decision[i])));
  const chance = variance(decision) * T.bins / decision.length, found = variance(means);
  return found > 2 * chance ? found - chance : 0;
}
function bestNext(forecast) {
  const { curve, most, goal } = forecast, top = Math.max(forecast.limit, most);
  const sizes = ascending([...curve.n, ...range(T.doublings, (k) => Math.min(most * 2 ** (k + 1), top))]);
  const decision = Array.from(drawn(curve, top), (error) => Number(error <= goal.target_error));
  const said = sizes.map((n) => explained(curve.parts.flatMap((part) => part.measurements(n)), decision));
  if (!said.some(Boolean)) return 2 * most;
  const worth = said.map((value, k) => value / forecast.cost(sizes[k]));
  return sizes[worth.indexOf(Math.max(...worth))];
}
function rank(forecast) { return [Number(fixed(forecast.reachable, 2)), -forecast.atLimit[0]]; }
const above = ([a, b], [c, d]) => a > c || (a === c && b > d);
function leverWords(forecast, name, lever) {
  const [error, lower, upper] = lever.forecast.atLimit;
  const words = say("lever", { name, change: lever.change, p_reach: lever.forecast.reachable, error, lower, upper });
  const { labels } = forecast.curve;
  if (name !== "label more" || !labels) return words;
  if (!(labels.sizes instanceof Float32Array)) for (const key of ["sizes", "errors"]) labels[key] = floats(labels[key]);
  const k = labels.errors.findIndex((value) => value <= forecast.goal.target_error);
  const needed = k < 0 ? say("more_labels", { most: labels.sizes[labels.sizes.length - 1] })
    : say("about_labels", { labels: rounded(labels.sizes[k], 2) });
  const missed = labels.held_out === null ? "" : say("missed", { held_out: Math.max(labels.held_out, 0.001) });
  return say("labels", { lever: words, labels: needed, law: labels.law, missed });
}
function chooseLever(forecast) {
  const best = {};
  for (const [name, index, change] of forecast.curve.levers) {
    const other = new Forecast(DATA.curves[index], forecast.goal);
    if (!best[name] || above(rank(other), rank(best[name].forecast))) best[name] = { forecast: other, change };
  }
  const names = Object.keys(best), blind = { kind: "blind", name: null };
  if (!names.length) return { ...blind, tried: false, detail: say("other_curves", { n: forecast.most }) };
  const first = names.reduce((a, b) => (above(rank(best[b].forecast), rank(best[a].forecast)) ? b : a));
  const words = names.map((name) => leverWords(forecast, name, best[name]));
  if (best[first].forecast.reachable < Math.max(T.likely, forecast.reachable)) {
    return { ...blind, tried: true, detail: say("no_lever", { levers: words.join("; ") }) };
  }
  return { kind: "lever", name: first, tried: true, detail: words[names.indexOf(first)], change: best[first].change };
}
function decide(forecast) {
  const { reachable, most, curve } = forecast, reached = forecast.chance(most);
  const again = (n) => (curve.n.includes(n) ? "repeat" : "measure");
  if (reached >= T.sure) return { kind: "reached", name: null, detail: say("why_reached"), next: null };
  if (reachable >= T.sure && reached >= T.likely) {
    return { kind: "probably", name: null, detail: say("why_probably", { n: most }), next: most };
  }
  if (reachable >= T.sure) return { kind: "more", name: VERDICTS.more, detail: say("why_more"), next: null };
  const lever = chooseLever(forecast);
  if (curve.open_n !== null && lever.name === null) {
    const detail = say("open_shape") + (lever.tried ? `; ${lever.detail}` : "");
    return { kind: again(curve.open_n), name: null, detail, next: curve.open_n };
  }
  const open = 1 - reachable < T.sure;
  if (!open && !(lever.name === null && !forecast.never && reachable > T.no_chance)) return { ...lever, next: null };
  const next = bestNext(forecast), why = say(`why_${again(next)}`, { n: next });
  if (open) return { kind: again(next), name: null, detail: why, next };
  return { ...lever, detail: `${lever.detail}; ${why}`, next };
}

// --- the answer: numbers as in `advise --json`, sentences as in its text (report/wording.py) ---------------
function imagesOf(n, answer) {
  if (n !== null) return rounded(n, 3);
  return answer.never ? say("images_none") : say("images_beyond", { farthest: answer.farthest_n });
}
function outcome(answer) {
  const { reached, within, unreachable } = answer.probabilities, chance = reached + within, limit = answer.limit_n;
  if (reached >= T.likely) return say("out_reached", { reached });
  if (chance >= T.sure) {
    const perhaps = reached > 1 - T.sure ? say("perhaps", { reached }) : "";
    return say("out_within", { limit, chance, images: imagesOf(answer.required_n.median, answer), perhaps });
  }
  if (chance > 1 - T.sure) return say("out_maybe", { limit, chance });
  if (answer.never) return say("out_never", { unreachable });
  return say("out_not", { limit, missed: 1 - chance, later: answer.shape ? "" : say("later") });
}
function claimed(said, count) {
  const whom = { these: say("photographs", { count }), chances: say("chances", said) };
  if (said.sure) return say("holds", whom);
  if (1 - T.sure < said.p_these && said.p_these < T.sure) return say("open", whom);
  if (said.settles !== null) return say("settles", { ...whom, settle: rounded(said.settles, 2) });
  return say("alone", whom);
}
function advise(index, goal) {
  const curve = DATA.curves[index], target = goal.target_error;
  if (curve.reason !== null) {
    const kind = "undetermined", n = curve.next_n, verdict = VERDICTS[kind];
    return { kind, verdict, probabilities: null, next_n: n, lever: null, plain: fill(PLAIN[kind], { n }),
      sentence: curve.seen + say("no_fit", { verdict, reason: curve.reason, n }) };
  }
  const forecast = new Forecast(curve, goal), { most, limit, farthest, never } = forecast;
  const reached = forecast.chance(most), far = never ? forecast.chance(farthest) : 1;
  const chances = [reached, forecast.reachable - reached, far - forecast.reachable, 1 - far];
  const decided = decide(forecast), [middle, lower, upper] = forecast.atLimit, { level } = DATA;
  const met = curve.n.filter((_, i) => curve.error[i] <= target);
  const need = { lower: forecast.required((1 - level) / 2), median: forecast.required(0.5),
    upper: forecast.required((1 + level) / 2) };
  const answer = {
    kind: decided.kind, verdict: decided.kind === "lever" ? decided.name : verdictOf(decided.kind, decided.next),
    probabilities: Object.fromEntries(CLASSES.map((name, i) => [name, chances[i]])), required_n: need,
    cost: need.median === null ? null : forecast.cost(need.median), next_n: decided.next, lever: decided.name,
    detail: decided.detail, never, met_at: met.length && met[met.length - 1] < most ? met[0] : null,
    largest_n: most, limit_n: limit, farthest_n: farthest, error_at_limit: middle, error_at_limit_lower: lower,
    error_at_limit_upper: upper, shape: curve.shape,
  };
  const said = curve.photographs ? claim(forecast) : null;
  if (said) answer.photographs = said;
  const start = answer.met_at === null ? "" : say("met", { n: answer.met_at });
  const about = said ? [claimed(said, curve.photographs.count)] : [];
  const first = `${start}${answer.verdict[0].toUpperCase()}${answer.verdict.slice(1)}. ${outcome(answer)}; ${answer.detail}`;
  answer.sentence = curve.seen + asSentences([first, ...about, ...curve.tested]);
  answer.plain = fill(PLAIN[answer.kind], { target, limit, most, n: answer.next_n, name: decided.name,
    change: decided.change, images: imagesOf(need.median, answer) });
  return answer;
}

// --- the page ---------------------------------------------------------------------------------------------
const $ = (id) => document.getElementById(id);
const CONTROLS = Object.keys(DATA.goal), STEPS = 1000;
const fallback = (name, curve) => {  // what an empty field stands for
  const most = curve.n[curve.n.length - 1];
  return name === "max_images" ? T.limit * most : most * Number($("cost_per_image").value);
};
function goalOf() {
  return Object.fromEntries(CONTROLS.map((name) => [name, $(name).value === "" ? null : Number($(name).value)]));
}
function wrong(goal) {
  const named = CONTROLS.find((name) => goal[name] !== null && !(goal[name] > 0));
  return goal.target_error === null || goal.cost_per_image === null || named !== undefined;
}
function slide(name) {  // put the slider where its number is
  const [least, most] = DATA.ends[name], field = $(name), slider = $(`${name}_slide`);
  const value = field.value === "" ? fallback(name, DATA.curves[$("curve").value]) : Number(field.value);
  slider.value = Math.round(STEPS * Math.log(value / least) / Math.log(most / least));
  slider.setAttribute("aria-valuetext", value >= 1000 ? grouped(value) : short(value, 4));
}
let view = null, waiting = false;
function show() {
  waiting = false;
  const goal = goalOf(), curve = DATA.curves[$("curve").value];
  CONTROLS.forEach(slide);
  if (wrong(goal)) { $("verdict").textContent = "Every number must be above 0."; return; }
  const answer = advise(Number($("curve").value), goal);
  if ($("verdict").textContent !== answer.plain) $("verdict").textContent = answer.plain;
  $("sentence").textContent = answer.sentence;
  $("numbers").replaceChildren(...numbers(curve, answer).flatMap(([name, text]) => {
    const [term, value] = [document.createElement("dt"), document.createElement("dd")];
    [term.textContent, value.textContent] = [name, text];
    return [term, value];
  }));
  draw(curve, goal);
}
function numbers(curve, answer) {
  if (answer.probabilities === null) return [["Verdict", answer.verdict]];
  const p = answer.probabilities, need = answer.required_n, n = (size) => imagesOf(size, answer);
  return [
    ["Verdict", answer.verdict], ["Law", curve.law],
    ["Required n", `${n(need.median)} (${100 * DATA.level} % interval: ${n(need.lower)} to ${n(need.upper)})`],
    ["Probability", `reached ${fixed(p.reached, 2)}, within ${grouped(answer.limit_n)} images ${fixed(p.within, 2)}, `
      + `beyond ${fixed(p.beyond, 2)}, unreachable ${fixed(p.unreachable, 2)}`],
    ["Cost", answer.cost === null ? "?" : answer.cost >= 1000 ? rounded(answer.cost, 3) : short(answer.cost, 3)],
    [`Error at ${grouped(answer.limit_n)}`, `${short(answer.error_at_limit, 4)} [${short(answer.error_at_limit_lower, 4)}, `
      + `${short(answer.error_at_limit_upper, 4)}]`],
    ["Measure next", answer.next_n === null ? "nothing" : `n = ${grouped(answer.next_n)}`],
  ];
}
function draw(curve, goal) {
  if (!view) return;
  const limit = goal.max_images ?? fallback("max_images", curve);
  const others = DATA.curves.flatMap((other, i) => (other === curve ? [] : other.drawn.lines.map((row) => ({ ...row, curve: i }))));
  view.data("others", others).data("lines", curve.drawn.lines).data("points", curve.drawn.points)
    .data("marks", [{ target: goal.target_error, limit }]).resize().run();  // room for the labels
}
async function embed() {
  const style = getComputedStyle(document.documentElement), ink = style.getPropertyValue("--ink").trim();
  const config = { background: null, font: "system-ui, sans-serif", view: { stroke: null }, axis: { labelColor: ink,
    titleColor: ink, domainColor: ink, tickColor: ink, gridColor: ink, gridOpacity: 0.15, labelFontSize: 13, titleFontSize: 14 } };
  const datasets = { others: [], lines: [], points: [], marks: [] };
  const options = { mode: "vega-lite", actions: false, renderer: "svg", logLevel: 1, config };
  ({ view } = await vegaEmbed("#chart", { ...DATA.chart, datasets }, options));
  show();
}
function later() { if (!waiting) { waiting = true; requestAnimationFrame(show); } }
for (const name of CONTROLS) {
  $(name).value = DATA.goal[name] ?? "";
  $(name).addEventListener("input", later);
  $(`${name}_slide`).addEventListener("input", (event) => {
    const [least, most] = DATA.ends[name], value = least * (most / least) ** (event.target.value / STEPS);
    $(name).value = name === "max_images" ? Math.max(1, Math.round(value)) : Number(value.toPrecision(4));
    later();
  });
}
$("curve").addEventListener("change", later);
$("controls").addEventListener("submit", (event) => event.preventDefault());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", embed);
show();
embed();
