/**
 * Draws a tree of plain objects and, when drawn again, changes only what differs.
 *
 * Two reasons for not writing HTML: text from agencies can only ever become text nodes and
 * attribute values, and an element that stays in the tree stays in the page untouched, so a
 * playing video plays on and the keyboard focus stays where it is.
 */

const HTML = "http://www.w3.org/1999/xhtml";
const SVG = "http://www.w3.org/2000/svg";
const DRAWN = Symbol("drawn");

/**
 * Describe an element. In `props`: `key` (identity among siblings, for lists), `on…` (functions),
 * `.name` (a property), `created` and `leaving` (called with the element), `class` (text or a
 * list); all others are attributes. Children that are null, undefined or booleans draw nothing.
 */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, children };
}

/** Make the content of `parent` equal to `nodes`. */
export function draw(parent, ...nodes) {
  const before = parent[DRAWN] ?? new Map();
  const after = new Map();
  for (const [slot, node] of slots(nodes)) {
    const drawn = before.get(slot);
    before.delete(slot);
    after.set(slot, drawn ? change(drawn, node) : create(node, parent.namespaceURI ?? HTML));
  }
  for (const { dom, node } of before.values()) {
    node.props?.leaving?.(dom);
    dom.remove();
  }
  // What was removed is gone first, so that only reordered elements are ever moved: moving a video stops it.
  let next = parent.firstChild;
  for (const { dom } of after.values()) {
    if (dom === next) next = next.nextSibling;
    else parent.insertBefore(dom, next);
  }
  parent[DRAWN] = after;
}

/** Name each child by key, or by place and tag; a child that draws nothing keeps its place. */
function* slots(children, path = "") {
  for (const [index, child] of children.entries()) {
    if (child === null || child === undefined || typeof child === "boolean") continue;
    if (Array.isArray(child)) yield* slots(child, `${path}${index}.`);
    else if (typeof child === "object") yield [`${child.tag} ${child.props.key ?? path + index}`, child];
    else yield [`# ${path}${index}`, String(child)];
  }
}

function create(node, namespace) {
  if (typeof node === "string") return { dom: document.createTextNode(node), node };
  const dom = document.createElementNS(node.tag === "svg" ? SVG : namespace, node.tag);
  setProps(dom, {}, node.props);
  draw(dom, ...node.children);
  node.props.created?.(dom);
  return { dom, node };
}

function change({ dom, node: before }, node) {
  if (typeof node !== "string") {
    setProps(dom, before.props, node.props);
    draw(dom, ...node.children);
  } else if (node !== before) dom.data = node;
  return { dom, node };
}

function setProps(dom, before, after) {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (["key", "created", "leaving"].includes(name) || before[name] === after[name]) continue;
    if (name.startsWith("on")) dom[name] = after[name] instanceof Function ? after[name] : null;
    else if (name.startsWith(".")) dom[name.slice(1)] = after[name];
    else setAttribute(dom, name, name === "class" ? [after[name]].flat().filter(Boolean).join(" ") : after[name]);
  }
}

function setAttribute(dom, name, value) {
  const text = value === true ? "" : String(value ?? "");
  if (value === false || value === null || value === undefined) dom.removeAttribute(name);
  else if (dom.getAttribute(name) !== text) dom.setAttribute(name, text);
}
