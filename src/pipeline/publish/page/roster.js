// A course's people: names beside ids, and a line for everybody who is not in the ranking.

const personOf = (id) => {
  data.people ??= new Map((data.roster ?? []).map((person) => [person.id, person]));
  return data.people.get(id);
};

/** The person's name and group, small, beside the id. */
function personTag(id) {
  const person = personOf(id);
  return person && el("span", { class: "tag" }, [person.name, person.group].filter(Boolean).join(", "));
}

/** Those who are not in the ranking, as far as the search asks for them. */
function unranked() {
  const q = state.q.trim().toLowerCase();
  const asked = ({ id, name, group }) => !q || [id, name, group].some((text) => text.toLowerCase().includes(q));
  const rest = (data.roster ?? []).filter((person) => person.state !== "ranked");
  return state.kind === "all" ? rest.filter(asked) : [];
}

function unrankedRow(person) {
  const rest = columns().length - 2;
  return el("tr", {},
    el("td", { class: "rank" }, "–"),
    el("th", { scope: "row" }, person.id, personTag(person.id)),
    el("td", { class: "soft", colspan: rest }, person.state));
}
