// The heat map. Only the rows in sight exist: 100,000 cells would take seconds.

const ROW = 24;
/** Rows kept ready above and below. */
const SPARE = 8;

const map = { agents: [], whole: false, first: -1, row: 0, column: 0, box: null, body: null, grid: null };

function drawMap(agents) {
  byId("matrix").hidden = data.tasks.length === 0 || data.agents.length === 0;
  if (byId("matrix").hidden) return;
  const kept = map.box ? [map.box.scrollLeft, map.box.scrollTop] : [0, 0];
  const focused = map.grid !== null && document.activeElement === map.grid;
  map.agents = agents;
  map.first = -1;
  map.row = Math.min(map.row, Math.max(0, agents.length - 1));
  map.column = Math.min(map.column, data.tasks.length - 1);
  map.body = el("tbody", { role: "rowgroup" });
  map.grid = el("table", {
    class: "grid", role: "grid", tabindex: 0, "--tasks": data.tasks.length, "--cell": cellWidth(),
    "aria-labelledby": "matrix-title", "aria-describedby": "map-help",
    "aria-rowcount": agents.length + 1, "aria-colcount": data.tasks.length + 1,
    keydown: moveInMap, focus: tellCell, blur: hideTip,
  }, mapHead(), map.body);
  map.box = el("div", { class: "panel map", scroll: () => requestAnimationFrame(drawRows), tabindex: -1 }, map.grid);
  listenToCells(map.grid);
  fill(byId("matrix-body"), map.box, legend());
  [map.box.scrollLeft, map.box.scrollTop] = kept;
  drawRows();
  if (focused) map.grid.focus({ preventScroll: true });
}

/** Few tasks get wider cells. */
function cellWidth() {
  const room = byId("matrix-body").clientWidth - 190;
  return `${Math.min(Math.max(31, Math.floor(room / data.tasks.length) - 3), 48)}px`;
}

function mapHead() {
  const names = data.tasks.map((task, at) =>
    el("th", { role: "columnheader", class: startsStage(at) ? "task first" : "task", id: `cell--1-${at}`, "data-task": at, "aria-label": task.id },
      el("span", {}, task.label)));
  const head = el("thead", { role: "rowgroup" });
  if (data.stages.length > 1) head.append(el("tr", { role: "presentation" }, el("th", { class: "name", role: "presentation" }), stageHeads()));
  head.append(el("tr", { role: "row", "aria-rowindex": 1 }, el("th", { class: "name", role: "columnheader" }, el("span", { class: "hide" }, "Miner")), names));
  return head;
}

const startsStage = (task) => task > 0 && data.tasks[task].stage !== data.tasks[task - 1].stage;

function stageHeads() {
  return data.stages.map((stage, at) => {
    const tasks = data.tasks.filter((task) => task.stage === at).length;
    return tasks > 0 && el("th", { class: "stage", role: "presentation", "--span": tasks, title: stage.name }, stage.name);
  });
}

/** Draws the rows in sight, unless they are drawn. */
function drawRows() {
  const sight = map.whole ? map.agents.length : Math.ceil(Math.max(map.box.clientHeight, 600) / ROW);
  const top = Math.floor(map.box.scrollTop / ROW);
  const first = Math.max(0, Math.floor((top - SPARE) / SPARE) * SPARE);
  if (first === map.first) return;
  map.first = first;
  const agents = map.agents.slice(first, first + sight + 3 * SPARE);
  const below = map.agents.length - first - agents.length;
  const gap = (rows) => rows > 0 && el("tr", { class: "gap", role: "presentation", "--rows": rows });
  map.body.replaceChildren(...[gap(first), ...agents.map((agent, at) => mapRow(agent, first + at)), gap(below)].filter(Boolean));
  markCell();
}

function mapRow(agent, at) {
  const cells = data.tasks.map((_, task) => mapCell(agent, at, task));
  return el("tr", { role: "row", "aria-rowindex": at + 2, "data-row": at }, el("th", { role: "rowheader" }, agent.miner), cells);
}

function mapCell(agent, at, task) {
  const run = runOf(agent, task);
  const edge = startsStage(task) ? " first" : "";
  const attributes = { role: "gridcell", id: `cell-${at}-${task}`, "aria-colindex": task + 2, "data-task": task };
  if (!run) return el("td", { ...attributes, class: `n${edge}`, "aria-label": noRun(agent, task) }, "·");
  if (run.score === undefined) return el("td", { ...attributes, class: `u${edge}`, "aria-label": run.verdict }, run.verdict === "task_fault" ? "!" : "?");
  if (run.score === null) return el("td", { ...attributes, class: `n${edge}`, "aria-label": "evaluated" }, "•");
  // Only a perfect score gets the colour and the number of one.
  const tenth = Math.floor(run.score / 10);
  const label = `${number(run.score)}, ${run.verdict}`;
  const shown = run.score < 100 ? Math.min(99, Math.round(run.score)) : 100;
  return el("td", { ...attributes, class: `s${tenth}${edge}`, "aria-label": label }, `${shown}`);
}

/** The text of a cell, in lines. */
function cellLines(agent, task) {
  const run = runOf(agent, task);
  const title = `${agent.miner} · ${data.tasks[task].id}`;
  if (!run) return [title, noRun(agent, task)];
  if (run.verdict === "task_fault") return [title, "task_fault: counts for nobody"];
  if (run.score === undefined) return [title, "unscored by our fault, to be tried again"];
  const judged = run.score === null ? run.verdict : `${run.verdict}, score ${number(run.score)}`;
  const tests = run.usage ? "test" : "public test";
  return [title, judged, run.samples && spreadText(run), run.letters && `${run.passed} of ${plural(run.letters.length, tests)} passed`, run.usage && duration(run.usage[0])];
}

