// Distribution, stage funnel and history.

function drawScores(agents) {
  byId("scores").hidden = data.agents.length === 0 || !ranked();
  if (byId("scores").hidden) return;
  const scores = agents.map((agent) => agent.score).filter((one) => one !== null);
  fill(byId("scores-body"), distribution(scores), data.stages.length > 1 && funnel(), histories(agents));
}

function card(title, note, body, classes = data.stages.length > 1 ? "" : "wide") {
  return el("div", { class: `panel card ${classes}` }, el("h3", {}, title), note && el("p", { class: "soft" }, note), body);
}

/** Twenty bins of five points, and one for the perfect. */
function bins(scores) {
  const counts = new Array(21).fill(0);
  for (const one of scores) counts[Math.floor(one / 5)]++;
  return counts;
}

const binName = (at) => (at === 20 ? "100" : `${at * 5} to below ${at * 5 + 5}`);

function median(sorted) {
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function distribution(all) {
  const scores = all.toSorted((a, b) => a - b);
  if (scores.length === 0) return card("Distribution", null, el("p", { class: "soft" }, "Nothing is scored."));
  const counts = bins(scores);
  const top = Math.max(...counts);
  const mean = scores.reduce((sum, one) => sum + one, 0) / scores.length;
  const note = `median ${number(Number(median(scores).toFixed(2)))}, mean ${number(Number(mean.toFixed(2)))}`;
  const said = counts.map((count, at) => count && `${binName(at)}: ${count}`).filter(Boolean).join("; ");
  const bars = counts.map((count, at) => {
    const tell = (event) => showTip(event.currentTarget, binName(at), plural(count, "agent"));
    return el("div", { class: count ? "bin" : "bin none", "--h": count / top, pointerenter: tell, pointerleave: hideTip }, el("i"));
  });
  const chart = el("div", { class: "bins", role: "img", "aria-label": `Agents by score. ${said}` }, bars);
  const axis = el("div", { class: "axis", "aria-hidden": "true" }, ["0", "25", "50", "75", "100"].map((text) => el("span", {}, text)));
  return card("Distribution", note, [chart, axis]);
}

function funnel() {
  const all = Math.max(1, data.stages[0].reached);
  const step = (text, count) =>
    el("li", {}, el("span", {}, text), el("b", {}, number(count)), el("i", { "--s": (100 * count) / all }));
  const steps = data.stages.map((stage) => step(stage.mark > 0 ? `passed ${stage.name} (${number(stage.mark)} or more)` : `through ${stage.name}`, stage.passed));
  return card("Stages", "of all agents", el("ol", { class: "funnel" }, step("evaluated", data.stages[0].reached), steps));
}

/** Most lines that can be told apart. */
const LINES = 6;

function histories(agents) {
  const shown = agents.filter((agent) => agent.history.length > 0).slice(0, LINES);
  const changed = shown.some((agent) => agent.history.length > 1);
  const note = state.q || state.kind !== "all" || state.sort !== "rank"
    ? "the first of the agents shown above" : "the best; search to see others";
  if (!changed) {
    return card("History", null, el("p", { class: "soft" }, "No score has changed yet. Lines appear with the first resubmission."), "wide");
  }
  const key = shown.map((agent, at) => historyKey(agent, at));
  return card("History", note, [timeline(shown, byId("scores-body").clientWidth - 42), el("ul", { class: "key" }, key)], "wide");
}

function historyKey(agent, at) {
  const scores = agent.history.map(([, one]) => score(one));
  const said = scores.length > 4 ? [scores[0], "…", ...scores.slice(-2)] : scores;
  return el("li", { class: `line${at}` }, el("i"), minerLink(agent, `history-${agent.miner}`), el("span", { class: "soft" }, ` ${said.join(" → ")}`));
}

/** Steps: a score holds until the next. Unscored times are gaps. */
function stepPath(points, x, y, end) {
  let path = "";
  points.forEach(([at, one], index) => {
    if (one === null) return;
    const until = points[index + 1]?.[0] ?? end;
    const joined = index > 0 && points[index - 1][1] !== null;
    path += `${joined ? "L" : "M"}${x(at).toFixed(1)} ${y(one).toFixed(1)}H${x(until).toFixed(1)}`;
  });
  return path;
}

const BOX = { height: 220, left: 34, right: 10, top: 10, bottom: 24 };

/** As wide as it will be, so that its letters are as large as others. */
function timeline(agents, width, height = BOX.height) {
  const box = { ...BOX, width: Math.max(width, 240), height };
  const times = agents.flatMap((agent) => agent.history.map(([at]) => at));
  const first = Math.min(...times);
  const now = Math.max(data.made, ...times, first + 60);
  // The newest score holds for a bit, to be seen.
  const last = now + (now - first) * 0.03;
  const x = (at) => box.left + ((at - first) / (last - first)) * (box.width - box.left - box.right);
  const y = (one) => box.top + (1 - one / 100) * (box.height - box.top - box.bottom);
  const grid = [0, 50, 100].map((one) => [
    el("svg:line", { class: "rule", x1: box.left, x2: box.width - box.right, y1: y(one), y2: y(one) }),
    el("svg:text", { x: box.left - 8, y: y(one) + 4, "text-anchor": "end" }, `${one}`),
  ]);
  const stamp = (at, anchor, left) => el("svg:text", { x: left, y: box.height - 4, "text-anchor": anchor }, moment(at));
  const stamps = [stamp(first, "start", box.left), stamp(now, "end", box.width - box.right)];
  // Equal scores lie side by side.
  const apart = (at) => (one) => y(one) + (at - (agents.length - 1) / 2) * 1.8;
  const lines = agents.map((agent, at) => line(agent, at, x, apart(at), last)).reverse();
  const label = `Scores of ${agents.map((agent) => agent.miner).join(", ")} over time; the list says the same.`;
  return el("svg", { class: "timeline", viewBox: `0 0 ${box.width} ${box.height}`, role: "img", "aria-label": label }, grid, stamps, lines);
}

function line(agent, at, x, y, end) {
  const path = el("svg:path", { d: stepPath(agent.history, x, y, end) });
  const dots = agent.history.filter(([, one]) => one !== null).map(([when, one]) => {
    const tell = (event) => showTip(event.currentTarget, `${agent.miner} · ${score(one)}`, `${moment(when)} UTC`);
    return el("svg:circle", { cx: x(when), cy: y(one), r: 3.5, pointerenter: tell, pointerleave: hideTip });
  });
  return el("svg:g", { class: `line${at}` }, path, dots);
}
