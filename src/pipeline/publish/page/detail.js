// One agent: every run, every test, what may be told of the failed ones, and the end of stderr.

function openDetail(miner, task = null) {
  const agent = data.agents.find((one) => one.miner === miner);
  if (!agent) return;
  hideTip();
  state.agent = miner;
  unfolded.runs = new Set(task === null ? [] : [task]);
  drawDetail();
  const dialog = byId("detail");
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  if (task !== null) byId(`run-${task}`)?.scrollIntoView({ block: "center" });
  writeAddress();
}

/** Called for every way a dialog closes. */
function detailClosed() {
  state.agent = "";
  writeAddress();
}

function drawDetail() {
  const agent = data.agents.find((one) => one.miner === state.agent);
  if (!agent) return byId("detail").close();
  fill(byId("detail"), detailHead(agent), detailFacts(agent), scoreHistory(agent), stageRuns(agent), cutNote(agent));
}

function detailHead(agent) {
  const close = el("button", { type: "button", class: "close", "data-key": "close", "aria-label": "Close", click: () => byId("detail").close() }, "✕");
  const copy = agent.copy && el("span", { class: "tag" }, `copy of ${agent.copy}`);
  return el("div", { class: "detail-head" }, el("h2", { id: "detail-title", tabindex: -1, autofocus: true }, agent.miner, personTag(agent.miner), copy), close);
}

/** The ranks that other tasks of the same kind could have given, if they are several. */
function byChance(range) {
  return range && range[0] < range[1] ? ` (${number(range[0])} to ${number(range[1])} by chance)` : "";
}

function detailFacts(agent) {
  const fact = (name, value, classes) => el("div", { class: classes }, el("dt", {}, name), el("dd", {}, value));
  return el("dl", { class: "detail-facts" },
    fact("Rank", ranked() ? (agent.rank === null ? "unscored" : number(agent.rank) + byChance(agent.range)) : "not shown"),
    fact("Score", score(agent.score)),
    extras.facts(agent).map(([name, value]) => fact(name, value)),
    counted() && fact("Tests passed", `${number(agent.passed)} / ${number(agent.tests)}`),
    ranked() && data.stages.length > 1 && fact("Stage", data.stages[agent.stage]?.name ?? ""),
    fact("First seen, UTC", moment(agent.seen)),
    fact("File", `${agent.file}, ${plural(agent.bytes, "byte")}`, "long"),
    fact("Sha256", el("code", {}, agent.sha256), "long"));
}

function scoreHistory(agent) {
  if (agent.history.length < 2) return null;
  const width = Math.min(736, innerWidth) - 57;
  return el("div", { class: "detail-history" }, el("h3", {}, "History"), timeline([agent], width, 130));
}

function stageRuns(agent) {
  const runs = agent.runs.map(unpack).sort((a, b) => a.task - b.task);
  if (runs.length === 0) return el("p", { class: "soft" }, "Nothing was run.");
  const stages = data.stages.map((stage, at) => [stage, runs.filter((run) => data.tasks[run.task].stage === at)]);
  return stages.filter(([, own]) => own.length > 0).map(([stage, own]) => {
    const title = data.stages.length > 1 ? stage.name : "Runs";
    const passed = own.filter((run) => run.letter === "p").length;
    const told = own.every((run) => run.letter !== "h");
    const heading = el("h3", {}, title, told && el("small", {}, `${passed} of ${plural(own.length, "run")} passed`));
    return el("div", { class: "runs" }, heading, own.map(runLine));
  });
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
    return el("div", { class: "run-body" }, el("p", { class: "soft" }, "By our fault; it is tried again and counts for nothing until then."), el("pre", {}, run.unscored));
  }
  const notes = new Map(run.notes);
  const tests = run.tests.map((test, at) => testLine(test, run.letters[at], data.texts[notes.get(at)]));
  const [wall, cpu, mib] = run.usage ?? [];
  const usage = run.usage && ` · ${duration(wall)} wall, ${duration(cpu)} CPU, ${mib} MiB`;
  const stderr = run.stderr && [el("h4", {}, "End of stderr"), el("pre", {}, run.stderr)];
  return el("div", { class: "run-body" }, el("p", { class: "soft" }, data.tasks[run.task].id, usage), el("ul", { class: "tests" }, tests), stderr);
}

function testLine([name, weight, open], letter, message) {
  const about = [weight !== 1 && `weight ${number(weight)}`, !open && "not public"].filter(Boolean).join(", ");
  return el("li", {},
    badge(VERDICTS[letter], letter),
    el("span", { class: "test-name" }, name, about && el("span", { class: "soft" }, ` (${about})`)),
    message && el("pre", {}, message));
}

function cutNote(agent) {
  const file = `agents/${agent.miner}.json`;
  return agent.cut && el("p", { class: "soft" }, "Some messages were left out here to keep the page light. All stand in ", el("code", {}, file), ".");
}
