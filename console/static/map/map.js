// The map of locations: outlines of the world (or tiles), and the clusters the hub counts.
// Places are in steps from the map's top left; the map is given.size steps and, at zoom 0, 256 pixels wide.

const TILE = 256;
const FARTHEST = 1;
const given = JSON.parse(document.getElementById("map-given").textContent);
const canvas = document.getElementById("map");
const room = canvas.parentElement;
const card = document.getElementById("map-card");
const pen = canvas.getContext("2d");
const view = { x: given.size / 2, y: given.size / 2.6, zoom: 2 };
const tiles = new Map();
let world = null;
let clusters = [];
let asking = null;

const scale = () => (TILE * 2 ** view.zoom) / given.size;
const width = () => room.clientWidth;
const height = () => room.clientHeight;
const between = (least, number, most) => Math.max(least, Math.min(number, most));
const pixel = (place) => [
  (place.x - view.x) * scale() + width() / 2,
  (place.y - view.y) * scale() + height() / 2,
];

function box() {
  const [w, h] = [width() / 2 / scale(), height() / 2 / scale()];
  const step = (number) => between(0, Math.round(number), given.size - 1);
  return {
    left: step(view.x - w), top: step(view.y - h), right: step(view.x + w), bottom: step(view.y + h),
  };
}

function colour(name) {
  return getComputedStyle(room).getPropertyValue(`--hub-${name}`).trim();
}

// ------------------------------------------------------------------------------------- drawing

function line(numbers, path) {
  let [x, y] = [0, 0];
  for (let at = 0; at < numbers.length; at += 2) {
    x += numbers[at];
    y += numbers[at + 1];
    if (at) path.lineTo(x, y);
    else path.moveTo(x, y);
  }
}

async function readWorld() {
  const text = await (await fetch(given.world)).json();
  world = { size: text.size, land: new Path2D(), borders: new Path2D() };
  text.land.forEach((numbers) => line(numbers, world.land));
  text.borders.forEach((numbers) => line(numbers, world.borders));
  draw();
}

function drawWorld() {
  const size = (TILE * 2 ** view.zoom) / world.size;
  const ratio = devicePixelRatio;
  const [left, top] = pixel({ x: 0, y: 0 });
  pen.save();
  pen.setTransform(size * ratio, 0, 0, size * ratio, left * ratio, top * ratio);
  pen.beginPath();
  pen.rect(0, 0, world.size, world.size);
  pen.clip();
  pen.fillStyle = colour("land");
  pen.fill(world.land, "evenodd");
  pen.strokeStyle = colour("border");
  pen.lineWidth = 0.8 / size;
  pen.stroke(world.land);
  pen.lineWidth = 0.5 / size;
  pen.stroke(world.borders);
  pen.restore();
}

function tile(z, x, y) {
  const url = given.tiles.replace("{z}", z).replace("{x}", x).replace("{y}", y);
  if (!tiles.has(url)) {
    if (tiles.size > 400) tiles.clear();
    const image = new Image();
    image.onload = draw;
    image.src = url;
    tiles.set(url, image);
  }
  return tiles.get(url);
}

function drawTiles() {
  const edge = given.size / 2 ** view.zoom;
  const seen = box();
  for (let x = Math.floor(seen.left / edge); x * edge <= seen.right; x += 1) {
    for (let y = Math.floor(seen.top / edge); y * edge <= seen.bottom; y += 1) {
      const image = tile(view.zoom, x, y);
      const [left, top] = pixel({ x: x * edge, y: y * edge });
      if (image.complete && image.naturalWidth) {
        pen.drawImage(image, Math.round(left), Math.round(top), TILE, TILE);
      }
    }
  }
}

const radius = (cluster) =>
  cluster.locations === 1 ? 7 : between(13, 9 + 4 * Math.log10(cluster.locations + 1) * 1.6, 27);

function short(number) {
  if (number < 1000) return String(number);
  return number < 10000 ? `${(number / 1000).toFixed(1)}k` : `${Math.round(number / 1000)}k`;
}

function parts(cluster) {
  const found = [["good", cluster.available], ["busy", cluster.busy], ["bad", cluster.broken], ["quiet", cluster.other]];
  const sum = found.reduce((all, [, number]) => all + number, 0);
  return sum ? found.map(([name, number]) => [name, number / sum]) : [["quiet", 1]];
}

function drawCluster(cluster) {
  const [x, y] = pixel(cluster);
  const size = radius(cluster);
  let begin = -Math.PI / 2;
  for (const [name, share] of parts(cluster)) {
    pen.beginPath();
    pen.moveTo(x, y);
    pen.arc(x, y, size, begin, begin + share * 2 * Math.PI);
    pen.fillStyle = colour(name);
    pen.fill();
    begin += share * 2 * Math.PI;
  }
  pen.beginPath();
  pen.arc(x, y, cluster.locations === 1 ? 2.5 : size - 4, 0, 2 * Math.PI);
  pen.fillStyle = colour("face");
  pen.fill();
  if (cluster.locations === 1) return;
  pen.fillStyle = colour("ink");
  pen.fillText(short(cluster.locations), x, y + 0.5);
}

