// A picture from the camera; it runs only while its view is open.

import { box, button, el } from "./dom.js";

/** The camera as {element, stop}; `use(blob)` takes the picture, `fail(error)` says why there is none. */
export function camera(use, fail) {
  const view = el("video", { playsinline: true, class: "view", "aria-label": "What the camera sees" });
  view.muted = true;
  let stream = null;
  let stopped = false;
  const stop = () => {
    stopped = true;
    for (const track of stream?.getTracks() ?? []) track.stop();
  };
  const start = async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
      if (stopped) return stop();
      view.srcObject = stream;
      return await view.play();
    } catch {
      return stopped ? undefined : fail(new Error("No camera: there is none, or the browser was not allowed to use it."));
    }
  };
  const take = () => {
    if (!view.videoWidth) return;
    const canvas = el("canvas", { width: view.videoWidth, height: view.videoHeight });
    canvas.getContext("2d").drawImage(view, 0, 0);
    canvas.toBlob((blob) => use(blob), "image/png");
  };
  start();
  return { element: box("camera", view, box("controls", button("Take the picture", take, { class: "primary" }))), stop };
}
