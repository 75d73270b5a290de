// The map of locations: Leaflet over outlines of the world (or tiles), and the clusters the hub counts.
// Places are in steps from the map's top left; for Leaflet y is the latitude, growing downwards.

const TILE = 256;
const FARTHEST = 1;
const SHARES = [["available", "good"], ["busy", "busy"], ["broken", "bad"], ["other", "quiet"]];
const SHORT = new Intl.NumberFormat("en", { notation: "compact" });
const given = JSON.parse(document.getElementById("map-given").textContent);
const whole = L.latLngBounds([0, 0], [given.size, given.size]);
// Moved in the plane, a marker is no layer of its own: hundreds of layers are slow where no GPU draws them.
L.Browser.ie3d = true;
const isAnimated = !matchMedia("(prefers-reduced-motion: reduce)").matches;
const map = L.map("map", {
  crs: L.extend({}, L.CRS.Simple, { transformation: L.transformation(TILE / given.size, 0, TILE / given.size, 0) }),
  minZoom: FARTHEST, maxZoom: given.closest, maxBounds: whole, zoomControl: false, attributionControl: false,
  zoomAnimation: isAnimated, fadeAnimation: isAnimated, inertia: isAnimated,
}).setView([given.size / 2.6, given.size / 2], 2);
const markers = L.layerGroup().addTo(map);
let asking = null;

const scale = (zoom = map.getZoom()) => (TILE * 2 ** zoom) / given.size;
const at = (place) => [place.y, place.x];

// ------------------------------------------------------------------------------------- the world

function line(numbers, size) {
  let [x, y] = [0, 0];
  return Array.from({ length: numbers.length / 2 }, (_, at) => {
    x += numbers[2 * at];
    y += numbers[2 * at + 1];
    return [(y * given.size) / size, (x * given.size) / size];
  });
}

async function drawWorld() {
  const { size, land, borders } = await (await fetch(given.world)).json();
  const lines = (all) => all.map((numbers) => line(numbers, size));
  const options = { pane: "tilePane", renderer: L.svg({ pane: "tilePane", padding: 0.5 }), interactive: false };
  L.polygon(lines(land), { ...options, className: "hub-map-land" }).addTo(map);
  L.polyline(lines(borders), { ...options, className: "hub-map-border" }).addTo(map);
}

// ------------------------------------------------------------------------------------- asking

function edges({ left, top, right, bottom }) {
  const step = (number) => Math.max(0, Math.min(Math.round(number), given.size - 1));
  return { left: step(left), top: step(top), right: step(right), bottom: step(bottom) };
}

function seen() {
  const { min, max } = map.getPixelBounds();
  return edges({ left: min.x / scale(), top: min.y / scale(), right: max.x / scale(), bottom: max.y / scale() });
}

const listed = (box) => `${given.list}?area=${[box.left, box.top, box.right, box.bottom]}`;

async function ask(box, zoom) {
  asking?.abort();
  asking = new AbortController();
  const query = new URLSearchParams({ ...box, zoom });
  const answer = await fetch(`${given.spots}?${query}`, { signal: asking.signal });
  if (!answer.ok) throw new Error(`the hub answered ${answer.status}`);
  const found = await answer.json();
  document.getElementById("map-as-of").textContent = found.as_of;
  return found.clusters;
}

const say = (words) => { document.getElementById("map-said").textContent = words; };

async function trying(task) {
  try {
    await task();
  } catch (error) {
    if (error.name !== "AbortError") say(`The locations cannot be read: ${error.message}`);
  }
}

async function refresh() {
  const { lat, lng } = map.getCenter();
  history.replaceState(null, "", `#${map.getZoom()}/${Math.round(lng)}/${Math.round(lat)}`);
  document.getElementById("map-list").href = listed(seen());
  const clusters = apartFrom(await ask(seen(), map.getZoom()));
  markers.clearLayers();
  clusters.forEach((cluster) => marker(cluster).addTo(markers));
  say(said(clusters));
}

// What is far away is known by its cell only: the nearer the view, the better its edges are known.
async function showAll() {
  let [box, known, zoom] = [edges({ left: 0, top: 0, right: given.size, bottom: given.size }), 0, FARTHEST];
  while (known < zoom) {
    const found = await ask(box, zoom);
    if (!found.length) break;
    box = around(found, Math.max(given.cell / scale(zoom), given.size / 2000));
    [known, zoom] = [zoom, map.getBoundsZoom([[box.top, box.left], [box.bottom, box.right]])];
  }
  if (!known) return refresh();
  return map.fitBounds([[box.top, box.left], [box.bottom, box.right]], { animate: false });
}

function around(found, margin) {
  const [xs, ys] = [found.map((one) => one.x), found.map((one) => one.y)];
  return edges({
    left: Math.min(...xs) - margin, top: Math.min(...ys) - margin,
    right: Math.max(...xs) + margin, bottom: Math.max(...ys) + margin,
  });
}

// ------------------------------------------------------------------------------------- clusters