function drawNow() {
  const ratio = devicePixelRatio;
  if (canvas.width !== Math.round(width() * ratio) || canvas.height !== Math.round(height() * ratio)) {
    canvas.width = Math.round(width() * ratio);
    canvas.height = Math.round(height() * ratio);
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = colour("sea");
  pen.fillRect(0, 0, width(), height());
  if (given.tiles) drawTiles();
  else if (world) drawWorld();
  pen.font = `600 11px ${getComputedStyle(document.body).fontFamily}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  clusters.forEach(drawCluster);
}

let isDue = false;

function draw() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    drawNow();
  });
}

// ------------------------------------------------------------------------------------- asking

async function ask(seen, zoom) {
  if (asking) asking.abort();
  asking = new AbortController();
  const query = new URLSearchParams({ ...seen, zoom });
  const answer = await fetch(`${given.spots}?${query}`, { signal: asking.signal });
  if (!answer.ok) throw new Error(`the hub answered ${answer.status}`);
  return (await answer.json()).clusters;
}

// The hub counts by cells; those whose markers would lie upon each other are one.
function apartFrom(found) {
  const kept = [];
  for (const cluster of found.sort((one, other) => other.locations - one.locations)) {
    const near = kept.find((other) =>
      Math.hypot(cluster.x - other.x, cluster.y - other.y) * scale() < radius(cluster) + radius(other));
    if (!near || view.zoom >= given.closest) kept.push(cluster);
    else merge(near, cluster);
  }
  return kept.reverse();
}

function merge(into, cluster) {
  const sum = into.locations + cluster.locations;
  for (const axis of ["x", "y"]) {
    into[axis] = Math.round((into[axis] * into.locations + cluster[axis] * cluster.locations) / sum);
  }
  for (const name of ["locations", "available", "busy", "broken", "other"]) into[name] += cluster[name];
}

function said() {
  const seen = { locations: 0, available: 0, busy: 0, broken: 0, other: 0 };
  for (const cluster of clusters) for (const name in seen) seen[name] += cluster[name];
  const evses = seen.available + seen.busy + seen.broken + seen.other;
  const words = (number, one) => `${number.toLocaleString("en")} ${one}${number === 1 ? "" : "s"}`;
  return `${words(seen.locations, "location")} with ${words(evses, "EVSE")} here: ` +
    `${seen.available.toLocaleString("en")} available, ${seen.broken.toLocaleString("en")} broken`;
}

async function refresh() {
  const seen = box();
  const status = document.getElementById("map-said");
  history.replaceState(null, "", `#${view.zoom}/${Math.round(view.x)}/${Math.round(view.y)}`);
  document.getElementById("map-list").href =
    `${given.list}?area=${seen.left},${seen.top},${seen.right},${seen.bottom}`;
  try {
    clusters = apartFrom(await ask(seen, view.zoom));
    status.textContent = said();
    draw();
  } catch (error) {
    if (error.name !== "AbortError") status.textContent = `The locations cannot be read: ${error.message}`;
  }
}

let timer = 0;

function moved() {
  card.hidden = true;
  view.zoom = between(FARTHEST, view.zoom, given.closest);
  view.x = between(0, view.x, given.size);
  view.y = between(0, view.y, given.size);
  draw();
  clearTimeout(timer);
  timer = setTimeout(refresh, 120);
}

function zoomAt(step, px, py) {
  const before = scale();
  const zoom = between(FARTHEST, view.zoom + step, given.closest);
  const [x, y] = [view.x + (px - width() / 2) / before, view.y + (py - height() / 2) / before];
  view.zoom = zoom;
  view.x = x - (px - width() / 2) / scale();
  view.y = y - (py - height() / 2) / scale();
  moved();
}

// What is far away is known by its cell only: the nearer the view, the better its edges are known.
async function showAll() {
  let seen = { left: 0, top: 0, right: given.size - 1, bottom: given.size - 1 };
  let known = 0;
  for (view.zoom = FARTHEST; known < view.zoom; seen = box()) {
    const found = await ask(seen, view.zoom);
    known = view.zoom;
    if (found.length) fit(found, Math.max(given.cell / scale(), given.size / 2000));
  }
  moved();
}

function fit(found, margin) {
  const [xs, ys] = [found.map((one) => one.x), found.map((one) => one.y)];
  const [left, right] = [Math.min(...xs) - margin, Math.max(...xs) + margin];
  const [top, bottom] = [Math.min(...ys) - margin, Math.max(...ys) + margin];
  const fits = Math.min(width() / (right - left), height() / (bottom - top));
  view.zoom = between(FARTHEST, Math.floor(Math.log2((fits * given.size) / TILE)), given.closest);
  view.x = (left + right) / 2;
  view.y = (top + bottom) / 2;
}

// ------------------------------------------------------------------------------------- hands

function hit(px, py) {
  return clusters.findLast((cluster) => {
    const [x, y] = pixel(cluster);
    return Math.hypot(px - x, py - y) <= radius(cluster) + 3;
  });
}

function element(name, text, attributes = {}) {
  const made = Object.assign(document.createElement(name), attributes);
  made.textContent = text;
  return made;
}

function show(cluster) {
  const evses = `${cluster.available} available, ${cluster.busy} in use, ${cluster.broken} broken, ${cluster.other} other`;
  const lines = cluster.locations === 1
    ? [element("a", cluster.name, { href: given.page.replace("/0/", `/${cluster.pk}/`), className: "hub-link" })]
    : [element("a", `${cluster.locations} locations at one place`, { href: near(cluster), className: "hub-link" })];
  card.replaceChildren(...lines, element("p", evses));
  card.hidden = false;
  const [x, y] = pixel(cluster);
  const left = between(8, x - card.offsetWidth / 2, width() - card.offsetWidth - 8);
  const top = y - card.offsetHeight - 14 < 8 ? y + 14 : y - card.offsetHeight - 14;
  card.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  lines[0].focus({ preventScroll: true });
}

function near(cluster) {
  const edge = Math.ceil(32 / scale());
  const place = [cluster.x - edge, cluster.y - edge, cluster.x + edge, cluster.y + edge];
  return `${given.list}?area=${place.map((number) => between(0, number, given.size - 1)).join(",")}`;
}

function chosen(px, py) {
  const cluster = hit(px, py);
  if (!cluster) card.hidden = true;
  else if (cluster.locations === 1 || view.zoom >= given.closest) show(cluster);
  else {
    view.x = cluster.x;
    view.y = cluster.y;
    view.zoom += 2;
    moved();
  }
}

const fingers = new Map();
let way = 0;
let apart = 0;

const distance = () => {
  const [one, other] = [...fingers.values()];
  return Math.hypot(one.x - other.x, one.y - other.y);
};

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  way = 0;
  if (fingers.size === 2) apart = distance();
});

