"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  const data = JSON.parse(document.getElementById("page-data").textContent);
  const byId = (id) => document.getElementById(id);
  const make = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  };

  // The images behind a cell of the confusion matrix.
  const dialog = byId("behind");
  let opener = null;

  const picture = ([position, confidence, uri, path], cell) => {
    const item = make("li");
    if (uri) {
      const image = make("img", "thumb");
      image.alt = `image ${position}, a ${cell.true}, taken for ${cell.predicted} with ${confidence} % confidence`;
      image.addEventListener("load", () => image.classList.toggle("tiny", image.naturalWidth <= 32));
      image.src = uri;
      item.append(image);
    }
    const where = make("p", "where");
    where.append(make("b", "", `${confidence} %`), ` · image ${position}`);
    if (path) {
      const file = make("span", "path");
      file.title = path;
      // Every folder by itself, so that a name that runs from right to left does not reorder the others.
      const line = make("span");
      path.split("/").forEach((name, index) => line.append(index ? "/" : "", make("bdi", "", name)));
      file.append(line);
      where.append(file);
    }
    item.append(where);
    return item;
  };

  const open = (key, from) => {
    const cell = (data.cells || {})[key];
    if (!dialog || !cell || !Object.hasOwn(data.cells, key)) return;
    opener = from || byId(`cell-${key}`);
    const right = cell.true === cell.predicted;
    byId("behind-title").textContent = right ? `${cell.true}, recognized` : `${cell.true} taken for ${cell.predicted}`;
    const shown = cell.images.length;
    const all = `${cell.count.toLocaleString("en")} image${cell.count === 1 ? "" : "s"}`;
    const first = shown < cell.count ? `The ${shown} most confident of ${all}` : `${all}, most confident first`;
    byId("behind-count").textContent = `${first}; ${cell.share} % of that class.`;
    byId("behind-images").replaceChildren(...cell.images.map((image) => picture(image, cell)));
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    remember(`#cell-${key}`);
  };

  const remember = (hash) => {
    try {
      history.replaceState(null, "", hash || location.pathname + location.search);
    } catch {
      // A page without an address of its own has none to remember.
    }
  };

  const follow = () => {
    const found = /^#cell-(\d+-\d+)$/.exec(location.hash);
    if (found) open(found[1]);
  };

  if (dialog) {
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-cell]");
      if (button) open(button.dataset.cell, button);
    });
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => {
      remember("");
      // The browser gives the focus back to where it was; a link had none.
      if (opener && document.activeElement === document.body) opener.focus();
    });
    window.addEventListener("hashchange", follow);
    follow();
  }

  // Arrow keys go to the next cell that holds images; Tab enters and leaves the matrix as a whole.
  const matrix = byId("matrix");
  if (matrix) {
    const grid = [...matrix.tBodies[0].rows].map((row) => [...row.cells].slice(1).map((cell) => cell.querySelector("button")));
    const buttons = grid.flat().filter(Boolean);
    buttons.forEach((button, index) => { button.tabIndex = index ? -1 : 0; });
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const reach = (row, column, [down, across]) => {
      for (let r = row + down, c = column + across; grid[r] && c >= 0 && c < grid.length; r += down, c += across) {
        if (grid[r][c]) return grid[r][c];
      }
      return null;
    };
    const end = (event, row) => {
      const line = event.ctrlKey ? buttons : grid[row].filter(Boolean);
      return event.key === "Home" ? line[0] : line[line.length - 1];
    };
    matrix.addEventListener("focusin", (event) => {
      if (!event.target.dataset.cell) return;
      for (const button of buttons) button.tabIndex = button === event.target ? 0 : -1;
    });
    matrix.addEventListener("keydown", (event) => {
      if (!event.target.dataset.cell) return;
      const [row, column] = event.target.dataset.cell.split("-").map(Number);
      const ends = event.key === "Home" || event.key === "End";
      const next = ends ? end(event, row) : steps[event.key] && reach(row, column, steps[event.key]);
      if (!next && !steps[event.key]) return;
      event.preventDefault();
      if (next) next.focus();
    });
  }

  // Learning curves.
  const charts = data.charts || [];
  const place = byId("charts");
  const color = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const plots = [];

  const number = (value, measure) => measure === "accuracy" ? value.toFixed(2) : String(Number(value.toPrecision(4)));

  const values = [...document.querySelectorAll('[id^="value-"]')];
  const initial = new Map(values.map((cell) => [cell, cell.textContent]));
  const caption = byId("readout-epoch");
  const told = caption ? caption.textContent : "";

  const show = (epoch) => {
    if (epoch === null) {
      for (const [cell, text] of initial) cell.textContent = text;
      caption.textContent = told;
      return;
    }
    caption.textContent = `At ${charts[0].time} ${Number(epoch.toPrecision(6))}`;
    for (const chart of charts) {
      const index = chart.x.indexOf(epoch);
      for (const { rung, part, y } of chart.series) {
        const cell = rung < 0 ? null : byId(`value-${rung}-${chart.measure}-${part}`);
        if (cell) cell.textContent = y[index] === null || y[index] === undefined ? "–" : number(y[index], chart.measure);
      }
    }
  };

  const series = ({ rung, part, color: own, y }) => {
    const few = y.filter((value) => value !== null).length <= 12;
    const points = { show: few && rung >= 0, size: 5 };
    if (rung < 0) return { stroke: () => color("--soft"), alpha: 0.45, width: 1, spanGaps: true, points: { show: false } };
    const stroke = own === "#000000" ? () => color("--ink") : own;
    return part === "train"
      ? { stroke, width: 1.25, dash: [5, 3], spanGaps: true, points: { show: false } }
      : { stroke, width: 2, spanGaps: true, points };
  };

  // 1, 2 and 5 of every power of ten inside the chart; over many of those, the powers alone.
  const decades = ({ low, high }) => {
    const steps = high / low > 100 ? [1] : [1, 2, 5];
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
      for (const step of steps) found.push(Number(`${step}e${power}`));
    }
    return found.filter((value) => value >= low && value <= high);
  };

  // The losses of single mini-batches lie between the grid and the curves.
  const thin = (plot, batches) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.beginPath();
    batches[0].forEach((x, index) => ctx.lineTo(plot.valToPos(x, "x", true), plot.valToPos(batches[1][index], "y", true)));
    ctx.globalAlpha = 0.5;
    ctx.lineWidth = 0.7 * devicePixelRatio;
    ctx.strokeStyle = color("--soft");
    ctx.stroke();
    ctx.restore();
  };

  const options = (chart, width) => {
    const axis = {
      stroke: () => color("--soft"), font: "12px system-ui, sans-serif",
      grid: { stroke: () => color("--grid"), width: 1 }, ticks: { stroke: () => color("--grid"), width: 1, size: 4 },
    };
    const whole = chart.x[chart.x.length - 1] >= 3;
    const shown = (ticks) => ticks.map((value) => value === null ? "" : String(Number(value.toPrecision(4))));
    return {
      width, height: 250, legend: { show: false },
      cursor: { sync: { key: "curves" }, drag: { setScale: false, x: false, y: false }, points: { size: 7 } },
      scales: { x: { time: false, ...(chart.batches ? { range: () => [0, chart.x[chart.x.length - 1]] } : {}) }, y: { distr: chart.log ? 3 : 1, range: () => [chart.low, chart.high] } },
      axes: [
        { ...axis, size: 30, gap: 4, space: 48, label: chart.time, labelSize: 16, labelGap: 0, labelFont: axis.font, ...(whole ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] } : {}) },
        { ...axis, size: 46, gap: 4, values: (plot, ticks) => shown(ticks), ...(chart.log ? { splits: () => decades(chart), filter: (plot, ticks) => ticks } : {}) },
      ],
      series: [{}, ...chart.series.map(series)],
      hooks: { ...(chart.batches ? { drawAxes: [(plot) => thin(plot, chart.batches)] } : {}), setCursor: [(plot) => { const at = plot.cursor.idx; show(at === null || at === undefined ? null : chart.x[at]); }] },
    };
  };

  const draw = (chart) => {
    const box = make("div", "chart");
    const heading = make("h3", "", chart.title);
    if (chart.log) heading.append(make("small", "", "log scale"));
    const area = make("div");
    area.tabIndex = 0;
    area.setAttribute("role", "group");
    area.setAttribute("aria-label", `${chart.title}, chart over ${chart.time}s; its values are in the table below`);
    box.append(heading, area);
    place.append(box);
    const plot = new uPlot(options(chart, area.clientWidth), [chart.x, ...chart.series.map((line) => line.y)], area);
    area.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const at = plot.cursor.idx === null || plot.cursor.idx === undefined ? (step > 0 ? -1 : chart.x.length) : plot.cursor.idx;
      const next = Math.min(chart.x.length - 1, Math.max(0, at + step));
      plot.setCursor({ left: plot.valToPos(chart.x[next], "x"), top: plot.bbox.height / devicePixelRatio / 2 });
    });
    plots.push([plot, area]);
  };

  if (typeof uPlot !== "undefined" && place && charts.length) {
    root.classList.add("live");
    charts.forEach(draw);
    new ResizeObserver(() => {
      for (const [plot, area] of plots) {
        if (area.clientWidth && area.clientWidth !== plot.width) plot.setSize({ width: area.clientWidth, height: 250 });
      }
    }).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const [plot] of plots) plot.redraw(false, true);
    });
  }

  // Copy buttons, and where one is on the page.
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(byId(button.dataset.copy).textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(byId(button.dataset.copy));
      }
    });
  }

  const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
  const seen = new Set();
  const watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) seen[isIntersecting ? "add" : "delete"](target.id);
    const current = [...links.keys()].find((id) => seen.has(id));
    for (const [id, link] of links) {
      if (id === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }, { rootMargin: "0px 0px -60% 0px" });
  for (const id of links.keys()) {
    const target = byId(id);
    if (target) watch.observe(target);
  }
})();
