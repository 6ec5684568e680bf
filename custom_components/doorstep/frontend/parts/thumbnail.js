/** Small pictures in long lists: signed and fetched only when they come near the window. */

import { h } from "../dom.js";

const MARGIN = "300px";
const shown = new WeakMap();

const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    observer.unobserve(target);
    shown.get(target)();
  }
}, { rootMargin: MARGIN });

/** A picture that only repeats what stands beside it. */
export const thumbnail = (desk, path) =>
  h("img", {
    key: path,
    class: "thumb",
    alt: "",
    loading: "lazy",
    decoding: "async",
    src: (desk.near.has(path) && desk.backend.signed(path, desk.update)) || undefined,
    created: (image) => watch(desk, path, image),
    leaving: (image) => observer.unobserve(image),
    onerror: (event) => signAgain(desk, path, event.target),
  });

function watch(desk, path, image) {
  shown.set(image, () => {
    desk.near.add(path);
    desk.update();
  });
  observer.observe(image);
}

/** A signature ends after an hour; a second error is not about that, and the icon beneath is shown. */
async function signAgain(desk, path, image) {
  if (image.dataset.again) {
    image.classList.add("missing");
    return;
  }
  image.dataset.again = "yes";
  await desk.backend.sign(path);
  desk.update();
}
