// The dialog, and in it one agent: every run, every test, what may be told of the failed ones, and the end of stderr.

function openDetail(miner, task = null) {
  show({ agent: miner }, task);
}

/** Shows a task, an agent, or two agents, as far as there are such. */
function show({ agent = "", task = "", with: other = "" }, run = null) {
  Object.assign(state, { agent, task, with: other });
  unfolded.runs = new Set(run === null ? [] : [run]);
  hideTip();
  const dialog = byId("detail");
  if (!drawDetail()) return;
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  if (!dialog.contains(document.activeElement)) byId("detail-title").focus();
  if (run !== null) byId(`run-${run}`)?.scrollIntoView({ block: "center" });
  writeAddress();
}

/** Called for every way a dialog closes. */
function detailClosed() {
  Object.assign(state, { agent: "", task: "", with: "" });
  writeAddress();
}

/** True if there is what the address asks for; else the dialog closes. */
function drawDetail() {
  const agent = data.agents.find((one) => one.miner === state.agent);
  const other = data.agents.find((one) => one.miner === state.with && one !== agent);
  const task = taskAt(state.task);
  if (agent && other) drawComparison(agent, other);
  else if (agent) drawAgent(agent);
  else if (task >= 0) drawTask(task);
  else if (byId("detail").open) byId("detail").close();
  else detailClosed();
  return Boolean(agent || task >= 0);
}

function drawAgent(agent) {
  const copy = copyTag(agent);
  fill(byId("detail"), dialogHead([agent.miner, personTag(agent.miner), copy], compareChoice(agent)),
    detailFacts(agent), scoreHistory(agent), stageRuns(agent), cutNote(agent));
}

function dialogHead(title, ...tools) {
  const close = el("button", { type: "button", class: "close", "data-key": "close", "aria-label": "Close", click: () => byId("detail").close() }, "✕");
  return el("div", { class: "detail-head" }, el("h2", { id: "detail-title", tabindex: -1, autofocus: true }, title), tools, close);
}

const fact = (name, value, classes) => el("div", { class: classes }, el("dt", {}, name), el("dd", {}, value));

const detailWidth = () => Math.min(736, innerWidth) - 57;

/** The ranks that other tasks of the same kind could have given, if they are several. */
function byChance(range) {
  return range && range[0] < range[1] ? ` (${number(range[0])} to ${number(range[1])} by chance)` : "";
}

function detailFacts(agent) {
  return el("dl", { class: "detail-facts" },
    fact("Rank", ranked() ? (agent.rank === null ? "unscored" : number(agent.rank) + byChance(agent.range)) : "not shown"),
    fact("Score", score(agent.score)),
    extras.facts(agent).map(([name, value]) => fact(name, value)),
    agent.tier !== undefined && agent.tier < agent.rank && fact("Tier", `of rank ${number(agent.tier)}, whose lead may be chance`),
    agent.cost !== undefined && fact("Cost of models", `$${number(agent.cost)}`),
    passes().map(([, title, value]) => fact(title, score(value(agent)))),
    counted() && fact("Tests passed", `${number(agent.passed)} / ${number(agent.tests)}`),
    ranked() && data.stages.length > 1 && fact("Stage", data.stages[agent.stage]?.name ?? ""),
    agent.stopped && fact("Stopped early", agent.stopped.replace("stopped early: ", ""), "long"),
    fact("First seen, UTC", moment(agent.seen)),
    fact("File", `${agent.file}, ${plural(agent.bytes, "byte")}`, "long"),
    fact("Sha256", el("code", {}, agent.sha256), "long"));
}

function scoreHistory(agent) {
  if (agent.history.length < 2) return null;
  return el("div", { class: "detail-history" }, el("h3", {}, "History"), timeline([agent], detailWidth(), 130));
}

function stageRuns(agent) {
  const runs = agent.runs.map(unpack).sort((a, b) => a.task - b.task);
  if (runs.length === 0) return el("p", { class: "soft" }, "Nothing was run.");
  const stages = data.stages.map((stage, at) => [stage, runs.filter((run) => data.tasks[run.task].stage === at)]);
  return stages.filter(([, own]) => own.length > 0).map(([stage, own]) => {
    const title = data.stages.length > 1 ? stage.name : "Runs";
    const passed = own.filter((run) => run.letter === "p").length;
    const told = own.every((run) => run.letter !== "h");
    const heading = el("h3", {}, title, told && el("small", {}, `${passed} of ${plural(own.length, "run")} passed${askedText(own)}`));
    return el("div", { class: "runs" }, heading, own.map(runLine));
  });
}

