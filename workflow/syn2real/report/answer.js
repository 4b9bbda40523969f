"use strict";
// The page: controls, what they change, and the chart.
const $ = (id) => document.getElementById(id);
const READ = { target_error: target, max_images: count, cost_per_image: positive, cost_per_run: positive };
const CONTROLS = Object.keys(READ), OPTIONAL = ["max_images", "cost_per_run"], STEPS = 1000;
const curveShown = () => DATA.curves[$("curve").value];
const inWords = (value) => (value >= 1000 ? grouped(value) : short(value, 4));
const optional = (name) => $(name).value.trim() === "" && OPTIONAL.includes(name);
function fallback(name, goal) {  // what an empty field stands for
  const { n } = curveShown(), most = n[n.length - 1];
  return name === "max_images" ? T.limit * most : most * (goal.cost_per_image ?? 1);
}
function goalOf() {  // the numbers of the fields, and of each that holds none why
  const goal = {}, wrong = {};
  for (const name of CONTROLS) {
    goal[name] = null;
    try { if (!optional(name)) goal[name] = READ[name]($(name).value.trim()); }
    catch (error) { if (!(error instanceof RangeError)) throw error; wrong[name] = error.message; }
  }
  return { goal, wrong };
}
function mark(name, goal, problem) {  // put the slider where its number is, and say of a field whether it holds one
  const [least, most] = DATA.ends[name], field = $(name), slider = $(`${name}_slide`), value = goal[name];
  if (OPTIONAL.includes(name)) field.placeholder = `default ${inWords(fallback(name, goal))}`;
  for (const [key, said] of [["aria-invalid", "true"], ["aria-describedby", "verdict"]]) {
    if (problem) field.setAttribute(key, said); else field.removeAttribute(key);
  }
  slider.classList.toggle("unset", value === null);
  if (value !== null) slider.value = Math.round(STEPS * Math.log(value / least) / Math.log(most / least));
  slider.setAttribute("aria-valuetext", value === null ? "not set" : inWords(value));
}

// --- what is said of one curve -----------------------------------------------------------------------------
const PERCENT = short(100 * DATA.level, 4);
const interval = ({ error, lower, upper }) =>
  `${short(error, 4)} (${PERCENT} % interval: ${short(lower, 4)} to ${short(upper, 4)})`;
function beyond({ photographs: said }, count) {  // whether a verdict is about these test images or all like them
  const whom = { these: say("photographs", { count }), chances: say("chances", said) };
  if (said.sure) return say("holds", whom);
  if (1 - T.sure < said.p_these && said.p_these < T.sure) return say("open", whom);
  return said.settles === null ? say("alone", whom) : say("settles", { ...whom, settle: rounded(said.settles, 2) });
}
function needed(curve, answer) {
  const { median, lower, upper } = answer.required_n, n = (size) => imagesOf(size, answer);
  if (median === curve.n[0]) return `${n(median)} or fewer`;
  if (median !== null) return `${n(median)} (${PERCENT} % interval: ${n(lower)} to ${upper === null ? "any number" : n(upper)})`;
  const most = answer.never ? "no number of them is likely to be enough" : n(null);
  return lower === null ? most : `${most} (${PERCENT} % interval: from ${n(lower)} on)`;
}
function chances({ probabilities: p, limit_n: limit, largest_n: most, never }) {
  const far = never ? `with more ${p.beyond.toFixed(2)}, with no number ${p.unreachable.toFixed(2)}`
    : `with more, or never, ${p.beyond.toFixed(2)}`;
  return `with the ${grouped(most)} images measured ${p.reached.toFixed(2)}, `
    + `with more up to ${grouped(limit)} ${p.within.toFixed(2)}, ${far}`;
}
function costOf({ kind, cost, largest_n: most }) {
  if (kind === "reached") return "0: no more images are needed";
  if (cost === null) return "not known, as the number of images needed is not";
  return `${cost < 1000 ? short(cost, 3) : rounded(cost, 3)}, for one run with the images needed and for making those `
    + `beyond the ${grouped(most)} measured`;
}
function numbers(curve, answer) {
  if (answer.probabilities === null) return [["No forecast", curve.reason]];
  const largest = curve.n.length - 1, limit = `${grouped(answer.limit_n)} images`;
  const rows = [
    ["Measured", `error ${short(curve.error[largest], 4)} with ${grouped(curve.n[largest])} images`
      + (curve.start === null ? "" : `, ${short(curve.start, 4)} without renders`)],
    ["Images needed", needed(curve, answer)],
    ["Probability to reach the target", chances(answer)],
    ["Error expected", `${interval({ error: answer.error_at_limit, lower: answer.error_at_limit_lower,
      upper: answer.error_at_limit_upper })} with ${limit}`],
    ["Cost", costOf(answer)],
  ];
  if (answer.next_n !== null) rows.push(["Measure next", `${grouped(answer.next_n)} images`]);
  for (const [name, to] of Object.entries(answer.levers ?? {})) {
    const text = `${to.words}: probability ${to.p_reach.toFixed(2)} to reach the target, error ${interval(to)} with ${limit}`;
    rows.push([name[0].toUpperCase() + name.slice(1), text]);
  }
  if (answer.photographs) rows.push(["Test images", beyond(answer, curve.photographs.count)]);
  rows.push(["Law", curve.shape ? `none describes this curve: ${curve.shape}` : curve.law]);
  return rows;
}

