// One task: how it went, which of its tests are hardest, and who solved it.

/** The name of a task in the address: its id, and its stage where several have it. */
function taskKey(at) {
  const { id, stage } = data.tasks[at];
  const alone = data.tasks.filter((task) => task.id === id).length === 1;
  return alone ? id : `${id}@${data.stages[stage].name}`;
}

const taskAt = (key) => data.tasks.findIndex((_, at) => taskKey(at) === key);

function openTask(at) {
  show({ task: taskKey(at) });
}

/** A link that opens a task's page. */
function taskLink(at, text = data.tasks[at].id) {
  const open = (event) => {
    event.preventDefault();
    openTask(at);
  };
  return el("a", { href: address({ task: taskKey(at) }), "data-key": `task-${at}`, click: open }, text);
}

function drawTask(at) {
  const task = data.tasks[at];
  const tried = data.agents.map((agent) => [agent, runOf(agent, at)]).filter(([, run]) => run);
  const judged = tried.filter(([, run]) => typeof run.score === "number");
  const stage = data.stages.length > 1 && el("span", { class: "tag" }, data.stages[task.stage].name);
  fill(byId("detail"), dialogHead([task.id, stage]), taskFacts(task, tried, judged),
    judged.length > 0 && distribution(judged.map(([, run]) => run.score)), hardest(tried), solvers(judged));
}

function taskFacts(task, tried, judged) {
  const scores = judged.map(([, run]) => run.score);
  const mean = scores.reduce((sum, one) => sum + one, 0) / scores.length;
  const times = judged.filter(([, run]) => run.usage).map(([, run]) => run.usage[0]).sort((a, b) => a - b);
  const unjudged = tried.filter(([, run]) => run.score === undefined).length;
  return el("dl", { class: "detail-facts" },
    fact("Agents that came to it", number(tried.length)),
    fact("Mean score", scores.length > 0 ? number(Number(mean.toFixed(2))) : "not shown"),
    scores.length > 0 && fact("Solved by", `${number(scores.filter((one) => one === 100).length)} of ${number(scores.length)}`),
    times.length > 0 && fact("Time, median", duration(Math.round(median(times)))),
    unjudged > 0 && fact("Not judged", number(unjudged)),
    fact("Limits", `${duration(task.timeout_ms)}, ${number(Math.ceil(task.memory / 2 ** 20))} MiB`),
    task.test_timeout_ms && fact("Limit of one test", `${duration(task.test_timeout_ms)} or more`),
    task.all_or_nothing > 0 && fact("All or nothing by folder", plural(task.all_or_nothing, "case")),
    task.model && fact("Models", task.model.allow.join(", ")),
    task.model && fact("Budget", budgetText(task.model)));
}

/** Bounds of a run's questions to models. */
function budgetText({ requests, tokens, cost }) {
  return [plural(requests, "request"), `${number(tokens)} tokens`, cost !== null && `$${cost}`].filter(Boolean).join(", ");
}

/** Tests by the share of agents that passed them, the least first; those only that are shown. */
function hardest(tried) {
  const tests = new Map();
  for (const { tests: suite = [], letters = "" } of tried.flatMap(([, run]) => run.samples ?? [run])) {
    suite.forEach(([name, , open], at) => {
      const test = tests.get(name) ?? { name, open, passed: 0, all: 0 };
      test.all += 1;
      test.passed += letters[at] === "p";
      tests.set(name, test);
    });
  }
  const lines = [...tests.values()].sort((a, b) => a.passed / a.all - b.passed / b.all);
  if (lines.length === 0) return null;
  const line = ({ name, open, passed, all }) =>
    el("li", {}, el("span", {}, name, !open && el("span", { class: "soft" }, " (not public)")), el("b", {}, `${number(passed)} / ${number(all)}`), el("i", { "--s": (100 * passed) / all }));
  return el("div", { class: "runs" }, el("h3", {}, "Tests, hardest first", el("small", {}, "passed by")), el("ol", { class: "funnel" }, lines.map(line)));
}

/** Most names in one list. */
const NAMED = 200;

function solvers(judged) {
  const names = judged.filter(([, run]) => run.score === 100).map(([agent]) => agent);
  if (names.length === 0) return judged.length > 0 && el("p", { class: "soft" }, "Nobody has solved it.");
  const rest = names.length - NAMED;
  const items = names.slice(0, NAMED).map((agent) => el("li", {}, minerLink(agent, `solver-${agent.miner}`)));
  return el("div", { class: "runs" }, el("h3", {}, "Solved by"), el("ul", { class: "chips" }, items, rest > 0 && el("li", {}, `and ${number(rest)} more`)));
}
