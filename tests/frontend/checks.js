/** What a view must never be, looked for in the page itself. */

const root = () => document.querySelector("doorstep-panel").shadowRoot;
const all = (selector) => [...root().querySelectorAll(selector)];
const begin = (element) => element.outerHTML.slice(0, 120);
const style = (element) => getComputedStyle(element);

/** Elements whose content is wider than they are. */
export const wider = () =>
  [document.documentElement, ...all("*")]
    .filter((one) => one.scrollWidth > one.clientWidth + 1)
    .filter((one) => style(one).display !== "inline" && style(one).overflowX !== "hidden")
    .filter((one) => !one.closest(".unseen, svg, video"))
    .map(begin);

/** Things to use or look at that have no name for a screen reader. */
export const nameless = () =>
  all("a, button, video, input, select, summary, svg[role], [role=group], [role=search], img:not([alt])")
    .filter((one) => !(one.textContent.trim() || one.ariaLabel || one.labels?.length))
    .map(begin);

/** Texts with less contrast than WCAG 2.2 wants: 4.5 to 1 over all the colours beneath them. */
export function pale() {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const luminance = (colours) => {
    for (const colour of colours) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data]
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const beneath = (one) => [
    ...(one === document.body ? [] : beneath(one.parentElement ?? one.getRootNode().host)),
    style(one).backgroundColor,
  ];
  return all("*")
    .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .filter((one) => !one.closest("svg, video, .unseen, :disabled"))
    .filter((one) => {
      const ground = beneath(one);
      const pair = [luminance(ground), luminance([...ground, style(one).color])];
      return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05) < 4.5;
    })
    .map(begin);
}

/** Whether every video shows a picture. */
export const ready = () => all("video").every((video) => video.readyState >= 2);
