// Draws the page, listens, and looks for a newer page.

/** Draws what depends on the search, the filter and the order. */
function refresh() {
  const agents = chosen();
  drawRanking(agents);
  drawMap(agents);
  drawScores(agents);
  drawRejected();
  const all = data.agents.length;
  byId("count").classList.toggle("all", agents.length === all);
  byId("count").textContent = agents.length === all ? plural(all, "agent") : `${number(agents.length)} of ${plural(all, "agent")}`;
  writeAddress();
}

function drawAll() {
  drawTop();
  drawControls();
  drawPending();
  refresh();
  drawFoot();
  if (byId("detail").open) drawDetail();
}

function drawTop() {
  tellAge();
  if (data.title) document.title = byId("title").textContent = data.title;
  const facts = [
    [data.agents.length, "ranked"],
    [data.tasks.length, "tasks run"],
    ...extras.totals(),
    [data.pending.length, "pending"],
    [data.rejected_count, "refused"],
  ];
  fill(byId("facts"), facts.filter(Boolean).map(([value, name]) => el("li", {}, el("b", {}, number(value)), name)));
}

function tellAge() {
  const made = el("time", { datetime: new Date(data.made * 1000).toISOString() }, `${moment(data.made)} UTC`);
  const models = data.models && [" · ", el("a", { href: data.models }, "Models")];
  const frozen = data.frozen && ` · Frozen until ${data.frozen === true ? "it is revealed" : `${moment(data.frozen)} UTC`}`;
  fill(byId("made"), "Made ", made, `, ${ago(data.made)}`, frozen, models);
}

function drawControls() {
  byId("bar").hidden = data.agents.length === 0 && data.rejected.length === 0;
  const stages = data.stages.map((stage, at) => [`stage${at}`, `At stage ${stage.name}`]);
  const kinds = Object.entries(KINDS).map(([name, [text]]) => [name, text]);
  const options = ranked() ? kinds.concat(data.stages.length > 1 ? stages : []) : kinds.slice(0, 1);
  fill(byId("kind"), options.map(([value, text]) => el("option", { value }, text)));
  if (!options.some(([value]) => value === state.kind)) state.kind = "all";
  byId("kind").value = state.kind;
  byId("find").value = state.q;
}

const SECTIONS = [["ranking", "Ranking"], ["matrix", "Tasks"], ["scores", "Scores"], ["pending", "Pending"], ["rejected", "Refused"]];

function drawJumps() {
  const jump = (id) => () => {
    byId(id).scrollIntoView();
    byId(id).focus({ preventScroll: true });
  };
  const there = SECTIONS.filter(([id]) => !byId(id).hidden);
  fill(byId("jump"), there.map(([id, text]) => el("button", { type: "button", "data-key": `jump-${id}`, click: jump(id) }, text)));
}

function drawFoot() {
  drawJumps();
  const code = (text) => el("code", {}, text);
  fill(byId("foot"),
    el("p", {}, "Cells ran in image ", code(data.image), " by pipeline.yaml ", code(data.pipeline), `, agentmill ${data.version}.`),
    !SERVED && el("p", {}, "Beside this page stand ", code("rankings.csv"), ", ", code("scores.csv"), ", ", code("rejected.csv"), ", ", code("history.csv"), " and ", code("rankings.json"), "."));
}

/** Lists are whole on paper, and the map is as long as it is. */
function drawForPaper(isPaper) {
  const kept = { ...unfolded };
  if (isPaper) Object.assign(unfolded, { ranking: Infinity, rejected: Infinity });
  map.whole = isPaper;
  const agents = chosen();
  drawRanking(agents);
  drawMap(agents);
  drawRejected();
  Object.assign(unfolded, kept);
}

/** Typing redraws when it pauses. */
function later(work, ms) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, ms);
  };
}

function listen() {
  const redraw = later(refresh, 80);
  byId("find").addEventListener("input", () => {
    state.q = byId("find").value;
    unfolded.ranking = 25;
    redraw();
  });
  byId("kind").addEventListener("change", () => {
    state.kind = byId("kind").value;
    refresh();
  });
  // Charts and cells are as wide as there is room.
  let width = innerWidth;
  addEventListener("resize", later(() => {
    if (width === innerWidth) return;
    width = innerWidth;
    drawAll();
  }, 200));
  const dialog = byId("detail");
  dialog.addEventListener("close", detailClosed);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  addEventListener("scroll", hideTip, { passive: true, capture: true });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") hideTip();
    const typing = event.target.closest?.("input, select, dialog");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    byId("find").focus();
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("ranking").focus();
  });
}

// A page over HTTP asks whether there is a newer one, takes its data and stays as it is otherwise. A
// page from a folder may not ask; it loads itself anew while nobody is at it. Only a page whose maker
// is still at work does either often.

const SERVED = location.protocol.startsWith("http");
const OFTEN = 10000;
const SELDOM = 60000;

let touched = Date.now();
let seen = null;

async function look() {
  if (document.hidden || byId("live").getAttribute("aria-pressed") !== "true") return;
  if (!SERVED) return reloadIfIdle();
  const head = await fetch(location.pathname, { method: "HEAD", cache: "no-cache" });
  const mark = head.headers.get("etag") ?? head.headers.get("last-modified");
  if (!head.ok || (mark && mark === seen)) return;
  const page = await fetch(location.pathname, { cache: "no-cache" });
  if (!page.ok) return;
  seen = mark;
  take(await page.text());
}

/** Takes the data out of a newer page. */
function take(page) {
  const start = '<script type="application/json" id="data">';
  const from = page.indexOf(start) + start.length;
  const next = JSON.parse(page.slice(from, page.indexOf("<" + "/script", from)));
  if (next.build !== data.build) return location.reload();
  if (next.made === data.made && next.frozen === data.frozen) return;
  data = next;
  tellLive();
  drawAll();
}

function reloadIfIdle() {
  const busy = byId("detail").open || document.activeElement !== document.body || String(getSelection()) !== "";
  if (data.live && !busy && Date.now() - touched > OFTEN) location.reload();
}

function tellLive() {
  const live = byId("live");
  const on = live.getAttribute("aria-pressed") === "true";
  const still = data.frozen ? "The board is frozen: it stands still for now. " : "";
  live.title = still + (on ? "This page refreshes itself; press to stop" : "Press to let this page refresh itself");
  live.lastElementChild.textContent = on ? (data.frozen ? "Frozen" : "Live") : "Paused";
}

function keepFresh() {
  const live = byId("live");
  live.hidden = !(data.live || SERVED);
  live.addEventListener("click", () => {
    live.setAttribute("aria-pressed", String(live.getAttribute("aria-pressed") !== "true"));
    tellLive();
  });
  tellLive();
  for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"]) {
    addEventListener(kind, () => (touched = Date.now()), { passive: true });
  }
  // A server that is away is asked again at the next turn.
  const turn = () => look().catch(() => {}).finally(() => setTimeout(turn, data.live ? OFTEN : SELDOM));
  setTimeout(turn, data.live ? OFTEN : SELDOM);
  setInterval(tellAge, 30000);
}

readAddress();
listen();
drawAll();
keepFresh();
if (state.agent || state.task) show(state);
addEventListener("hashchange", () => {
  readAddress();
  // Drawing writes the address anew: what it asks for is kept until then.
  const asked = { ...state };
  drawAll();
  if (asked.agent || asked.task) show(asked);
  else if (byId("detail").open) byId("detail").close();
});
// Paper does not scroll.
addEventListener("beforeprint", () => drawForPaper(true));
addEventListener("afterprint", () => drawForPaper(false));
