// Draws each chart from its table, so that both show the same figures. Without this script the tables remain.
import "./vendor/chart.umd.min.js"; // sets the global Chart

const LINE_PX = 34; // of a stacked chart: the height of one row
const FRAME_PX = 110; // its axis and legend
const NARROW_PX = 480; // below, the legend takes more lines
const NARROW_FRAME_PX = 160;
const HATCHES = {
  repeated: [[0, 8, 8, 0]],
  unrecognised: [[0, 0, 8, 8]],
  alike: [[0, 4, 8, 4]],
  picture: [[0, 0, 8, 8], [0, 8, 8, 0]],
  inactive: [[4, 0, 4, 8]],
}; // lines on a tile of 8 px: what colours tell apart, patterns do as well

const LABEL_SHARE = 0.35; // of a stacked chart's width, at most, for the names of its rows
const LETTER_PX = 7;

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function figures(section) {
  const titles = [...section.querySelectorAll("thead th")].slice(1);
  const rows = [...section.querySelectorAll("tbody tr")];
  const number = (cell) => (cell.dataset.value === "" ? null : Number(cell.dataset.value));
  return {
    labels: rows.map((row) => row.cells[0].textContent),
    columns: titles.map((title, index) => ({
      title: title.textContent,
      ...title.dataset,
      values: rows.map((row) => number(row.cells[index + 1])),
      texts: rows.map((row) => row.cells[index + 1].textContent),
    })).filter((column) => column.colour !== "none"),
  };
}

function fill(colour, kind) {
  if (!HATCHES[kind]) return colour;
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 8, 8);
  pen.strokeStyle = token("--surface");
  pen.lineWidth = 1.5;
  for (const [fromX, fromY, toX, toY] of HATCHES[kind]) {
    pen.beginPath();
    pen.moveTo(fromX, fromY);
    pen.lineTo(toX, toY);
    pen.stroke();
  }
  return pen.createPattern(tile, "repeat");
}

function dataset(column, stacked) {
  const colour = token(`--chart-${column.colour}`);
  const common = { label: column.title, data: column.values, texts: column.texts };
  if (column.mark === "bar") {
    return {
      ...common, type: "bar", backgroundColor: fill(colour, stacked ? column.colour : ""), order: 2,
      borderColor: stacked ? token("--surface") : colour, borderWidth: stacked ? 1 : 0,
      categoryPercentage: stacked ? 0.8 : 1, barPercentage: stacked ? 1 : 0.85,
      ...(stacked ? {} : { yAxisID: column.axis }),
    };
  }
  const dashed = column.mark === "dashed";
  return {
    ...common, type: "line", borderColor: colour, backgroundColor: token("--surface"), borderWidth: 2, order: 1,
    borderDash: dashed ? [6, 4] : [], pointRadius: column.axis === "right" ? 3 : 0, pointHoverRadius: 4,
    stepped: column.axis === "left" ? "after" : false, yAxisID: column.axis,
  };
}

// Names differ at their end as often as at their beginning. The whole one is in the tooltip and in the table.
function shortened(text, width) {
  const most = Math.max(10, Math.floor((width * LABEL_SHARE) / LETTER_PX));
  if (text.length <= most) return text;
  const end = Math.floor(most / 2);
  return `${text.slice(0, most - end - 1)}…${text.slice(-end)}`;
}

function options(section, columns, stacked) {
  const ink = token("--ink-soft");
  const grid = { color: token("--line") };
  const title = (text) => ({ display: Boolean(text), text, color: ink });
  const counted = (axis, text) => ({
    ...axis, beginAtZero: true, grid, ticks: { color: ink, precision: 0, maxTicksLimit: 7 }, title: title(text),
  });
  const named = { grid: { display: false }, ticks: { color: ink, maxRotation: 0, autoSkipPadding: 12 } };
  const lines = {
    ...named, stacked: true,
    ticks: { color: ink, autoSkip: false, callback(index) { return shortened(this.getLabelForValue(index), this.chart.width); } },
  };
  const scales = stacked
    ? { x: counted({ stacked: true }, section.dataset.left), y: lines }
    : { x: named, left: counted({ position: "left" }, section.dataset.left) };
  if (section.dataset.right) {
    scales.right = { ...counted({ position: "right" }, section.dataset.right), grid: { display: false } };
  }
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    locale: document.documentElement.lang,
    indexAxis: stacked ? "y" : "x",
    interaction: { mode: "index", axis: stacked ? "y" : "x", intersect: false },
    scales,
    plugins: {
      legend: { display: columns.length > 1, position: "bottom", labels: { color: token("--ink"), boxWidth: 24 } },
      tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${item.dataset.texts[item.dataIndex]}` } },
    },
  };
}

function draw(section) {
  const plot = section.querySelector(".plot");
  if (!plot) return null;
  const stacked = section.dataset.layout === "stacked";
  const { labels, columns: all } = figures(section);
  const columns = stacked ? all.filter((column) => column.values.some(Boolean)) : all;
  plot.hidden = false;
  const frame = plot.clientWidth < NARROW_PX ? NARROW_FRAME_PX : FRAME_PX;
  if (stacked) plot.style.height = `${labels.length * LINE_PX + frame}px`;
  const datasets = columns.map((column) => dataset(column, stacked));
  return new Chart(plot.querySelector("canvas"), {
    type: "bar", data: { labels, datasets }, options: options(section, columns, stacked),
  });
}

let drawn = [];

function drawAll() {
  drawn.forEach((chart) => chart.destroy());
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  drawn = [...document.querySelectorAll(".chart")].map(draw).filter(Boolean);
}

drawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
