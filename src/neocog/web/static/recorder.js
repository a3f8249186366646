// A sound from the microphone, sent as a WAV; it listens only between start and stop.

import { box, button, el } from "./dom.js";

const LONGEST = 30_000;

/** The recorder as {element, stop}; `use(blob)` takes the recording, `fail(error)` says why there is none. */
export function recorder(use, fail) {
  let machine = null;
  const state = el("span", { class: "place", role: "status" });
  const stop = () => {
    if (machine?.state === "recording") machine.stop();
    for (const track of machine?.stream.getTracks() ?? []) track.stop();
  };
  const toggle = button("Record", () => (machine?.state === "recording" ? stop() : start()), { class: "primary" });
  const start = async () => {
    try {
      machine = new MediaRecorder(await navigator.mediaDevices.getUserMedia({ audio: true }));
    } catch {
      fail(new Error("No microphone: there is none, or the browser was not allowed to use it."));
      return;
    }
    const pieces = [];
    machine.addEventListener("dataavailable", (event) => pieces.push(event.data));
    machine.addEventListener("stop", async () => {
      toggle.textContent = "Record";
      state.textContent = "";
      use(await wave(new Blob(pieces)));
    });
    machine.start();
    toggle.textContent = "Stop";
    state.textContent = "recording\u2026";
    window.setTimeout(stop, LONGEST);
  };
  return { element: box("recorder", box("controls", toggle, state)), stop };
}

async function wave(blob) {
  const context = new AudioContext();
  const sound = await context.decodeAudioData(await blob.arrayBuffer());
  await context.close();
  return new Blob([header(sound.length, sound.sampleRate), samples(sound)], { type: "audio/wav" });
}

// One channel, the mean of all, in 16 bits.
function samples(sound) {
  const mixed = new Int16Array(sound.length);
  const channels = Array.from({ length: sound.numberOfChannels }, (_, index) => sound.getChannelData(index));
  for (let at = 0; at < mixed.length; at += 1) {
    const mean = channels.reduce((sum, channel) => sum + channel[at], 0) / channels.length;
    mixed[at] = Math.round(Math.max(-1, Math.min(1, mean)) * 32767);
  }
  return mixed;
}

function header(length, rate) {
  const view = new DataView(new ArrayBuffer(44));
  const word = (at, text) => [...text].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  word(0, "RIFF");
  view.setUint32(4, 36 + 2 * length, true);
  word(8, "WAVEfmt ");
  [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, rate, 4], [28, 2 * rate, 4], [32, 2, 2], [34, 16, 2]].forEach(([at, value, bytes]) => (
    bytes === 4 ? view.setUint32(at, value, true) : view.setUint16(at, value, true)));
  word(36, "data");
  view.setUint32(40, 2 * length, true);
  return view.buffer;
}
