// The reader's own inputs: files, dropped or pasted pictures, camera, drawing, text, sound.

import { box, button, el, fill, sorry } from "./dom.js";
import { camera } from "./camera.js";
import { pad } from "./pad.js";
import { recorder } from "./recorder.js";

const LARGEST = 20 * 2 ** 20;
const SMALL = 64;

/** The ways in for the network's kind of input, as `element`. */
export class Input {
  constructor(app) {
    Object.assign(this, { app, open: null });
    this.place = box("tool");
    this.trouble = box("trouble");
    const kind = app.network.kind ?? "picture";
    const ways = kind === "text" ? [this.text()] : [box("buttons", ...this.files(kind), ...(kind === "sound" ? [this.tool("Record", recorder)] : this.pictureTools()))];
    this.element = box("own", el("h3", {}, "Your own"), ways, this.place, this.trouble);
    if (kind === "picture") this.listen();
  }

  files(kind) {
    const field = el("input", { type: "file", accept: kind === "sound" ? "audio/*" : "image/*", class: "hidden", tabindex: "-1", "aria-hidden": "true",
      on: { change: () => {
        this.send(field.files[0]);
        field.value = "";
      } } });
    return [button("Open\u2026", () => field.click(), { title: kind === "sound" ? "A sound from your files" : "A picture from your files; you can also drop or paste one" }), field];
  }

  pictureTools() {
    const small = Math.max(...this.app.network.input.slice(1)) <= SMALL;
    const draw = this.tool("Draw", (use) => pad(use, { dark: this.app.network.input[0] === 1 }));
    const own = [this.tool("Camera", camera), button("Paste", () => this.paste(), { title: "The picture in the clipboard; Ctrl+V does the same" })];
    return small ? [draw, ...own] : [...own, draw];
  }

  // A tool opens below the buttons; a second click on its button closes it.
  tool(name, make) {
    const opener = button(name, () => {
      const again = this.open?.opener === opener;
      this.close();
      if (again) return;
      const tool = make((blob) => this.send(blob), (error) => this.fail(error));
      this.open = { opener, tool };
      opener.setAttribute("aria-expanded", "true");
      fill(this.place, tool.element);
      tool.element.querySelector("button, canvas[tabindex]")?.focus();
    }, { "aria-expanded": "false" });
    return opener;
  }

  close() {
    this.open?.opener.setAttribute("aria-expanded", "false");
    this.open?.tool.stop?.();
    this.open = null;
    fill(this.place);
    fill(this.trouble);
  }

  text() {
    const area = el("textarea", { rows: 3, id: "own-text", maxlength: 20000 });
    const go = () => this.take(this.app.transport.post("/api/text", { text: area.value }));
    return el("form", { on: { submit: (event) => {
      event.preventDefault();
      go();
    } } }, el("label", { for: "own-text" }, "A text"), area, el("button", { type: "submit", class: "primary" }, "Read it"));
  }

  listen() {
    const over = (on) => document.documentElement.classList.toggle("dropping", on);
    document.addEventListener("dragover", (event) => {
      event.preventDefault();
      over(true);
    });
    document.addEventListener("dragleave", (event) => over(event.relatedTarget !== null));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      over(false);
      this.send(event.dataTransfer.files[0]);
    });
    document.addEventListener("paste", (event) => {
      const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
      if (file) this.send(file);
    });
  }

  async paste() {
    try {
      const items = await navigator.clipboard.read();
      const kinds = items.flatMap((item) => item.types.filter((type) => type.startsWith("image/")).map((type) => [item, type]));
      if (!kinds.length) return this.fail(new Error("There is no picture in the clipboard."));
      const [item, type] = kinds[0];
      return this.send(await item.getType(type));
    } catch {
      return this.fail(new Error("The browser keeps the clipboard closed to buttons: press Ctrl+V (\u2318V) instead."));
    }
  }

  send(blob) {
    if (!blob) return this.fail(new Error("That was no file: drop a picture from your files."));
    if (blob.size > LARGEST) return this.fail(new Error(`That file has ${Math.ceil(blob.size / 2 ** 20)} MB; at most 20 are taken.`));
    return this.take(this.app.transport.upload("/api/picture", blob));
  }

  async take(answer) {
    fill(this.trouble);
    try {
      this.app.show(await answer);
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error) {
    fill(this.trouble, sorry(error));
  }
}
