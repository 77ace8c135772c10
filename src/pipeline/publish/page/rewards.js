// Rewards on the page: in a page without any, no_rewards.js stands in this place.

const extras = {
  kinds: { paid: ["Rewarded", (agent) => agent.reward > 0] },
  sorts: { reward: (agent) => agent.reward },
  downFirst: ["reward"],
  columns: [["reward", "Reward", "r"]],
  title: (name, title) => (name === "reward" ? `Reward, ${data.token}` : title),
  cells: (agent) => [el("td", { class: agent.reward ? "r paid" : "r soft" }, score(agent.reward))],
  facts: (agent) => [[`Reward, ${data.token}`, score(agent.reward)]],
  totals: () => {
    const paid = data.agents.reduce((sum, agent) => sum + agent.reward, 0);
    return ranked() ? [[Number(paid.toFixed(2)), `${data.token} awarded`]] : [];
  },
};