canvas.addEventListener("pointermove", (event) => {
  const finger = fingers.get(event.pointerId);
  if (!finger) {
    canvas.style.cursor = hit(event.offsetX, event.offsetY) ? "pointer" : "grab";
    return;
  }
  const [dx, dy] = [event.offsetX - finger.x, event.offsetY - finger.y];
  fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  way += Math.abs(dx) + Math.abs(dy);
  if (fingers.size === 2) pinch();
  else if (way > 4) {
    view.x -= dx / scale();
    view.y -= dy / scale();
    moved();
  }
});

function pinch() {
  const factor = distance() / apart;
  if (factor < 1.6 && factor > 0.625) return;
  const [one, other] = [...fingers.values()];
  apart = distance();
  zoomAt(factor > 1 ? 1 : -1, (one.x + other.x) / 2, (one.y + other.y) / 2);
}

canvas.addEventListener("pointerup", (event) => {
  const alone = fingers.size === 1;
  fingers.delete(event.pointerId);
  if (alone && way <= 4) chosen(event.offsetX, event.offsetY);
});
canvas.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));

let turned = 0;

canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  turned += event.deltaY;
  if (Math.abs(turned) < 60) return;
  zoomAt(turned < 0 ? 1 : -1, event.offsetX, event.offsetY);
  turned = 0;
}, { passive: false });

const KEYS = {
  ArrowLeft: () => { view.x -= 100 / scale(); },
  ArrowRight: () => { view.x += 100 / scale(); },
  ArrowUp: () => { view.y -= 100 / scale(); },
  ArrowDown: () => { view.y += 100 / scale(); },
  "+": () => { view.zoom += 1; },
  "=": () => { view.zoom += 1; },
  "-": () => { view.zoom -= 1; },
};

canvas.addEventListener("keydown", (event) => {
  const perform = KEYS[event.key];
  if (!perform || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  perform();
  moved();
});

document.getElementById("map-closer").addEventListener("click", () => zoomAt(1, width() / 2, height() / 2));
document.getElementById("map-farther").addEventListener("click", () => zoomAt(-1, width() / 2, height() / 2));
document.getElementById("map-all").addEventListener("click", showAll);
new ResizeObserver(draw).observe(room);
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["class"] });

const remembered = /^#(\d+)\/(\d+)\/(\d+)$/.exec(location.hash);
if (remembered) {
  [view.zoom, view.x, view.y] = remembered.slice(1).map(Number);
  moved();
} else {
  showAll();
}
if (!given.tiles) readWorld();
setInterval(() => { if (!document.hidden) refresh(); }, 15000);