const radius = (cluster) =>
  cluster.locations === 1 ? 7 : Math.max(13, Math.min(9 + 6.4 * Math.log10(cluster.locations + 1), 27));

// The hub counts by cells; those whose markers would lie upon each other are one.
function apartFrom(found) {
  const kept = [];
  for (const cluster of found.sort((one, other) => other.locations - one.locations)) {
    const near = kept.find((other) =>
      Math.hypot(cluster.x - other.x, cluster.y - other.y) * scale() < radius(cluster) + radius(other));
    if (!near || map.getZoom() >= given.closest) kept.push(cluster);
    else merge(near, cluster);
  }
  return kept;
}

function merge(into, cluster) {
  const sum = into.locations + cluster.locations;
  for (const axis of ["x", "y"]) {
    into[axis] = Math.round((into[axis] * into.locations + cluster[axis] * cluster.locations) / sum);
  }
  for (const name of ["locations", "available", "busy", "broken", "other"]) into[name] += cluster[name];
}

const evses = (cluster) => SHARES.reduce((sum, [name]) => sum + cluster[name], 0);
const many = (number, one) => `${number.toLocaleString("en")} ${one}${number === 1 ? "" : "s"}`;
const statuses = (cluster) =>
  `${cluster.available} available, ${cluster.busy} in use, ${cluster.broken} broken, ${cluster.other} other`;

function said(clusters) {
  const all = { locations: 0, available: 0, busy: 0, broken: 0, other: 0 };
  for (const cluster of clusters) for (const name in all) all[name] += cluster[name];
  return `${many(all.locations, "location")} with ${many(evses(all), "EVSE")} here: ` +
    `${all.available.toLocaleString("en")} available, ${all.broken.toLocaleString("en")} broken`;
}

function element(name, text, attributes = {}) {
  const made = Object.assign(document.createElement(name), attributes);
  made.textContent = text;
  return made;
}

function pie(cluster) {
  let end = 0;
  const parts = SHARES.map(([name, colour]) => {
    const begin = end;
    end += cluster[name] / (evses(cluster) || 1);
    return `var(--hub-${colour}) ${begin}turn ${end}turn`;
  });
  return `conic-gradient(${parts})`;
}

const Button = L.Icon.extend({
  createIcon() { return this.options.button; },
  createShadow: () => null,
});

function marker(cluster) {
  const [size, isAlone] = [radius(cluster), cluster.locations === 1];
  const title = `${isAlone ? cluster.name : many(cluster.locations, "location")}: ${statuses(cluster)}`;
  const button = element("button", isAlone ? "" : SHORT.format(cluster.locations), {
    type: "button", className: "leaflet-marker-icon hub-map-cluster", title, ariaLabel: title,
  });
  Object.assign(button.style, { width: `${2 * size}px`, height: `${2 * size}px`, margin: `${-size}px` });
  button.style.setProperty("--pie", pie(cluster));
  const icon = new Button({ button });
  return L.marker(at(cluster), { icon, keyboard: false }).on("click", () => choose(cluster));
}

function choose(cluster) {
  if (cluster.locations === 1 || map.getZoom() >= given.closest) return show(cluster);
  map.getContainer().focus({ preventScroll: true });
  return map.setView(at(cluster), map.getZoom() + 2);
}

function show(cluster) {
  const link = cluster.locations === 1
    ? element("a", cluster.name, { href: given.page.replace("/0/", `/${cluster.pk}/`) })
    : element("a", `${cluster.locations} locations at one place`, { href: listed(around([cluster], 32 / scale())) });
  const content = element("div", "");
  content.append(link, element("p", statuses(cluster)));
  map.openPopup(content, at(cluster), { offset: [0, -radius(cluster)], maxWidth: 280 });
  link.focus({ preventScroll: true });
}

// ------------------------------------------------------------------------------------- beginning

document.getElementById("map-closer").addEventListener("click", () => map.zoomIn());
document.getElementById("map-farther").addEventListener("click", () => map.zoomOut());
document.getElementById("map-all").addEventListener("click", () => trying(showAll));
map.getContainer().addEventListener("keydown", (event) => { if (event.key === "Escape") map.closePopup(); });
map.on("moveend", () => trying(refresh));
map.on("popupclose", () => map.getContainer().focus({ preventScroll: true }));
new ResizeObserver(() => map.invalidateSize()).observe(map.getContainer());

const remembered = /^#(\d+)\/(\d+)\/(\d+)$/.exec(location.hash);
if (remembered) map.setView([remembered[3], remembered[2]].map(Number), Number(remembered[1]), { animate: false });
else trying(showAll);
if (given.tiles) L.tileLayer(given.tiles, { bounds: whole, maxZoom: given.closest }).addTo(map);
else drawWorld();
// Markers are made anew: whoever stands on one with the keyboard keeps it.
setInterval(() => {
  if (!document.hidden && !map.getPane("markerPane").contains(document.activeElement)) trying(refresh);
}, 15000);
