// The core that every part of the page uses: the data, the state, and how to make elements.

let data = JSON.parse(document.getElementById("data").textContent);

/** A person's choices; kept in the address, so that a reload or a link brings it back. */
const state = { q: "", kind: "all", sort: "rank", down: false, agent: "", with: "", task: "" };

/** The parts that a person unfolded; not worth an address, but a reload keeps it. */
const unfolded = { ranking: 25, rejected: 25, runs: new Set(), ...history.state };

const VERDICTS = {
  p: "passed", f: "failed", e: "error", c: "crashed",
  o: "output limit", t: "timeout", m: "out of memory",
};

const byId = (id) => document.getElementById(id);

/** An element. Children that are strings become text, never markup: they may come from agents. */
function el(tag, attributes = {}, ...children) {
  const svg = tag === "svg" || tag.startsWith("svg:");
  const node = svg
    ? document.createElementNS("http://www.w3.org/2000/svg", tag.replace("svg:", ""))
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else if (name.startsWith("--")) node.style.setProperty(name, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Puts new children into an element, and the focus back where it was. */
function fill(node, ...children) {
  const key = node.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  node.replaceChildren(...children.flat(2).filter(Boolean));
  if (key) node.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

const number = (value) => value.toLocaleString("en", { maximumFractionDigits: 6 });

const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

const score = (value) => (value === null ? "–" : number(value));

/** Feedback on all stages together: what of the ranking is shown. */
const ranked = () => data.feedback !== "none";
const counted = () => data.feedback === "full";
const priced = () => data.agents.some((agent) => agent.cost !== undefined);

function duration(ms) {
  if (ms < 1000) return `${ms} ms`;
  return ms < 60000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60000)} min`;
}

/** Seconds since 1970 as a moment in UTC, to the minute. */
const moment = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");

function ago(seconds) {
  const past = Math.max(0, Date.now() / 1000 - seconds);
  if (past < 45) return "just now";
  if (past < 5400) return `${plural(Math.round(past / 60), "minute")} ago`;
  if (past < 129600) return `${plural(Math.round(past / 3600), "hour")} ago`;
  return `${plural(Math.round(past / 86400), "day")} ago`;
}

/** One of the runs, which stand in the data as arrays. */
function unpack(run) {
  if (run.length === 2) return { task: run[0], verdict: "task_fault" };
  if (run.length === 3) return { task: run[0], verdict: "unscored" };
  if (run.length === 5) return unpackSamples(run);
  // Score, verdict and usage are null where they are not shown; letters are those of the tests that are.
  const [task, hundredths, letter, letters, usage, suite, notes = [], stderr = null] = run;
  const passed = [...letters].filter((one) => one === "p").length;
  return {
    task, score: hundredths === null ? null : hundredths / 100, letters, usage, passed,
    tests: data.suites[suite], notes, stderr: data.texts[stderr],
    verdict: VERDICTS[letter] ?? "evaluated", letter: letter ?? "h",
  };
}

/** Several samples of a task: the one result that they come to, and each of them. */
function unpackSamples([task, hundredths, letter, spread, runs]) {
  const samples = runs.map(unpack);
  const usages = samples.map((one) => one.usage);
  const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);
  const usage = usages.every(Boolean) ? [sum(usages.map((one) => one[0])), sum(usages.map((one) => one[1])), Math.max(...usages.map((one) => one[2]))] : null;
  return {
    task, score: hundredths === null ? null : hundredths / 100, spread, samples, usage,
    letters: samples.map((one) => one.letters).join(""), passed: sum(samples.map((one) => one.passed)),
    verdict: VERDICTS[letter] ?? "evaluated", letter: letter ?? "h",
  };
}

/** How the scores of several samples differ; nothing where that is not shown. */
function spreadText({ spread, samples }) {
  if (!spread) return samples && plural(samples.length, "sample");
  const [least, most, deviation, passed] = spread;
  const scores = least === most ? `all ${number(least)}` : `${number(least)} to ${number(most)}, deviation ${number(deviation)}`;
  return `${number(passed)} of ${plural(samples.length, "sample")} passed, ${scores}`;
}

/** pass@1 and pass@k where they tell something: name, title, and an agent's value. */
const passes = () => [
  data.agents.some((agent) => agent.pass) && ["pass1", "pass@1", SORTS.pass1],
  data.k && ["passk", `pass@${data.k}`, SORTS.passk],
].filter(Boolean);

/** Why an agent has no run on a task. */
const noRun = (agent, task) => agent.stopped && data.tasks[task].stage === agent.stage ? "not run: stopped early" : "not reached";

/** The run of an agent on a task; undefined if it never came to it. */
function runOf(agent, task) {
  agent.places ??= new Map(agent.runs.map((run) => [run[0], run]));
  const run = agent.places.get(task);
  return run && unpack(run);
}

const KINDS = {
  all: ["All agents", () => true],
  ...extras.kinds,
  perfect: ["Score 100", (agent) => agent.score === 100],
  imperfect: ["Below 100", (agent) => agent.score !== 100],
  copies: ["Copies", (agent) => agent.copy || agent.same || agent.similar],
  unscored: ["With unscored runs", (agent) => agent.unscored > 0],
};

function matches(agent) {
  const q = state.q.trim().toLowerCase();
  const { name = "", group = "" } = personOf(agent.miner) ?? {};
  const called = [agent.miner, name, group].some((text) => text.toLowerCase().includes(q));
  const named = !q || called || agent.copy?.includes(q) || agent.sha256.startsWith(q);
  const stage = /^stage(\d+)$/.exec(state.kind);
  return named && (stage ? agent.stage === Number(stage[1]) : KINDS[state.kind][1](agent));
}

const SORTS = {
  rank: (agent) => agent.rank,
  miner: (agent) => agent.miner,
  score: (agent) => agent.score,
  ...extras.sorts,
  cost: (agent) => agent.cost ?? null,
  pass1: (agent) => agent.pass?.[0] ?? null,
  passk: (agent) => agent.pass?.[1] ?? null,
  tests: (agent) => (agent.tests && counted() ? agent.passed / agent.tests : null),
  stage: (agent) => agent.stage,
  seen: (agent) => agent.seen,
};

/** The agents asked for, in the order asked for; what has no value comes last either way. */
function chosen() {
  const value = SORTS[state.sort];
  const sign = state.down ? -1 : 1;
  const order = (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === y) return 0;
    if (x === null || y === null) return x === null ? 1 : -1;
    return x < y ? -sign : sign;
  };
  return data.agents.filter(matches).sort(order);
}

function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  state.q = asked.get("q") ?? "";
  const kind = asked.get("kind") ?? "all";
  const known = Object.hasOwn(KINDS, kind) || /^stage\d+$/.test(kind);
  state.kind = known ? kind : "all";
  const sort = asked.get("sort") ?? "rank";
  state.sort = Object.hasOwn(SORTS, sort) ? sort : "rank";
  state.down = asked.has("down");
  for (const name of ["agent", "with", "task"]) state[name] = asked.get(name) ?? "";
}

/** A link into this page. With its path, lest it be taken for a jump to a part of it. */
const address = (shown) => `${location.pathname}#${new URLSearchParams(shown)}`;

function writeAddress() {
  const shown = new URLSearchParams();
  if (state.q) shown.set("q", state.q);
  if (state.kind !== "all") shown.set("kind", state.kind);
  if (state.sort !== "rank") shown.set("sort", state.sort);
  if (state.down) shown.set("down", "");
  for (const name of ["agent", "with", "task"]) if (state[name]) shown.set(name, state[name]);
  const hash = shown.size ? `#${shown}` : " ";
  const { ranking, rejected } = unfolded;
  history.replaceState({ ranking, rejected }, "", hash.trim() || location.pathname + location.search);
}

/** Shows a few lines beside an element: hovered, focused or tapped. */
function showTip(target, ...lines) {
  const tip = byId("tip");
  tip.replaceChildren(...lines.filter(Boolean).map((line, at) => el(at ? "span" : "b", {}, line)));
  tip.hidden = false;
  const at = target.getBoundingClientRect();
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.min(Math.max(8, at.left + at.width / 2 - width / 2), innerWidth - width - 8);
  const above = at.top - height - 8;
  tip.style.left = `${left}px`;
  tip.style.top = `${above > 8 ? above : at.bottom + 8}px`;
}

function hideTip() {
  byId("tip").hidden = true;
}