/** Sums of what runs asked of models, to stand behind other figures; nothing where none did. */
function askedText(runs) {
  const asked = runs.flatMap((run) => run.samples ?? [run]).map((run) => run.usage?.[3]).filter(Boolean);
  if (asked.length === 0) return "";
  const [requests, questions, answers, cost] = asked.reduce((sum, one) => sum.map((part, at) => part + one[at]));
  const known = asked.every((one) => one[3] !== null);
  const price = known && cost > 0 ? `, $${number(Number(cost.toFixed(9)))}` : "";
  return ` · asked of models: ${plural(requests, "request")}, ${number(questions)} tokens in, ${number(answers)} out${price}`;
}

/** A run unfolds; what is inside is made when it is first looked at. */
function runLine(run) {
  const open = unfolded.runs.has(run.task);
  const task = data.tasks[run.task];
  const measured = run.score !== undefined && [
    run.score !== null && el("span", { class: "num" }, number(run.score)),
    run.usage && el("span", { class: "num soft" }, `${run.passed} / ${run.letters.length}`),
    run.usage && el("span", { class: "num soft time" }, duration(run.usage[0])),
  ];
  const summary = el("summary", { "data-key": `run-${run.task}` },
    el("span", { class: "task-name" }, task.label), badge(run.verdict, run.letter), measured);
  const line = el("details", { class: "run", id: `run-${run.task}`, open }, summary);
  if (open) line.append(runBody(run));
  line.addEventListener("toggle", () => {
    if (line.open) unfolded.runs.add(run.task);
    else unfolded.runs.delete(run.task);
    if (line.open && line.children.length === 1) line.append(runBody(run));
  });
  return line;
}

const badge = (verdict, letter = "u") => el("span", { class: `badge v-${letter}` }, verdict);

function runBody(run) {
  if (run.verdict === "task_fault") {
    return el("div", { class: "run-body" }, el("p", { class: "soft" }, "The task is at fault; it counts for nobody until its author mends it."));
  }
  if (run.score === undefined) {
    return el("div", { class: "run-body" }, el("p", { class: "soft" }, "By our fault; it is tried again and counts for nothing until then."));
  }
  if (run.samples) {
    const each = run.samples.map((one, at) => [el("h4", {}, `Sample ${at + 1} `, badge(one.verdict, one.letter), one.score !== null && ` ${number(one.score)}`), runBody(one)]);
    return el("div", { class: "run-body" }, el("p", { class: "soft" }, spreadText(run)), each);
  }
  const notes = new Map(run.notes);
  const tests = run.tests.map((test, at) => testLine(test, run.letters[at], data.texts[notes.get(at)]));
  const [wall, cpu, mib] = run.usage ?? [];
  const usage = run.usage && ` · ${duration(wall)} wall, ${duration(cpu)} CPU, ${mib} MiB${askedText([run])}`;
  const stderr = run.stderr && [el("h4", {}, "End of stderr"), el("pre", {}, run.stderr)];
  return el("div", { class: "run-body" }, el("p", { class: "soft" }, taskLink(run.task), usage), el("ul", { class: "tests" }, tests), stderr);
}

function testLine([name, weight, open], letter, message) {
  const about = [weight !== 1 && `weight ${number(weight)}`, !open && "not public"].filter(Boolean).join(", ");
  return el("li", {},
    badge(VERDICTS[letter], letter),
    el("span", { class: "test-name" }, name, about && el("span", { class: "soft" }, ` (${about})`)),
    message && (sides(message) ?? el("pre", {}, message)));
}

/** Both sides of a comparison that does not hold, each in a box of its own; null where a message tells of no two, or of more. */
function sides(message) {
  const comparison = /^([^]*) does not hold(?:: ([^]*))?$/.exec(message);
  const halves = comparison?.[1].split(" == ") ?? [];
  if (halves.length === 2) return sideBySide(["Left of ==", halves[0]], ["Right of ==", halves[1]], comparison[2]);
  const output = /^((?:line|word) \d+): expected ([^]*)$/.exec(message);
  const [right, got, ...more] = output?.[2].split(", got ") ?? [];
  return got !== undefined && more.length === 0 ? sideBySide(["Expected", right], ["Got", got], output[1]) : null;
}

function sideBySide(left, right, where) {
  const side = ([name, text]) => el("div", {}, el("span", { class: "soft" }, name), el("pre", {}, text));
  return el("div", { class: "sides" }, side(left), side(right), where && el("p", { class: "soft" }, where));
}

function cutNote(agent) {
  if (data.withheld) return el("p", { class: "soft" }, "Messages and stderr are shown to each agent's miner and to the organiser only.");
  const file = `agents/${agent.miner}.json`;
  return agent.cut && el("p", { class: "soft" }, "Some messages were left out here to keep the page light. All stand in ", el("code", {}, file), ".");
}
