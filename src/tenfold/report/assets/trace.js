"use strict";
(() => {
  const data = JSON.parse(document.getElementById("page-data").textContent);
  const byId = (id) => document.getElementById(id);
  const steps = data.steps.map(([slot, symbol, value, short, inputs, stage, update, sample, stays]) =>
    ({ slot, symbol, value, short, inputs, stage, update, sample, stays }));
  const passing = new Set(data.passing);
  const items = steps.map((step, index) => byId(`line-${index + 1}`));
  const drawing = byId("drawing");
  const collect = (attribute) => {
    const found = new Map();
    for (const node of drawing.querySelectorAll(`[${attribute}]`)) {
      const name = node.getAttribute(attribute);
      found.set(name, [...(found.get(name) || []), node]);
    }
    return found;
  };
  const slots = collect("data-slot");
  const parts = collect("data-part");
  const roomy = (node) => node.ownerSVGElement.classList.contains("roomy");
  let present = -1;

  // The page must not jump to a line of the list by itself: the list scrolls inside its own frame.
  const wanted = location.hash;
  for (const item of items) item.removeAttribute("id");

  // What stands on the drawing after a line: a new sample clears values and gradients, an update its parameters' mark.
  const state = (last) => {
    const written = new Map(data.start.map(([slot, symbol, value, short]) => [slot, { symbol, value, short }]));
    let update = 0;
    let sample = null;
    for (const step of steps.slice(0, last + 1)) {
      const begins = step.update !== update || (step.sample !== null && step.sample !== sample);
      if (begins) {
        for (const [slot, own] of written) {
          if (passing.has(slot.split(" ")[1])) written.delete(slot);
          own.fresh = false;
        }
        if (step.sample !== null) {
          for (const [slot, symbol, value, short] of data.samples[step.sample]) written.set(slot, { symbol, value, short });
        }
        update = step.update;
        sample = step.sample;
      }
      if (step.stays || step === steps[last]) {
        written.set(step.slot, { symbol: step.symbol, value: step.value, short: step.short, fresh: step.stage === "update" });
      }
    }
    return written;
  };

  const write = (node, own) => {
    const whole = own ? `${own.symbol} ${own.value}` : "";
    if (node.dataset.whole === whole) return;
    node.dataset.whole = whole;
    node.replaceChildren();
    if (!own) return;
    if (roomy(node)) {
      const letter = document.createElementNS("http://www.w3.org/2000/svg", "tspan");
      letter.setAttribute("class", "letter");
      letter.textContent = own.symbol;
      node.append(letter, ` ${own.value}`);
    } else {
      node.append(own.short);
    }
  };

  const draw = (step, written) => {
    for (const [slot, nodes] of slots) {
      const own = written.get(slot);
      const [name, quantity] = slot.split(" ");
      const replaced = quantity === "pre" && written.has(`${name} value`);
      for (const node of nodes) {
        write(node, replaced && !roomy(node) ? undefined : own);
        node.classList.toggle("fresh", Boolean(own && own.fresh));
        node.classList.toggle("at", slot === step.slot);
        node.classList.toggle("from", step.inputs.includes(slot) && slot !== step.slot);
      }
    }
    const at = step.slot.split(" ")[0];
    const from = new Set(step.inputs.map((slot) => slot.split(" ")[0]));
    for (const [name, nodes] of parts) {
      for (const node of nodes) {
        if (node.dataset.slot) continue;
        node.classList.toggle("at", name === at);
        node.classList.toggle("from", name !== at && (from.has(name) || (at === "loss" && from.has(name.replace("end-", "")))));
        // Over the edges that nobody speaks of.
        if (node.matches(".edge.at, .edge.from")) node.parentNode.insertBefore(node, node.parentNode.querySelector(".unit"));
      }
    }
    drawing.className = `drawing ${step.stage}-now`;
  };

  const reveal = (item) => {
    const frame = byId("lines");
    if (frame.scrollHeight <= frame.clientHeight + 1 || getComputedStyle(frame).overflowY !== "auto") return;
    const [inside, outside] = [item.getBoundingClientRect(), frame.getBoundingClientRect()];
    const away = Math.min(90, frame.clientHeight / 4);
    if (inside.top < outside.top + away) frame.scrollTop -= outside.top + away - inside.top;
    if (inside.bottom > outside.bottom - away) frame.scrollTop += inside.bottom - outside.bottom + away;
  };

  const speak = (step, item) => {
    const verdicts = [...item.querySelectorAll(".brief .unseen")].map((node) => node.textContent);
    const value = item.querySelector("b.value").textContent;
    const told = `Line ${present + 1} of ${steps.length}: ${step.symbol} = ${value}`;
    byId("spoken").textContent = [told, item.querySelector(".rule-name").textContent, ...verdicts].join(", ");
  };

  const describe = (item) => {
    const own = item.querySelector(".whole").cloneNode(true);
    own.className = `whole ${item.classList[1]}`;
    byId("shown").replaceChildren(own);
    const where = byId("where");
    const strong = document.createElement("b");
    strong.textContent = `Line ${present + 1} of ${steps.length}`;
    where.replaceChildren(strong, ` · ${item.dataset.where}`);
    const rule = own.querySelector(".rule-name").textContent;
    byId("rule").textContent = `${rule}.`;
    const found = [...document.querySelectorAll("[data-rule]")].find((node) => node.dataset.rule === rule);
    byId("why").textContent = found ? found.textContent : "";
  };

  const go = (line, keep = true) => {
    const next = Math.min(steps.length - 1, Math.max(0, line));
    if (next === present) return;
    if (items[present]) items[present].querySelector(".brief").removeAttribute("aria-current");
    present = next;
    const [step, item] = [steps[present], items[present]];
    const written = state(present);
    draw(step, written);
    describe(item);
    speak(step, item);
    item.querySelector(".brief").setAttribute("aria-current", "true");
    reveal(item);
    byId("slider").value = present + 1;
    byId("slider").setAttribute("aria-valuetext", `line ${present + 1}`);
    byId("first").disabled = byId("back").disabled = present === 0;
    byId("last").disabled = byId("next").disabled = present === steps.length - 1;
    if (keep) remember();
  };

  const remember = () => {
    try {
      history.replaceState(null, "", `#line-${present + 1}`);
    } catch {
      // A page without an address of its own has none to remember.
    }
  };

  const asked = (hash) => {
    const found = /^#line-(\d+)$/.exec(hash);
    return found ? Number(found[1]) - 1 : null;
  };

  const moves = {
    ArrowLeft: () => go(present - 1), ArrowRight: () => go(present + 1),
    Home: () => go(0), End: () => go(steps.length - 1),
  };
  for (const [id, key] of [["first", "Home"], ["back", "ArrowLeft"], ["next", "ArrowRight"], ["last", "End"]]) {
    byId(id).addEventListener("click", moves[key]);
  }
  byId("slider").addEventListener("input", (event) => go(Number(event.target.value) - 1));
  document.addEventListener("keydown", (event) => {
    const free = !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.target.closest?.("input, select, textarea, .scroll");
    if (!free || !Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    moves[event.key]();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#line-"]');
    const line = link ? asked(link.hash) : null;
    if (line === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(line);
    if (!link.classList.contains("brief") || byId("desk").getBoundingClientRect().bottom < 60) byId("walk").scrollIntoView();
  });
  window.addEventListener("hashchange", () => {
    const line = asked(location.hash);
    if (line !== null) go(line, false);
  });
  go(asked(wanted) ?? 0, asked(wanted) !== null);
})();
