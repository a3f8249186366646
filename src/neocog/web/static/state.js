// What the page shows at present, and who wants to know of changes.

/** A state of named values: `get(name)`, `set({name: value})`, `on(names, listener)`. */
export class State {
  constructor(values) {
    this.values = { ...values };
    this.listeners = [];
  }

  get(name) {
    return this.values[name];
  }

  /** Takes the new values and tells the listeners of those that changed, each once. */
  set(values) {
    const changed = Object.keys(values).filter((name) => this.values[name] !== values[name]);
    Object.assign(this.values, values);
    for (const [names, listener] of this.listeners) if (names.some((name) => changed.includes(name))) listener(this.values);
  }

  on(names, listener) {
    this.listeners.push([names, listener]);
  }
}

/** Lets only the latest of several asked-for things arrive: `latest()` gives a function that says whether it still is. */
export function latestOnly() {
  let newest = 0;
  return () => {
    newest += 1;
    const own = newest;
    return () => own === newest;
  };
}
