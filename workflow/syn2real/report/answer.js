"use strict";
// The page: controls, what they change, and the chart.
const $ = (id) => document.getElementById(id);
const CONTROLS = Object.keys(DATA.goal), STEPS = 1000;
const curveShown = () => DATA.curves[$("curve").value];
function fallback(name) {  // what an empty field stands for
  const { n } = curveShown(), most = n[n.length - 1];
  return name === "max_images" ? T.limit * most : most * Number($("cost_per_image").value);
}
function goalOf() {
  return Object.fromEntries(CONTROLS.map((name) => [name, $(name).value === "" ? null : Number($(name).value)]));
}
function wrong(goal) {
  return goal.target_error === null || goal.cost_per_image === null
    || Object.values(goal).some((value) => value !== null && !(value > 0));
}
function slide(name) {  // put the slider where its number is
  const [least, most] = DATA.ends[name], field = $(name), slider = $(`${name}_slide`);
  const value = field.value === "" ? fallback(name) : Number(field.value);
  slider.value = Math.round(STEPS * Math.log(value / least) / Math.log(most / least));
  slider.setAttribute("aria-valuetext", value >= 1000 ? grouped(value) : short(value, 4));
}

// --- what is said of one curve -----------------------------------------------------------------------------
const interval = ({ error, lower, upper }) => `${short(error, 4)} [${short(lower, 4)}, ${short(upper, 4)}]`;
function beyond({ photographs: said }, count) {  // whether a verdict is about these test images or all like them
  const whom = { these: say("photographs", { count }), chances: say("chances", said) };
  if (said.sure) return say("holds", whom);
  if (1 - T.sure < said.p_these && said.p_these < T.sure) return say("open", whom);
  return said.settles === null ? say("alone", whom) : say("settles", { ...whom, settle: rounded(said.settles, 2) });
}
function numbers(curve, answer) {
  if (answer.probabilities === null) return [["Verdict", answer.verdict], ["Why", curve.reason]];
  const p = answer.probabilities, need = answer.required_n, n = (size) => imagesOf(size, answer);
  const limit = grouped(answer.limit_n), percent = short(100 * DATA.level, 4);
  const rows = [
    ["Verdict", answer.verdict],
    ["Law", curve.law],
    ["Required n", `${n(need.median)} (${percent} % interval: ${n(need.lower)} to ${n(need.upper)})`],
    ["Probability", `reached ${p.reached.toFixed(2)}, within ${limit} images ${p.within.toFixed(2)}, `
      + `beyond ${p.beyond.toFixed(2)}, unreachable ${p.unreachable.toFixed(2)}`],
    ["Cost", answer.cost === null ? "not known" : answer.cost < 1000 ? short(answer.cost, 3) : rounded(answer.cost, 3)],
    [`Error at ${limit}`, interval({ error: answer.error_at_limit, lower: answer.error_at_limit_lower,
      upper: answer.error_at_limit_upper })],
    ["Measure next", answer.next_n === null ? "nothing" : `n = ${grouped(answer.next_n)}`],
  ];
  for (const [name, to] of Object.entries(answer.levers ?? {})) {
    const text = `${to.words}: probability ${to.p_reach.toFixed(2)}, error at the limit ${interval(to)}`;
    rows.push([name[0].toUpperCase() + name.slice(1), text]);
  }
  if (answer.photographs) rows.push(["Test images", beyond(answer, curve.photographs.count)]);
  if (curve.shape) rows.push(["Shape", `the law does not describe this curve: ${curve.shape}`]);
  return rows;
}

// --- the chart ---------------------------------------------------------------------------------------------
let view = null, waiting = false;
function draw(goal) {
  if (!view) return;
  const curve = curveShown(), marks = [{ target: goal.target_error, limit: goal.max_images ?? fallback("max_images") }];
  const others = DATA.curves.flatMap((other, place) => (other === curve ? []
    : other.drawn.lines.map((row) => ({ ...row, curve: place }))));
  view.data("others", others).data("lines", curve.drawn.lines).data("points", curve.drawn.points).data("marks", marks)
    .resize().run();  // room for the labels
}
async function embed() {
  const style = getComputedStyle(document.documentElement), ink = style.getPropertyValue("--ink").trim();
  const axis = { labelColor: ink, titleColor: ink, domainColor: ink, tickColor: ink, gridColor: ink, gridOpacity: 0.15,
    labelFontSize: 13, titleFontSize: 14 };
  const config = { background: null, font: "system-ui, sans-serif", view: { stroke: null }, axis };
  const datasets = { others: [], lines: [], points: [], marks: [] };
  const options = { mode: "vega-lite", actions: false, renderer: "svg", logLevel: 1, config };
  ({ view } = await vegaEmbed("#chart", { ...DATA.chart, datasets }, options));
  show();
}

// --- the controls ------------------------------------------------------------------------------------------
function show() {
  waiting = false;
  const goal = goalOf();
  CONTROLS.forEach(slide);
  if (wrong(goal)) { $("verdict").textContent = "Every number must be above 0."; return; }
  const answer = advise(Number($("curve").value), goal);
  if ($("verdict").textContent !== answer.plain) $("verdict").textContent = answer.plain;
  $("numbers").replaceChildren(...numbers(curveShown(), answer).flatMap(([name, text]) => {
    const [term, value] = [document.createElement("dt"), document.createElement("dd")];
    [term.textContent, value.textContent] = [name, text];
    return [term, value];
  }));
  draw(goal);
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
