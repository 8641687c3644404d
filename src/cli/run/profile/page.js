"use strict";
const { names, nodes: rows } = JSON.parse(document.getElementById("profile").textContent);
const [graph, search, fold, whole, told] = ["graph", "search", "fold", "whole", "told"].map((id) => document.getElementById(id));
const ROW = 20;

let root, focus;

// The tree of what is shown; with folding, a procedure that calls itself is one bar.
function plant(isFolding) {
    const made = [];
    const make = (name, parent) => {
        const node = { name, own: 0, total: 0, parent, depth: parent ? parent.depth + 1 : -1, children: new Map() };
        made.push(node);
        return node;
    };
    root = focus = make("", null);
    const nodes = [];
    for (const [at, number, own] of rows) {
        const parent = nodes[at] ?? root;
        const name = names[number];
        const isSame = isFolding && parent.name === name;
        const node = isSame ? parent : parent.children.get(name) ?? make(name, parent);
        if (!isSame) parent.children.set(name, node);
        node.own += own;
        nodes.push(node);
    }
    // Callers were made before what they call.
    for (const node of made.reverse()) {
        node.total += node.own;
        if (node.parent) node.parent.total += node.total;
        node.children = [...node.children.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    }
}

function time(micros) {
    if (micros >= 1e6) return (micros / 1e6).toFixed(2) + " s";
    return micros >= 1e3 ? (micros / 1e3).toFixed(1) + " ms" : micros.toFixed(0) + " µs";
}

function share(part) {
    return (root.total > 0 ? 100 * part / root.total : 0).toFixed(1) + " %";
}

// A colour that a name has on every page.
function hue(name) {
    let hash = 0;
    for (const c of name) hash = (hash * 31 + c.codePointAt(0)) >>> 0;
    return 14 + hash % 40;
}

function isFound(node) {
    return search.value !== "" && node.name.toLowerCase().includes(search.value.toLowerCase());
}

function describe(node) {
    return `${node.name}: ${time(node.total)}, ${share(node.total)}; own ${time(node.own)}, ${share(node.own)}`;
}

function bar(node, left, width, isOuter) {
    const bar = document.createElement("button");
    bar.textContent = width * graph.clientWidth > 18 ? node.name : "";
    bar.title = describe(node);
    bar.classList.toggle("outer", isOuter);
    bar.classList.toggle("found", isFound(node));
    bar.style.cssText = `left:${100 * left}%;width:${100 * width}%;top:${ROW * node.depth}px;--hue:${hue(node.name)}`;
    bar.addEventListener("click", () => zoom(node));
    bar.addEventListener("mouseenter", () => { told.textContent = describe(node); });
    bar.addEventListener("mouseleave", tell);
    return bar;
}

function draw() {
    const bars = [];
    for (let outer = focus.parent; outer && outer !== root; outer = outer.parent) bars.push(bar(outer, 0, 1, true));
    const least = 0.7 / Math.max(1, graph.clientWidth);
    // A stack of our own: what is drawn may be deep.
    const open = [[focus, 0]];
    let depth = 0;
    while (open.length > 0) {
        const [node, left] = open.pop();
        const width = focus.total > 0 ? node.total / focus.total : 0;
        if (node !== focus && width < least) continue;
        if (node !== root) bars.push(bar(node, left, width, false));
        depth = Math.max(depth, node.depth);
        let at = left;
        for (const child of node.children) {
            open.push([child, at]);
            at += child.total / (focus.total || 1);
        }
    }
    graph.replaceChildren(...bars);
    const last = document.createElement("div");
    last.style.height = `${ROW * (depth + 1)}px`;
    graph.append(last);
    graph.classList.toggle("searching", search.value !== "");
    whole.hidden = focus === root;
    tell();
}

// The time in what was found, counted once a stack.
function found() {
    let sum = 0;
    const open = [root];
    while (open.length > 0) {
        const node = open.pop();
        if (node !== root && isFound(node)) sum += node.total;
        else open.push(...node.children);
    }
    return sum;
}

function tell() {
    if (search.value !== "") told.textContent = `found: ${time(found())}, ${share(found())}`;
    else told.textContent = focus === root ? "" : describe(focus);
}

function zoom(node) {
    focus = node;
    draw();
    graph.scrollTop = Math.max(0, ROW * (node.depth - 2));
}

function find(name) {
    search.value = name;
    draw();
    graph.scrollIntoView({ block: "nearest" });
}

function regrow() {
    plant(fold.checked);
    draw();
}

search.addEventListener("input", draw);
fold.addEventListener("input", regrow);
whole.addEventListener("click", () => zoom(root));
window.addEventListener("resize", draw);
document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { search.value = ""; zoom(root); }
});
document.querySelectorAll(".find").forEach((button) => button.addEventListener("click", () => find(button.textContent)));

const body = document.querySelector("#procedures tbody");
const heads = [...document.querySelectorAll("#procedures thead th")];
function sort(column, isDescending) {
    const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const order = (a, b) => column > 0 ? value(a) - value(b) : value(a) < value(b) ? -1 : 1;
    const sorted = [...body.rows].sort((a, b) => isDescending ? order(b, a) : order(a, b));
    body.append(...sorted);
    heads.forEach((head, at) => at === column ? head.setAttribute("aria-sort", isDescending ? "descending" : "ascending") : head.removeAttribute("aria-sort"));
}
heads.slice(0, 3).forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
    const before = head.getAttribute("aria-sort");
    sort(column, before ? before === "ascending" : column > 0);
}));
heads[1].setAttribute("aria-sort", "descending");
regrow();
