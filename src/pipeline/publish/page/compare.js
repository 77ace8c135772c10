// Two agents side by side: where one is ahead of the other.

/** A choice of the agent to compare with. */
function compareChoice(agent, other) {
  const names = data.agents.filter((one) => one !== agent).map((one) => one.miner).sort();
  const choose = (event) => show({ agent: agent.miner, with: event.currentTarget.value });
  const options = [el("option", { value: "" }, "Compare with …"), ...names.map((name) => el("option", { value: name }, name))];
  const select = el("select", { class: "compare", "data-key": "compare", "aria-label": `Compare ${agent.miner} with`, change: choose }, options);
  select.value = other?.miner ?? "";
  return names.length > 0 && select;
}

function drawComparison(one, other) {
  const shared = data.tasks.map((_, at) => [at, runOf(one, at), runOf(other, at)]).filter(([, a, b]) => a || b);
  const gap = ([, a, b]) => (typeof a?.score === "number" && typeof b?.score === "number" ? a.score - b.score : null);
  const gaps = shared.map(gap).filter((value) => value !== null);
  // Where they differ most comes first; what can't be compared, last.
  const lines = [...shared].sort((a, b) => Math.abs(gap(b) ?? -1) - Math.abs(gap(a) ?? -1));
  const ahead = (sign) => gaps.filter((value) => Math.sign(value) === sign).length;
  const said = gaps.length > 0 && el("p", { class: "soft" },
    `${one.miner} is ahead on ${plural(ahead(1), "task")}, ${other.miner} on ${number(ahead(-1))}; the same on ${number(ahead(0))}.`);
  fill(byId("detail"), dialogHead([one.miner, " and ", other.miner], compareChoice(one, other)), said, comparedFacts(one, other),
    comparedRuns(one, other, lines, gap), comparedHistory(one, other));
}

function compared(name, head, lines) {
  const title = (text) => el("th", { scope: "col" }, text);
  const table = el("table", { class: "list compared", "aria-label": name }, el("thead", {}, el("tr", {}, head.map(title))), el("tbody", {}, lines));
  return el("div", { class: "panel runs" }, table);
}

function comparedFacts(one, other) {
  const line = (name, value) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value(one)), el("td", {}, value(other)));
  const rank = (agent) => (agent.rank === null ? "–" : number(agent.rank) + byChance(agent.range));
  return compared("The two agents", [el("span", { class: "hide" }, "Figure"), minerLink(one, "compared-one"), minerLink(other, "compared-other")], [
    ranked() && line("Rank", rank),
    ranked() && line("Score", (agent) => score(agent.score)),
    counted() && line("Tests passed", (agent) => `${number(agent.passed)} / ${number(agent.tests)}`),
    line("First seen, UTC", (agent) => moment(agent.seen)),
  ].filter(Boolean));
}

function comparedRuns(one, other, runs, gap) {
  const cell = (agent, task, run) => {
    if (!run) return el("td", { class: "soft" }, noRun(agent, task));
    return el("td", {}, typeof run.score === "number" ? `${number(run.score)} ` : "", badge(run.verdict, run.letter));
  };
  const line = (entry) => {
    const [at, a, b] = entry;
    const value = gap(entry);
    const told = value ? `${value > 0 ? "+" : "−"}${number(Number(Math.abs(value).toFixed(2)))}` : "";
    return el("tr", {}, el("th", { scope: "row" }, taskLink(at, data.tasks[at].label)), cell(one, at, a), cell(other, at, b), el("td", { class: "r" }, told));
  };
  return compared("Task by task", ["Task", one.miner, other.miner, "Ahead by"], runs.map(line));
}

function comparedHistory(one, other) {
  if (!ranked() || one.history.length + other.history.length < 3) return null;
  const key = [one, other].map((agent, at) => el("li", { class: `line${at}` }, el("i"), agent.miner));
  return el("div", { class: "detail-history" }, el("h3", {}, "History"), timeline([one, other], detailWidth(), 150), el("ul", { class: "key" }, key));
}
