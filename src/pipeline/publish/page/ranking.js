// The ranking and the refused: tables that sort and unfold.

const COLUMNS = [
  ["rank", "#", "rank"],
  ["miner", "Miner", ""],
  ["score", "Score", "bars"],
  ...extras.columns,
  ["cost", "Cost, $", "r minor"],
  ["pass1", "pass@1", "r minor"],
  ["passk", "pass@k", "r minor"],
  ["tests", "Tests", "r minor"],
  ["stage", "Stage", "minor"],
  ["seen", "First seen", "minor"],
];

/** Best first for what one wants much of. */
const DOWN_FIRST = ["score", ...extras.downFirst, "pass1", "passk", "tests", "stage"];

function sortBy(name) {
  state.down = state.sort === name ? !state.down : DOWN_FIRST.includes(name);
  state.sort = name;
  refresh();
}

function headerCell([name, title, classes]) {
  const sorted = state.sort === name;
  const text = name === "passk" ? `pass@${data.k}` : extras.title(name, title);
  const arrow = el("i", { class: "arrow", "aria-hidden": "true" }, sorted ? (state.down ? "↓" : "↑") : "");
  const button = el("button", { type: "button", "data-key": `sort-${name}`, click: () => sortBy(name) }, text, arrow);
  if (name === "rank") button.setAttribute("aria-label", "Rank");
  const direction = sorted ? (state.down ? "descending" : "ascending") : null;
  return el("th", { scope: "col", class: classes, "aria-sort": direction }, button);
}

/** Columns with something in them. */
function columns() {
  const told = passes().map(([name]) => name);
  const shown = { pass1: told.includes("pass1"), passk: told.includes("passk"), cost: priced(), tests: counted(), stage: ranked() && data.stages.length > 1 };
  return COLUMNS.filter(([name]) => shown[name] ?? true);
}

/** A note that somebody submitted the same, or most of it, before. */
function copyTag(agent) {
  const [other, share] = agent.similar ?? [];
  const copy = agent.copy ? `copy of ${agent.copy}` : agent.same && `same as ${agent.same.join(", ")}: who was first is open`;
  const text = copy || other && `${number(Math.floor(share * 100))} % like ${other}`;
  return text && el("span", { class: "tag" }, text);
}

/** The link that opens an agent's detail. */
function minerLink(agent, key = agent.miner) {
  const open = (event) => {
    event.preventDefault();
    openDetail(agent.miner);
  };
  return el("a", { href: address({ agent: agent.miner }), "data-key": key, "aria-haspopup": "dialog", click: open }, agent.miner);
}

/** The ranks that chance could have given an agent, small, below its rank. */
function chanceRange({ range }) {
  return range && range[0] < range[1] && el("span", { class: "range", title: `Rank ${range[0]} to ${range[1]} by chance` }, `${range[0]}–${range[1]}`);
}

function scoreBar(agent) {
  if (agent.score === null) return el("span", { class: "soft" }, ranked() ? "unscored" : "not shown");
  const bar = el("i", { "--s": agent.score });
  return el("div", { class: agent.score === 100 ? "score full" : "score" }, el("span", {}, score(agent.score)), bar);
}

function rankingRow(agent) {
  const name = el("th", { scope: "row" },
    minerLink(agent),
    personTag(agent.miner),
    copyTag(agent),
    agent.late && el("span", { class: "tag" }, `${number(agent.late)} % off for coming late`),
    agent.stopped && el("span", { class: "tag", title: agent.stopped }, "stopped early"),
    agent.unscored > 0 && el("span", { class: "tag warn" }, `${number(agent.unscored)} unscored`));
  const cells = [
    el("td", { class: agent.rank && agent.rank <= 3 ? "rank high" : "rank" }, agent.rank === null ? "–" : `${agent.rank}`, chanceRange(agent)),
    name,
    el("td", {}, scoreBar(agent)),
    ...extras.cells(agent),
    priced() && el("td", { class: "r minor" }, agent.cost === undefined ? "–" : number(agent.cost)),
    ...passes().map(([, , value]) => el("td", { class: "r minor" }, score(value(agent)))),
    counted() && el("td", { class: "r minor" }, number(agent.passed), el("span", { class: "soft" }, ` / ${number(agent.tests)}`)),
    ranked() && data.stages.length > 1 && el("td", { class: "minor" }, data.stages[agent.stage]?.name ?? ""),
    el("td", { class: "soft minor" }, moment(agent.seen)),
  ];
  const open = (event) => {
    const selecting = String(getSelection()) !== "";
    if (!event.target.closest("a") && !selecting) openDetail(agent.miner);
  };
  return el("tr", { click: open }, cells);
}