// --- the chart ---------------------------------------------------------------------------------------------
let view = null, waiting = false;
function draw(goal, answer) {
  if (!view) return;
  const curve = curveShown(), limit = goal.max_images ?? fallback("max_images", goal), { name } = DATA.curves[answer.to] ?? {};
  const others = DATA.curves.flatMap((other, place) => (other === curve ? []
    : other.drawn.lines.map((row) => ({ ...row, curve: place }))));
  const lever = name === undefined ? [] : DATA.curves[answer.to].drawn.lines.map((row) => ({ ...row, name }));
  const data = { ...curve.drawn, others, lever, lever_end: lever.slice(-1), marks: [{ target: goal.target_error, limit }] };
  for (const [each, rows] of Object.entries(data)) view.data(each, rows);
  view.resize().run();  // room for the labels
}
async function embed() {
  const style = getComputedStyle(document.documentElement), ink = style.getPropertyValue("--ink").trim();
  const axis = { labelColor: ink, titleColor: ink, domainColor: ink, tickColor: ink, gridColor: ink, gridOpacity: 0.15,
    labelFontSize: 13, titleFontSize: 14 };
  const config = { background: null, font: "system-ui, sans-serif", view: { stroke: null }, axis, text: { color: ink } };
  const datasets = Object.fromEntries(DATA.chart.layer.map((layer) => [layer.data.name, []]));
  const options = { mode: "vega-lite", actions: false, renderer: "svg", logLevel: 1, config };
  ({ view } = await vegaEmbed("#chart", { ...DATA.chart, datasets }, options));
  document.querySelector("#chart svg").setAttribute("aria-hidden", "true");  // the chart has a name; its parts have none
  show();
}

// --- the controls ------------------------------------------------------------------------------------------
function write(id, text) { if ($(id).textContent !== text) $(id).textContent = text; }
function show() {
  waiting = false;
  const { goal, wrong } = goalOf(), [first] = Object.keys(wrong);
  for (const name of CONTROLS) mark(name, goal, wrong[name]);
  $("answer").classList.toggle("stale", first !== undefined);
  const question = say("question", { target: first ? "…" : targetText(goal.target_error) });
  if (DATA.asks) { write("question", question); document.title = question; }
  if (first) { write("verdict", `${$(first).labels[0].textContent}: ${wrong[first]}.`); return; }
  const curve = curveShown(), answer = advise(Number($("curve").value), goal);
  write("verdict", DATA.curves.length > 1 ? `${curve.name}: ${answer.plain}` : answer.plain);
  $("numbers").replaceChildren(...numbers(curve, answer).flatMap(([name, text]) => {
    const [term, value] = [document.createElement("dt"), document.createElement("dd")];
    [term.textContent, value.textContent] = [name, text];
    return [term, value];
  }));
  draw(goal, answer);
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