/** Of a task: how it went for the agents shown. */
function taskLines(task) {
  const scores = map.agents.map((agent) => runOf(agent, task)?.score).filter((one) => one !== undefined && one !== null);
  const mean = scores.reduce((sum, one) => sum + one, 0) / scores.length;
  const perfect = scores.filter((one) => one === 100).length;
  const lines = scores.length ? [`mean score ${mean.toFixed(1)}`, `${perfect} of ${plural(scores.length, "agent")} solved it`] : [];
  return [data.tasks[task].id, ...lines];
}

function listenToCells(grid) {
  let byTouch = false;
  let tapped = null;
  grid.addEventListener("pointerdown", (event) => (byTouch = event.pointerType === "touch"));
  grid.addEventListener("pointerover", (event) => tipFor(event.target));
  grid.addEventListener("pointerleave", hideTip);
  grid.addEventListener("click", (event) => {
    const cell = event.target.closest("td[data-task]");
    const row = event.target.closest("tr[data-row]");
    const title = event.target.closest("th[data-task]");
    if (title) {
      if (byTouch && tapped !== title) tipFor(title);
      else openTask(Number(title.dataset.task));
      tapped = title;
      return;
    }
    if (!row) return;
    if (!cell) return openDetail(map.agents[row.dataset.row].miner);
    [map.row, map.column] = [Number(row.dataset.row), Number(cell.dataset.task)];
    markCell();
    // The first tap tells, as hovering does; the second opens.
    if (byTouch && tapped !== cell) tipFor(cell);
    else openCell();
    tapped = cell;
  });
}

function tipFor(target) {
  const cell = target.closest("[data-task]");
  if (!cell) return hideTip();
  const row = cell.closest("tr[data-row]");
  const task = Number(cell.dataset.task);
  showTip(cell, ...(row ? cellLines(map.agents[row.dataset.row], task) : taskLines(task)));
}

function openCell() {
  if (map.row < 0) return openTask(map.column);
  const agent = map.agents[map.row];
  if (agent) openDetail(agent.miner, map.column);
}

/** The cell that the keyboard is at. The grid keeps the focus, because rows come and go. */
function markCell() {
  map.grid.querySelector(".at")?.classList.remove("at");
  const cell = byId(`cell-${map.row}-${map.column}`);
  cell?.classList.add("at");
  if (cell) map.grid.setAttribute("aria-activedescendant", cell.id);
  else map.grid.removeAttribute("aria-activedescendant");
  return cell;
}

function tellCell() {
  if (!map.grid.matches(":focus-visible")) return;
  const cell = markCell();
  if (cell) showTip(cell, ...(map.row < 0 ? taskLines(map.column) : cellLines(map.agents[map.row], map.column)));
}

const MOVES = {
  ArrowUp: () => map.row--, ArrowDown: () => map.row++,
  PageUp: () => (map.row -= 20), PageDown: () => (map.row += 20),
  ArrowLeft: () => map.column--, ArrowRight: () => map.column++,
  Home: () => (map.column = 0), End: () => (map.column = data.tasks.length - 1),
};

function moveInMap(event) {
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    return openCell();
  }
  if (event.key === "Escape") return hideTip();
  if (!Object.hasOwn(MOVES, event.key) || map.agents.length === 0) return;
  event.preventDefault();
  MOVES[event.key]();
  if (event.ctrlKey && event.key === "Home") map.row = 0;
  if (event.ctrlKey && event.key === "End") map.row = map.agents.length - 1;
  // Above the first row are the tasks' names.
  map.row = Math.min(Math.max(map.row, -1), map.agents.length - 1);
  map.column = Math.min(Math.max(map.column, 0), data.tasks.length - 1);
  showRow();
  tellCell();
}

/** Scrolls the marked row and column into sight, free of the head and the names. */
function showRow() {
  const head = map.grid.tHead.offsetHeight;
  const top = map.row * ROW;
  const sight = map.box.clientHeight - head - ROW;
  if (top >= 0 && top < map.box.scrollTop) map.box.scrollTop = top;
  if (top > map.box.scrollTop + sight) map.box.scrollTop = top - sight;
  drawRows();
  const cell = byId(`cell-${map.row}-${map.column}`);
  const name = cell.parentElement.firstElementChild.offsetWidth;
  const left = cell.offsetLeft - name;
  if (left < map.box.scrollLeft) map.box.scrollLeft = left;
  if (cell.offsetLeft + cell.offsetWidth + 8 > map.box.scrollLeft + map.box.clientWidth) {
    map.box.scrollLeft = cell.offsetLeft + cell.offsetWidth + 8 - map.box.clientWidth;
  }
}

function legend() {
  const item = (text, ...marks) => el("span", {}, marks, text);
  return el("p", { class: "legend", id: "map-help" },
    item("100", "0 ", el("i", { class: "ramp" })),
    item("unscored, to be tried again", el("i", { class: "u" }, "?")),
    item("not reached, or not run", el("i", { class: "n" }, "·")),
    item("evaluated, score not shown", el("i", { class: "n" }, "•")),
    el("span", { class: "keys" }, "Arrow keys move, Enter opens an agent's run or, on a name above, the task."));
}