/** A button that shows more lines of a table. */
function more(kind, count, draw) {
  const shown = unfolded[kind];
  if (count <= shown) return null;
  const unfold = (lines) => () => {
    unfolded[kind] = lines;
    draw();
    writeAddress();
  };
  const next = Math.min(count - shown, 100);
  const button = (text, lines) =>
    el("button", { type: "button", class: "quiet", "data-key": `${kind}-${text}`, click: unfold(lines) }, text);
  const all = count - shown > next && button(`Show all ${number(count)}`, Infinity);
  return el("p", { class: "more" }, button(`Show ${number(next)} more`, shown + next), all);
}

function drawRanking(agents) {
  byId("ranking").hidden = false;
  const others = unranked();
  const lines = [...agents.map((agent) => [rankingRow, agent]), ...others.map((person) => [unrankedRow, person])];
  const shown = lines.slice(0, unfolded.ranking).map(([row, one]) => row(one));
  const empty = data.agents.length
    ? "No agent is like that."
    : "No agents yet. Drop a file into the inbox and run agentmill.";
  const head = el("thead", {}, el("tr", {}, columns().map(headerCell)));
  const table = el("table", { class: "list ranked", "aria-labelledby": "ranking-title" }, head, el("tbody", {}, shown));
  const body = lines.length ? table : el("p", { class: "empty" }, empty);
  const legend = agents.some(chanceRange) &&
    el("p", { class: "soft" }, "Small below a rank, such as 2–5: the ranks that the agent could have had by chance, with other tasks of the same kind.");
  fill(byId("ranking-body"), el("div", { class: "panel" }, body), legend, more("ranking", lines.length, () => drawRanking(agents)));
}

function drawPending() {
  const shown = data.pending.slice(0, 200);
  byId("pending").hidden = shown.length === 0;
  const rest = data.pending.length - shown.length;
  fill(byId("pending-title"), "Pending ", el("small", {}, number(data.pending.length)));
  const names = shown.map((miner) => el("li", {}, miner));
  fill(byId("pending-body"), el("ul", { class: "panel chips" }, names, rest > 0 && el("li", {}, `and ${number(rest)} more`)));
}

function refusedRow(refused) {
  return el("tr", {},
    el("th", { scope: "row", class: "file" }, refused.file, refused.line !== null && el("span", { class: "soft" }, `:${refused.line}`)),
    el("td", { class: "minor" }, refused.miner),
    el("td", { class: "wide" }, refused.reason));
}

function drawRejected() {
  const q = state.q.trim().toLowerCase();
  const found = data.rejected.filter(({ file, miner }) => !q || file.toLowerCase().includes(q) || miner.includes(q));
  byId("rejected").hidden = data.rejected.length === 0;
  fill(byId("rejected-title"), "Refused ", el("small", {}, number(data.rejected_count)));
  const titles = [["File", ""], ["Miner", "minor"], ["Reason", ""]];
  const head = el("thead", {}, el("tr", {}, titles.map(([text, name]) => el("th", { scope: "col", class: name }, text))));
  const rows = found.slice(0, unfolded.rejected).map(refusedRow);
  const table = el("table", { class: "list", "aria-labelledby": "rejected-title" }, head, el("tbody", {}, rows));
  const body = rows.length ? table : el("p", { class: "empty" }, "No refused file is called that.");
  const rest = data.rejected_count - data.rejected.length;
  fill(byId("rejected-body"),
    el("div", { class: "panel" }, body),
    more("rejected", found.length, drawRejected),
    rest > 0 && el("p", { class: "soft" }, `${number(rest)} more stand in rejected.csv.`));
}
